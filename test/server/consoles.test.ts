import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type Duplex, duplexPair } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { WebSocket } from 'ws'
import {
  ConsoleRefusal,
  type ConsoleRefusalKind,
  type ConsoleRequest,
  type OpenConsoleOf,
} from '../../src/engine/terminals.ts'
import { client, start, statusOf, type WorldOptions } from './world.ts'
import { atEnd } from '../support/at-end.ts'

const SECRET = 'f'.repeat(64)
const KEY = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
const UPGRADE = `Connection: Upgrade\r\nUpgrade: websocket\r\n${KEY}`
const BEARER = `Authorization: Bearer ${SECRET}\r\n`
const VNC = '/console/one/vnc'
const SERIAL = '/console/one/serial'

interface Guest {
  /** The guest's end: reads what is typed, writes what is shown. */
  readonly end: Duplex
  readonly session: AbortController
  isReleased: boolean
}

async function startConsoles(context: TestContext, options: WorldOptions & { refuse?: ConsoleRefusalKind } = {}) {
  const requests: ConsoleRequest[] = []
  const guests: Guest[] = []
  const openConsole: OpenConsoleOf = async request => {
    requests.push(request)
    await turn()
    if (request.secret !== SECRET) throw new ConsoleRefusal('session', 'A console wants a valid session.')
    if (options.refuse !== undefined) throw new ConsoleRefusal(options.refuse, 'No.')
    const [stream, end] = duplexPair()
    const guest: Guest = { end, session: new AbortController(), isReleased: false }
    guests.push(guest)
    const release = () => {
      guest.isReleased = true
      stream.destroy()
    }
    return { stream, sessionEnded: guest.session.signal, use: () => undefined, release }
  }
  const world = await start(context, { openConsole, ...options })
  return { ...world, requests, guests, guest: () => guests.at(-1) ?? assert.fail('nobody looks') }
}

type World = Awaited<ReturnType<typeof startConsoles>>

function viewer(context: TestContext, { port }: World, path = SERIAL): WebSocket {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, 'binary', {
    headers: { Authorization: `Bearer ${SECRET}` },
  })
  atEnd(context, () => socket.terminate())
  socket.on('error', () => undefined)
  return socket
}

async function opened(context: TestContext, world: World, path = SERIAL): Promise<WebSocket> {
  const socket = viewer(context, world, path)
  await once(socket, 'open')
  return socket
}

