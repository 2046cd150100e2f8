import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { readContentType } from '../../../sim/hyperv/http/content-type.ts'
import { MessageError } from '../../../sim/hyperv/http/message-error.ts'
import { readSealed, sealedType, writeSealed } from '../../../sim/hyperv/http/multipart.ts'
import { readAttributes } from '../../../sim/hyperv/http/ntlm/attributes.ts'
import { NtlmInitiator } from '../../../sim/hyperv/http/ntlm/initiator.ts'
import { readAuthenticate, readChallenge, readNegotiate } from '../../../sim/hyperv/http/ntlm/messages.ts'
import { mechanismOf, readInit, readResponse } from '../../../sim/hyperv/http/spnego-tokens.ts'
import { envelope, listenEcho, PASSWORD, USER } from './listener.ts'
import { headersNamed, RawClient, type RawReply } from './raw-client.ts'

const ASKED = envelope('<x/>')
const RUNS = { numRuns: 150 }
const MANY_RUNS = { numRuns: 2000 }

const NEGOTIATE = new NtlmInitiator({ name: USER, domain: '', password: PASSWORD }).negotiate()
const SPNEGO = Buffer.from(
  '604806062b0601050502a03e303ca00e300c060a2b06010401823702020aa22a0428' + NEGOTIATE.toString('hex').slice(0, 80),
  'hex',
)
const RESPONSE = Buffer.concat([Buffer.from('a130302ea02c042a', 'hex'), Buffer.alloc(42)])

/** A message of which bytes were changed, cut off or added, or no message at all. */
function mangled(message: Buffer): fc.Arbitrary<Buffer> {
  const at = fc.nat({ max: Math.max(0, message.length - 1) })
  const changed = fc.array(fc.tuple(at, fc.nat({ max: 255 })), { minLength: 1, maxLength: 6 }).map(changes => {
    const copy = Buffer.from(message)
    for (const [index, byte] of changes) copy[index] = byte
    return copy
  })
  const cut = at.map(end => message.subarray(0, end))
  const extended = fc.uint8Array({ minLength: 1, maxLength: 40 }).map(tail => Buffer.concat([message, tail]))
  return fc.oneof(
    changed,
    cut,
    extended,
    fc.uint8Array({ maxLength: 200 }).map(bytes => Buffer.from(bytes)),
  )
}

/** Only what a reader declares may come out of it. */
function failsOnlyAsDeclared(read: (bytes: Buffer) => unknown, bytes: Buffer): void {
  try {
    read(bytes)
  } catch (error) {
    if (!(error instanceof MessageError)) throw error
  }
}

test('readers of tokens fail as they declare, whatever they are given', () => {
  const messages = [NEGOTIATE, SPNEGO, RESPONSE, authenticateOf(challengeOf())]
  const readers = [readNegotiate, readChallenge, readAuthenticate, readAttributes, mechanismOf, readInit, readResponse]
  for (const message of messages) {
    fc.assert(
      fc.property(mangled(message), bytes => {
        for (const read of readers) failsOnlyAsDeclared(read, bytes)
      }),
      MANY_RUNS,
    )
  }
})

test('readers of bodies and media types never fail', () => {
  const body = writeSealed({
    protocol: 'SPNEGO',
    charset: 'UTF-8',
    sealed: { header: Buffer.alloc(16), data: Buffer.from(ASKED) },
  })
  fc.assert(
    fc.property(mangled(body), bytes => void readSealed(bytes)),
    MANY_RUNS,
  )
  fc.assert(
    fc.property(fc.string(), text => void readContentType(text)),
    MANY_RUNS,
  )
})

for (const [name, message] of Object.entries({ NTLM: NEGOTIATE, SPNEGO })) {
  test(`broken first tokens of ${name} are answered with 401 or a challenge, and the host goes on`, async () => {
    await using host = await listenEcho()

    await fc.assert(
      fc.asyncProperty(mangled(message), fc.constantFrom('Negotiate', 'Kerberos', 'Basic'), async (token, scheme) => {
        using client = await RawClient.connect(host.port)
        const reply = await client.post('', { Authorization: `${scheme} ${token.toString('base64')}` })
        assert.equal(reply?.status, 401)
      }),
      RUNS,
    )
    assert.deepEqual(host.failures, [])
    assert.equal(host.requests.length, 0)
  })
}

