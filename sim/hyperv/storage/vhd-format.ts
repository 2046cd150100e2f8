import { ImageError, type ImageType } from './disk-image.ts'
import { guidFromStraightBytes, guidToStraightBytes, NIL_GUID } from './guid-bytes.ts'

// The structures of a VHD, all of them with the highest byte first.
// Source: Microsoft, "Virtual Hard Disk Image Format Specification", version 1.0.

export const SECTOR = 512
export const FOOTER_BYTES = 512
export const HEADER_BYTES = 1024
/** Of a table entry: the block is not in the file. */
export const UNUSED = 0xffffffff

const NOWHERE = 0xffff_ffff_ffff_ffffn
const VERSION = 0x00010000
const EPOCH_MS = Date.UTC(2000, 0, 1)
const TYPES: ReadonlyMap<number, ImageType> = new Map([
  [2, 'fixed'],
  [3, 'dynamic'],
  [4, 'differencing'],
])

export interface VhdFooter {
  readonly type: ImageType
  readonly bytes: number
  readonly id: string
  /** Milliseconds since 1970, whole seconds. */
  readonly timestamp: number
}

/** The last sector of a VHD, and the first of one that grows. */
export function writeFooter({ type, bytes, id, timestamp }: VhdFooter): Buffer {
  const footer = Buffer.alloc(FOOTER_BYTES)
  footer.write('conectix', 0, 'latin1')
  footer.writeUInt32BE(2, 8)
  footer.writeUInt32BE(VERSION, 12)
  footer.writeBigUInt64BE(type === 'fixed' ? NOWHERE : BigInt(FOOTER_BYTES), 16)
  footer.writeUInt32BE(Math.max(0, Math.floor((timestamp - EPOCH_MS) / 1000)), 24)
  footer.write('win ', 28, 'latin1')
  footer.writeUInt32BE(0x00060001, 32)
  footer.write('Wi2k', 36, 'latin1')
  footer.writeBigUInt64BE(BigInt(bytes), 40)
  footer.writeBigUInt64BE(BigInt(bytes), 48)
  footer.writeUInt32BE(geometryOf(bytes), 56)
  footer.writeUInt32BE(type === 'fixed' ? 2 : type === 'dynamic' ? 3 : 4, 60)
  guidToStraightBytes(id).copy(footer, 68)
  footer.writeUInt32BE(checksum(footer), 64)
  return footer
}

/** Throws ImageError. */
export function readFooter(footer: Buffer): VhdFooter {
  if (footer.toString('latin1', 0, 8) !== 'conectix') throw new ImageError('the file is no virtual hard disk')
  if (footer.readUInt32BE(64) !== checksumOf(footer, 64)) throw new ImageError('the footer is damaged')
  const type = TYPES.get(footer.readUInt32BE(60))
  const bytes = Number(footer.readBigUInt64BE(48))
  if (type === undefined || !Number.isSafeInteger(bytes) || bytes % SECTOR !== 0) {
    throw new ImageError('the footer is of an unknown kind')
  }
  return {
    type,
    bytes,
    id: guidFromStraightBytes(footer.subarray(68, 84)),
    timestamp: EPOCH_MS + footer.readUInt32BE(24) * 1000,
  }
}

/** What guests of old read from the disk. Source: the specification's appendix, "CHS Calculation". */
function geometryOf(bytes: number): number {
  const total = Math.min(Math.floor(bytes / SECTOR), 65_535 * 16 * 255)
  const pack = (cylinders: number, heads: number, sectors: number): number =>
    (cylinders * 0x10000 + heads * 0x100 + sectors) >>> 0
  if (total >= 65_535 * 16 * 63) return pack(Math.floor(total / (255 * 16)), 16, 255)
  let sectors = 17
  let tracks = Math.floor(total / sectors)
  let heads = Math.max(4, Math.floor((tracks + 1023) / 1024))
  if (tracks >= heads * 1024 || heads > 16) {
    sectors = 31
    heads = 16
    tracks = Math.floor(total / sectors)
  }
  if (tracks >= heads * 1024) {
    sectors = 63
    heads = 16
    tracks = Math.floor(total / sectors)
  }
  return pack(Math.floor(tracks / heads), heads, sectors)
}

/** Where the parent of a differencing VHD is told to be. */
export interface VhdLocator {
  /** `W2ku` absolute, `W2ru` from the child's folder. */
  readonly platform: 'W2ku' | 'W2ru'
  readonly text: string
}

