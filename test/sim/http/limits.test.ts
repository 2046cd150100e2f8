import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'

import type { FrontLimits } from '../../../sim/hyperv/http/limits.ts'
import { makeCertificate } from './certificate.ts'
import { type EchoListener, envelope, listenEcho, PASSWORD, SLOW, USER } from './listener.ts'
import { headersNamed, postOf, RawClient } from './raw-client.ts'

const BASIC = { Authorization: `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}` }
const NEGOTIATE = `TlRMTVNTUAABAAAANYII4gAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==`
const ASKED = envelope('<x/>')
const PATIENCE_MS = 10_000

function listenBound(limits: Partial<FrontLimits>): Promise<EchoListener> {
  return listenEcho({ policy: { basic: true, allowUnencrypted: true }, limits: { checkMs: 50, ...limits } })
}

/** Waits for what comes about by itself. */
async function until(isSo: () => boolean): Promise<void> {
  const end = Date.now() + PATIENCE_MS
  while (!isSo()) {
    if (Date.now() > end) throw new Error('it does not come about')
    await sleep(10)
  }
}

test('a client that dribbles its headers, or says nothing at all, is cut off', async () => {
  await using host = await listenBound({ headersMs: 200 })
  using silent = await RawClient.connect(host.port)
  using slow = await RawClient.connect(host.port)
  const timer = setInterval(() => slow.send('X'), 20)
  slow.send('POST /wsman HTTP/1.1\r\nX-')

  await Promise.all([silent.closed, slow.closed])

  clearInterval(timer)
  assert.equal(await slow.reply(), undefined)
})

test('a client that dribbles its body is cut off, logged on or not', async () => {
  await using host = await listenBound({ requestMs: 300, headersMs: 200 })
  const cutOff = async (headers: Readonly<Record<string, string>>) => {
    using client = await RawClient.connect(host.port)
    client.send(postOf('', { ...headers, 'Content-Length': '100000' }))
    const timer = setInterval(() => client.send('x'), 20)
    await client.closed
    clearInterval(timer)
  }

  await Promise.all([cutOff({}), cutOff(BASIC)])
  await until(() => host.load.bodyBytes === 0)

  assert.equal(host.requests.length, 0)
})

test('a connection without a request is not kept for ever', async () => {
  await using host = await listenBound({ idleMs: 500 })
  using client = await RawClient.connect(host.port)

  assert.equal((await client.post(ASKED, BASIC))?.status, 200)
  await client.closed
})

test('a thousand idle connections leave room for a client that logs on', async () => {
  await using host = await listenBound({ connections: 200 })
  const idle = await Promise.all(Array.from({ length: 1000 }, () => RawClient.connect(host.port)))

  using client = await RawClient.connect(host.port)
  const reply = await client.post(ASKED, BASIC)

  assert.equal(reply?.status, 200)
  assert.ok(host.load.connections <= 200)
  for (const other of idle) other[Symbol.dispose]()
})

test('the oldest that nobody has logged on over gives way, and one that somebody has does not', async () => {
  await using host = await listenBound({ connections: 3 })
  const clients = [
    await RawClient.connect(host.port),
    await RawClient.connect(host.port),
    await RawClient.connect(host.port),
  ]
  const [known, older, newer] = clients
  assert.equal((await known?.post(ASKED, BASIC))?.status, 200)

  using fourth = await RawClient.connect(host.port)
  await older?.closed

  assert.equal(newer?.isClosed, false)
  for (const client of [newer, fourth]) assert.equal((await client.post(ASKED, BASIC))?.status, 200)
  using fifth = await RawClient.connect(host.port) // All have logged on: this one is the one too many.
  await fifth.closed
  assert.equal((await known?.post(ASKED, BASIC))?.status, 200)
  for (const client of clients) client[Symbol.dispose]()
})

