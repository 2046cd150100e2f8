import { crc32c } from './crc32c.ts'
import { ImageError } from './disk-image.ts'
import { guidFromBytes, guidToBytes, NIL_GUID } from './guid-bytes.ts'

// The structures of a VHDX, all of them with the lowest byte first. Source: [MS-VHDX].

const KIB = 1024
export const MIB = 1024 * KIB

const HEADERS = [64 * KIB, 128 * KIB] as const
const REGION_TABLES = [192 * KIB, 256 * KIB] as const
const HEADER_BYTES = 4 * KIB
const REGION_TABLE_BYTES = 64 * KIB
const REGIONS_MAX = 2047

const REGION = {
  table: '2DC27766-F623-4200-9D64-115E9BFD4A08',
  metadata: '8B7CA206-4790-4B9A-B8FE-575F050F886E',
} as const

/** How big an image's parts are when it is new, and where they are. */
export const LAYOUT = { log: MIB, logBytes: MIB, metadata: 2 * MIB, metadataBytes: MIB, table: 3 * MIB } as const

/** A stretch of the file. */
export interface Region {
  readonly offset: number
  readonly bytes: number
}

/** Whose copy of the header counts, and what it says. */
export interface VhdxHeader {
  readonly sequence: bigint
  /** Changes with the file. */
  readonly fileWriteId: string
  /** Changes with what the guest sees. */
  readonly dataWriteId: string
  readonly log: Region
}

/** The first bytes of the file. */
export function writeFileType(): Buffer {
  const bytes = Buffer.alloc(64 * KIB)
  bytes.write('vhdxfile', 0, 'latin1')
  bytes.write('Microsoft Windows', 8, 'utf16le')
  return bytes
}

export const isVhdx = (start: Buffer): boolean => start.toString('latin1', 0, 8) === 'vhdxfile'

/** Both copies with their places. The second one counts, being the newer. */
export function writeHeaders(header: VhdxHeader): { readonly position: number; readonly bytes: Buffer }[] {
  return HEADERS.map((position, copy) => ({ position, bytes: writeHeader(header, header.sequence + BigInt(copy)) }))
}

function writeHeader({ fileWriteId, dataWriteId, log }: VhdxHeader, sequence: bigint): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES)
  bytes.write('head', 0, 'latin1')
  bytes.writeBigUInt64LE(sequence, 8)
  guidToBytes(fileWriteId).copy(bytes, 16)
  guidToBytes(dataWriteId).copy(bytes, 32)
  // The log is empty: no GUID at 48, and version 0 of it at 64.
  bytes.writeUInt16LE(1, 66)
  bytes.writeUInt32LE(log.bytes, 68)
  bytes.writeBigUInt64LE(BigInt(log.offset), 72)
  bytes.writeUInt32LE(crc32c(bytes), 4)
  return bytes
}

/** Where the copies of the header are. */
export const HEADER_COPIES = HEADERS.map(offset => ({ offset, bytes: HEADER_BYTES }))

/** The header that counts. Throws ImageError where neither is right, or a log waits to be replayed. */
export function readHeaders(copies: readonly Buffer[]): VhdxHeader {
  const right = copies.flatMap(copy => readHeader(copy) ?? [])
  right.sort((a, b) => (a.header.sequence < b.header.sequence ? 1 : -1))
  const [newest] = right
  if (newest === undefined) throw new ImageError('both headers are damaged')
  if (newest.logId !== NIL_GUID) throw new ImageError('the image was not closed, and its log not replayed')
  return newest.header
}

function readHeader(bytes: Buffer): { readonly header: VhdxHeader; readonly logId: string } | undefined {
  if (bytes.toString('latin1', 0, 4) !== 'head' || !hasRightChecksum(bytes) || bytes.readUInt16LE(66) !== 1) {
    return undefined
  }
  const header = {
    sequence: bytes.readBigUInt64LE(8),
    fileWriteId: guidFromBytes(bytes.subarray(16, 32)),
    dataWriteId: guidFromBytes(bytes.subarray(32, 48)),
    log: { offset: Number(bytes.readBigUInt64LE(72)), bytes: bytes.readUInt32LE(68) },
  }
  return { header, logId: guidFromBytes(bytes.subarray(48, 64)) }
}

