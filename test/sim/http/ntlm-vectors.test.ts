import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'

import { Accounts } from '../../../sim/hyperv/http/accounts.ts'
import type { Channel } from '../../../sim/hyperv/http/channel-bindings.ts'
import type { Step } from '../../../sim/hyperv/http/handshake.ts'
import { NtlmAcceptor, type NtlmHost } from '../../../sim/hyperv/http/ntlm/acceptor.ts'
import { agreeOn } from '../../../sim/hyperv/http/ntlm/flags.ts'
import { NtlmInitiator } from '../../../sim/hyperv/http/ntlm/initiator.ts'
import { hmacMd5, ntHash, responseKey, sealingKey, signingKey } from '../../../sim/hyperv/http/ntlm/keys.ts'
import { md4 } from '../../../sim/hyperv/http/ntlm/md4.ts'
import { readAuthenticate, readChallenge, writeChallenge } from '../../../sim/hyperv/http/ntlm/messages.ts'
import { NtlmSealing } from '../../../sim/hyperv/http/ntlm/ntlm-sealing.ts'
import { Rc4 } from '../../../sim/hyperv/http/ntlm/rc4.ts'
import { SealError } from '../../../sim/hyperv/http/sealing.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')
const UNBOUND: Channel = { bindings: undefined, hardening: 'relaxed' }

/** The constants of MS-NLMP, §4.2.1 and §4.2.4. */
const SPEC = {
  serverChallenge: hex('0123456789abcdef'),
  sessionKey: Buffer.alloc(16, 0x55),
  flags: 0xe28a8233,
  challenge: hex(`
    4e544c4d53535000 02000000 0c000c0038000000 33828ae2 0123456789abcdef 0000000000000000 2400240044000000
    060070170000000f 530065007200760065007200
    02000c0044006f006d00610069006e00 01000c00530065007200760065007200 00000000`),
  authenticate: hex(`
    4e544c4d53535000 03000000 180018006c000000 5400540084000000 0c000c0048000000 0800080054000000
    100010005c000000 10001000d8000000 358288e2 0501280a0000000f
    44006f006d00610069006e00 5500730065007200 43004f004d0050005500540045005200
    86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa
    68cd0ab851e51c96aabc927bebef6a1c 0101000000000000 0000000000000000 aaaaaaaaaaaaaaaa 00000000
    02000c0044006f006d00610069006e00 01000c00530065007200760065007200 0000000000000000
    c5dad2544fc9799094ce1ce90bc9d03e`),
  plaintext: Buffer.from('Plaintext', 'utf16le'),
  ciphertext: hex('54e50165bf1936dc996020c1811b0f06fb5f'),
  signature: hex('010000007fb38ec5c55d497600000000'),
}

function hostOf(password: string, random: (bytes: number) => Buffer = randomBytes): NtlmHost {
  return {
    name: 'SERVER',
    dnsName: 'server',
    osVersion: { major: 10, minor: 0, build: 20348 },
    accounts: new Accounts([{ name: 'User', password }], 'SERVER', 'server'),
    now: () => 1_700_000_000_000,
    random,
  }
}

test('MD4 gives the digests of RFC 1320', () => {
  const digests: ReadonlyArray<readonly [string, string]> = [
    ['', '31d6cfe0d16ae931b73c59d7e0c089c0'],
    ['a', 'bde52cb31de33e46245e05fbdbd6fb24'],
    ['abc', 'a448017aaf21d8525fc10ae87aa6729d'],
    ['message digest', 'd9130a8164549fe818874806e1c7014b'],
    ['abcdefghijklmnopqrstuvwxyz', 'd79e1c308aa5bbcdeea8ed63df412da9'],
    ['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', '043f8582f241db351ce627e153e7f0e4'],
    ['1234567890'.repeat(8), 'e33b4ddc9c38f2199c3e7b164fcc0536'],
  ]
  for (const [text, digest] of digests) assert.equal(md4(Buffer.from(text)).toString('hex'), digest, text)
})

