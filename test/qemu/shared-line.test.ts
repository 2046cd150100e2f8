import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createConnection, createServer, type Socket } from 'node:net'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { after, test } from 'node:test'
import { SharedLine, UNREAD_BYTES_MAX } from '../../src/drivers/qemu/shared-line.ts'
import { Screen } from '../support/screen.ts'

const folder = await mkdtemp('/tmp/pv-line-')
after(() => rm(folder, { recursive: true }))
let lines = 0

/** A line, and its other end, where the guest is. */
async function connect(): Promise<{ line: SharedLine; guest: Socket; closed: Promise<void> }> {
  const path = join(folder, `${(lines += 1)}.sock`)
  const server = createServer({ pauseOnConnect: true }).listen(path)
  const accepted = once(server, 'connection')
  const socket = createConnection(path)
  await once(socket, 'connect')
  const [guest] = await accepted
  server.close()
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  return { line: new SharedLine(socket, resolve), guest, closed }
}

test('a viewer that reads nothing is dropped at its bound, and the others go on', async () => {
  const { line, guest, closed } = await connect()
  const [idle, keen] = [line.join(), line.join()]
  const dropped = once(idle, 'error')
  let seen = 0
  keen.on('data', (piece: Buffer) => (seen += piece.length))

  const piece = Buffer.alloc(65_536, 'x')
  let sent = 0
  while (!idle.destroyed) {
    if (!guest.write(piece)) await once(guest, 'drain')
    sent += piece.length
    await turn()
  }

  const [error] = await dropped
  assert.match(String(error), /unread/)
  assert.ok(sent < UNREAD_BYTES_MAX * 4, `${sent} bytes until it was dropped`)
  guest.end()
  await once(keen, 'end')
  assert.equal(seen, sent)
  await closed
})

test('what a viewer types while the guest does not read waits, and is given up when the viewer leaves', async () => {
  const { line, guest } = await connect()
  const [eager, other] = [line.join(), line.join()]
  const piece = Buffer.alloc(65_536, 'a')
  let taken = 0
  const write = () => eager.write(piece, () => ((taken += 1), write()))
  write()
  for (let before = -1; before !== taken; ) {
    before = taken
    for (let turns = 0; turns < 20; turns++) await turn()
  }

  assert.ok(taken * piece.length < 8 * UNREAD_BYTES_MAX, `${taken} pieces were taken`)
  eager.destroy()
  other.write('b')
  let got = Buffer.alloc(0)
  guest.on('data', (bytes: Buffer) => (got = Buffer.concat([got, bytes])))
  guest.resume()
  while (!got.includes('b')) await once(guest, 'data')

  assert.equal(got.length, taken * piece.length + 1)
  other.destroy()
})

test('what the guest printed last is read after it is gone, and the line closes with its last viewer', async () => {
  const { line, guest, closed } = await connect()
  const viewer = line.join()
  guest.end('last words')

  assert.equal(await new Screen(viewer).untilEnd(), 'last words')
  await closed

  const second = await connect()
  second.line.join().destroy()
  await second.closed
})
