import { createHash } from 'node:crypto'

/** The namespace of the ids that devices of others get: a UUID of this project's own, made once. */
const NAMESPACE = Buffer.from('6f0d1c3a7c5e4c0e9a5b8e1f2d3c4b5a', 'hex')

/**
 * The id of a device that nobody has given one: the same as long as the host calls the device so, a UUID made of that
 * name. Source: RFC 9562, section 5.5, UUID version 5.
 */
export function idOfDevice(name: string): string {
  const hash = createHash('sha1').update(NAMESPACE).update(name.toLowerCase()).digest().subarray(0, 16)
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6)
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8)
  return hash.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
