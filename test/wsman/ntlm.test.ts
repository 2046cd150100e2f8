import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { test } from 'node:test'
import { inspect } from 'node:util'
import * as fc from 'fast-check'
import { AuthError } from '../../src/protocols/wsman/auth-error.ts'
import { readChallenge, writeAuthenticate, writeNegotiate } from '../../src/protocols/wsman/ntlm-messages.ts'
import { readPairs, writePairs } from '../../src/protocols/wsman/ntlm-pairs.ts'
import { ntlmKey, respond } from '../../src/protocols/wsman/ntlm-response.ts'
import { NtlmDirection } from '../../src/protocols/wsman/ntlm-session.ts'
import { Ntlm, type NtlmOptions } from '../../src/protocols/wsman/ntlm.ts'
import { Rc4 } from '../../src/protocols/wsman/rc4.ts'
import { challengeOf, FLAGS } from './ntlm-acceptor.ts'
import { bytes, hex } from './ntlm-peer.ts'

// The values that [MS-NLMP] 4.2.1 and 4.2.4 print.
const SERVER_CHALLENGE = bytes('0123456789abcdef')
const CLIENT_CHALLENGE = bytes('aaaaaaaaaaaaaaaa')
const RANDOM_SESSION_KEY = bytes('55555555555555555555555555555555')
const TARGET_INFO = bytes('02000c0044006f006d00610069006e0001000c00530065007200760065007200 00000000')
const CHALLENGE = bytes(`4e544c4d53535000 02000000 0c000c0038000000 33828ae2 0123456789abcdef 0000000000000000
  2400240044000000 060070170000000f 530065007200760065007200
  02000c0044006f006d00610069006e0001000c005300650072007600650072000000 0000`)
const AUTHENTICATE = bytes(`4e544c4d53535000 03000000 180018006c000000 5400540084000000 0c000c0048000000
  0800080054000000 100010005c000000 10001000d8000000 358288e2 0501280a0000000f
  44006f006d00610069006e00 5500730065007200 43004f004d0050005500540045005200
  86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa
  68cd0ab851e51c96aabc927bebef6a1c 0101000000000000 0000000000000000 aaaaaaaaaaaaaaaa 00000000
  02000c0044006f006d00610069006e0001000c0053006500720076006500720000000000 00000000
  c5dad2544fc9799094ce1ce90bc9d03e`)

const SPECIFIED = { user: 'User', domain: 'Domain' } as const

function specifiedResponse() {
  return respond({
    key: ntlmKey('Password', SPECIFIED),
    serverChallenge: SERVER_CHALLENGE,
    clientChallenge: CLIENT_CHALLENGE,
    time: new Uint8Array(8),
    pairs: TARGET_INFO,
  })
}

test('the key of a password is that of [MS-NLMP] 4.2.4.1.1', () => {
  assert.equal(hex(ntlmKey('Password', SPECIFIED)), '0c868a403bfd7a93a3001ef22ef02e3f')
})

test('the responses and their key are those of [MS-NLMP] 4.2.4.1.2 to 4.2.4.2.3', () => {
  const { ntResponse, lmResponse, sessionBaseKey } = specifiedResponse()

  assert.equal(hex(sessionBaseKey), '8de40ccadbc14a82f15cb0ad0de95ca3')
  assert.equal(hex(lmResponse), '86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa')
  assert.equal(hex(ntResponse.subarray(0, 16)), '68cd0ab851e51c96aabc927bebef6a1c')
  assert.equal(hex(new Rc4(sessionBaseKey).apply(RANDOM_SESSION_KEY)), 'c5dad2544fc9799094ce1ce90bc9d03e')
})

test('the CHALLENGE of [MS-NLMP] 4.2.4.3 is read', () => {
  const { flags, serverChallenge, targetInfo } = readChallenge(CHALLENGE)

  assert.equal(flags, 0xe28a8233)
  assert.equal(hex(serverChallenge), hex(SERVER_CHALLENGE))
  assert.deepEqual(
    targetInfo.map(({ id, value }) => [id, Buffer.from(value).toString('utf16le')]),
    [
      [2, 'Domain'],
      [1, 'Server'],
    ],
  )
})

