import { MessageError } from '../message-error.ts'

/** Attributes of a target. Source: MS-NLMP, §2.2.2.1. */
export const AV = {
  end: 0,
  computerName: 1,
  domainName: 2,
  dnsComputerName: 3,
  dnsDomainName: 4,
  flags: 6,
  timestamp: 7,
  targetName: 9,
  channelBindings: 10,
} as const

/** The bit of `AV.flags` that says the message carries a MIC. */
export const HAS_MIC = 2

const HEADER_BYTES = 4
/** There are eleven kinds. */
const PAIRS_MAX = 32

export type Attributes = ReadonlyMap<number, Buffer>

/** Reads pairs up to their end mark; where a kind comes twice, the first counts. Throws MessageError. */
export function readAttributes(bytes: Buffer): Attributes {
  const pairs = new Map<number, Buffer>()
  for (let at = 0, count = 0; count < PAIRS_MAX; count++) {
    if (at + HEADER_BYTES > bytes.length) break
    const [kind, length] = [bytes.readUInt16LE(at), bytes.readUInt16LE(at + 2)]
    if (kind === AV.end) return pairs
    const start = at + HEADER_BYTES
    if (start + length > bytes.length) break
    if (!pairs.has(kind)) pairs.set(kind, bytes.subarray(start, start + length))
    at = start + length
  }
  throw new MessageError('attributes of the target without an end')
}

/** Writes pairs in the order of the map, and the end mark. */
export function writeAttributes(pairs: Attributes): Buffer {
  const parts: Buffer[] = []
  for (const [kind, value] of [...pairs, [AV.end, Buffer.alloc(0)] as const]) {
    const header = Buffer.alloc(HEADER_BYTES)
    header.writeUInt16LE(kind, 0)
    header.writeUInt16LE(value.length, 2)
    parts.push(header, value)
  }
  return Buffer.concat(parts)
}
