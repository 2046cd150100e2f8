import assert from 'node:assert/strict'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'

import { envelope, FAULT, IDENTIFY, listenEcho, LOST, PASSWORD, SLOW, SOAP_TYPE, USER } from './listener.ts'
import { headersNamed, postOf, RawClient } from './raw-client.ts'

const BASIC = { Authorization: `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}` }
const WITH_BASIC = { policy: { basic: true, allowUnencrypted: true } }
const ASKED = envelope('<x>ü</x>')

test('401 offers Negotiate and Kerberos in two headers, in the order and form of HTTP.sys', async () => {
  await using host = await listenEcho()
  using client = await RawClient.connect(host.port)

  const reply = await client.post(ASKED)

  assert.equal(reply?.statusLine, 'HTTP/1.1 401 ')
  const names = reply.headers.map(([name]) => name)
  assert.deepEqual(names, ['Server', 'WWW-Authenticate', 'WWW-Authenticate', 'Date', 'Connection', 'Content-Length'])
  assert.deepEqual(headersNamed(reply, 'Server'), ['Microsoft-HTTPAPI/2.0'])
  assert.deepEqual(headersNamed(reply, 'WWW-Authenticate'), ['Negotiate', 'Kerberos'])
  assert.deepEqual(headersNamed(reply, 'Content-Length'), ['0'])
  await client.closed
})

test('401 offers Basic only where it is allowed and may be used', async () => {
  const offered = async (policy: Parameters<typeof listenEcho>[0]) => {
    await using host = await listenEcho(policy)
    using client = await RawClient.connect(host.port)
    return headersNamed(await client.post(ASKED), 'WWW-Authenticate')
  }

  assert.deepEqual(await offered(WITH_BASIC), ['Negotiate', 'Kerberos', 'Basic realm="WSMAN"'])
  assert.deepEqual(await offered({ policy: { basic: true } }), ['Negotiate', 'Kerberos'])
  assert.deepEqual(await offered({ policy: { negotiate: false, kerberos: false } }), [])
})

test('an envelope is answered in one piece, with the headers of WinRM, and the connection stays', async () => {
  await using host = await listenEcho(WITH_BASIC)
  using client = await RawClient.connect(host.port)

  for (let round = 0; round < 20; round++) {
    const piece = once(client.socket, 'data')
    client.send(postOf(ASKED, BASIC))
    const [first] = await piece
    const reply = await client.reply()
    assert.equal(reply?.statusLine, 'HTTP/1.1 200 ')
    assert.deepEqual(
      reply.headers.map(([name]) => name),
      ['Content-Type', 'Server', 'Date', 'Content-Length'],
    )
    assert.deepEqual(headersNamed(reply, 'Content-Type'), [SOAP_TYPE])
    assert.match(reply.body.toString('utf8'), /<user>HYPERV1\\Administrator<\/user>.*<x>ü<\/x>/)
    assert.ok(first.length > reply.body.length, 'headers and body come in one piece')
  }
  assert.equal(host.requests.length, 20)
})

test('faults go out with 500, and an answer that is to be lost ends the connection', async () => {
  await using host = await listenEcho(WITH_BASIC)
  using client = await RawClient.connect(host.port)

  assert.equal((await client.post(FAULT, BASIC))?.status, 500)
  assert.equal(await client.post(LOST, BASIC), undefined)
  assert.ok(client.isClosed)
})

test('another path is 404 in the words of HTTP.sys, another method 405', async () => {
  await using host = await listenEcho()
  const ask = async (line: string) => {
    using client = await RawClient.connect(host.port)
    client.send(`${line} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n`)
    return await client.reply()
  }

  const other = await ask('POST /wsmans')
  assert.equal(other?.statusLine, 'HTTP/1.1 404 Not Found')
  assert.deepEqual(headersNamed(other, 'Content-Length'), ['315']) // As recorded of HTTP.sys.
  const got = await ask('GET /wsman')
  assert.equal(got?.statusLine, 'HTTP/1.1 405 ')
  assert.deepEqual(headersNamed(got, 'Allow'), ['POST'])
  for (const line of ['POST /WSMan', 'POST /wsman?PSVersion=5.1', 'POST /wsman/', 'POST http://localhost:5985/wsman']) {
    assert.equal((await ask(line))?.status, 401, line)
  }
})

