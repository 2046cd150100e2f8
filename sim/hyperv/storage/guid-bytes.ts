const TEXT = /^\{?([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})\}?$/i

/** A GUID as Windows keeps it: its first three groups are numbers, the lowest byte first. Asserts nothing: nil for no GUID. */
export function guidToBytes(guid: string): Buffer {
  const straight = guidToStraightBytes(guid)
  return swapped(straight)
}

/** In upper case, without braces. */
export function guidFromBytes(bytes: Buffer): string {
  return guidFromStraightBytes(swapped(bytes))
}

/** A GUID byte by byte as it is written: what a VHD has. Source: Virtual Hard Disk Image Format Specification. */
export function guidToStraightBytes(guid: string): Buffer {
  const groups = TEXT.exec(guid)?.slice(1).join('') ?? '0'.repeat(32)
  return Buffer.from(groups, 'hex')
}

/** In upper case, without braces. */
export function guidFromStraightBytes(bytes: Buffer): string {
  const hex = bytes.subarray(0, 16).toString('hex').toUpperCase()
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

function swapped(bytes: Buffer): Buffer {
  const turned = Buffer.from(bytes.subarray(0, 16))
  turned.subarray(0, 4).swap32()
  turned.subarray(4, 8).swap16()
  return turned
}

/** What stands for no GUID. */
export const NIL_GUID = '00000000-0000-0000-0000-000000000000'
