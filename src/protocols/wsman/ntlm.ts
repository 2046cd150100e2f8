import { createHash, randomBytes } from 'node:crypto'
import { AuthError } from './auth-error.ts'
import type { NegotiableMechanism, SealedMessage } from './auth-mechanism.ts'
import { commonFlags, DEMANDED_FLAGS, hasFlags, NtlmFlag, OFFERED_FLAGS } from './ntlm-flags.ts'
import {
  type NtlmChallenge,
  NTLM_VERSION,
  placeMic,
  readChallenge,
  utf16,
  writeAuthenticate,
  writeNegotiate,
} from './ntlm-messages.ts'
import { type NtlmPair, NtlmPairId, pairValue, writePairs } from './ntlm-pairs.ts'
import { hmacMd5, ntlmKey, respond } from './ntlm-response.ts'
import { NtlmDirection } from './ntlm-session.ts'
import { Rc4 } from './rc4.ts'

/** NTLM's object identifier in SPNEGO. Source: [MS-NLMP] 1.9. */
export const NTLM_OID = '1.3.6.1.4.1.311.2.2.10'

/** MsvAvFlags: the AUTHENTICATE message carries a check over all three. Source: [MS-NLMP] 2.2.2.1. */
const HAS_MIC = Uint8Array.of(2, 0, 0, 0)
/** Between the first of January 1601, from where Windows counts, and that of 1970. */
const FILETIME_EPOCH_MS = 11_644_473_600_000n
const TICKS_PER_MS = 10_000n

/** Who we are, and whom we mean. */
export interface NtlmOptions {
  readonly user: string
  /** Empty where `user` says it (`user@domain`), or the host decides; `.` means the host's own accounts. */
  readonly domain: string
  /** Asked once, when the host has sent its challenge. */
  readonly password: () => string | Promise<string>
  /** The service we mean to reach, such as `HTTP/host`; hosts may refuse tokens meant for others. */
  readonly targetName: string
  /** What we call ourselves; it shows up in the host's event log. */
  readonly workstation: string
  /** Name and hash of the TLS channel, where there is one. Source: RFC 5929, section 4. */
  readonly channelBinding?: Uint8Array | undefined
  /** For tests with known answers. */
  readonly random?: (bytes: number) => Uint8Array
  readonly nowMs?: () => number
}

/** NTLM version 2, the initiator's side, with session security of 128 bits. Source: [MS-NLMP]. */
export class Ntlm implements NegotiableMechanism {
  readonly oids: readonly string[] = [NTLM_OID]
  // Hosts expect the list of mechanisms to be signed wherever NTLM checks its own messages.
  readonly signsMechanisms = true
  readonly #options: NtlmOptions
  #negotiate: Uint8Array | undefined
  #session: { readonly out: NtlmDirection; readonly in: NtlmDirection } | undefined

  constructor(options: NtlmOptions) {
    this.#options = options
  }

  get isComplete(): boolean {
    return this.#session !== undefined
  }

  async begin(): Promise<Uint8Array> {
    this.#negotiate = writeNegotiate()
    return this.#negotiate
  }

