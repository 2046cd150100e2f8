import type { FileHandle } from 'node:fs/promises'
import { DriverError } from '../driver.ts'
import { readBytes } from './qcow2.ts'

/** A snapshot within a qcow2 image. */
export interface InnerSnapshot {
  readonly name: string
  /** How long what is kept of a machine is; 0 without. */
  readonly stateBytes: number
  /** The table that leads to its data. */
  readonly tableOffset: number
}

/** What of the header leads to the snapshots. */
interface Layout {
  readonly clusterBits: number
  readonly virtualBytes: number
  readonly count: number
  readonly offset: number
}

const HEADER_BYTES = 72
/** More are not looked through, though QEMU would. */
const SNAPSHOTS_MAX = 1_024
/** Source: QEMU block/qcow2.h, QCOW_MAX_SNAPSHOT_EXTRA_DATA. */
const EXTRA_BYTES_MAX = 1_024
/** What each entry has before what may be longer or shorter. */
const ENTRY_BYTES = 40
/** Source: QEMU docs/interop/qcow2, bits 9 to 55 of entries of both tables; bit 62: compressed; bit 0: reads as zeroes. */
const PLACE_MASK = 0x00ff_ffff_ffff_fe00n
const COMPRESSED = 1n << 62n
const READS_AS_ZEROES = 1n
const POINTER_BYTES = 8

/**
 * The snapshots within a qcow2 image. Rejects as `refused` where it cannot be read.
 * Source: QEMU docs/interop/qcow2, "Header": 20 cluster bits, 24 size, 60 and 64 snapshots; "Snapshots".
 */
export async function readInnerSnapshots(file: FileHandle): Promise<InnerSnapshot[]> {
  const { count, offset } = await readLayout(file)
  const found: InnerSnapshot[] = []
  let at = offset
  for (let index = 0; index < count; index++) {
    const entry = await bytesAt(file, at, ENTRY_BYTES)
    const [idBytes, nameBytes, extraBytes] = [entry.readUInt16BE(12), entry.readUInt16BE(14), entry.readUInt32BE(36)]
    if (extraBytes > EXTRA_BYTES_MAX) throw damaged()
    const rest = await bytesAt(file, at + ENTRY_BYTES, extraBytes + idBytes + nameBytes)
    found.push({
      name: rest.toString('utf8', extraBytes + idBytes),
      stateBytes: extraBytes >= POINTER_BYTES ? toNumber(rest.readBigUInt64BE(0)) : entry.readUInt32BE(32),
      tableOffset: toNumber(entry.readBigUInt64BE(0)),
    })
    at += roundUp(ENTRY_BYTES + rest.length, POINTER_BYTES)
  }
  return found
}

/**
 * What a snapshot within an image keeps of a machine, piece by piece. Rejects as `refused` where it cannot be read.
 * Source: QEMU docs/interop/qcow2, "VM state": it lies after the disk, from the next entry of the first table on.
 */
export async function* readState(file: FileHandle, snapshot: InnerSnapshot): AsyncGenerator<Buffer> {
  const { clusterBits, virtualBytes } = await readLayout(file)
  const clusterBytes = 2 ** clusterBits
  const pointers = clusterBytes / POINTER_BYTES
  // QEMU leaves out nothing of it, so it is no longer than its file.
  if (snapshot.stateBytes > (await file.stat()).size) throw damaged()
  const firstTable = Math.ceil(virtualBytes / (clusterBytes * pointers))
  let table: Buffer = Buffer.alloc(0)
  for (let at = 0, cluster = 0; at < snapshot.stateBytes; at += clusterBytes, cluster++) {
    if (cluster % pointers === 0) {
      const entry = snapshot.tableOffset + (firstTable + cluster / pointers) * POINTER_BYTES
      const place = placeIn((await bytesAt(file, entry, POINTER_BYTES)).readBigUInt64BE(0))
      table = place === 0 ? Buffer.alloc(clusterBytes) : await bytesAt(file, place, clusterBytes)
    }
    const place = placeIn(table.readBigUInt64BE((cluster % pointers) * POINTER_BYTES))
    const length = Math.min(clusterBytes, snapshot.stateBytes - at)
    yield place === 0 ? Buffer.alloc(length) : await bytesAt(file, place, length)
  }
}

async function readLayout(file: FileHandle): Promise<Layout> {
  const header = await bytesAt(file, 0, HEADER_BYTES)
  const [clusterBits, count] = [header.readUInt32BE(20), header.readUInt32BE(60)]
  // Source: QEMU block/qcow2.h, MIN_CLUSTER_BITS and MAX_CLUSTER_BITS.
  if (clusterBits < 9 || clusterBits > 21 || count > SNAPSHOTS_MAX) throw damaged()
  const [virtualBytes, offset] = [toNumber(header.readBigUInt64BE(24)), toNumber(header.readBigUInt64BE(64))]
  return { clusterBits, count, virtualBytes, offset }
}

function placeIn(entry: bigint): number {
  if ((entry & COMPRESSED) !== 0n) throw damaged()
  return (entry & READS_AS_ZEROES) === 0n ? Number(entry & PLACE_MASK) : 0
}

function toNumber(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged()
  return Number(value)
}

async function bytesAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = await readBytes(file, position, length)
  if (bytes === undefined) throw damaged()
  return bytes
}

const roundUp = (value: number, to: number): number => Math.ceil(value / to) * to

const damaged = () => new DriverError('refused', 'the snapshots within the image cannot be read')
