import { promisify } from 'node:util'
import { inflateRaw } from 'node:zlib'
import { assertWithin, type BlockReader, damaged, READ_BYTES_MAX, toPlace } from './reader.ts'

/** What the header of an image says that is needed for reading. */
export interface Qcow2Header {
  readonly bytes: number
  readonly clusterBits: number
  readonly l1Offset: number
  readonly l1Entries: number
  /** Whether entries of the second level may say that a cluster is zero. */
  readonly hasZeroFlag: boolean
  readonly backing: { readonly name: string; readonly format: string | undefined } | undefined
}

const MAGIC = 0x514649fb
const CLUSTER_BITS = { min: 9, max: 21 }
/** Source: QEMU, QCOW_MAX_L1_SIZE of 32 MiB. */
const L1_ENTRIES_MAX = 4 * 1_048_576
const BACKING_NAME_BYTES_MAX = 1023
const V2_HEADER_BYTES = 72
const V3_HEADER_BYTES = 104
const EXTENSIONS_MAX = 64
const BACKING_FORMAT = 0xe2792aca
/** Second-level tables that are kept. */
const TABLES_MAX = 32

/**
 * Reads the header of an image. Rejects as `refused` what is no image, or one that is encrypted, damaged, or of a kind
 * that is not known here.
 * Source: QEMU docs/interop/qcow2.
 */
export async function readQcow2Header(file: BlockReader): Promise<Qcow2Header> {
  const head = await file.read(0, Math.min(file.bytes, V3_HEADER_BYTES))
  if (head.length < V2_HEADER_BYTES || head.readUInt32BE(0) !== MAGIC) throw damaged('there is no qcow2 image')
  const version = head.readUInt32BE(4)
  if (version !== 2 && (version !== 3 || head.length < V3_HEADER_BYTES)) {
    throw damaged(`the qcow2 image is of version ${version}`)
  }
  if (head.readUInt32BE(32) !== 0) throw damaged('the qcow2 image is encrypted, which is not supported')
  if (version === 3) assertKnownFeatures(head.readBigUInt64BE(72))
  const clusterBits = head.readUInt32BE(20)
  if (clusterBits < CLUSTER_BITS.min || clusterBits > CLUSTER_BITS.max) {
    throw damaged(`the qcow2 image has clusters of 2^${clusterBits} bytes`)
  }
  const l1Entries = head.readUInt32BE(36)
  if (l1Entries > L1_ENTRIES_MAX) throw damaged(`the qcow2 image has ${l1Entries} first-level entries`)
  return {
    bytes: toPlace(head.readBigUInt64BE(24), 'the size of the qcow2 image'),
    clusterBits,
    l1Offset: toPlace(head.readBigUInt64BE(40), "the place of the qcow2 image's first level"),
    l1Entries,
    hasZeroFlag: version === 3,
    backing: await readBacking(file, head, version === 3 ? head.readUInt32BE(100) : V2_HEADER_BYTES),
  }
}

/** Of the incompatible features, only "dirty" changes nothing for reading. */
function assertKnownFeatures(features: bigint): void {
  const unknown: ReadonlyArray<readonly [bigint, string]> = [
    [2n, 'is marked as corrupt'],
    [4n, 'keeps its data in another file, which is not supported'],
    [8n, 'is compressed otherwise than by zlib, which is not supported'],
    [16n, 'has subclusters, which are not supported'],
  ]
  const found = unknown.find(([bit]) => (features & bit) !== 0n)?.[1]
  const DIRTY = 1n
  const why = found ?? ((features & ~DIRTY) === 0n ? undefined : 'has features that are not known')
  if (why !== undefined) throw damaged(`the qcow2 image ${why}`)
}

async function readBacking(file: BlockReader, head: Buffer, extensionsAt: number): Promise<Qcow2Header['backing']> {
  const offset = toPlace(head.readBigUInt64BE(8), 'a place in the qcow2 header')
  const length = head.readUInt32BE(16)
  if (offset === 0 || length === 0) return undefined
  if (length > BACKING_NAME_BYTES_MAX) throw damaged('the qcow2 image has too long a backing name')
  const name = (await file.read(offset, length)).toString('utf8')
  for (let at = extensionsAt, count = 0; count < EXTENSIONS_MAX && at + 8 <= offset; count++) {
    const extension = await file.read(at, 8)
    const [type, bytes] = [extension.readUInt32BE(0), extension.readUInt32BE(4)]
    if (type === 0) break
    if (type === BACKING_FORMAT) return { name, format: (await file.read(at + 8, bytes)).toString('latin1') }
    at += 8 + Math.ceil(bytes / 8) * 8
  }
  return { name, format: undefined }
}

/** Where a cluster's bytes are. */
type Cluster =
  | { readonly kind: 'backing' }
  | { readonly kind: 'zero' }
  | { readonly kind: 'plain'; readonly offset: number }
  | { readonly kind: 'compressed'; readonly offset: number; readonly bytes: number }

