import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { CONNECTIONS_MAX, httpTransport, IDLE_MS, POSTS_WAITING_MAX } from '../../src/protocols/wsman/http-transport.ts'
import { challengeOf } from './ntlm-acceptor.ts'
import { PASSWORD } from './transport-host.ts'
import { failure, post, world } from './transport-world.ts'

const TRANSPORT = new URL('../../src/protocols/wsman/http-transport.ts', import.meta.url).href

describe('connections', () => {
  test('one is used again, without another handshake', async () => {
    await using at = await world()

    for (const envelope of ['1', '2', '3']) await post(at.transport, envelope)

    assert.equal(at.fake.sockets.length, 1)
    assert.equal(at.fake.handshakes.length, 2)
  })

  test('no more than allowed are open, each with one post at a time, and those that wait go in order', async () => {
    let running = 0
    const together: number[] = []
    const busy = new Set<number>()
    await using at = await world(
      {
        async answer({ envelope, connection }, { reply }) {
          assert.ok(!busy.has(connection))
          busy.add(connection)
          together.push((running += 1))
          await sleep(10)
          running -= 1
          busy.delete(connection)
          await reply(envelope)
        },
      },
      { connectionsMax: 2 },
    )
    const envelopes = Array.from({ length: 12 }, (_, number) => String(number))
    const answered: string[] = []

    await Promise.all(envelopes.map(async envelope => answered.push(await post(at.transport, envelope))))

    assert.equal(Math.max(...together), 2)
    assert.equal(at.fake.sockets.length, 2)
    assert.deepEqual(
      answered.map(Number).toSorted((one, other) => one - other),
      envelopes.map(Number),
    )
    // Two run side by side, so that neighbours may change places and no others.
    for (const [place, envelope] of answered.entries())
      assert.ok(Math.abs(Number(envelope) - place) <= 1, answered.join())
  })

  test('as many are open as is said where the target says nothing', async () => {
    await using at = await world({ answer: async ({ envelope }, { reply }) => (await sleep(20), reply(envelope)) })

    await Promise.all(Array.from({ length: 9 }, (_, number) => post(at.transport, String(number))))

    assert.equal(at.fake.sockets.length, CONNECTIONS_MAX)
  })

  test('those that wait are bounded', async () => {
    await using at = await world({ answer: () => undefined }, { connectionsMax: 1 })
    const waiting = Array.from({ length: POSTS_WAITING_MAX + 1 }, () => post(at.transport, '<Question/>'))
    const outcomes = Promise.allSettled(waiting)

    await assert.rejects(post(at.transport, '<Question/>'), failure('overflow', false))

    at.transport.close()
    assert.ok((await outcomes).every(({ status }) => status === 'rejected'))
  })

  test('one that the host has closed while nobody used it is replaced unseen', async () => {
    await using at = await world()
    await post(at.transport, '1')
    at.fake.sockets[0]?.destroy()
    await sleep(20)
    await nextTurn() // However long it slept, what came was read then.

    assert.equal(await post(at.transport, '2'), '<Answer>2</Answer>')

    assert.equal(at.fake.sockets.length, 2)
    assert.deepEqual(
      at.fake.posted.map(({ envelope }) => envelope),
      ['1', '2'],
    )
  })

  test('one that the host closes with its answer is not used again', async () => {
    await using at = await world({
      async answer({ envelope }, { seal, response }) {
        const { contentType, body } = await seal(envelope)
        response.writeHead(200, { 'Content-Type': contentType, Connection: 'close' }).end(body)
      },
    })

    assert.equal(await post(at.transport, '1'), '1')
    assert.equal(await post(at.transport, '2'), '2')

    assert.equal(at.fake.sockets.length, 2)
  })

  test('one that the host keeps for one answer, as HTTP 1.0 does, is not used again', async () => {
    await using at = await world(
      {
        intercept({ socket }) {
          socket.write('HTTP/1.0 200 OK\r\nContent-Type: application/soap+xml\r\nContent-Length: 9\r\n\r\n<Answer/>')
          return true
        },
      },
      { auth: 'basic', allowPlainBasic: true },
    )

    assert.equal(await post(at.transport, '1'), '<Answer/>')
    assert.equal(await post(at.transport, '2'), '<Answer/>')

    assert.equal(at.fake.sockets.length, 2)
  })

  test('one that the host ends in the handshake has told it nothing', async () => {
    const challenge = challengeOf({ time: Buffer.alloc(8) }).toString('base64')
    await using at = await world({
      intercept({ socket }) {
        socket.write(`HTTP/1.0 401 No\r\nWWW-Authenticate: Negotiate ${challenge}\r\nContent-Length: 0\r\n\r\n`)
        return true
      },
    })

    await assert.rejects(post(at.transport, '<Question/>'), failure('lost', false))
  })

  test('one is not begun with for a caller who has gone meanwhile', async () => {
    await using at = await world({ acceptor: null }, { auth: 'basic', allowPlainBasic: true })
    await post(at.transport, '1')
    const controller = new AbortController()

    const going = post(at.transport, '2', { signal: controller.signal })
    controller.abort()

    await assert.rejects(going, failure('aborted', false))
    assert.equal(at.fake.posted.length, 1)
  })

  test('one that nobody uses is closed before a host would close it', async context => {
    await using at = await world()
    context.mock.timers.enable({ apis: ['setTimeout'] })
    await post(at.transport, '1')
    const [socket] = at.fake.sockets
    const closed = socket && once(socket, 'close')

    context.mock.timers.tick(IDLE_MS - 1)
    await nextTurn()
    assert.equal(socket?.destroyed, false)
    context.mock.timers.tick(1)

    await closed
  })

  test('one that nobody uses does not keep the process alive', async () => {
    await using at = await world()
    const script = `
      import { httpTransport } from ${JSON.stringify(TRANSPORT)}
      const transport = httpTransport({ url: '${at.target.url}', auth: 'negotiate', user: 'a', password: () => '${PASSWORD}' })
      const { status } = await transport.post(Buffer.from('1'), { timeoutMs: 60_000 })
      console.log(status)`

    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])

    assert.equal(stdout, '200\n')
  })

  test('one that breaks before the answer leaves open whether the host has acted', async () => {
    await using at = await world({
      answer: ({ envelope }, { socket, reply }) => (envelope === 'break' ? void socket.destroy() : reply(envelope)),
    })
    await post(at.transport, 'good')

    await assert.rejects(post(at.transport, 'break'), failure('lost', true))
    assert.equal(await post(at.transport, 'good'), 'good')
  })

  test('one that breaks within the answer is lost', async () => {
    await using at = await world({
      async answer(_, { seal, response, socket }) {
        const { contentType, body } = await seal('<Answer/>')
        response.writeHead(200, { 'Content-Type': contentType, 'Content-Length': body.length })
        response.write(body.subarray(0, 20), () => socket.destroy())
      },
    })

    await assert.rejects(post(at.transport, '<Question/>'), failure('lost', true))
  })

  test('one that breaks in the handshake has told the host nothing', async () => {
    await using at = await world({
      intercept(request) {
        request.socket.destroy()
        return true
      },
    })

    await assert.rejects(post(at.transport, '<Question/>'), failure('lost', false))
  })

  test('where nobody listens, the host is unreachable', async () => {
    const at = await world()
    await at[Symbol.asyncDispose]()
    const transport = httpTransport({ ...at.target, connectionsMax: 1 })

    await assert.rejects(post(transport, '<Question/>'), failure('unreachable', false))
    const nowhere = httpTransport({ ...at.target, url: 'http://nowhere.invalid:5985/wsman' })
    await assert.rejects(post(nowhere, '<Question/>'), {
      ...failure('unreachable', false),
      message: /nowhere\.invalid/,
    })
  })
})