test('RC4 gives the streams of RFC 6229, in pieces as in one', () => {
  const stream = new Rc4(hex('0102030405060708090a0b0c0d0e0f10'))
  const pieces = [5, 11, 224, 16].map(length => stream.apply(Buffer.alloc(length)))

  const whole = Buffer.concat(pieces)
  assert.equal(whole.subarray(0, 16).toString('hex'), '9ac7cc9a609d1ef7b2932899cde41b97')
  assert.equal(whole.subarray(240, 256).toString('hex'), '065902e4b620f6cc36c8589f66432f2b')
  assert.equal(new Rc4(hex('0102030405')).apply(Buffer.alloc(16)).toString('hex'), 'b2396305f03dc027ccc3524a0a1118a8')
})

test('keys are those of MS-NLMP', () => {
  const key = responseKey(ntHash('Password'), 'User', 'Domain')
  const { ntResponse } = readAuthenticate(SPEC.authenticate)
  const proof = hmacMd5(key, SPEC.serverChallenge, ntResponse.subarray(16))
  const base = hmacMd5(key, proof)

  assert.equal(ntHash('Password').toString('hex'), 'a4f49c406510bdcab6824ee7c30fd852')
  assert.equal(key.toString('hex'), '0c868a403bfd7a93a3001ef22ef02e3f')
  assert.deepEqual(proof, ntResponse.subarray(0, 16))
  assert.equal(base.toString('hex'), '8de40ccadbc14a82f15cb0ad0de95ca3')
  assert.equal(new Rc4(base).apply(SPEC.sessionKey).toString('hex'), 'c5dad2544fc9799094ce1ce90bc9d03e')
  assert.equal(sealingKey(SPEC.sessionKey, 'client', SPEC.flags).toString('hex'), '59f600973cc4960a25480a7c196e4c58')
  assert.equal(signingKey(SPEC.sessionKey, 'client').toString('hex'), '4788dc861b4782f35d43fd98fe1a2d39')
})

test('the CHALLENGE_MESSAGE of MS-NLMP is written and read', () => {
  const { flags, serverChallenge, targetInfo } = readChallenge(SPEC.challenge)

  const written = writeChallenge({
    flags,
    serverChallenge,
    targetInfo,
    targetName: 'Server',
    osVersion: { major: 6, minor: 0, build: 6000 },
  })

  assert.equal(flags, SPEC.flags)
  assert.deepEqual(serverChallenge, SPEC.serverChallenge)
  assert.deepEqual(written, SPEC.challenge)
})

test('the AUTHENTICATE_MESSAGE of MS-NLMP is accepted, and what is sealed after it is unsealed', () => {
  const acceptor = new NtlmAcceptor(
    hostOf('Password', () => SPEC.serverChallenge),
    UNBOUND,
  )
  acceptor.step(negotiateOf(0xe2088237))

  const step = acceptor.step(SPEC.authenticate)

  assert.equal(step.kind, 'granted')
  const sealing = step.kind === 'granted' ? step.sealing : undefined
  assert.deepEqual(sealing?.unseal({ header: SPEC.signature, data: SPEC.ciphertext }), SPEC.plaintext)
})

test('the same message is refused for another password, another challenge, another user, and a second time', () => {
  const stepOf = (acceptor: NtlmAcceptor, message = SPEC.authenticate): Step['kind'] => {
    acceptor.step(negotiateOf(0xe2088237))
    return acceptor.step(message).kind
  }

  assert.equal(
    stepOf(
      new NtlmAcceptor(
        hostOf('password', () => SPEC.serverChallenge),
        UNBOUND,
      ),
    ),
    'refused',
  )
  assert.equal(stepOf(new NtlmAcceptor(hostOf('Password'), UNBOUND)), 'refused')
  const other = Buffer.from(SPEC.authenticate)
  other.write('u', 84, 'utf16le')
  assert.equal(
    stepOf(
      new NtlmAcceptor(
        hostOf('Password', () => SPEC.serverChallenge),
        UNBOUND,
      ),
      other,
    ),
    'granted',
  )
  other.write('x', 84, 'utf16le')
  assert.equal(
    stepOf(
      new NtlmAcceptor(
        hostOf('Password', () => SPEC.serverChallenge),
        UNBOUND,
      ),
      other,
    ),
    'refused',
  )
  const once = new NtlmAcceptor(
    hostOf('Password', () => SPEC.serverChallenge),
    UNBOUND,
  )
  assert.equal(stepOf(once), 'granted')
  assert.throws(() => once.step(SPEC.authenticate), { name: 'MessageError' })
})

