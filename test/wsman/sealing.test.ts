import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { AuthError } from '../../src/protocols/wsman/auth-error.ts'
import { isSealed, readSealed, writeSealed } from '../../src/protocols/wsman/multipart.ts'
import { sealEnvelope, unsealEnvelope } from '../../src/protocols/wsman/sealing.ts'
import { NtlmAcceptor } from './ntlm-acceptor.ts'
import { Ntlm } from '../../src/protocols/wsman/ntlm.ts'
import { bytes, hex } from './ntlm-peer.ts'

const MALFORMED = { name: 'AuthError', failure: 'malformed' } as const
const SPNEGO = 'application/HTTP-SPNEGO-session-encrypted'
const TYPE = `multipart/encrypted;protocol="${SPNEGO}";boundary="Encrypted Boundary"`
const SIGNATURE = bytes('0102030405060708090a0b0c0d0e0f10')

function bodyOf(length: number, data: Uint8Array | string, signature: Uint8Array = SIGNATURE): Buffer {
  return Buffer.concat([
    Buffer.from(`--Encrypted Boundary\r\n\tContent-Type: ${SPNEGO}\r\n`),
    Buffer.from(`\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=${length}\r\n`),
    Buffer.from('--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n'),
    Buffer.from([signature.length, 0, 0, 0]),
    signature,
    Buffer.from(data),
    Buffer.from('--Encrypted Boundary--\r\n'),
  ])
}

test('a sealed message is written as Windows expects it, to the byte', () => {
  const { contentType, body } = writeSealed(SPNEGO, 5, { signature: SIGNATURE, data: Buffer.from('crypt') })

  assert.equal(contentType, TYPE)
  assert.equal(hex(body), hex(bodyOf(5, 'crypt')))
})

test('what is written is read', () => {
  const { contentType, body } = writeSealed(SPNEGO, 5, { signature: SIGNATURE, data: Buffer.from('crypt') })

  assert.deepEqual(readSealed(contentType, body), { length: 5, signature: SIGNATURE, data: Buffer.from('crypt') })
})

test('other ways to write a sealed message are read too', () => {
  const body = bodyOf(5, 'crypt').toString('latin1')
  const ways: Readonly<Record<string, readonly [string, string]>> = {
    'a blank after the dashes, as Exchange has it': [TYPE, body.replaceAll('--Encrypted', '-- Encrypted')],
    'no tabs': [TYPE, body.replaceAll('\n\t', '\n')],
    'an empty line before the encrypted part': [TYPE, body.replace('octet-stream\r\n', 'octet-stream\r\n\r\n')],
    'other cases': [
      TYPE.replace('boundary', 'Boundary'),
      body.replace('Content-Type', 'content-type').replace('Length', 'length'),
    ],
    'another boundary, without quotes': [
      'multipart/encrypted; boundary=abc',
      body.replaceAll('Encrypted Boundary', 'abc'),
    ],
    'more in the type of the message': [TYPE, body.replace('Length=5', 'action="x";Length=5')],
    'nothing behind the closing boundary': [TYPE, body.replace(/\r\n$/, '')],
  }

  for (const [way, [type, text]] of Object.entries(ways)) {
    const { data } = readSealed(type, Buffer.from(text, 'latin1'))
    assert.equal(Buffer.from(data).toString(), 'crypt', way)
  }
})

test('an encrypted message may hold anything, also what looks like its end', () => {
  const data = '\r\n--Encrypted Boundary--\r\n--Encrypted Boundary\r\n'

  assert.equal(Buffer.from(readSealed(TYPE, bodyOf(data.length, data)).data).toString(), data)
})

test('padding behind the message belongs to what was encrypted', () => {
  assert.equal(Buffer.from(readSealed(TYPE, bodyOf(5, 'crypt12345678')).data).toString(), 'crypt12345678')
})

