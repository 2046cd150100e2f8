import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, afterEach, before, describe, test, type TestContext } from 'node:test'
import * as fc from 'fast-check'
import { RpcClient, RpcConnectionError } from '../../src/protocols/libvirt-rpc/index.ts'
import { encodePacket } from '../../src/protocols/libvirt-rpc/packet.ts'
import { atEnd } from '../support/at-end.ts'
import { run } from '../support/command.ts'
import { type Server, startServer } from '../support/server.ts'

const MIB = 1024 * 1024
const REMOTE = 0x20008086
const CALL = { program: REMOTE, version: 1, procedure: 3, type: 0, serial: 7, status: 0 }
const AUTH_LIST = encodePacket({ ...CALL, procedure: 66 })
/** What the server may grow by, whatever clients do: several times what is measured. */
const GROWTH_BYTES_MAX = 256 * MIB
const CONNECTIONS_MAX = 1000

let server: Server
before(async () => {
  const urls = [
    'libvirt+tcp://127.0.0.1:0',
    'libvirt+tcp://127.0.0.1:0?auth=none',
    'libvirt+tls://127.0.0.1:0?clients=password',
  ]
  server = await startServer({ options: urls.flatMap(url => ['--listen', url]) })
})
after(async () => assert.equal(await server.stop(), 0))
// The server serves others meanwhile, and nothing was a fault of its own.
afterEach(async () => {
  const rpc = new RpcClient(dial(OPEN))
  await rpc.call('CONNECT_OPEN', { name: 'memory:///lab', flags: 0 })
  assert.equal((await rpc.call('CONNECT_LIST_ALL_DOMAINS', { need_results: 1, flags: 0 })).ret, 3)
  rpc.close()
  assert.doesNotMatch(server.log(), /"level":[56]0/)
  assert.doesNotMatch(server.log(), /a call of a libvirt client failed/)
})

const [SASL, OPEN, TLS] = [0, 1, 2]
const portOf = (listener: number) =>
  Number(server.urls.filter(({ protocol }) => protocol.startsWith('libvirt+t'))[listener]?.port)
const dial = (listener: number): Socket => connect(portOf(listener), '127.0.0.1')

/** A client's end that ends with the test; what comes is thrown away unless somebody reads it. */
function raw(context: TestContext, listener: number): { readonly socket: Socket; readonly closed: Promise<unknown> } {
  const socket = dial(listener)
  atEnd(context, () => socket.destroy())
  socket.on('error', () => undefined) // A reset is an end like others.
  // Not `once`, which rejects where there is an error.
  return { socket, closed: new Promise(resolve => socket.once('close', resolve)) }
}

describe('a client that has not logged in', () => {
  test('is cut off for a packet that is longer than a login needs', async context => {
    const { socket, closed } = raw(context, SASL)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(MIB)

    socket.resume().write(length)

    await closed
  })

  test('is told to log in, whatever else it calls, and which programs there are', async context => {
    const rpc = new RpcClient(dial(SASL))
    atEnd(context, () => rpc.close())

    for (const call of ['CONNECT_GET_TYPE', 'CONNECT_GET_HOSTNAME', 'CONNECT_CLOSE'] as const) {
      await assert.rejects(rpc.call(call), { code: 39, message: 'authentication required' })
    }
    assert.deepEqual(await rpc.call('AUTH_LIST'), { types: [1] })
    const { socket } = raw(context, SASL)
    socket.write(encodePacket({ ...CALL, program: REMOTE + 2 }))
    const [answer]: Buffer[] = await once(socket, 'data')
    assert.match(answer?.toString('latin1') ?? '', /Cannot find program 536903816 version 1/)
  })

  test('gets nowhere with noise on TLS', async context => {
    const { socket, closed } = raw(context, TLS)

    socket.resume().write(AUTH_LIST)

    await closed
  })
})