test('flags are agreed on as Windows does it', () => {
  assert.equal(agreeOn(0xe2088237).toString(16), 'e28a8235') // As recorded of a workgroup's host.
  assert.equal(agreeOn(0xe2088232).toString(16), 'e28a8236') // Without Unicode.
  assert.equal(agreeOn(0x8205).toString(16), '828205') // Of a client that does not seal.
})

test('a handshake with MIC is accepted, and refused when any of its messages was altered', () => {
  const shake = (alter: (token: Buffer, which: number) => void): Step['kind'] => {
    const acceptor = new NtlmAcceptor(hostOf('Password'), UNBOUND)
    const initiator = new NtlmInitiator({ name: 'user', domain: 'server', password: 'Password' })
    const sent = (token: Buffer, which: number) => {
      const copy = Buffer.from(token)
      alter(copy, which)
      return copy
    }
    const challenged = acceptor.step(sent(initiator.negotiate(), 1))
    if (challenged.kind !== 'continue') return challenged.kind
    return acceptor.step(sent(initiator.authenticate(sent(challenged.token, 2), undefined).token, 3)).kind
  }

  assert.equal(
    shake(() => undefined),
    'granted',
  )
  assert.equal(
    shake((token, which) => which === 1 && token.writeUInt8(0x31, 13)),
    'refused',
  )
  assert.equal(
    shake((token, which) => which === 2 && token.writeUInt8(token.readUInt8(50) ^ 1, 50)),
    'refused',
  )
  assert.equal(
    shake((token, which) => which === 3 && token.writeUInt8(token.readUInt8(66) ^ 1, 66)),
    'refused',
  )
  assert.equal(
    shake((token, which) => which === 3 && token.fill(0, 72, 88)),
    'refused',
  )
})

test('two sides seal for each other, and nothing altered, repeated, left out or of the own side is unsealed', () => {
  const pair = () =>
    [
      new NtlmSealing(SPEC.sessionKey, SPEC.flags, 'client'),
      new NtlmSealing(SPEC.sessionKey, SPEC.flags, 'server'),
    ] as const
  const [client, server] = pair()
  for (let round = 0; round < 3; round++) {
    const message = Buffer.from(`message ${round}`)
    assert.deepEqual(server.unseal(client.seal(message)), message)
    assert.deepEqual(client.unseal(server.seal(message)), message)
  }

  const repeated = client.seal(Buffer.from('once'))
  server.unseal(repeated)
  assert.throws(() => server.unseal(repeated), SealError)

  for (const spoil of ['header', 'data'] as const) {
    const [one, other] = pair()
    const sealed = one.seal(Buffer.from('message'))
    sealed[spoil].set([(sealed[spoil][5] ?? 0) ^ 1], 5)
    assert.throws(() => other.unseal(sealed), SealError)
  }
  const [skipping, waiting] = pair()
  skipping.seal(Buffer.from('lost'))
  assert.throws(() => waiting.unseal(skipping.seal(Buffer.from('message'))), SealError)
  const [own] = pair()
  assert.throws(() => own.unseal(own.seal(Buffer.from('message'))), SealError)
})

function negotiateOf(flags: number): Buffer {
  const message = Buffer.alloc(32)
  message.write('NTLMSSP\0', 'latin1')
  message.writeUInt32LE(1, 8)
  message.writeUInt32LE(flags, 12)
  return message
}
