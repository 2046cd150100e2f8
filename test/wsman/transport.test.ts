import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { inspect, promisify } from 'node:util'
import { CONNECTIONS_MAX, httpTransport, IDLE_MS, POSTS_WAITING_MAX } from '../../src/protocols/wsman/http-transport.ts'
import { Relay } from './transport-relay.ts'
import { failure, PATIENT, post, world } from './transport-world.ts'
import { ntlmAcceptor, PASSWORD } from './transport-host.ts'

const TRANSPORT = new URL('../../src/protocols/wsman/http-transport.ts', import.meta.url).href

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

    const error: unknown = await post(at.transport, '<Question/>').catch((reason: unknown) => reason)

    assert.throws(
      () => {
        throw error
      },
      { ...failure('refused', false), message: /DOM\\alice.*401.*wrong password/ },
    )
    assert.ok(!inspect(error, { depth: 9, showHidden: true }).includes('wrong secret'))
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

  test('a password that cannot be had is told without what went wrong there', async () => {
    const password = () => Promise.reject(new Error('the safe holds: a secret'))
    await using at = await world({}, { password })

    await assert.rejects(post(at.transport, '<Question/>'), (error: Error) => {
      assert.match(error.message, /password of DOM\\alice cannot be had/)
      assert.ok(!error.message.includes('a secret'))
      return true
    })
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

describe('the end', () => {
  const silent = { answer: () => undefined }

  test('time runs out while the host thinks, and its connection is not used again', async () => {
    let thinks = true
    await using at = await world({ answer: ({ envelope }, { reply }) => (thinks ? undefined : reply(envelope)) })

    await assert.rejects(post(at.transport, 'slow', { timeoutMs: 200 }), failure('timed-out', true))
    thinks = false
    assert.equal(await post(at.transport, 'quick'), 'quick')

    assert.equal(at.fake.sockets.length, 2)
  })

  test('time runs out while others have the connections, and nothing was sent', async () => {
    await using at = await world(silent, { connectionsMax: 1 })
    const first = post(at.transport, 'first').catch((error: unknown) => error)

    await assert.rejects(post(at.transport, 'second', { timeoutMs: 100 }), failure('timed-out', false))

    at.transport.close()
    await first
  })

  test('time runs out in the handshake, and nothing was sent', async () => {
    await using at = await world({ intercept: () => true })

    await assert.rejects(post(at.transport, '<Question/>', { timeoutMs: 100 }), failure('timed-out', false))
  })

  test('a caller who waits no more is let go, whether the host was told or not', async () => {
    await using at = await world(silent)
    const controller = new AbortController()
    const going = post(at.transport, '<Question/>', { signal: controller.signal })
    const outcome = assert.rejects(going, failure('aborted', true))
    while (at.fake.posted.length === 0) await sleep(5)

    controller.abort()

    await outcome
    await assert.rejects(post(at.transport, '', { signal: controller.signal }), failure('aborted', false))
  })

  test('closing ends what is under way and what waits, and is for good', async () => {
    await using at = await world(silent, { connectionsMax: 1 })
    const running = assert.rejects(post(at.transport, 'running'), failure('closed', true))
    const waiting = assert.rejects(post(at.transport, 'waiting'), failure('closed', false))
    while (at.fake.posted.length === 0) await sleep(5)

    at.transport.close()
    at.transport.close()

    await Promise.all([running, waiting])
    await assert.rejects(post(at.transport, 'late'), failure('closed', false))
  })

  test('a place that was waited for in vain goes to the next', async () => {
    let release = () => {}
    const held = new Promise<void>(resolve => (release = resolve))
    await using at = await world(
      { answer: async ({ envelope }, { reply }) => (await held, reply(envelope)) },
      { connectionsMax: 1 },
    )
    const first = post(at.transport, '1')
    const second = assert.rejects(post(at.transport, '2', { timeoutMs: 50 }), failure('timed-out', false))
    const third = post(at.transport, '3')

    await second
    release()

    assert.deepEqual(await Promise.all([first, third]), ['1', '3'])
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