test('the AUTHENTICATE of [MS-NLMP] 4.2.4.3 is written to the byte', () => {
  const { ntResponse, lmResponse, sessionBaseKey } = specifiedResponse()

  const message = writeAuthenticate({
    ...SPECIFIED,
    flags: 0xe2888235,
    version: bytes('0501280a0000000f'),
    workstation: 'COMPUTER',
    lmResponse,
    ntResponse,
    encryptedKey: new Rc4(sessionBaseKey).apply(RANDOM_SESSION_KEY),
    hasMic: false,
  })

  assert.equal(hex(message), hex(AUTHENTICATE))
})

test('the message of [MS-NLMP] 4.2.4.4 is sealed to the byte, and opened again', () => {
  const keys = { exportedKey: RANDOM_SESSION_KEY, hasKeyExchange: true }
  const plaintext = Buffer.from('Plaintext', 'utf16le')

  const sealed = new NtlmDirection(keys, 'client-to-server').seal(plaintext)

  assert.equal(hex(sealed.data), '54e50165bf1936dc996020c1811b0f06fb5f')
  assert.equal(hex(sealed.signature), '010000007fb38ec5c55d497600000000')
  assert.deepEqual(Buffer.from(new NtlmDirection(keys, 'client-to-server').unseal(sealed)), plaintext)
})

test('the checksum of a signature stays as it is where no key was exchanged', () => {
  // The value is that of the specification before its checksum was encrypted, as Pidgin's tests print it.
  const keys = { exportedKey: RANDOM_SESSION_KEY, hasKeyExchange: false }

  const { signature } = new NtlmDirection(keys, 'client-to-server').seal(Buffer.from('Plaintext', 'utf16le'))

  assert.equal(hex(signature), '0100000070352851f256430900000000')
})

test('the first message offers what gss-ntlmssp and pyspnego offer, and names nobody', () => {
  const message = Buffer.from(writeNegotiate())

  assert.equal(message.length, 40)
  assert.equal(message.readUInt32LE(12), 0xe2088237)
  assert.equal(hex(message.subarray(16, 32)), '00000000280000000000000028000000')
})

const OPTIONS: NtlmOptions = {
  user: 'alice',
  domain: 'DOM',
  password: () => 'the password of alice',
  targetName: 'HTTP/hv.example',
  workstation: 'HERE',
}
const TIME = bytes('0090d336b734c301')

/** The parts of an AUTHENTICATE message that are texts or bytes, by what they are. */
function readAuthenticate(message: Buffer) {
  const field = (at: number) => {
    const [length, offset] = [message.readUInt16LE(at), message.readUInt32LE(at + 4)]
    return message.subarray(offset, offset + length)
  }
  const ntResponse = field(20)
  return {
    lmResponse: field(12),
    domain: field(28).toString('utf16le'),
    user: field(36).toString('utf16le'),
    workstation: field(44).toString('utf16le'),
    flags: message.readUInt32LE(60),
    mic: message.subarray(72, 88),
    time: ntResponse.subarray(24, 32),
    pairs: readPairs(ntResponse.subarray(44)),
  }
}

async function authenticate(options: Partial<NtlmOptions>, challenge: Uint8Array): Promise<Buffer> {
  const ntlm = new Ntlm({ ...OPTIONS, ...options })
  await ntlm.begin()
  return Buffer.from((await ntlm.next(challenge)) ?? '')
}

const valueOf = (pairs: readonly { id: number; value: Uint8Array }[], id: number) =>
  pairs.filter(pair => pair.id === id).map(({ value }) => hex(value))

test('a host that tells its time gets that time back, a check over all messages, and no answer of the old kind', async () => {
  const message = readAuthenticate(await authenticate({}, challengeOf({ time: TIME })))

  assert.equal(hex(message.time), hex(TIME))
  assert.deepEqual(valueOf(message.pairs, 6), ['02000000'])
  assert.equal(hex(message.lmResponse), '00'.repeat(24))
  assert.notEqual(hex(message.mic), '00'.repeat(16))
})

