import { createHmac, type KeyObject } from 'node:crypto'
import { md4 } from './md4.ts'
import { utf16 } from './ntlm-messages.ts'

/** Who proves to be whom. `user` and `domain` as they go to the host. */
export interface NtlmIdentity {
  readonly user: string
  readonly domain: string
}

/** What the proof is made of. */
export interface NtlmProof {
  /** The key that stands for the password, of `ntlmKey`. As good as the password itself. */
  readonly key: Uint8Array
  readonly serverChallenge: Uint8Array
  /** Eight random bytes of our own. */
  readonly clientChallenge: Uint8Array
  /** The host's time, else ours, as a FILETIME in little-endian order. */
  readonly time: Uint8Array
  /** The target's attributes and ours, with the end mark. */
  readonly pairs: Uint8Array
}

/** The proof, and the key that both sides can make of it. */
export interface NtlmResponse {
  readonly ntResponse: Uint8Array
  readonly lmResponse: Uint8Array
  readonly sessionBaseKey: Uint8Array
}

/** The key that stands for a user's password. Source: [MS-NLMP] 3.3.2, NTOWFv2. */
export function ntlmKey(password: string, { user, domain }: NtlmIdentity): Uint8Array {
  return hmacMd5(md4(utf16(password)), utf16(upperCase(user) + domain))
}

/** The proof that the password is known. Source: [MS-NLMP] 3.3.2, ComputeResponse. */
export function respond({ key, serverChallenge, clientChallenge, time, pairs }: NtlmProof): NtlmResponse {
  const temp = Buffer.concat([
    Uint8Array.of(1, 1, 0, 0, 0, 0, 0, 0),
    time,
    clientChallenge,
    new Uint8Array(4),
    pairs,
    new Uint8Array(4),
  ])
  const proof = hmacMd5(key, serverChallenge, temp)
  return {
    ntResponse: Buffer.concat([proof, temp]),
    lmResponse: Buffer.concat([hmacMd5(key, serverChallenge, clientChallenge), clientChallenge]),
    sessionBaseKey: hmacMd5(key, proof),
  }
}

/** HMAC-MD5 over the pieces one after the other. */
export function hmacMd5(key: Uint8Array | KeyObject, ...pieces: readonly Uint8Array[]): Uint8Array {
  const hmac = createHmac('md5', key)
  for (const piece of pieces) hmac.update(piece)
  return hmac.digest()
}

/**
 * Windows turns each 16-bit unit to upper case by itself, so that lengths stay ("ß" is no "SS"), and leaves alone
 * the few letters outside of ASCII whose upper case lies in it.
 */
function upperCase(text: string): string {
  return Array.from({ length: text.length }, (_, at) => {
    const unit = text.charAt(at)
    const upper = unit.toUpperCase()
    const isSimple = upper.length === 1 && upper.charCodeAt(0) <= 0x7f === unit.charCodeAt(0) <= 0x7f
    return isSimple ? upper : unit
  }).join('')
}