test('bodies of nobody are not held, however many there are', async () => {
  await using host = await listenBound({})
  const clients = await Promise.all(Array.from({ length: 50 }, () => RawClient.connect(host.port)))
  const half = 'x'.repeat(200_000)

  for (const client of clients) client.send(postOf(half, { 'Content-Length': '400000' }))
  for (const client of clients) await until(() => client.socket.bytesWritten > 200_000)
  await sleep(50)

  assert.equal(host.load.bodyBytes, 0)
  for (const client of clients) client.send(half)
  for (const client of clients) assert.equal((await client.reply())?.status, 401)
  for (const client of clients) client[Symbol.dispose]()
})

test('bodies beyond what a host holds at one time are 503', async () => {
  await using host = await listenBound({ heldBytes: 300_000 })
  using first = await RawClient.connect(host.port)
  first.send(postOf('x'.repeat(200_000), { ...BASIC, 'Content-Length': '200001' }))
  await until(() => host.load.bodyBytes === 200_000)

  using second = await RawClient.connect(host.port)
  const refused = await second.post('x'.repeat(200_000), BASIC)
  first.send('x')

  assert.equal(refused?.statusLine, 'HTTP/1.1 503 Service Unavailable')
  assert.equal((await first.reply())?.status, 200)
  assert.equal(host.load.bodyBytes, 0)
})

test('requests beyond those that a host carries out at one time are 503', async () => {
  await using host = await listenBound({ handled: 2 })
  const clients = await Promise.all([1, 2].map(() => RawClient.connect(host.port)))
  for (const client of clients) client.send(postOf(SLOW, BASIC))
  await until(() => host.requests.length === 2)

  using third = await RawClient.connect(host.port)

  assert.equal((await third.post(ASKED, BASIC))?.status, 503)
  for (const client of clients) client[Symbol.dispose]()
})

test('a client that does not take its answer is cut off', async () => {
  const bytes = 12 * 1024 * 1024 // More than the kernel takes from one side for the other.
  await using host = await listenBound({ replyMs: 200, bodyBytes: bytes, heldBytes: bytes })
  using client = await RawClient.connect(host.port)
  client.socket.pause()

  client.send(postOf(envelope(`<x>${'x'.repeat(bytes - 1000)}</x>`), BASIC))
  await until(() => host.requests.length === 1)
  await until(() => host.load.connections === 0)

  assert.equal(host.load.bodyBytes, 0)
})

test('a client that does not shake hands in TLS is cut off', async () => {
  await using host = await listenEcho({
    tls: await makeCertificate('localhost'),
    limits: { headersMs: 200, checkMs: 50 },
  })
  using client = await RawClient.connect(host.port)

  await client.closed

  await until(() => host.load.connections === 0)
})

test('what a client says before its challenge is held up to a kilobyte', async () => {
  await using host = await listenEcho()
  const statusOf = async (bytes: number) => {
    using client = await RawClient.connect(host.port)
    const token = Buffer.concat([Buffer.from(NEGOTIATE, 'base64'), Buffer.alloc(bytes - 40)]).toString('base64')
    return headersNamed(await client.post('', { Authorization: `Negotiate ${token}` }), 'WWW-Authenticate').length
  }

  assert.equal(await statusOf(1024), 1)
  assert.equal(await statusOf(1025), 2)
})

test('a challenge counts for a while, and once', async () => {
  let now = 1_700_000_000_000
  await using host = await listenEcho({ now: () => now, limits: { handshakeMs: 60_000 } })
  const authenticate = { Authorization: `Negotiate ${Buffer.from('NTLMSSP\0\x03\0\0\0').toString('base64')}` }
  const challenged = async (client: RawClient) => {
    const [answer] = headersNamed(
      await client.post('', { Authorization: `Negotiate ${NEGOTIATE}` }),
      'WWW-Authenticate',
    )
    assert.match(answer ?? '', /^Negotiate TlRMTVNTUAAC/)
  }
  using client = await RawClient.connect(host.port)
  await challenged(client)
  await challenged(client) // Beginning anew is allowed, and holds one challenge still.

  now += 60_001
  assert.deepEqual(headersNamed(await client.post('', authenticate), 'WWW-Authenticate'), ['Negotiate', 'Kerberos'])
  await client.closed
})
