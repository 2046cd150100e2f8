import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { CONNECTIONS_MAX, httpTransport } from '../../src/protocols/wsman/http-transport.ts'
import { ntlmAcceptor, PASSWORD } from './transport-host.ts'
import { Relay } from './transport-relay.ts'
import { failure, PATIENT, post, seenOf, world } from './transport-world.ts'

describe('sealed with NTLM', () => {
  test('an envelope and its answer travel after a handshake that holds neither', async () => {
    await using at = await world()

    assert.equal(await post(at.transport, '<Question/>'), '<Answer><Question/></Answer>')

    assert.deepEqual(at.fake.handshakes, [0, 0])
    assert.equal(
      at.fake.posted[0]?.headers['content-type'],
      'multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"',
    )
    assert.equal(at.fake.posted[0]?.headers.authorization, undefined)
    assert.equal(at.transport.url, at.fake.url)
  })

  test('whoever listens on the way reads nothing', async () => {
    await using at = await world()
    await using relay = await new Relay(at.fake.port).listen()
    const transport = httpTransport({ ...at.target, url: relay.url })

    assert.equal(await post(transport, '<Question/>'), '<Answer><Question/></Answer>')

    transport.close()
    const seen = Buffer.concat(relay.seen).toString('latin1')
    assert.match(seen, /Negotiate TlRMTVNTUAAD/)
    for (const secret of ['Question', 'Answer>', PASSWORD]) assert.ok(!seen.includes(secret), secret)
  })

  test('faults are answers too', async () => {
    await using at = await world({
      answer: ({ envelope }, { reply }) => reply('<Fault/>', envelope === 'a' ? 500 : 400),
    })

    for (const [envelope, status] of [
      ['a', 500],
      ['b', 400],
    ] as const) {
      const reply = await at.transport.post(Buffer.from(envelope), PATIENT)
      assert.deepEqual({ status: reply.status, body: Buffer.from(reply.body).toString() }, { status, body: '<Fault/>' })
    }
  })

  test('an answer comes in pieces, and large', async () => {
    const large = '<a>0123456789</a>'.repeat(20_000)
    await using at = await world({
      async answer(_, { seal, response }) {
        const { contentType, body } = await seal(large)
        response.writeHead(200, { 'Content-Type': contentType })
        for (let start = 0; start < body.length; start += 50_000) response.write(body.subarray(start, start + 50_000))
        response.end()
      },
    })

    assert.equal(await post(at.transport, '<Question/>'), large)
  })

  test('an answer in UTF-16 comes as it is', async () => {
    const sent = Buffer.from('\u{feff}<Antwort/>', 'utf16le')
    await using at = await world({ answer: (_, { reply }) => reply(sent) })

    const { body } = await at.transport.post(Buffer.from('<Frage/>'), PATIENT)

    assert.deepEqual(Buffer.from(body), sent)
  })

  test('an answer that was changed on the way is found out, and its connection dropped', async () => {
    await using at = await world({
      async answer({ envelope }, { seal, send, reply }) {
        if (envelope !== 'changed') return reply('<Answer/>')
        const { contentType, body } = await seal('<Answer/>')
        const changed = Buffer.from(body)
        changed[changed.length - 30] = (changed[changed.length - 30] ?? 0) ^ 1
        send(200, contentType, changed)
      },
    })

    await assert.rejects(post(at.transport, 'changed'), failure('garbage', true))
    assert.equal(await post(at.transport, 'another'), '<Answer/>')

    assert.deepEqual(
      at.fake.posted.map(({ connection }) => connection),
      [0, 1],
    )
  })

  test('an answer that is repeated is found out', async () => {
    let kept: { contentType: string; body: Uint8Array } | undefined
    await using at = await world({
      async answer(_, { seal, send }) {
        kept ??= await seal('<Answer/>')
        send(200, kept.contentType, kept.body)
      },
    })

    assert.equal(await post(at.transport, 'first'), '<Answer/>')
    await assert.rejects(post(at.transport, 'second'), failure('garbage', true))
  })

  test('an answer in clear text is not believed, and its status told', async () => {
    await using at = await world({
      answer: (_, { send }) => send(400, 'application/soap+xml;charset=UTF-8', '<Answer/>'),
    })

    await assert.rejects(post(at.transport, '<Question/>'), {
      ...failure('garbage', true),
      message: /answers 400 in clear text/,
    })
  })
})