test('the check is over all three messages with its own place left empty', async () => {
  const challenge = challengeOf({ time: TIME })
  const ntlm = new Ntlm({ ...OPTIONS, random: length => new Uint8Array(length).fill(0x55) })
  const negotiate = await ntlm.begin()

  const message = Buffer.from((await ntlm.next(challenge)) ?? '')

  const empty = Buffer.from(message)
  empty.fill(0, 72, 88)
  const mic = createHmac('md5', RANDOM_SESSION_KEY).update(negotiate).update(challenge).update(empty).digest('hex')
  assert.equal(hex(message.subarray(72, 88)), mic)
})

test('a host that tells no time gets ours, and the answer of the old kind', async () => {
  const nowMs = () => Date.UTC(2020, 0, 1)
  const message = readAuthenticate(await authenticate({ nowMs }, challengeOf({})))

  assert.equal(message.time.readBigUInt64LE(), 132_223_104_000_000_000n)
  assert.deepEqual(valueOf(message.pairs, 6), [])
  assert.notEqual(hex(message.lmResponse), '00'.repeat(24))
})

test('the answer names the service that is meant, once, whatever the host says', async () => {
  const lying = writePairs([
    { id: 9, value: Buffer.from('HTTP/other', 'utf16le') },
    { id: 10, value: new Uint8Array(16).fill(1) },
    { id: 6, value: bytes('01000000') },
    { id: 7, value: TIME },
  ])
  const { pairs } = readAuthenticate(await authenticate({}, challengeOf({ targetInfo: lying })))

  assert.deepEqual(valueOf(pairs, 9), [hex(Buffer.from('HTTP/hv.example', 'utf16le'))])
  assert.deepEqual(valueOf(pairs, 10), ['00'.repeat(16)])
  assert.deepEqual(valueOf(pairs, 6), ['02000000'])
})

test('over TLS the answer holds the digest of the channel', async () => {
  const channelBinding = Buffer.concat([Buffer.from('tls-server-end-point:'), Buffer.alloc(32, 9)])
  const { pairs } = readAuthenticate(await authenticate({ channelBinding }, challengeOf({ time: TIME })))

  const struct = Buffer.concat([Buffer.alloc(16), Buffer.from([channelBinding.length, 0, 0, 0]), channelBinding])
  assert.deepEqual(valueOf(pairs, 10), [createHash('md5').update(struct).digest('hex')])
})

test('the host itself, written as a dot, is called by its own name', async () => {
  const { domain } = readAuthenticate(await authenticate({ domain: '.' }, challengeOf({ time: TIME })))

  assert.equal(domain, 'SERVER')
})

test('user, domain and workstation go to the host as they were given', async () => {
  const said = readAuthenticate(await authenticate({ user: 'alice@dom.example', domain: '' }, challengeOf({})))

  assert.deepEqual([said.domain, said.user, said.workstation], ['', 'alice@dom.example', 'HERE'])
  assert.equal(said.flags & FLAGS.oem, 0)
})

test('the case of a user does not matter, that of a domain does, and lengths stay as they are', () => {
  const key = (user: string, domain: string) => hex(ntlmKey('secret', { user, domain }))

  assert.equal(key('alice', 'Dom'), key('ALICE', 'Dom'))
  assert.notEqual(key('alice', 'Dom'), key('alice', 'DOM'))
  assert.equal(key('jürgen', ''), key('JÜRGEN', ''))
  // Where upper case is longer or falls into ASCII, Windows has none.
  assert.notEqual(key('ß', ''), key('SS', ''))
  assert.notEqual(key('ı', ''), key('I', ''))
})

test('a host that asks for less protection gets no answer', async () => {
  for (const missing of ['unicode', 'sign', 'seal', 'extendedSessionSecurity', 'key128'] as const) {
    const weak = challengeOf({ time: TIME, flags: (FLAGS.all & ~FLAGS[missing]) >>> 0 })

    await assert.rejects(authenticate({}, weak), { name: 'AuthError', failure: 'refused' }, missing)
  }
})

test('a host that does not describe itself gets no answer', async () => {
  const silent = challengeOf({ flags: (FLAGS.all & ~FLAGS.targetInfo) >>> 0 })

  await assert.rejects(authenticate({}, silent), { name: 'AuthError', failure: 'refused' })
})