const OFFSET_MASK = 0x00ff_ffff_ffff_fe00n
const COMPRESSED = 1n << 62n
const SECTOR = 512

/** The disk that an image holds. */
export class Qcow2Reader implements BlockReader {
  readonly bytes: number
  readonly #file: BlockReader
  readonly #header: Qcow2Header
  readonly #backing: BlockReader | undefined
  readonly #clusterBytes: number
  /** By place; the least lately used first. */
  readonly #tables = new Map<number, Buffer>()
  #unpacked: { readonly offset: number; readonly cluster: Buffer } | undefined

  constructor(file: BlockReader, header: Qcow2Header, backing?: BlockReader) {
    this.#file = file
    this.#header = header
    this.#backing = backing
    this.bytes = header.bytes
    this.#clusterBytes = 2 ** header.clusterBits
  }

  async read(offset: number, length: number): Promise<Buffer> {
    assertWithin(this, offset, length)
    const pieces: Buffer[] = []
    for (let at = offset; at < offset + length; ) {
      const within = at % this.#clusterBytes
      const count = Math.min(this.#clusterBytes - within, offset + length - at)
      pieces.push(await this.#readInCluster(at, within, count))
      at += count
    }
    return Buffer.concat(pieces, length)
  }

  async #readInCluster(at: number, within: number, count: number): Promise<Buffer> {
    const cluster = await this.#find(at)
    if (cluster.kind === 'zero') return Buffer.alloc(count)
    if (cluster.kind === 'backing') return this.#readBacking(at, count)
    if (cluster.kind === 'plain') return this.#file.read(cluster.offset + within, count)
    return (await this.#unpack(cluster.offset, cluster.bytes)).subarray(within, within + count)
  }

  /** An image may be larger than the one it builds on; the rest is zero. */
  async #readBacking(at: number, count: number): Promise<Buffer> {
    const there = Math.max(0, Math.min(count, (this.#backing?.bytes ?? 0) - at))
    if (this.#backing === undefined || there === 0) return Buffer.alloc(count)
    const data = await this.#backing.read(at, there)
    return there === count ? data : Buffer.concat([data], count)
  }

  async #find(at: number): Promise<Cluster> {
    const index = Math.floor(at / this.#clusterBytes)
    const entriesPerTable = this.#clusterBytes / 8
    const l1Index = Math.floor(index / entriesPerTable)
    if (l1Index >= this.#header.l1Entries) throw damaged('the first level of the qcow2 image is too short')
    const l1Entry = (await this.#file.read(this.#header.l1Offset + l1Index * 8, 8)).readBigUInt64BE()
    const table = Number(l1Entry & OFFSET_MASK)
    if (table === 0) return { kind: 'backing' }
    const entry = (await this.#table(table)).readBigUInt64BE((index % entriesPerTable) * 8)
    if ((entry & COMPRESSED) !== 0n) return compressed(entry, this.#header.clusterBits)
    if (this.#header.hasZeroFlag && (entry & 1n) !== 0n) return { kind: 'zero' }
    const offset = Number(entry & OFFSET_MASK)
    return offset === 0 ? { kind: 'backing' } : { kind: 'plain', offset }
  }

  async #table(offset: number): Promise<Buffer> {
    const table = this.#tables.get(offset) ?? (await this.#file.read(offset, this.#clusterBytes))
    this.#tables.delete(offset)
    this.#tables.set(offset, table)
    const [oldest] = this.#tables.keys()
    if (this.#tables.size > TABLES_MAX && oldest !== undefined) this.#tables.delete(oldest)
    return table
  }

  async #unpack(offset: number, bytes: number): Promise<Buffer> {
    if (this.#unpacked?.offset === offset) return this.#unpacked.cluster
    // The last of its sectors may be cut off by the end of the file.
    const length = Math.min(bytes, this.#file.bytes - offset, READ_BYTES_MAX)
    const cluster = await inflated(await this.#file.read(offset, length), this.#clusterBytes)
    this.#unpacked = { offset, cluster }
    return cluster
  }
}

/** Source: QEMU docs/interop/qcow2, "Compressed Clusters Descriptor". */
function compressed(entry: bigint, clusterBits: number): Cluster {
  const offsetBits = BigInt(62 - (clusterBits - 8))
  const offset = toPlace(entry & ((1n << offsetBits) - 1n), 'the place of a compressed cluster')
  const sectors = Number((entry & (COMPRESSED - 1n)) >> offsetBits)
  return { kind: 'compressed', offset, bytes: (sectors + 1) * SECTOR - (offset % SECTOR) }
}

const inflate = promisify(inflateRaw)

async function inflated(data: Buffer, clusterBytes: number): Promise<Buffer> {
  try {
    const cluster = await inflate(data, { maxOutputLength: clusterBytes })
    if (cluster.length === clusterBytes) return cluster
  } catch {
    // Told below, as for one that is too short.
  }
  throw damaged('a compressed cluster of the qcow2 image cannot be unpacked')
}