test('a request without host, without length, or that is no HTTP is refused in the words of HTTP.sys', async () => {
  await using host = await listenEcho()
  const ask = async (request: string) => {
    using client = await RawClient.connect(host.port)
    client.send(request)
    const reply = await client.reply()
    await client.closed
    return reply?.statusLine
  }

  assert.equal(await ask('POST /wsman HTTP/1.1\r\nContent-Length: 0\r\n\r\n'), 'HTTP/1.1 400 Bad Request')
  assert.equal(await ask('POST /wsman HTTP/1.1\r\nHost: x\r\n\r\n'), 'HTTP/1.1 411 Length Required')
  assert.equal(await ask('POST /wsman HTTP/1.1\r\nHost x\r\n\r\n'), 'HTTP/1.1 400 Bad Request')
  const another = 'POST /wsman HTTP/2.0\r\nHost: x\r\nContent-Length: 0\r\n\r\n'
  assert.equal(await ask(another), 'HTTP/1.1 505 HTTP Version Not Supported')
  assert.equal(await ask('\x16\x03\x01\x02\x00\x01\r\n\r\n'), 'HTTP/1.1 400 Bad Request')
  assert.equal(await ask(`POST /wsman HTTP/1.1\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`), 'HTTP/1.1 400 Bad Request')
})

test('too large a body is 413 before anybody has logged on, told or chunked', async () => {
  await using host = await listenEcho()
  const ask = async (headers: Readonly<Record<string, string>>, body: string) => {
    using client = await RawClient.connect(host.port)
    client.send(postOf(body, headers))
    return await client.reply()
  }

  assert.equal((await ask({ 'Content-Length': '900000' }, ''))?.statusLine, 'HTTP/1.1 413 ')
  const chunk = `${(0xffff).toString(16)}\r\n${'x'.repeat(0xffff)}\r\n`.repeat(9)
  assert.equal((await ask({ 'Content-Length': '', 'Transfer-Encoding': 'chunked' }, chunk))?.status, 413)
  assert.equal((await ask({ 'Content-Length': '500000' }, 'x'.repeat(500_000)))?.status, 401)
  assert.equal(host.requests.length, 0)
})

test('hosts before Server 2012 R2 take smaller bodies', async () => {
  await using host = await listenEcho({ osVersion: { major: 6, minor: 2, build: 9200 } })
  using client = await RawClient.connect(host.port)

  assert.equal((await client.post('', { 'Content-Length': '200000' }))?.status, 413)
})

test('Identify is answered to nobody in particular, where the client says that it is one', async () => {
  await using host = await listenEcho()
  const ask = async (body: string, headers: Readonly<Record<string, string>> = {}) => {
    using client = await RawClient.connect(host.port)
    return await client.post(body, { WSMANIDENTIFY: 'unauthenticated', ...headers })
  }

  const reply = await ask(IDENTIFY)

  assert.equal(reply?.status, 200)
  assert.equal(host.requests[0]?.user, undefined)
  assert.equal(host.requests[0]?.isAdministrator, false)
  assert.equal((await ask(ASKED))?.status, 401)
  assert.equal((await ask(`${IDENTIFY}<x/>`))?.status, 401)
  assert.equal((await ask(IDENTIFY.replace('<s:Header/>', `<s:Header>${'<x/>'.repeat(40)}</s:Header>`)))?.status, 401)
  assert.equal((await ask(IDENTIFY, { 'Content-Type': 'text/xml' }))?.status, 401)
  assert.equal((await ask(IDENTIFY, { Authorization: 'Basic bm86Ym9keQ==' }))?.status, 401)
  assert.equal((await ask(IDENTIFY + ' '.repeat(9000)))?.status, 413)
  assert.equal((await ask(IDENTIFY, { WSMANIDENTIFY: 'please' }))?.status, 401)
  assert.equal(host.requests.length, 1)
})

test('envelopes in UTF-16 are taken with and without a mark, and answered in kind', async () => {
  await using host = await listenEcho(WITH_BASIC)
  using client = await RawClient.connect(host.port)
  const declared = `<?xml version="1.0" encoding="UTF-16"?>${ASKED}`
  const little = Buffer.from(declared, 'utf16le')
  const mark = Buffer.from('\ufeff', 'utf16le')
  const wide = { ...BASIC, 'Content-Type': 'application/soap+xml;charset=UTF-16' }

  for (const body of [
    little,
    Buffer.concat([mark, little]),
    Buffer.concat([mark, little]).swap16(),
    Buffer.from(little).swap16(),
  ]) {
    const reply = await client.post(body, wide)

    assert.equal(reply?.status, 200)
    assert.deepEqual(headersNamed(reply, 'Content-Type'), ['application/soap+xml;charset=UTF-16'])
    assert.deepEqual(reply.body.subarray(0, 2), mark)
    assert.match(reply.body.toString('utf16le', 2), /^<\?xml version="1.0"\?><s:Envelope.*<x>ü<\/x>/)
  }
  assert.equal((await client.post(little.subarray(1), wide))?.status, 400)
  assert.equal((await client.post(Buffer.from(`${ASKED}\ud800`, 'utf16le'), wide))?.status, 400)
  assert.equal((await client.post(Buffer.from([0x3c, 0xff]), BASIC))?.status, 400)
})

