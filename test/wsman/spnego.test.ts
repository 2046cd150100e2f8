import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { AuthError } from '../../src/protocols/wsman/auth-error.ts'
import type { NegotiableMechanism } from '../../src/protocols/wsman/auth-mechanism.ts'
import { contextTag, DerTag, readDer, readOid, writeDer, writeOid } from '../../src/protocols/wsman/der.ts'
import { NTLM_OID } from '../../src/protocols/wsman/ntlm.ts'
import { Spnego } from '../../src/protocols/wsman/spnego.ts'
import { readResponse, writeInit, writeMechanisms, writeResponse } from '../../src/protocols/wsman/spnego-tokens.ts'
import { bytes, hex } from './ntlm-peer.ts'

const REFUSED = { name: 'AuthError', failure: 'refused' } as const
const MALFORMED = { name: 'AuthError', failure: 'malformed' } as const

/** The final token of gss-ntlmssp, as it came: completed, and its signature over the list. */
const COMPLETED = 'a11b3019a0030a0100a312041001000000f524a8c9113a34c400000000'

/** Says and signs what a test can read. */
class Told implements NegotiableMechanism {
  readonly oids: readonly string[] = [NTLM_OID]
  readonly signsMechanisms: boolean
  readonly heard: string[] = []
  isComplete = false

  constructor(signsMechanisms: boolean) {
    this.signsMechanisms = signsMechanisms
  }

  async begin() {
    return Buffer.from('first')
  }

  async next(token: Uint8Array) {
    this.heard.push(Buffer.from(token).toString())
    this.isComplete = true
    return this.signsMechanisms ? Buffer.from('second') : undefined
  }

  async seal(data: Uint8Array) {
    return { signature: new Uint8Array(0), data }
  }

  async unseal({ data }: { data: Uint8Array }) {
    return data
  }

  async signMechanisms() {
    return Buffer.from('our mic')
  }

  async verifyMechanisms(_list: Uint8Array, mic: Uint8Array) {
    if (Buffer.from(mic).toString() !== 'its mic') throw new AuthError('malformed', 'another signature')
  }

  dispose() {}
}

interface ResponseParts {
  readonly state?: number
  readonly mechanism?: string
  readonly token?: string
  readonly mic?: string
}

function responseOf({ state, mechanism, token, mic }: ResponseParts): Uint8Array {
  const octets = (text: string) => writeDer(DerTag.octetString, Buffer.from(text))
  const parts = [
    ...(state === undefined ? [] : [writeDer(contextTag(0), writeDer(DerTag.enumerated, Uint8Array.of(state)))]),
    ...(mechanism === undefined ? [] : [writeDer(contextTag(1), writeOid(mechanism))]),
    ...(token === undefined ? [] : [writeDer(contextTag(2), octets(token))]),
    ...(mic === undefined ? [] : [writeDer(contextTag(3), octets(mic))]),
  ]
  return writeDer(contextTag(1), writeDer(DerTag.sequence, ...parts))
}

async function begun(signsMechanisms = true) {
  const inner = new Told(signsMechanisms)
  const spnego = new Spnego(inner)
  await spnego.begin()
  return { inner, spnego }
}

test('the first token is that of Windows for NTLM alone', () => {
  const token = writeInit(writeMechanisms([NTLM_OID]), bytes('4e544c4d'))

  assert.equal(
    hex(token),
    hex(bytes('6024 06062b0601050502 a01a3018 a00e300c060a2b06010401823702020a a2060404 4e544c4d')),
  )
})

test('a token of the acceptor is read', () => {
  assert.deepEqual(readResponse(bytes(COMPLETED)), {
    state: 'accept-completed',
    mechanism: undefined,
    token: undefined,
    mic: bytes('01000000f524a8c9113a34c400000000'),
  })
})

test('a later token of ours holds what there is to say, and nothing else', () => {
  assert.equal(hex(writeResponse({ token: bytes('aa'), mic: undefined })), 'a1073005a2030401aa')
  assert.equal(hex(writeResponse({ token: bytes('aa'), mic: bytes('bb') })), 'a10c300aa2030401aaa3030401bb')
})

test('object identifiers with large numbers survive', () => {
  for (const oid of [
    NTLM_OID,
    '1.2.840.113554.1.2.2',
    '2.16.840.1.101.3.4.2.1',
    '1.3.6.1.5.5.2',
    '0.9',
    '2.999.4294967295',
  ]) {
    const [element] = readDer(writeOid(oid))
    assert.equal(readOid(element?.content ?? new Uint8Array(0)), oid)
  }
})