test('broken last tokens are answered with 401', async () => {
  await using host = await listenEcho()
  const logOn = async (mangle: (token: Buffer) => Buffer) => {
    using client = await RawClient.connect(host.port)
    const challenge = tokenOf(await client.post('', { Authorization: `Negotiate ${NEGOTIATE.toString('base64')}` }))
    const token = mangle(authenticateOf(challenge))
    return (await client.post('', { Authorization: `Negotiate ${token.toString('base64')}` }))?.status
  }

  assert.equal(await logOn(token => token), 200)
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: 300 }), fc.integer({ min: 1, max: 255 }), async (at, change) => {
      const altered = (token: Buffer) => {
        const copy = Buffer.from(token)
        const index = at % copy.length
        copy[index] = (copy[index] ?? 0) ^ change
        return copy
      }
      assert.equal(await logOn(altered), 401)
    }),
    RUNS,
  )
  assert.deepEqual(host.failures, [])
})

test('broken sealed bodies are answered with 400, and nothing of them is carried out', async () => {
  await using host = await listenEcho()
  const post = async (mangle: (body: Buffer) => Buffer) => {
    using client = await RawClient.connect(host.port)
    const initiator = new NtlmInitiator({ name: USER, domain: '', password: PASSWORD })
    const first = { Authorization: `Negotiate ${initiator.negotiate().toString('base64')}` }
    const { token, sealing } = initiator.authenticate(tokenOf(await client.post('', first)), undefined)
    await client.post('', { Authorization: `Negotiate ${token.toString('base64')}` })
    const body = writeSealed({ protocol: 'SPNEGO', charset: 'UTF-8', sealed: sealing.seal(Buffer.from(ASKED)) })
    return (await client.post(mangle(body), { 'Content-Type': sealedType('SPNEGO') }))?.status
  }

  assert.equal(await post(body => body), 200)
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: 150 }), fc.integer({ min: 1, max: 255 }), fc.boolean(), async (at, change, cuts) => {
      const altered = (body: Buffer) => {
        const copy = Buffer.from(body)
        const start = body.indexOf('octet-stream\r\n') + 'octet-stream\r\n'.length
        const index = start + (at % (body.lastIndexOf('--Encrypted Boundary--') - start))
        copy[index] = (copy[index] ?? 0) ^ change
        return cuts ? copy.subarray(0, index) : copy
      }
      assert.equal(await post(altered), 400)
    }),
    RUNS,
  )
  assert.equal(host.requests.length, 1)
  assert.deepEqual(host.failures, [])
})

test('bytes that are no HTTP end in an error or an end, and the host goes on', async () => {
  await using host = await listenEcho({ limits: { headersMs: 300, checkMs: 50, requestMs: 300 } })
  const lines = fc.array(
    fc.oneof(
      fc.string(),
      fc.constantFrom(
        'POST /wsman HTTP/1.1',
        'Host: x',
        'Content-Length: -1',
        'Transfer-Encoding: chunked',
        'Authorization: Negotiate',
        '',
      ),
    ),
    { maxLength: 8 },
  )

  await fc.assert(
    fc.asyncProperty(lines, fc.uint8Array({ maxLength: 60 }), async (texts, tail) => {
      using client = await RawClient.connect(host.port)
      client.send(Buffer.concat([Buffer.from(`${texts.join('\r\n')}\r\n\r\n`), tail]))
      client.socket.end()
      const reply = await client.reply()
      assert.ok(reply === undefined || (reply.status >= 400 && reply.status < 500), reply?.statusLine)
    }),
    RUNS,
  )
  using client = await RawClient.connect(host.port)
  assert.equal((await client.post(ASKED))?.status, 401)
  assert.deepEqual(host.failures, [])
})

function tokenOf(reply: RawReply | undefined): Buffer {
  return Buffer.from(headersNamed(reply, 'WWW-Authenticate')[0]?.split(' ')[1] ?? '', 'base64')
}

function authenticateOf(challenge: Buffer): Buffer {
  return new NtlmInitiator({ name: USER, domain: '', password: PASSWORD }).authenticate(challenge, undefined).token
}

/** A challenge of nobody's. */
function challengeOf(): Buffer {
  return Buffer.from(
    '4e544c4d53535000020000000a000a003800000035828ae20123456789abcdef00000000000000001800180042000000' +
      '0a0063450000000f480059005000450052000700080000000000000000000200040048005900' +
      '00000000',
    'hex',
  )
}
