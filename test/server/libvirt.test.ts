import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test, type TestContext } from 'node:test'
import { memoryDriver } from '../../src/drivers/memory/index.ts'
import type { Driver } from '../../src/drivers/driver.ts'
import { Accounts } from '../../src/engine/accounts.ts'
import { Sessions } from '../../src/engine/sessions.ts'
import { ALONE, LibvirtFace, type ManagedHost } from '../../src/libvirt/rpc/index.ts'
import { storedClasses } from '../../src/model/index.ts'
import { RpcClient, RpcConnectionError } from '../../src/protocols/libvirt-rpc/index.ts'
import type { Limits } from '../../src/server/limits.ts'
import { memoryLog } from '../../src/store/memory-log.ts'
import { openStore } from '../../src/store/open.ts'
import { client, signal, start } from './world.ts'
import { atEnd } from '../support/at-end.ts'

const OPEN = 'libvirt+tcp://127.0.0.1:0?auth=none'

/** A server for libvirt's clients with one host, whose name `hostname` answers. */
async function serve(context: TestContext, url: string, limits: Partial<Limits> = {}, hostname = async () => 'lab') {
  const store = await openStore({ classes: storedClasses, log: memoryLog() })
  atEnd(context, () => store.close())
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  const accounts = new Accounts({ store, sessions: new Sessions({ store, now: Date.now }), log })
  const lab = memoryDriver({ name: 'lab' })
  const info = async () => ({ ...(await lab.host.info()), hostname: await hostname() })
  const driver: Driver = { ...lab, host: { ...lab.host, info } }
  const host: ManagedHost = {
    scheme: 'memory',
    names: ['lab'],
    driver,
    signal: new AbortController().signal,
    company: ALONE,
  }
  const face = new LibvirtFace({ hosts: () => [host], warn: () => undefined })
  return start(context, { urls: [url], limits, libvirt: { face, accounts } })
}

function dial(context: TestContext, port: number): RpcClient {
  const rpc = new RpcClient(connect(port, '127.0.0.1'))
  atEnd(context, () => rpc.close())
  return rpc
}

test('a listener of libvirt’s tells the port that was free, and no dialect', async context => {
  const { addresses, port } = await serve(context, OPEN)

  assert.ok(port > 0)
  assert.deepEqual(addresses, [{ url: `libvirt+tcp://127.0.0.1:${port}` }])
})

test('a port that is taken is said to be', async context => {
  const { port } = await serve(context, OPEN)

  await assert.rejects(serve(context, `libvirt+tcp://127.0.0.1:${port}`), {
    name: 'ConfigurationError',
    message: `cannot listen on libvirt+tcp://127.0.0.1:${port}: the port is taken; stop the program that has it, or choose another port`,
  })
})

test('connections of libvirt’s clients count with all others, and one too many is told so and closed', async context => {
  const { port, lines } = await serve(context, OPEN, { connections: 1 })
  const first = dial(context, port)
  await first.call('AUTH_LIST')

  const second = dial(context, port)
  await assert.rejects(second.call('CONNECT_OPEN', { name: null, flags: 0 }), {
    code: 39,
    message: 'Too many active clients (1), dropping connection',
  })
  await assert.rejects(second.call('AUTH_LIST'), RpcConnectionError)
  assert.deepEqual(
    lines.filter(({ message }) => message.startsWith('too many')).map(({ level }) => level),
    ['warn'],
  )
  assert.deepEqual(await first.call('AUTH_LIST'), { types: [0] })
})

test('of those that are too many, only some are told so', async context => {
  const { port } = await serve(context, OPEN, { connections: 0 })
  const silent = Array.from({ length: 16 }, () => client(context, port))
  await Promise.all(silent.map(({ socket }) => once(socket, 'connect')))

  await assert.rejects(dial(context, port).call('AUTH_LIST'), RpcConnectionError)
  silent[0]?.socket.destroy()
  await silent[0]?.closed
})

test('a client that does not finish shaking hands is cut off', async context => {
  const { port } = await serve(context, 'libvirt+tls://127.0.0.1:0?clients=password', { headersMs: 50 })
  const silent = client(context, port)
  const slow = client(context, port)
  // The beginning of a ClientHello. Source: RFC 8446 §5.1.
  slow.send(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]))

  assert.deepEqual([await silent.closed, await slow.closed], ['', ''])
})

test('a server that stops answers what it is working on, and ends who is idle at once', async context => {
  const [asked, gate] = [signal(), signal()]
  const server = await serve(context, OPEN, {}, async () => {
    asked.resolve()
    await gate.promise
    return 'lab'
  })
  const [busy, idle] = [dial(context, server.port), connect(server.port, '127.0.0.1')]
  atEnd(context, () => idle.destroy())
  await once(idle, 'connect')
  const opening = busy.call('CONNECT_OPEN', { name: null, flags: 0 })
  await asked.promise

  const closed = server.close(10_000)
  idle.resume()
  await once(idle, 'close')
  await assert.rejects(dial(context, server.port).call('AUTH_LIST'), RpcConnectionError)
  gate.resolve()

  await opening
  await closed
  await assert.rejects(busy.call('AUTH_LIST'), RpcConnectionError)
})

test('what takes longer than the grace is cut off', async context => {
  const asked = signal()
  const server = await serve(context, OPEN, {}, async () => {
    asked.resolve()
    return new Promise<string>(() => undefined)
  })
  const opening = dial(context, server.port).call('CONNECT_OPEN', { name: null, flags: 0 })
  opening.catch(() => undefined)
  await asked.promise

  await server.close(20)

  await assert.rejects(opening, RpcConnectionError)
})