test('a body that is not as it says is refused', () => {
  const body = bodyOf(5, 'crypt')
  const text = body.toString('latin1')
  const wrong: Readonly<Record<string, readonly [string, Uint8Array]>> = {
    'no boundary in its type': ['multipart/encrypted', body],
    'nothing at all': [TYPE, Buffer.alloc(0)],
    'longer than it says': [TYPE, bodyOf(5, `crypt${'x'.repeat(17)}`)],
    'shorter than it says': [TYPE, bodyOf(6, 'crypt')],
    'much shorter than it says': [TYPE, bodyOf(999_999_999, 'crypt')],
    'no length': [TYPE, Buffer.from(text.replace(';Length=5', ''), 'latin1')],
    'a length that is no number': [TYPE, Buffer.from(text.replace('Length=5', 'Length=-5'), 'latin1')],
    'no encrypted part': [TYPE, body.subarray(0, text.indexOf('octet-stream') + 14)],
    'another boundary than its type says': [TYPE.replace('Encrypted', 'Other'), body],
    'a signature beyond all bounds': [TYPE, Buffer.from(text.replace('\x10\0\0\0', '\0\0\0\x01'), 'latin1')],
    'lines without end': [TYPE, Buffer.from(`--Encrypted Boundary\r\n${'\tX: y\r\n'.repeat(1_000)}`)],
  }

  for (const [what, [type, bytesOf]] of Object.entries(wrong)) {
    assert.throws(() => readSealed(type, bytesOf), MALFORMED, what)
  }
})

test('types of sealed messages are told from others', () => {
  assert.ok(isSealed(TYPE))
  assert.ok(isSealed('Multipart/Encrypted'))
  assert.ok(!isSealed('application/soap+xml;charset=UTF-8'))
  assert.ok(!isSealed('multipart/encrypted-not'))
  assert.ok(!isSealed(''))
})

test('any bytes are a sealed message or an AuthError', () => {
  const real = bodyOf(5, 'crypt')
  const near = fc
    .tuple(fc.uint8Array({ minLength: 1, maxLength: 6 }), fc.nat(real.length - 1))
    .map(([noise, at]) => Buffer.concat([real.subarray(0, at), noise, real.subarray(at + noise.length)]))
  const types = fc.oneof(fc.constant(TYPE), fc.string())

  fc.assert(
    fc.property(types, fc.oneof(fc.uint8Array({ maxLength: 400 }), near), (type, body) => {
      try {
        readSealed(type, body)
      } catch (error) {
        assert.ok(error instanceof AuthError)
      }
    }),
    { numRuns: 3_000 },
  )
})

async function pair() {
  const acceptor = new NtlmAcceptor('secret')
  const ours = new Ntlm({
    user: 'alice',
    domain: 'DOM',
    password: () => 'secret',
    targetName: 'HTTP/localhost',
    workstation: 'HERE',
  })
  await ours.begin()
  assert.ok(acceptor.accept(Buffer.from((await ours.next(acceptor.challenge)) ?? '')))
  const answer = (text: string) => ({
    status: 200,
    ...writeSealed(SPNEGO, Buffer.byteLength(text), acceptor.seal(Buffer.from(text))),
  })
  return { acceptor, ours, answer }
}

test('an envelope goes sealed, and its answer comes sealed', async () => {
  const { acceptor, ours, answer } = await pair()

  const { contentType, body } = await sealEnvelope(ours, SPNEGO, Buffer.from('<Envelope/>'))

  assert.ok(!Buffer.from(body).includes('Envelope'))
  assert.equal(Buffer.from(acceptor.unseal(readSealed(contentType, body))).toString(), '<Envelope/>')
  assert.equal(Buffer.from(await unsealEnvelope(ours, answer('<Answer/>'))).toString(), '<Answer/>')
})

test('an answer in clear text, changed, repeated or in the place of another is refused', async () => {
  const { ours, answer } = await pair()
  const [first, second] = [answer('<First/>'), answer('<Second/>')]

  const clear = { status: 200, contentType: 'application/soap+xml;charset=UTF-8', body: Buffer.from('<First/>') }
  await assert.rejects(unsealEnvelope(ours, clear), MALFORMED)
  assert.equal(Buffer.from(await unsealEnvelope(ours, first)).toString(), '<First/>')
  await assert.rejects(unsealEnvelope(ours, first), MALFORMED)
  await assert.rejects(unsealEnvelope(ours, second), MALFORMED)
})