  async next(token: Uint8Array): Promise<Uint8Array | undefined> {
    if (this.#session !== undefined) throw new AuthError('malformed', 'the host goes on where NTLM has ended')
    const challenge = readChallenge(token)
    if (!hasFlags(challenge.flags, DEMANDED_FLAGS)) {
      throw new AuthError('refused', 'the host does not agree to NTLM version 2 with encryption of 128 bits')
    }
    return this.#authenticate(challenge, token)
  }

  async seal(message: Uint8Array): Promise<SealedMessage> {
    return this.#agreed().out.seal(message)
  }

  async unseal(sealed: SealedMessage): Promise<Uint8Array> {
    return this.#agreed().in.unseal(sealed)
  }

  async signMechanisms(list: Uint8Array): Promise<Uint8Array> {
    return this.#agreed().out.signMechanisms(list)
  }

  async verifyMechanisms(list: Uint8Array, mic: Uint8Array): Promise<void> {
    this.#agreed().in.verifyMechanisms(list, mic)
  }

  dispose(): void {
    this.#session = undefined
  }

  async #authenticate(challenge: NtlmChallenge, token: Uint8Array): Promise<Uint8Array> {
    const { user, workstation, password, random = randomBytes } = this.#options
    const domain = this.#domain(challenge.targetInfo)
    const timestamp = pairValue(challenge.targetInfo, NtlmPairId.timestamp)
    const proof = respond({
      key: ntlmKey(await password(), { user, domain }),
      serverChallenge: challenge.serverChallenge,
      clientChallenge: random(8),
      time: timestamp ?? this.#now(),
      pairs: writePairs(this.#pairs(challenge.targetInfo)),
    })
    const flags = commonFlags(challenge.flags, OFFERED_FLAGS | NtlmFlag.targetInfo) & ~NtlmFlag.oem
    const hasKeyExchange = hasFlags(flags, NtlmFlag.keyExchange)
    const exportedKey = hasKeyExchange ? random(16) : proof.sessionBaseKey
    const message = writeAuthenticate({
      flags: flags >>> 0,
      version: hasFlags(flags, NtlmFlag.version) ? NTLM_VERSION : new Uint8Array(NTLM_VERSION.length),
      domain,
      user,
      workstation,
      // A host that tells the time does not look at the old answer, which gives away more. Source: 3.1.5.1.2.
      lmResponse: timestamp === undefined ? proof.lmResponse : new Uint8Array(24),
      ntResponse: proof.ntResponse,
      encryptedKey: hasKeyExchange ? new Rc4(proof.sessionBaseKey).apply(exportedKey) : new Uint8Array(0),
      hasMic: timestamp !== undefined,
    })
    if (timestamp !== undefined) {
      placeMic(message, hmacMd5(exportedKey, this.#negotiate ?? new Uint8Array(0), token, message))
    }
    const keys = { exportedKey, hasKeyExchange }
    this.#session = {
      out: new NtlmDirection(keys, 'client-to-server'),
      in: new NtlmDirection(keys, 'server-to-client'),
    }
    return message
  }

  /** `.` is the host itself, which knows its accounts by its own name. */
  #domain(target: readonly NtlmPair[]): string {
    if (this.#options.domain !== '.') return this.#options.domain
    const name = pairValue(target, NtlmPairId.computerName)
    return name === undefined ? '.' : Buffer.from(name).toString('utf16le')
  }

  /** What the host says of itself and, where it can check that nobody changed it, what we say of the connection. */
  #pairs(target: readonly NtlmPair[]): NtlmPair[] {
    const ours: readonly number[] = [NtlmPairId.flags, NtlmPairId.targetName, NtlmPairId.channelBindings]
    const hasTime = pairValue(target, NtlmPairId.timestamp) !== undefined
    return [
      ...target.filter(({ id }) => !ours.includes(id)),
      ...(hasTime ? [{ id: NtlmPairId.flags, value: HAS_MIC }] : []),
      { id: NtlmPairId.channelBindings, value: hashBinding(this.#options.channelBinding) },
      { id: NtlmPairId.targetName, value: utf16(this.#options.targetName) },
    ]
  }

  #now(): Uint8Array {
    const nowMs = this.#options.nowMs ?? Date.now
    const time = Buffer.alloc(8)
    time.writeBigUInt64LE((BigInt(nowMs()) + FILETIME_EPOCH_MS) * TICKS_PER_MS)
    return time
  }

  #agreed(): { readonly out: NtlmDirection; readonly in: NtlmDirection } {
    if (this.#session === undefined) throw new AuthError('refused', 'NTLM has not agreed on keys yet')
    return this.#session
  }
}

/**
 * The digest of a gss_channel_bindings_struct that has nothing but the channel's name and hash; zeros without a
 * channel. Source: [MS-NLMP] 3.1.5.1.2; RFC 2744, section 3.11.
 */
function hashBinding(binding: Uint8Array | undefined): Uint8Array {
  if (binding === undefined) return new Uint8Array(16)
  const head = Buffer.alloc(20)
  head.writeUInt32LE(binding.length, 16)
  return createHash('md5').update(head).update(binding).digest()
}