describe('a client that sends nonsense', () => {
  const header = fc.record({
    program: fc.oneof({ weight: 9, arbitrary: fc.constant(REMOTE) }, { weight: 1, arbitrary: fc.nat() }),
    version: fc.oneof({ weight: 9, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.nat() }),
    procedure: fc.oneof(fc.integer({ min: 1, max: 450 }), fc.constantFrom(66, 67, 68, 69, 1), fc.integer()),
    type: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 0, max: 6 }) }),
    serial: fc.nat({ max: 3 }),
    status: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer() }),
  })
  // Small numbers are what counts, lengths and flags are made of.
  const word = fc.oneof(fc.nat({ max: 8 }), fc.integer()).map(value => {
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(value)
    return bytes
  })
  const body = fc.oneof(
    fc.array(word, { maxLength: 16 }).map(words => Buffer.concat(words)),
    fc.uint8Array({ maxLength: 80 }).map(bytes => Buffer.from(bytes)),
  )
  const packet = fc.tuple(header, body).map(([head, bytes]) => encodePacket(head, to => to.raw(bytes)))
  const garbage = fc.uint8Array({ maxLength: 40 }).map(bytes => Buffer.from(bytes))
  const traffic = fc.array(fc.oneof({ weight: 30, arbitrary: packet }, { weight: 1, arbitrary: garbage }), {
    maxLength: 40,
  })

  for (const [who, listener, opening] of [
    ['that has not logged in', SASL, []],
    ['that may do everything', OPEN, [encodePacket({ ...CALL, procedure: 1 }, to => to.raw(Buffer.alloc(8)))]],
  ] as const) {
    test(`${who}, is answered or cut off`, async context => {
      await fc.assert(
        fc.asyncProperty(traffic, async all => {
          const { socket, closed } = raw(context, listener)
          socket.resume()
          for (const bytes of [...opening, ...all]) socket.write(bytes)
          socket.end()
          await closed
        }),
        { numRuns: 60 },
      )
      assert.ok((await server.residentBytes()) < GROWTH_BYTES_MAX + 256 * MIB)
    })
  }
})

test('a client that never reads is not read on, and holds little', async context => {
  const { socket } = raw(context, OPEN)
  const before = await server.residentBytes()
  const open = encodePacket({ ...CALL, procedure: 1 }, to => to.raw(Buffer.alloc(8)))
  const capabilities = encodePacket({ ...CALL, procedure: 7 })
  socket.write(open)

  const isTaken = (): boolean => socket.write(Buffer.concat(Array.from({ length: 1000 }, () => capabilities)))
  let sentBytes = 0
  for (let turn = 0; turn < 400; turn++) {
    if (!isTaken() && !(await drainsSoon(socket))) break
    sentBytes = socket.bytesWritten
  }

  assert.ok(sentBytes < 32 * MIB, `${sentBytes} bytes were taken`)
  assert.ok((await server.residentBytes()) - before < GROWTH_BYTES_MAX)
})

test('a thousand idle clients cost little, one more is refused, and whoever comes after one has gone is served', async context => {
  const before = await server.residentBytes()
  const idle: Socket[] = []
  atEnd(context, () => idle.forEach(socket => socket.destroy()))
  for (let count = 0; count < CONNECTIONS_MAX; count++) {
    const socket = dial(count % 2 === 0 ? OPEN : SASL)
    idle.push(socket)
    socket.write(AUTH_LIST)
    await once(socket, 'data')
  }

  assert.ok((await server.residentBytes()) - before < GROWTH_BYTES_MAX)
  const refused = new RpcClient(dial(OPEN))
  const full = { code: 39, message: 'Too many active clients (1000), dropping connection' }
  await assert.rejects(refused.call('AUTH_LIST'), full)
  await assert.rejects(refused.call('AUTH_LIST'), RpcConnectionError)
  const uri = `memory+tcp://127.0.0.1:${portOf(OPEN)}/lab`
  const virsh = await run('virsh', ['-c', uri, 'list'])
  assert.match(virsh.stderr, /Too many active clients \(1000\), dropping connection/)
  assert.match(server.log(), /"connections":1000,"msg":"too many connections; closing new ones"/)
  const [first, second] = idle
  for (const socket of [first, second]) {
    socket?.destroy()
    await (socket && once(socket, 'close'))
  }
  await served()
})

/** Resolves when the server serves a client again that comes. */
async function served(): Promise<void> {
  const TRIES_MAX = 200
  for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
    const rpc = new RpcClient(dial(OPEN))
    const types = await rpc.call('AUTH_LIST').catch(() => undefined)
    rpc.close()
    if (types !== undefined) return
  }
  assert.fail('nobody is served')
}

/** Whether the server reads on, within a time that is long for it. */
async function drainsSoon(socket: Socket): Promise<boolean> {
  const HELD_MS = 300
  const signal = AbortSignal.timeout(HELD_MS)
  return once(socket, 'drain', { signal }).then(
    () => true,
    () => false,
  )
}