export interface VhdHeader {
  readonly tableOffset: number
  readonly entries: number
  readonly blockBytes: number
  readonly parent: VhdParent | undefined
}

export interface VhdParent {
  readonly id: string
  readonly timestamp: number
  /** The file's name. */
  readonly name: string
  readonly locators: readonly PlacedLocator[]
}

export interface PlacedLocator {
  readonly platform: string
  readonly offset: number
  readonly length: number
}

const LOCATORS_MAX = 8
/** What is kept free for a locator's text: two bytes for each character of the longest path. */
export const LOCATOR_ROOM = 2 * SECTOR

/** What stands behind the first footer of a VHD that grows. */
export function writeHeader({ tableOffset, entries, blockBytes, parent }: VhdHeader): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header.write('cxsparse', 0, 'latin1')
  header.writeBigUInt64BE(NOWHERE, 8)
  header.writeBigUInt64BE(BigInt(tableOffset), 16)
  header.writeUInt32BE(VERSION, 24)
  header.writeUInt32BE(entries, 28)
  header.writeUInt32BE(blockBytes, 32)
  if (parent !== undefined) writeParent(header, parent)
  header.writeUInt32BE(checksum(header), 36)
  return header
}

function writeParent(header: Buffer, { id, timestamp, name, locators }: VhdParent): void {
  guidToStraightBytes(id).copy(header, 40)
  header.writeUInt32BE(Math.max(0, Math.floor((timestamp - EPOCH_MS) / 1000)), 56)
  Buffer.from(name.slice(0, 255), 'utf16le').swap16().copy(header, 64)
  for (const [place, { platform, offset, length }] of locators.slice(0, LOCATORS_MAX).entries()) {
    const at = 576 + 24 * place
    header.write(platform, at, 'latin1')
    header.writeUInt32BE(LOCATOR_ROOM, at + 4)
    header.writeUInt32BE(length, at + 8)
    header.writeBigUInt64BE(BigInt(offset), at + 16)
  }
}

/** Throws ImageError. */
export function readHeader(header: Buffer): VhdHeader {
  if (header.toString('latin1', 0, 8) !== 'cxsparse') throw new ImageError('the header is missing')
  if (header.readUInt32BE(36) !== checksumOf(header, 36)) throw new ImageError('the header is damaged')
  const blockBytes = header.readUInt32BE(32)
  if (blockBytes < SECTOR || blockBytes > BLOCK_MAX || (blockBytes & (blockBytes - 1)) !== 0) {
    throw new ImageError('the block size is out of range')
  }
  const id = guidFromStraightBytes(header.subarray(40, 56))
  return {
    tableOffset: Number(header.readBigUInt64BE(16)),
    entries: header.readUInt32BE(28),
    blockBytes,
    parent: id === NIL_GUID ? undefined : readParent(header, id),
  }
}

const BLOCK_MAX = 256 * 1024 * 1024

function readParent(header: Buffer, id: string): VhdParent {
  const locators: PlacedLocator[] = []
  for (let place = 0; place < LOCATORS_MAX; place++) {
    const at = 576 + 24 * place
    const platform = header.toString('latin1', at, at + 4)
    if (platform.startsWith('\0')) continue
    locators.push({
      platform,
      offset: Number(header.readBigUInt64BE(at + 16)),
      length: header.readUInt32BE(at + 8),
    })
  }
  const name = Buffer.from(header.subarray(64, 576)).swap16().toString('utf16le').replace(/\0.*$/s, '')
  return { id, timestamp: EPOCH_MS + header.readUInt32BE(56) * 1000, name, locators }
}

/** The one's complement of the sum of all bytes, those of the checksum itself counted as zero. */
function checksum(bytes: Buffer): number {
  let sum = 0
  for (const byte of bytes) sum = (sum + byte) >>> 0
  return ~sum >>> 0
}

function checksumOf(bytes: Buffer, at: number): number {
  const copy = Buffer.from(bytes)
  copy.fill(0, at, at + 4)
  return checksum(copy)
}

/** The bits that stand before each block, a sector each, padded to whole sectors. */
export const bitmapBytes = (blockBytes: number): number => roundUp(Math.ceil(blockBytes / SECTOR / 8), SECTOR)

export const roundUp = (value: number, unit: number): number => Math.ceil(value / unit) * unit
