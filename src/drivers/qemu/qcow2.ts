import type { FileHandle } from 'node:fs/promises'

const MAGIC = 0x514649fb
/** What is read here: what version 2 has, and the first features of version 3. */
const HEADER_BYTES = 80
/** Source: QEMU docs/interop/qcow2, incompatible features, of version 3 alone. */
const INCOMPATIBLE_FEATURES = 72
const EXTERNAL_DATA = 4
/** Source: QEMU docs/interop/qcow2, `backing_file_size`. */
const BACKING_NAME_BYTES_MAX = 1023

/** What the header of a qcow2 image says. */
export interface Qcow2Header {
  /** The size that a guest sees. */
  readonly virtualBytes: number
  /** The image whose content shows where this one has none, as the header names it; undefined without. */
  readonly backing: string | undefined
  /** The table that leads to all data: where, and how many entries. */
  readonly table: { readonly offset: number; readonly entries: number }
  readonly snapshots: number
}

/**
 * Reads the header; undefined where the file is no qcow2 image. It is read here, since a `qemu-img` for each file would
 * make a long list slow.
 * Source: QEMU docs/interop/qcow2, "Header": 0 magic, 4 version, 8 and 16 backing file, 24 size, 36 and 40 L1 table,
 * 60 snapshots; all big-endian.
 */
export async function readQcow2(file: FileHandle): Promise<Qcow2Header | undefined> {
  const header = await readBytes(file, 0, HEADER_BYTES)
  if (header === undefined || header.readUInt32BE(0) !== MAGIC) return undefined
  const version = header.readUInt32BE(4)
  const [backingOffset, size, tableOffset] = [8, 24, 40].map(at => toNumber(header.readBigUInt64BE(at)))
  const isKnown = version === 2 || version === 3
  if (!isKnown || backingOffset === undefined || size === undefined || tableOffset === undefined) return undefined
  // Its data would lie in another file, which the image names.
  if (version === 3 && (header.readUInt32BE(INCOMPATIBLE_FEATURES + 4) & EXTERNAL_DATA) !== 0) return undefined
  const backingBytes = header.readUInt32BE(16)
  if (backingOffset !== 0 && backingBytes > BACKING_NAME_BYTES_MAX) return undefined
  const name = backingOffset === 0 ? undefined : await readBytes(file, backingOffset, backingBytes)
  return {
    virtualBytes: size,
    backing: name?.toString('utf8'),
    table: { offset: tableOffset, entries: header.readUInt32BE(36) },
    snapshots: header.readUInt32BE(60),
  }
}

function toNumber(value: bigint): number | undefined {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : undefined
}

/** The longest table of which it is found out whether it is empty; that of an image of 16 TiB. */
const TABLE_ENTRIES_MAX = 32_768
const ENTRY_BYTES = 8

/**
 * Whether the image has no data of its own, so that all it shows is its backing image. For an image that no QEMU has
 * open for writing: one that has may not have told the file yet. Says no where finding out would take long.
 */
export async function holdsNothing(file: FileHandle, { table, snapshots }: Qcow2Header): Promise<boolean> {
  if (snapshots > 0 || table.entries > TABLE_ENTRIES_MAX) return false
  const entries = await readBytes(file, table.offset, table.entries * ENTRY_BYTES)
  return entries?.every(byte => byte === 0) ?? false
}

/** Bytes of a file; undefined where it ends before. */
export async function readBytes(file: FileHandle, position: number, length: number): Promise<Buffer | undefined> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position)
  return bytesRead === length ? buffer : undefined
}
