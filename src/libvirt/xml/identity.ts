import { createHash } from 'node:crypto'

const GROUPS = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/

/**
 * A UUID as libvirt takes it: 32 hexadecimal digits, with hyphens wherever between them. In lower case with the hyphens
 * where they belong; undefined for what is none. Source: libvirt, src/util/viruuid.c, virUUIDParse.
 */
export function parseUuid(text: string): string | undefined {
  const digits = text.trim().replaceAll('-', '').toLowerCase()
  return /^[0-9a-f]{32}$/.test(digits) ? hyphenated(digits) : undefined
}

const hyphenated = (digits: string): string => digits.replace(GROUPS, '$1-$2-$3-$4-$5')

/** The UUID that is always that of `name` within another. Source: RFC 9562, §5.5 (version 5). */
export function derivedUuid(within: string, name: string): string {
  const space = Buffer.from(within.replaceAll('-', ''), 'hex')
  const hash = createHash('sha1').update(space).update(name, 'utf8').digest().subarray(0, 16)
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6)
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8)
  return hyphenated(hash.toString('hex'))
}

/** The address that is always that of `name` within a domain, behind the three octets of a prefix. */
export function derivedMac(prefix: string, within: string, name: string): string {
  const tail = derivedUuid(within, `mac ${name}`).slice(0, 6)
  return `${prefix}:${tail.slice(0, 2)}:${tail.slice(2, 4)}:${tail.slice(4, 6)}`
}
