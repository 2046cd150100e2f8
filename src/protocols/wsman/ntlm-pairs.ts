import { AuthError } from './auth-error.ts'

/** What an attribute of the target says. Source: [MS-NLMP] 2.2.2.1, AV_PAIR. */
export const NtlmPairId = {
  end: 0,
  computerName: 1,
  domainName: 2,
  flags: 6,
  timestamp: 7,
  targetName: 9,
  channelBindings: 10,
} as const

/** An attribute, with its value as it stands on the wire. */
export interface NtlmPair {
  readonly id: number
  readonly value: Uint8Array
}

/** As many attributes as are read; there are eleven kinds, each at most once. */
const PAIRS_MAX = 64

/** The attributes of a target, without the end mark. Throws AuthError where they run over their end. */
export function readPairs(bytes: Uint8Array): NtlmPair[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const pairs: NtlmPair[] = []
  let at = 0
  while (pairs.length < PAIRS_MAX) {
    if (at + 4 > bytes.length) throw new AuthError('malformed', 'the NTLM challenge describes its target without end')
    const [id, length] = [view.getUint16(at, true), view.getUint16(at + 2, true)]
    if (id === NtlmPairId.end) return pairs
    const value = bytes.subarray(at + 4, at + 4 + length)
    if (value.length < length) throw new AuthError('malformed', 'the NTLM challenge ends within a description')
    pairs.push({ id, value })
    at += 4 + length
  }
  throw new AuthError('malformed', `the NTLM challenge has more than ${PAIRS_MAX} descriptions of its target`)
}

/** The attributes as they stand on the wire, with the end mark. */
export function writePairs(pairs: readonly NtlmPair[]): Uint8Array {
  const pieces = [...pairs, { id: NtlmPairId.end, value: new Uint8Array(0) }].flatMap(({ id, value }) => {
    const head = Buffer.alloc(4)
    head.writeUInt16LE(id, 0)
    head.writeUInt16LE(value.length, 2)
    return [head, value]
  })
  return Buffer.concat(pieces)
}

/** The value of the attribute, or undefined where the target does not say. */
export function pairValue(pairs: readonly NtlmPair[], id: number): Uint8Array | undefined {
  return pairs.find(pair => pair.id === id)?.value
}
