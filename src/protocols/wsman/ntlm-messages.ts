import { AuthError } from './auth-error.ts'
import { hasFlags, NtlmFlag, OFFERED_FLAGS } from './ntlm-flags.ts'
import { type NtlmPair, readPairs } from './ntlm-pairs.ts'

const SIGNATURE = Buffer.from('NTLMSSP\0', 'latin1')
const NEGOTIATE = 1
const CHALLENGE = 2
const AUTHENTICATE = 3
/** Says that the description of the target is there. */
const CHALLENGE_BYTES_MIN = 48
/** Far more than a challenge of the largest names has. */
const CHALLENGE_BYTES_MAX = 65_536
const NEGOTIATE_BYTES = 40
/** Fixed part of an AUTHENTICATE message with its version, and where the integrity check follows. */
const AUTHENTICATE_BYTES = 72
/** Bytes of the check over all three messages. */
const MIC_BYTES = 16

/** The version that we say we are: the format asks for one of Windows. Source: [MS-NLMP] 2.2.2.10, as Windows 7. */
export const NTLM_VERSION: Uint8Array = Uint8Array.of(6, 1, 0xb1, 0x1d, 0, 0, 0, 15)

/** The peer's part of the bargain. */
export interface NtlmChallenge {
  readonly flags: number
  /** Eight random bytes. */
  readonly serverChallenge: Uint8Array
  readonly targetInfo: readonly NtlmPair[]
}

/** The first message: what we offer, and nothing of who we are. Source: [MS-NLMP] 2.2.1.1. */
export function writeNegotiate(): Uint8Array {
  const message = begin(NEGOTIATE, NEGOTIATE_BYTES)
  message.writeUInt32LE(OFFERED_FLAGS, 12)
  // Domain and workstation are left empty.
  message.writeUInt32LE(NEGOTIATE_BYTES, 20)
  message.writeUInt32LE(NEGOTIATE_BYTES, 28)
  message.set(NTLM_VERSION, 32)
  return message
}

/** Reads the second message. Throws AuthError where it is none. Source: [MS-NLMP] 2.2.1.2. */
export function readChallenge(bytes: Uint8Array): NtlmChallenge {
  const message = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (message.length < CHALLENGE_BYTES_MIN || message.length > CHALLENGE_BYTES_MAX) {
    throw new AuthError('malformed', `an NTLM challenge of ${message.length} bytes`)
  }
  if (!message.subarray(0, 8).equals(SIGNATURE) || message.readUInt32LE(8) !== CHALLENGE) {
    throw new AuthError('malformed', 'what came is no NTLM challenge')
  }
  const flags = message.readUInt32LE(20)
  if (!hasFlags(flags, NtlmFlag.targetInfo)) {
    throw new AuthError('refused', 'the host does not say who it is, which NTLM version 2 needs')
  }
  const [length, offset] = [message.readUInt16LE(40), message.readUInt32LE(44)]
  if (offset + length > message.length) throw new AuthError('malformed', 'the NTLM challenge ends too early')
  return {
    flags,
    serverChallenge: Uint8Array.from(message.subarray(24, 32)),
    targetInfo: readPairs(Uint8Array.from(message.subarray(offset, offset + length))),
  }
}

/** What the third message says; names are texts, the others bytes as they stand on the wire. */
export interface NtlmAuthentication {
  readonly flags: number
  readonly version: Uint8Array
  readonly domain: string
  readonly user: string
  readonly workstation: string
  readonly lmResponse: Uint8Array
  readonly ntResponse: Uint8Array
  /** The session's key, encrypted for the host; empty where no key is exchanged. */
  readonly encryptedKey: Uint8Array
  /** Whether place is left for the check over all three messages. */
  readonly hasMic: boolean
}

/** The third message, its check still zeros. Source: [MS-NLMP] 2.2.1.3. */
export function writeAuthenticate(said: NtlmAuthentication): Buffer {
  const head = begin(AUTHENTICATE, AUTHENTICATE_BYTES + (said.hasMic ? MIC_BYTES : 0))
  const [domain, user, workstation] = [said.domain, said.user, said.workstation].map(name => utf16(name))
  // Names first and the key last, as Windows lays them out; where each begins is said in this order of fields.
  const payload = [domain, user, workstation, said.lmResponse, said.ntResponse, said.encryptedKey]
  const fields = [28, 36, 44, 12, 20, 52]
  let offset = head.length
  for (const [index, piece] of payload.entries()) {
    const [field = 0, length = 0] = [fields[index], piece?.length]
    if (length > 0xffff) throw new AuthError('refused', `NTLM has no place for a name or answer of ${length} bytes`)
    head.writeUInt16LE(length, field)
    head.writeUInt16LE(length, field + 2)
    head.writeUInt32LE(offset, field + 4)
    offset += length
  }
  head.writeUInt32LE(said.flags, 60)
  head.set(said.version, 64)
  return Buffer.concat([head, ...payload.flatMap(piece => piece ?? [])])
}

/** Writes the check over all three messages into its place in the third. */
export function placeMic(authenticate: Buffer, mic: Uint8Array): void {
  authenticate.set(mic, AUTHENTICATE_BYTES)
}

/** A text as NTLM has it. */
export function utf16(text: string): Buffer {
  return Buffer.from(text, 'utf16le')
}

function begin(type: number, bytes: number): Buffer {
  const message = Buffer.alloc(bytes)
  message.set(SIGNATURE)
  message.writeUInt32LE(type, 8)
  return message
}