test('a message that is changed, repeated, left out or of another direction is found out', () => {
  const keys = { exportedKey: RANDOM_SESSION_KEY, hasKeyExchange: true }
  const [first, second] = (() => {
    const out = new NtlmDirection(keys, 'client-to-server')
    return [out.seal(Buffer.from('first')), out.seal(Buffer.from('second'))]
  })()
  const changed = { ...first, data: first.data.map((byte, index) => (index === 2 ? byte ^ 1 : byte)) }
  const cut = { ...first, signature: first.signature.subarray(0, 15) }
  const received = (...messages: (typeof first)[]) => {
    const from = new NtlmDirection(keys, 'client-to-server')
    return () => messages.forEach(message => from.unseal(message))
  }

  received(first, second)()
  const broken = { name: 'AuthError', failure: 'malformed' }
  assert.throws(received(changed), broken)
  assert.throws(received(cut), broken)
  assert.throws(received(first, first), broken)
  assert.throws(received(second), broken)
  assert.throws(() => new NtlmDirection(keys, 'server-to-client').unseal(first), broken)
})

test('after SPNEGO has signed its list, numbers go on and the stream begins anew', () => {
  const keys = { exportedKey: RANDOM_SESSION_KEY, hasKeyExchange: true }
  const [fresh, signed] = [new NtlmDirection(keys, 'client-to-server'), new NtlmDirection(keys, 'client-to-server')]

  signed.signMechanisms(Buffer.from('the list'))
  const [one, other] = [fresh.seal(Buffer.from('hello')), signed.seal(Buffer.from('hello'))]

  assert.equal(hex(other.data), hex(one.data))
  assert.equal(hex(one.signature.subarray(12)), '00000000')
  assert.equal(hex(other.signature.subarray(12)), '01000000')
})

test('nothing can be sealed before the host has answered, and nothing goes on after that', async () => {
  const ntlm = new Ntlm(OPTIONS)
  await ntlm.begin()
  await assert.rejects(ntlm.seal(Buffer.from('early')), { name: 'AuthError', failure: 'refused' })
  await ntlm.next(challengeOf({ time: TIME }))

  await assert.rejects(ntlm.next(challengeOf({ time: TIME })), { name: 'AuthError', failure: 'malformed' })
})

test('any bytes are a CHALLENGE or an AuthError', () => {
  const near = fc
    .tuple(fc.uint8Array({ maxLength: 80 }), fc.nat(CHALLENGE.length - 1))
    .map(([noise, at]) => Buffer.concat([CHALLENGE.subarray(0, at), noise, CHALLENGE.subarray(at + noise.length)]))

  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), near), token => {
      try {
        readChallenge(token)
      } catch (error) {
        assert.ok(error instanceof AuthError)
      }
    }),
    { numRuns: 2_000 },
  )
})

test('what a CHALLENGE says of lengths is bounded by what is there', () => {
  const longer = Buffer.from(CHALLENGE)
  longer.writeUInt32LE(0xffff_fff0, 44)
  const endless = challengeOf({ targetInfo: Buffer.alloc(65 * 4, '01000000', 'hex') })

  assert.throws(() => readChallenge(longer), { name: 'AuthError', failure: 'malformed' })
  assert.throws(() => readChallenge(endless), { name: 'AuthError', failure: 'malformed' })
  assert.throws(() => readChallenge(new Uint8Array(70_000)), { name: 'AuthError', failure: 'malformed' })
})

test('neither password nor keys show where an authentication is looked at or fails', async () => {
  const ntlm = new Ntlm({ ...OPTIONS, random: length => new Uint8Array(length).fill(0x55) })
  await ntlm.begin()
  await ntlm.next(challengeOf({ time: TIME }))
  const failure = await ntlm.unseal({ signature: new Uint8Array(16), data: new Uint8Array(3) }).catch(String)

  const seen = inspect(ntlm, { depth: 9, showHidden: true }) + String(failure)

  const key = hex(ntlmKey('the password of alice', { user: 'alice', domain: 'DOM' }))
  for (const secret of ['the password', key, '55 55', '5555', '85, 85']) assert.ok(!seen.includes(secret), seen)
})
