import {
  type DiskImage,
  ImageError,
  type ImageShape,
  type ImageSpec,
  type NewGuid,
  type ParentLink,
  type Run,
} from './disk-image.ts'
import type { ImageHandle } from './image-handle.ts'
import { runsOfBits } from './sector-bits.ts'
import { roundUp } from './vhd-format.ts'
import {
  BlockState,
  entryOfBitmap,
  entryOfBlock,
  HEADER_COPIES,
  LAYOUT,
  MIB,
  readEntry,
  readHeaders,
  readRegionTables,
  REGION_TABLE_COPIES,
  type Regions,
  type TableEntry,
  type TableShape,
  tableShapeOf,
  type VhdxHeader,
  writeEntry,
  writeFileType,
  writeHeaders,
  writeRegionTables,
} from './vhdx-format.ts'
import { type Metadata, readMetadata, writeMetadata } from './vhdx-metadata.ts'

const METADATA_BYTES_MAX = 16 * MIB
/** Entries that are read or written at once. */
const SLICE = 128 * 1024
const BITMAP_BYTES = MIB

/** Writes an empty VHDX into a new file. One that grows has 4 MiB then, as on real hosts, unless it is huge. */
export async function makeVhdx(handle: ImageHandle, spec: ImageSpec, newGuid: NewGuid): Promise<void> {
  const isFixed = spec.type === 'fixed'
  const metadata: Metadata = { ...spec, isFixed, hasParent: spec.type === 'differencing' }
  const shape = tableShapeOf(spec.bytes, spec.blockBytes, spec.logicalSectorBytes, metadata.hasParent)
  const tableBytes = roundUp(shape.entries * 8, MIB)
  const regions: Regions = {
    table: { offset: LAYOUT.table, bytes: tableBytes },
    metadata: { offset: LAYOUT.metadata, bytes: LAYOUT.metadataBytes },
  }
  const header: VhdxHeader = {
    sequence: 1n,
    fileWriteId: newGuid(),
    dataWriteId: newGuid(),
    log: { offset: LAYOUT.log, bytes: LAYOUT.logBytes },
  }
  await handle.write(0, writeFileType())
  for (const { position, bytes } of [...writeHeaders(header), ...writeRegionTables(regions)]) {
    await handle.write(position, bytes)
  }
  await handle.write(LAYOUT.metadata, writeMetadata(metadata, LAYOUT.metadataBytes))
  const data = LAYOUT.table + tableBytes
  await handle.resize(data + (isFixed ? shape.blocks * spec.blockBytes : 0))
  if (isFixed) await placeAll(handle, regions, shape, { first: 0, at: data, blockBytes: spec.blockBytes })
}

/** Gives every block from the first on its place, one behind the other. */
async function placeAll(
  handle: ImageHandle,
  { table }: Regions,
  shape: TableShape,
  { first, at, blockBytes }: { readonly first: number; readonly at: number; readonly blockBytes: number },
): Promise<void> {
  for (let block = first; block < shape.blocks; ) {
    // Up to where the entry of a bitmap comes in between.
    const end = Math.min(shape.blocks, block + SLICE, (Math.floor(block / shape.ratio) + 1) * shape.ratio)
    const slice = Buffer.alloc((end - block) * 8)
    for (let each = block; each < end; each++) {
      const offset = at + (each - first) * blockBytes
      slice.writeBigUInt64LE(writeEntry({ state: BlockState.present, offset }), (each - block) * 8)
    }
    await handle.write(table.offset + entryOfBlock(shape, block) * 8, slice)
    block = end
  }
}

/** Reads what a VHDX is like. Rejects with ImageError. */
export async function openVhdx(handle: ImageHandle, newGuid: NewGuid): Promise<VhdxImage> {
  const parts = (copies: readonly { readonly offset: number; readonly bytes: number }[]): Promise<Buffer[]> =>
    Promise.all(copies.map(({ offset, bytes }) => handle.read(offset, bytes)))
  const header = readHeaders(await parts(HEADER_COPIES))
  const regions = readRegionTables(await parts(REGION_TABLE_COPIES))
  if (regions.metadata.bytes > METADATA_BYTES_MAX) throw new ImageError('the metadata are too large')
  const metadata = readMetadata(await handle.read(regions.metadata.offset, regions.metadata.bytes))
  return new VhdxImage(handle, { header, regions, metadata }, newGuid)
}

interface Parts {
  readonly header: VhdxHeader
  readonly regions: Regions
  readonly metadata: Metadata
}

/** A VHDX that is open. */
export class VhdxImage implements DiskImage {
  readonly #handle: ImageHandle
  readonly #newGuid: NewGuid
  #parts: Parts
  #table: TableShape
  #hasNewData = false