describe('being known', () => {
  test('a wrong password is refused, and shows nowhere', async () => {
    await using at = await world({}, { password: () => 'a wrong secret' })

    const seen = await seenOf(post(at.transport, '<Question/>'), {
      ...failure('refused', false),
      message: /DOM\\alice.*401.*wrong password/,
    })

    assert.ok(!seen.includes('wrong secret'))
  })

  test('many posts with a wrong password are few attempts to log on, for hosts lock accounts; later ones try again', async () => {
    let password = 'a wrong secret'
    await using at = await world({}, { password: () => password })
    const TOKENS = 2

    const all = await Promise.allSettled(Array.from({ length: 40 }, () => post(at.transport, '<Question/>')))

    for (const outcome of all) assert.ok(outcome.status === 'rejected' && outcome.reason.kind === 'refused')
    assert.ok(at.fake.handshakes.length <= CONNECTIONS_MAX * TOKENS, `${at.fake.handshakes.length} tokens`)

    password = PASSWORD
    assert.equal(await post(at.transport, '<Question/>'), '<Answer><Question/></Answer>')
  })

  test('a host that does not offer our way is refused, and the text says what it offers', async () => {
    await using at = await world({ offers: ['Basic realm="WSMAN"', 'CredSSP'], scheme: 'Kerberos' })

    await assert.rejects(post(at.transport, '<Question/>'), {
      ...failure('refused', false),
      message: /it offers Basic, CredSSP, not Negotiate/,
    })
  })

  test('a host that does not ask who we are is refused, for nothing could be sealed', async () => {
    await using at = await world({ acceptor: null })

    await assert.rejects(post(at.transport, '<Question/>'), failure('refused', false))
    assert.deepEqual(
      at.fake.posted.map(({ envelope }) => envelope),
      [''],
    )
  })

  test('a host that fails at our token is refused, and its status told', async () => {
    await using at = await world({
      intercept(request, response) {
        request.resume().on('end', () => response.writeHead(400, 'Request Header Too Long').end())
        return true
      },
    })

    await assert.rejects(post(at.transport, '<Question/>'), {
      ...failure('refused', false),
      message: /answers 400 Request Header Too Long/,
    })
  })

  test('a host whose tokens are none is garbage', async () => {
    await using at = await world({
      acceptor: () => ({ ...ntlmAcceptor(PASSWORD), isAccepted: false, step: async () => Buffer.from('no NTLM') }),
    })

    await assert.rejects(post(at.transport, '<Question/>'), failure('garbage', false))
  })

  test('a host that forgets who we are is told once more, and the envelope posted again', async () => {
    let forgets = 1
    await using at = await world({
      intercept(request, response) {
        if (request.headers.authorization !== undefined || forgets-- <= 0) return false
        request.resume().on('end', () => response.writeHead(401, { 'WWW-Authenticate': 'Negotiate' }).end())
        return true
      },
    })

    assert.equal(await post(at.transport, '<Question/>'), '<Answer><Question/></Answer>')

    assert.equal(at.fake.handshakes.length, 4)
    assert.equal(at.fake.posted.length, 1)
  })

  test('a host that keeps forgetting is given up after the second time', async () => {
    let refused = 0
    await using at = await world({
      intercept(request, response) {
        if (request.headers.authorization !== undefined) return false
        refused += 1
        request.resume().on('end', () => response.writeHead(401, { 'WWW-Authenticate': 'Negotiate' }).end())
        return true
      },
    })

    await assert.rejects(post(at.transport, '<Question/>'), failure('refused', false))

    assert.equal(refused, 2)
  })

  test('a password that cannot be had is told by its code, and never by what was read in its place', async () => {
    for (const [password, message] of [
      [() => JSON.parse('hunter2'), /password of DOM\\alice cannot be had$/],
      [
        () => readFile(join(import.meta.dirname, 'hunter2'), 'utf8'),
        /password of DOM\\alice cannot be had \(ENOENT\)$/,
      ],
    ] as const) {
      await using at = await world({}, { password })

      const seen = await seenOf(post(at.transport, '<Question/>'), { ...failure('refused', false), message })

      assert.ok(!seen.includes('hunter2'))
    }
  })

  test('only Identify is asked without saying who we are', async () => {
    await using at = await world({ acceptor: null })

    assert.equal(await post(at.transport, '<Identify/>', { isAnonymous: true }), '<Answer><Identify/></Answer>')

    const [posted] = at.fake.posted
    assert.equal(posted?.headers['wsmanidentify'], 'unauthenticated')
    assert.equal(posted?.headers.authorization, undefined)
  })

  test('neither transport nor target show the password', async () => {
    await using at = await world()
    await post(at.transport, '<Question/>')

    assert.ok(!inspect([at.transport, at.target], { depth: 20, showHidden: true }).includes(PASSWORD))
  })
})

describe('what hosts answer', () => {
  const known = (status: number, type = 'text/html', body = '<html>') => ({
    answer: (_: unknown, { send }: { send: (status: number, type: string, body: string) => void }) =>
      send(status, type, body),
  })

  for (const [status, kind, wasSent] of [
    [404, 'garbage', false],
    [403, 'refused', false],
    [503, 'unreachable', false],
    [502, 'unreachable', true],
    [302, 'garbage', true],
  ] as const) {
    test(`status ${status} is ${kind}`, async () => {
      await using at = await world(known(status))

      await assert.rejects(post(at.transport, '<Question/>'), {
        ...failure(kind, wasSent),
        message: new RegExp(`localhost:\\d+ answers ${status}`),
      })
    })
  }

  test('an answer beyond the bound is not read', async () => {
    await using at = await world({ answer: (_, { reply }) => reply('x'.repeat(5_000)) }, { replyBytesMax: 4_000 })

    await assert.rejects(post(at.transport, '<Question/>'), { ...failure('garbage', true), message: /4000 bytes/ })
  })

  test('what is no HTTP is garbage, and headers without end too', async () => {
    for (const noise of ['\u{1}\u{2}\u{3}\r\n\r\n', `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(100_000)}\r\n\r\n`]) {
      await using at = await world({
        intercept(request) {
          request.socket.end(noise)
          return true
        },
      })

      await assert.rejects(post(at.transport, '<Question/>'), failure('garbage', false))
    }
  })

  test('an envelope without credentials is answered by an envelope or not at all', async () => {
    for (const answer of [known(200), known(200, 'application/soap+xml', ''), known(500, 'text/plain', 'no')]) {
      await using at = await world({ ...answer, acceptor: null })

      await assert.rejects(post(at.transport, '<Identify/>', { isAnonymous: true }), failure('garbage', true))
    }
  })
})