test('what is not said to be SOAP is 415, and nothing at all is 200', async () => {
  await using host = await listenEcho(WITH_BASIC)
  using client = await RawClient.connect(host.port)

  for (const type of ['', 'text/xml', 'application/soap+xml;charset=latin1', ';']) {
    assert.equal((await client.post(ASKED, { ...BASIC, 'Content-Type': type }))?.status, 415, type)
  }
  for (const type of ['application/soap+xml', 'Application/SOAP+XML; charset="utf-8"; action="x"']) {
    assert.equal((await client.post(ASKED, { ...BASIC, 'Content-Type': type }))?.status, 200, type)
  }
  assert.equal((await client.post('', BASIC))?.status, 200)
  const sealed = {
    ...BASIC,
    'Content-Type': 'multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted"',
  }
  assert.equal((await client.post(ASKED, sealed))?.status, 400)
})

test('requests that are sent ahead are answered in their order, and too many end the connection', async () => {
  await using host = await listenEcho(WITH_BASIC)
  using client = await RawClient.connect(host.port)

  client.send(Buffer.concat([1, 2, 3, 4, 5].map(number => postOf(envelope(`<n>${number}</n>`), BASIC))))
  for (const number of [1, 2, 3, 4, 5])
    assert.match(String((await client.reply())?.body), new RegExp(`<n>${number}</n>`))
  client.send(Buffer.concat(Array.from({ length: 9 }, () => postOf(SLOW, BASIC))))
  await client.closed

  assert.ok(host.requests.length <= 5 + 8)
})

test('what is sent behind a request that ends the connection is not carried out', async () => {
  await using host = await listenEcho(WITH_BASIC)
  using client = await RawClient.connect(host.port)

  client.send(Buffer.concat([postOf(ASKED), postOf(ASKED, BASIC), postOf(ASKED, BASIC)]))

  assert.equal((await client.reply())?.status, 401)
  assert.equal(await client.reply(), undefined)
  assert.equal(host.requests.length, 0)
})

test('nobody gets to speak another protocol', async () => {
  await using host = await listenEcho(WITH_BASIC)
  using client = await RawClient.connect(host.port)

  const reply = await client.post(ASKED, { ...BASIC, Connection: 'Upgrade', Upgrade: 'websocket' })

  assert.equal(reply?.status, 200)
})

test('a body that comes in chunks, or when it is asked for, is taken', async () => {
  await using host = await listenEcho(WITH_BASIC)
  using client = await RawClient.connect(host.port)

  const chunked = `5\r\n${ASKED.slice(0, 5)}\r\n${(Buffer.byteLength(ASKED) - 5).toString(16)}\r\n${ASKED.slice(5)}\r\n0\r\n\r\n`
  client.send(postOf(chunked, { ...BASIC, 'Content-Length': '', 'Transfer-Encoding': 'chunked' }))
  assert.equal((await client.reply())?.status, 200)
  const head = postOf('', { ...BASIC, Expect: '100-continue', 'Content-Length': String(Buffer.byteLength(ASKED)) })
  client.send(head)
  await once(client.socket, 'data')
  assert.match(String(client.pieces[0]), /^HTTP\/1\.1 100 Continue/)
  client.send(ASKED)
  assert.equal((await client.reply())?.status, 200)
})

test('who is refused is not asked to send a body', async () => {
  await using host = await listenEcho()
  using client = await RawClient.connect(host.port)

  client.send(postOf('', { Expect: '100-continue', 'Content-Length': '400000' }))
  await once(client.socket, 'data')

  assert.match(String(client.pieces[0]), /^HTTP\/1\.1 401 /)
})

test('a client that goes away, or closes its half, ends what is carried out for it', async () => {
  await using host = await listenEcho(WITH_BASIC)
  for (const leave of [(client: RawClient) => client.socket.destroy(), (client: RawClient) => client.socket.end()]) {
    using client = await RawClient.connect(host.port)
    client.send(postOf(SLOW, BASIC))
    const before = host.requests.length
    while (host.requests.length === before) await sleep(5)

    leave(client)

    const { signal } = host.requests.at(-1) ?? {}
    if (signal?.aborted === false) await once(signal, 'abort')
    assert.ok(signal?.aborted)
  }
  assert.deepEqual(host.failures, [])
})

test('HTTP/1.0 and a client that wants to close are answered and closed', async () => {
  await using host = await listenEcho(WITH_BASIC)
  using client = await RawClient.connect(host.port)

  const reply = await client.post(ASKED, { ...BASIC, Connection: 'close' })

  assert.equal(reply?.status, 200)
  assert.deepEqual(headersNamed(reply, 'Connection'), ['close'])
  await client.closed
})

test('a closed listener lets go of its connections, also when it is closed twice', async () => {
  const host = await listenEcho(WITH_BASIC)
  using client = await RawClient.connect(host.port)
  await client.post(ASKED, BASIC)

  await Promise.all([host.close(), host.close()])

  await client.closed
  await assert.rejects(RawClient.connect(host.port))
})