  /** Throws ImageError where the table is too short for the disk. */
  constructor(handle: ImageHandle, parts: Parts, newGuid: NewGuid) {
    this.#handle = handle
    this.#newGuid = newGuid
    this.#parts = parts
    this.#table = tableOf(parts.metadata)
    if (this.#table.entries * 8 > parts.regions.table.bytes) throw new ImageError('the block table is too short')
  }

  get shape(): ImageShape {
    const { header, metadata } = this.#parts
    const { bytes, blockBytes, logicalSectorBytes, physicalSectorBytes, id, parent } = metadata
    return {
      format: 'vhdx',
      type: metadata.hasParent ? 'differencing' : metadata.isFixed ? 'fixed' : 'dynamic',
      bytes,
      blockBytes,
      logicalSectorBytes,
      physicalSectorBytes,
      id,
      linkage: header.dataWriteId,
      ...(parent === undefined ? {} : { parent }),
    }
  }

  async *runs(): AsyncGenerator<Run> {
    const { bytes, blockBytes, logicalSectorBytes } = this.#parts.metadata
    for await (const { block, entry } of this.#blocks()) {
      const start = block * blockBytes
      const length = Math.min(blockBytes, bytes - start)
      if (entry.state === BlockState.present) yield { offset: start, length, isZero: false }
      else if (entry.state === BlockState.partial) {
        yield* runsOfBits(await this.#bitsOf(block), start, length, logicalSectorBytes, 'low')
      } else if (entry.state !== BlockState.absent && this.#parts.metadata.hasParent) {
        yield { offset: start, length, isZero: true }
      }
    }
  }

  async read(offset: number, length: number): Promise<Buffer> {
    const pieces: Buffer[] = []
    for (const { block, within, size } of this.#pieces(offset, length)) {
      const { state, offset: at } = await this.#entry(entryOfBlock(this.#table, block))
      const isInFile = state === BlockState.present || state === BlockState.partial
      pieces.push(isInFile ? await this.#handle.read(at + within, size) : Buffer.alloc(size))
    }
    return Buffer.concat(pieces)
  }

  async write(offset: number, data: Buffer): Promise<void> {
    await this.#noteNewData()
    let done = 0
    for (const { block, within, size } of this.#pieces(offset, data.length)) {
      const entry = await this.#ownBlock(block)
      await this.#handle.write(entry.offset + within, data.subarray(done, done + size))
      if (entry.state === BlockState.partial) await this.#mark(block, within, size)
      done += size
    }
  }

  async grow(bytes: number): Promise<void> {
    const { regions, metadata } = this.#parts
    const before = this.#table.blocks
    const after = { ...metadata, bytes }
    const table = tableOf(after)
    const needed = roundUp(table.entries * 8, MIB)
    if (needed > regions.table.bytes) await this.#moveTable(needed)
    this.#table = table
    if (metadata.isFixed) {
      const { blockBytes } = metadata
      const at = roundUp(await this.#handle.bytes(), MIB)
      await this.#handle.resize(at + (table.blocks - before) * blockBytes)
      await placeAll(this.#handle, this.#parts.regions, table, { first: before, at, blockBytes })
    }
    await this.#setMetadata(after)
  }

  async relink(parent: ParentLink): Promise<void> {
    if (!this.#parts.metadata.hasParent) throw new ImageError('the image has no parent')
    await this.#setMetadata({ ...this.#parts.metadata, parent })
  }

  async identify(id: string): Promise<void> {
    await this.#setMetadata({ ...this.#parts.metadata, id })
  }

  async restoreLinkage(dataWriteId: string): Promise<void> {
    await this.#setHeader({ ...this.#parts.header, dataWriteId })
  }

  async setPhysicalSectorBytes(physicalSectorBytes: number): Promise<void> {
    await this.#setMetadata({ ...this.#parts.metadata, physicalSectorBytes })
  }

  async verify(): Promise<void> {
    const { blockBytes } = this.#parts.metadata
    const end = await this.#handle.bytes()
    const seen = new Set<number>()
    for await (const { block, entry } of this.#blocks()) {
      if (entry.state !== BlockState.present && entry.state !== BlockState.partial) continue
      const isPlaced = entry.offset >= MIB && entry.offset + blockBytes <= end && !seen.has(entry.offset)
      if (!isPlaced) throw new ImageError(`block ${block} is in a wrong place`)
      seen.add(entry.offset)
      if (entry.state === BlockState.partial) await this.#bitsOf(block)
    }
  }

  close(): Promise<void> {
    return this.#handle.close()
  }

  /** Every block that is not simply absent and its entry, in order. */
  async *#blocks(): AsyncGenerator<{ readonly block: number; readonly entry: TableEntry }> {
    const { blocks, ratio } = this.#table
    for (let block = 0; block < blocks; ) {
      const end = Math.min(blocks, block + SLICE, (Math.floor(block / ratio) + 1) * ratio)
      const position = this.#parts.regions.table.offset + entryOfBlock(this.#table, block) * 8
      const slice = await this.#handle.read(position, (end - block) * 8)
      for (let each = block; each < end; each++) {
        const value = slice.readBigUInt64LE((each - block) * 8)
        if (value !== 0n) yield { block: each, entry: readEntry(value) }
      }
      block = end
    }
  }

  async #entry(place: number): Promise<TableEntry> {
    const bytes = await this.#handle.read(this.#parts.regions.table.offset + place * 8, 8)
    return readEntry(bytes.readBigUInt64LE(0))
  }

  async #setEntry(place: number, entry: TableEntry): Promise<TableEntry> {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64LE(writeEntry(entry))
    await this.#handle.write(this.#parts.regions.table.offset + place * 8, bytes)
    return entry
  }

  /** The entry of a block that is in the file, given room at its end if it was not. */
  async #ownBlock(block: number): Promise<TableEntry> {
    const { hasParent, blockBytes } = this.#parts.metadata
    const place = entryOfBlock(this.#table, block)
    const entry = await this.#entry(place)
    if (entry.state === BlockState.present || entry.state === BlockState.partial) return entry
    // A block that was all zero stays its own, whatever part of it is written.
    const isWhole = !hasParent || entry.state !== BlockState.absent
    if (!isWhole) await this.#ownBitmap(block)
    const state = isWhole ? BlockState.present : BlockState.partial
    return this.#setEntry(place, { state, offset: await this.#room(blockBytes) })
  }

  async #room(bytes: number): Promise<number> {
    const offset = roundUp(await this.#handle.bytes(), MIB)
    await this.#handle.resize(offset + bytes)
    return offset
  }

  async #ownBitmap(block: number): Promise<TableEntry> {
    const place = entryOfBitmap(this.#table, block)
    const entry = await this.#entry(place)
    if (entry.state === BlockState.present) return entry
    return this.#setEntry(place, { state: BlockState.present, offset: await this.#room(BITMAP_BYTES) })
  }

  /** Where the bits of a block are in the file. */
  async #placeOfBits(block: number): Promise<{ readonly position: number; readonly bytes: number }> {
    const { blockBytes, logicalSectorBytes } = this.#parts.metadata
    const { state, offset } = await this.#entry(entryOfBitmap(this.#table, block))
    if (state !== BlockState.present) throw new ImageError(`the bitmap of block ${block} is missing`)
    const bytes = blockBytes / logicalSectorBytes / 8
    return { position: offset + (block % this.#table.ratio) * bytes, bytes }
  }

  async #bitsOf(block: number): Promise<Buffer> {
    const { position, bytes } = await this.#placeOfBits(block)
    return this.#handle.read(position, bytes)
  }

  async #mark(block: number, within: number, size: number): Promise<void> {
    const { position } = await this.#placeOfBits(block)
    const bits = await this.#bitsOf(block)
    const { logicalSectorBytes } = this.#parts.metadata
    const first = within / logicalSectorBytes
    for (let bit = first; bit < first + size / logicalSectorBytes; bit++) {
      bits[bit >> 3] = (bits[bit >> 3] ?? 0) | (1 << (bit & 7))
    }
    await this.#handle.write(position, bits)
  }

  /** Children tell by this that their parent is no longer what they were made of. */
  async #noteNewData(): Promise<void> {
    if (this.#hasNewData) return
    this.#hasNewData = true
    await this.#setHeader({ ...this.#parts.header, dataWriteId: this.#newGuid() })
  }

  async #setHeader(header: VhdxHeader): Promise<void> {
    const next = { ...header, fileWriteId: this.#newGuid(), sequence: header.sequence + 2n }
    for (const { position, bytes } of writeHeaders(next)) await this.#handle.write(position, bytes)
    this.#parts = { ...this.#parts, header: next }
  }

  async #setMetadata(metadata: Metadata): Promise<void> {
    const { offset, bytes } = this.#parts.regions.metadata
    await this.#handle.write(offset, writeMetadata(metadata, bytes))
    this.#parts = { ...this.#parts, metadata }
    await this.#setHeader(this.#parts.header)
  }

  /** The table moves to the end of the file, where it has the room that it needs. */
  async #moveTable(bytes: number): Promise<void> {
    const { regions } = this.#parts
    const offset = await this.#room(bytes)
    for (let done = 0; done < regions.table.bytes; done += SLICE) {
      const size = Math.min(SLICE, regions.table.bytes - done)
      await this.#handle.write(offset + done, await this.#handle.read(regions.table.offset + done, size))
    }
    const moved = { ...regions, table: { offset, bytes } }
    for (const { position, bytes: copy } of writeRegionTables(moved)) await this.#handle.write(position, copy)
    this.#parts = { ...this.#parts, regions: moved }
  }

  *#pieces(offset: number, length: number) {
    const { blockBytes } = this.#parts.metadata
    for (let done = 0; done < length; ) {
      const within = (offset + done) % blockBytes
      const size = Math.min(blockBytes - within, length - done)
      yield { block: Math.floor((offset + done) / blockBytes), within, size }
      done += size
    }
  }
}

const tableOf = ({ bytes, blockBytes, logicalSectorBytes, hasParent }: Metadata): TableShape =>
  tableShapeOf(bytes, blockBytes, logicalSectorBytes, hasParent)