function hasRightChecksum(bytes: Buffer): boolean {
  const copy = Buffer.from(bytes)
  copy.fill(0, 4, 8)
  return crc32c(copy) === bytes.readUInt32LE(4)
}

/** Where the block table and the metadata are. */
export interface Regions {
  readonly table: Region
  readonly metadata: Region
}

/** Both copies with their places. */
export function writeRegionTables({
  table,
  metadata,
}: Regions): { readonly position: number; readonly bytes: Buffer }[] {
  const bytes = Buffer.alloc(REGION_TABLE_BYTES)
  bytes.write('regi', 0, 'latin1')
  const regions = [
    { id: REGION.table, ...table },
    { id: REGION.metadata, ...metadata },
  ]
  bytes.writeUInt32LE(regions.length, 8)
  for (const [place, { id, offset, bytes: length }] of regions.entries()) {
    const at = 16 + 32 * place
    guidToBytes(id).copy(bytes, at)
    bytes.writeBigUInt64LE(BigInt(offset), at + 16)
    bytes.writeUInt32LE(length, at + 24)
    bytes.writeUInt32LE(1, at + 28)
  }
  bytes.writeUInt32LE(crc32c(bytes), 4)
  return REGION_TABLES.map(position => ({ position, bytes }))
}

/** Where the copies of the region table are. */
export const REGION_TABLE_COPIES = REGION_TABLES.map(offset => ({ offset, bytes: REGION_TABLE_BYTES }))

/** Throws ImageError where no copy is right. */
export function readRegionTables(copies: readonly Buffer[]): Regions {
  const right = copies.find(copy => copy.toString('latin1', 0, 4) === 'regi' && hasRightChecksum(copy))
  if (right === undefined) throw new ImageError('both region tables are damaged')
  const regions = new Map<string, Region>()
  const count = right.readUInt32LE(8)
  if (count > REGIONS_MAX) throw new ImageError('there are too many regions')
  for (let place = 0; place < count; place++) {
    const at = 16 + 32 * place
    const region = { offset: Number(right.readBigUInt64LE(at + 16)), bytes: right.readUInt32LE(at + 24) }
    regions.set(guidFromBytes(right.subarray(at, at + 16)), region)
  }
  const table = regions.get(REGION.table)
  const metadata = regions.get(REGION.metadata)
  if (table === undefined || metadata === undefined) throw new ImageError('a region is missing')
  return { table, metadata }
}

/** What a block table entry says of its block. */
export const BlockState = { absent: 0, undefined: 1, zero: 2, unmapped: 3, present: 6, partial: 7 } as const

const STATE_MASK = 7n
/** Offsets are whole mebibytes, from bit 20 on. */
const OFFSET_MASK = ~0xfffffn & 0xffff_ffff_ffff_ffffn

export interface TableEntry {
  readonly state: number
  readonly offset: number
}

export const readEntry = (value: bigint): TableEntry => ({
  state: Number(value & STATE_MASK),
  offset: Number(value & OFFSET_MASK),
})

export const writeEntry = ({ state, offset }: TableEntry): bigint => BigInt(offset) | BigInt(state)

/** How the entries of blocks and of sector bitmaps are mixed. Source: [MS-VHDX] §2.5. */
export interface TableShape {
  readonly blocks: number
  /** So many blocks have one bitmap, of one mebibyte; its entry comes behind theirs. */
  readonly ratio: number
  readonly entries: number
}

const SECTORS_PER_BITMAP = 2 ** 23

export function tableShapeOf(
  bytes: number,
  blockBytes: number,
  sectorBytes: number,
  isDifferencing: boolean,
): TableShape {
  const blocks = Math.ceil(bytes / blockBytes)
  const ratio = (SECTORS_PER_BITMAP * sectorBytes) / blockBytes
  const chunks = Math.ceil(blocks / ratio)
  return { blocks, ratio, entries: isDifferencing ? chunks * (ratio + 1) : blocks + Math.floor((blocks - 1) / ratio) }
}

/** The place in the table of a block's entry. */
export const entryOfBlock = ({ ratio }: TableShape, block: number): number => block + Math.floor(block / ratio)

/** The place in the table of the entry of a block's bitmap. */
export const entryOfBitmap = ({ ratio }: TableShape, block: number): number =>
  Math.floor(block / ratio) * (ratio + 1) + ratio
