import { createHmac, randomBytes } from 'node:crypto'
import type { SealedMessage } from '../../src/protocols/wsman/auth-mechanism.ts'
import { type NtlmPair, writePairs } from '../../src/protocols/wsman/ntlm-pairs.ts'
import { ntlmKey } from '../../src/protocols/wsman/ntlm-response.ts'
import { NtlmDirection } from '../../src/protocols/wsman/ntlm-session.ts'
import { Rc4 } from '../../src/protocols/wsman/rc4.ts'

export const FLAGS = {
  all: 0xe2898235,
  unicode: 0x1,
  oem: 0x2,
  sign: 0x10,
  seal: 0x20,
  extendedSessionSecurity: 0x80000,
  targetInfo: 0x800000,
  key128: 0x20000000,
} as const

/** What a CHALLENGE says where a test says nothing else. */
export interface ChallengeParts {
  readonly flags?: number
  readonly serverChallenge?: Uint8Array
  /** Left out, the host does not tell. */
  readonly time?: Uint8Array
  /** Instead of a description of the host SERVER in the domain DOM. */
  readonly targetInfo?: Uint8Array
}

export function challengeOf(parts: ChallengeParts): Buffer {
  const pairs: NtlmPair[] = [
    { id: 2, value: Buffer.from('DOM', 'utf16le') },
    { id: 1, value: Buffer.from('SERVER', 'utf16le') },
    ...(parts.time ? [{ id: 7, value: parts.time }] : []),
  ]
  const targetInfo = parts.targetInfo ?? writePairs(pairs)
  const message = Buffer.alloc(56)
  message.write('NTLMSSP\0', 'latin1')
  message.writeUInt32LE(2, 8)
  message.writeUInt32LE(56, 16)
  message.writeUInt32LE(parts.flags ?? FLAGS.all, 20)
  message.set(parts.serverChallenge ?? new Uint8Array(8).fill(1), 24)
  message.writeUInt16LE(targetInfo.length, 40)
  message.writeUInt16LE(targetInfo.length, 42)
  message.writeUInt32LE(56, 44)
  return Buffer.concat([message, targetInfo])
}

/**
 * The acceptor's side of NTLM, as small as tests of what goes around it need. That our NTLM is right is for
 * gss-ntlmssp to say.
 */
export class NtlmAcceptor {
  readonly challenge: Buffer
  readonly #password: string
  readonly #serverChallenge = randomBytes(8)
  #session: { readonly in: NtlmDirection; readonly out: NtlmDirection } | undefined
  /** What came in the attribute for the TLS channel, in hex. */
  binding: string | undefined

  constructor(password: string) {
    this.#password = password
    this.challenge = challengeOf({ serverChallenge: this.#serverChallenge, time: randomBytes(8) })
  }

  get isAccepted(): boolean {
    return this.#session !== undefined
  }

  accept(authenticate: Buffer): boolean {
    const field = (at: number) => {
      const [length, offset] = [authenticate.readUInt16LE(at), authenticate.readUInt32LE(at + 4)]
      return authenticate.subarray(offset, offset + length)
    }
    const identity = { domain: field(28).toString('utf16le'), user: field(36).toString('utf16le') }
    const ntResponse = field(20)
    const key = ntlmKey(this.#password, identity)
    const proof = createHmac('md5', key).update(this.#serverChallenge).update(ntResponse.subarray(16)).digest()
    if (!proof.equals(ntResponse.subarray(0, 16))) return false
    const marker = ntResponse.indexOf('0a001000', 44, 'hex')
    this.binding = ntResponse.subarray(marker + 4, marker + 20).toString('hex')
    const base = createHmac('md5', key).update(proof).digest()
    const keys = { exportedKey: new Rc4(base).apply(field(52)), hasKeyExchange: true }
    this.#session = {
      in: new NtlmDirection(keys, 'client-to-server'),
      out: new NtlmDirection(keys, 'server-to-client'),
    }
    return true
  }

  seal(message: Uint8Array): SealedMessage {
    if (this.#session === undefined) throw new Error('nobody was accepted')
    return this.#session.out.seal(message)
  }

  unseal(sealed: SealedMessage): Uint8Array {
    if (this.#session === undefined) throw new Error('nobody was accepted')
    return this.#session.in.unseal(sealed)
  }
}