const request = (path: string, headers: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`

async function refusal(context: TestContext, { port }: World, bytes: string): Promise<string> {
  const raw = client(context, port)
  raw.send(bytes)
  return raw.closed
}

async function closing(socket: WebSocket): Promise<string> {
  const [code, reason] = await once(socket, 'close')
  return `${code} ${String(reason)}`
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await turn()
}

test('bytes go both ways, and text to the serial console as well', async context => {
  const world = await startConsoles(context)
  const socket = await opened(context, world)
  assert.equal(socket.protocol, 'binary')

  socket.send(Buffer.of(0, 255, 128))
  assert.deepEqual((await once(world.guest().end, 'data'))[0], Buffer.of(0, 255, 128))
  socket.send('ls é\n')
  assert.equal(String((await once(world.guest().end, 'data'))[0]), 'ls é\n')
  world.guest().end.write(Buffer.of(7, 0))

  assert.deepEqual(await once(socket, 'message'), [Buffer.of(7, 0), true])
})

test('the session is shown by a header, a subprotocol, or the query, and is never logged', async context => {
  const world = await startConsoles(context)
  const ways = [
    request(SERIAL, UPGRADE + BEARER),
    request(SERIAL, `${UPGRADE}Sec-WebSocket-Protocol: binary, session.${SECRET}\r\n`),
    request(`${SERIAL}?session_id=${SECRET}`, UPGRADE),
  ]
  for (const bytes of ways) {
    const raw = client(context, world.port)
    raw.send(bytes)
    const answer = await raw.until(/\r\n\r\n/)
    assert.equal(statusOf(answer), 101)
    assert.doesNotMatch(answer, new RegExp(SECRET))
  }

  assert.deepEqual(
    world.requests.map(({ secret, vm, kind }) => [secret, vm, kind]),
    ways.map(() => [SECRET, 'one', 'serial']),
  )
  assert.doesNotMatch(JSON.stringify(world.lines), new RegExp(SECRET))
})

test('what is wrong is refused before the upgrade, with a status and a sentence', async context => {
  const world = await startConsoles(context)
  const cases: readonly (readonly [number, string])[] = [
    [401, request(SERIAL, UPGRADE)],
    [401, request(`${SERIAL}?session_id=wrong`, UPGRADE)],
    [404, request('/elsewhere', UPGRADE + BEARER)],
    [404, request('/console/one/serial/more', UPGRADE + BEARER)],
    [405, request(SERIAL, UPGRADE + BEARER).replace('GET', 'POST')],
    [426, request(SERIAL, (UPGRADE + BEARER).replace('Version: 13', 'Version: 7'))],
    [400, request(SERIAL, (UPGRADE + BEARER).replace('dGhl', ''))],
  ]
  for (const [status, bytes] of cases) {
    const answer = await refusal(context, world, bytes)
    assert.equal(statusOf(answer), status, bytes)
    assert.match(answer, /\r\n\r\n[A-Z].+\.\n$/)
  }
  for (const [kind, status] of [
    ['absent', 404],
    ['halted', 409],
    ['failed', 502],
  ] as const) {
    const other = await startConsoles(context, { refuse: kind })
    assert.equal(statusOf(await refusal(context, other, request(SERIAL, UPGRADE + BEARER))), status)
  }
  assert.equal(world.guests.length, 0)
})

test('a server without consoles has no WebSockets, and an offer of another protocol is passed over', async context => {
  const world = { ...(await start(context)), requests: [], guests: [], guest: () => assert.fail() }
  assert.equal(statusOf(await refusal(context, world, request(SERIAL, UPGRADE + BEARER))), 404)
  const raw = client(context, world.port)
  raw.send(request('/', 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n'))
  assert.equal(statusOf(await raw.until(/\r\n\r\n/)), 200)
})

test('the viewer is told why it ends', async context => {
  const world = await startConsoles(context)
  const ends: readonly (readonly [string, (guest: Guest) => unknown])[] = [
    ['1000 the VM has halted', guest => guest.end.end()],
    ['1008 the session has ended', guest => guest.session.abort()],
  ]
  for (const [expected, end] of ends) {
    const socket = await opened(context, world)
    const closed = closing(socket)
    end(world.guest())
    assert.equal(await closed, expected)
    await until(() => world.guest().isReleased)
  }

  const display = await opened(context, world, VNC)
  display.send('text')
  assert.equal(await closing(display), '1003 the display takes binary messages only')

  const last = await opened(context, world)
  const closed = closing(last)
  const stopped = world.close(10_000)
  assert.equal(await closed, '1001 the server is stopping')
  await stopped
})

test('what the guest said last arrives before the closing', async context => {
  const world = await startConsoles(context)
  const socket = await opened(context, world)
  const seen: Buffer[] = []
  socket.on('message', (data: Buffer) => seen.push(data))

  world.guest().end.end(Buffer.alloc(300_000, 'z'))

  assert.match(await closing(socket), /^1000/)
  assert.equal(Buffer.concat(seen).length, 300_000)
})

test('a message over the limit closes the console, and takes nothing of the guest', async context => {
  const world = await startConsoles(context, { limits: { consoleFrameBytes: 1024 } })
  const socket = await opened(context, world)

  socket.send(Buffer.alloc(1025))

  assert.match(await closing(socket), /^1009/)
  assert.equal(world.guest().end.read(), null)
  await until(() => world.guest().isReleased)
})

test('a viewer that reads nothing makes its console wait, and one that types too fast waits itself', async context => {
  const world = await startConsoles(context, { limits: { consoleUnsentBytes: 65_536 } })
  const socket = await opened(context, world)
  const { end } = world.guest()
  socket.pause()
  let shown = 0
  while (end.write(Buffer.alloc(65_536))) shown += 65_536
  for (let quiet = 0; quiet < 50; quiet++) {
    await turn()
    if (end.writableNeedDrain) continue
    quiet = 0
    end.write(Buffer.alloc(65_536))
    shown += 65_536
  }
  assert.ok(shown < 32 * 1024 * 1024, `${shown} bytes were taken for one that reads nothing`)
  socket.resume()
  await once(end, 'drain')

  const typist = await opened(context, world)
  for (let sent = 0; sent < 64; sent++) typist.send(Buffer.alloc(65_536))
  for (let turns = 0; turns < 50; turns++) await turn()
  assert.ok(world.guest().end.readableLength < 8 * 65_536)
  let taken = 0
  world.guest().end.on('data', (piece: Buffer) => (taken += piece.length))
  await until(() => taken === 64 * 65_536)
})

test('a viewer that vanished is noticed, and one that only answers pings stays', async context => {
  const world = await startConsoles(context, { limits: { consolePingMs: 300 } })
  const stays = await opened(context, world)
  const [kept] = world.guests
  const raw = client(context, world.port)
  raw.send(request(SERIAL, UPGRADE + BEARER))
  await raw.until(/\r\n\r\n/)
  const vanished = world.guest()
  assert.notEqual(vanished, kept)

  await raw.closed

  await until(() => vanished.isReleased)
  await once(stays, 'ping')
  assert.equal(kept?.isReleased, false)
})

test('a viewer that does not close its side is cut off', async context => {
  const world = await startConsoles(context, { limits: { consoleCloseMs: 50 } })
  const raw = client(context, world.port)
  raw.send(request(SERIAL, UPGRADE + BEARER))
  await raw.until(/\r\n\r\n/)

  world.guest().session.abort()

  await raw.closed
})

test('pings without end, and frames that are none, do no harm to the others', async context => {
  const world = await startConsoles(context)
  const other = await opened(context, world)
  const [guest] = world.guests
  const PING = Buffer.from([0x89, 0x80, 0, 0, 0, 0])
  const flood = client(context, world.port)
  flood.send(request(SERIAL, UPGRADE + BEARER))
  await flood.until(/\r\n\r\n/)
  flood.socket.pause()
  for (let count = 0; count < 200; count++) flood.send(Buffer.concat(Array.from({ length: 500 }, () => PING)))
  const garbage = client(context, world.port)
  garbage.send(request(SERIAL, UPGRADE + BEARER))
  await garbage.until(/\r\n\r\n/)
  garbage.send(Buffer.alloc(100, 0xff))
  await garbage.closed

  guest?.end.write('still here')

  assert.equal(String((await once(other, 'message'))[0]), 'still here')
})

test('200 idle viewers are kept; beyond its bounds a server refuses more until one leaves', async context => {
  const world = await startConsoles(context, { limits: { consolesPerVm: 100, consoles: 200 } })
  const idle: WebSocket[] = []
  for (const vm of ['one', 'two']) {
    const sockets = Array.from({ length: 100 }, () => viewer(context, world, `/console/${vm}/serial`))
    await Promise.all(sockets.map(socket => once(socket, 'open')))
    idle.push(...sockets)
    if (vm === 'one') assert.equal(statusOf(await refusal(context, world, request(SERIAL, UPGRADE + BEARER))), 429)
  }
  assert.equal(statusOf(await refusal(context, world, request('/console/x/vnc', UPGRADE + BEARER))), 503)

  idle[0]?.close()
  await until(() => world.guests.some(({ isReleased }) => isReleased))

  await opened(context, world)
  assert.equal(world.guests.filter(({ isReleased }) => !isReleased).length, 200)
})

test('a request that is not answered yet cannot be followed by a WebSocket', async context => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const handle = async () => {
    await promise
    return { status: 200, contentType: 'text/plain', body: '' }
  }
  const world = await startConsoles(context, { handle })

  const answer = await refusal(context, world, request('/', '') + request(SERIAL, UPGRADE + BEARER))

  resolve()
  assert.doesNotMatch(answer, /101/)
  assert.equal(world.guests.length, 0)
})
