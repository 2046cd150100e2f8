import type { Run } from './disk-image.ts'

/**
 * The runs of sectors whose bits are set. The bits begin with the sector at `start`; each byte tells its first sector by
 * its highest bit, as in a VHD, or by its lowest, as in a VHDX.
 */
export function* runsOfBits(
  bits: Buffer,
  start: number,
  length: number,
  sectorBytes: number,
  first: 'high' | 'low',
): Generator<Run> {
  const sectors = Math.ceil(length / sectorBytes)
  const isSet = (sector: number): boolean => {
    const byte = bits[sector >> 3] ?? 0
    return (byte & (first === 'high' ? 0x80 >> (sector & 7) : 1 << (sector & 7))) !== 0
  }
  for (let sector = 0; sector < sectors; ) {
    if (!isSet(sector)) {
      sector += 1
      continue
    }
    let end = sector + 1
    while (end < sectors && isSet(end)) end += 1
    const offset = sector * sectorBytes
    yield { offset: start + offset, length: Math.min(end * sectorBytes, length) - offset, isZero: false }
    sector = end
  }
}