test('elements of DER of every size survive', () => {
  for (const length of [0, 127, 128, 255, 256, 65_535, 65_536, 200_000]) {
    const content = Buffer.alloc(length, 3)
    const [element, ...others] = readDer(writeDer(DerTag.octetString, content))
    assert.equal(hex(element?.content ?? Buffer.from('none')), hex(content))
    assert.deepEqual(others, [])
  }
})

test('with NTLM, our signature goes along with its last token', async () => {
  const { inner, spnego } = await begun()

  const answer = await spnego.next(responseOf({ state: 1, mechanism: NTLM_OID, token: 'challenge' }))

  assert.deepEqual(inner.heard, ['challenge'])
  assert.deepEqual(answer, writeResponse({ token: Buffer.from('second'), mic: Buffer.from('our mic') }))
  assert.equal(spnego.isComplete, false)
  assert.equal(await spnego.next(responseOf({ state: 0, mic: 'its mic' })), undefined)
  assert.equal(spnego.isComplete, true)
})

test('a mechanism without choice that needs no signature ends in one answer', async () => {
  const { spnego } = await begun(false)

  assert.equal(await spnego.next(responseOf({ state: 0, mechanism: NTLM_OID, token: 'proof' })), undefined)

  assert.equal(spnego.isComplete, true)
})

test('where the host asks for a signature, it gets one', async () => {
  const { spnego } = await begun(false)

  const answer = await spnego.next(responseOf({ state: 3, token: 'proof' }))

  assert.deepEqual(answer, writeResponse({ token: undefined, mic: Buffer.from('our mic') }))
  assert.equal(await spnego.next(responseOf({ state: 0, mic: 'its mic' })), undefined)
})

test('a last token that does not name its state is the last one all the same', async () => {
  const { spnego } = await begun()
  await spnego.next(responseOf({ state: 1, token: 'challenge' }))

  assert.equal(await spnego.next(responseOf({ mic: 'its mic' })), undefined)

  assert.equal(spnego.isComplete, true)
})

test('a host that rejects, or wants another mechanism, is left', async () => {
  await assert.rejects((await begun()).spnego.next(responseOf({ state: 2 })), REFUSED)
  await assert.rejects(
    (await begun()).spnego.next(responseOf({ state: 1, mechanism: '1.2.840.113554.1.2.2' })),
    REFUSED,
  )
})

test('a host that signs with another key is left', async () => {
  const { spnego } = await begun()
  await spnego.next(responseOf({ state: 1, token: 'challenge' }))

  await assert.rejects(spnego.next(responseOf({ state: 0, mic: 'a forged mic' })), MALFORMED)
})

test('a host that ends before its mechanism does, waits for nothing, or goes on after the end, is left', async () => {
  await assert.rejects((await begun()).spnego.next(responseOf({ state: 0 })), MALFORMED)
  const waiting = await begun(false)
  await assert.rejects(waiting.spnego.next(responseOf({ state: 1 })), MALFORMED)
  const ended = await begun(false)
  await ended.spnego.next(responseOf({ state: 0, token: 'proof' }))
  await assert.rejects(ended.spnego.next(responseOf({ state: 0 })), MALFORMED)
})

test('any bytes are a token of the acceptor or an AuthError', () => {
  const real = bytes(COMPLETED)
  const near = fc
    .tuple(fc.uint8Array({ minLength: 1, maxLength: 4 }), fc.nat(real.length - 1))
    .map(([noise, at]) => Buffer.concat([real.subarray(0, at), noise, real.subarray(at + noise.length)]))

  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), near), token => {
      try {
        readResponse(token)
      } catch (error) {
        assert.ok(error instanceof AuthError)
      }
    }),
    { numRuns: 3_000 },
  )
})

test('tokens that are no DER, or too much of it, are refused', () => {
  const many = writeDer(contextTag(1), writeDer(DerTag.sequence, new Uint8Array(600).fill(0)))
  const tokens = [
    '',
    'a1',
    'a180',
    'a1850100000000',
    'a17f00',
    'bf2100',
    '3000',
    'a1073005a003020100',
    'a1073005a0030a0109',
  ]

  for (const token of tokens) assert.throws(() => readResponse(bytes(token)), MALFORMED, token)
  assert.throws(() => readResponse(many), MALFORMED)
  assert.throws(() => readResponse(new Uint8Array(300_000)), MALFORMED)
})
