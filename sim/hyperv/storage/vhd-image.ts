import { type DiskImage, ImageError, type ImageShape, type ImageSpec, type ParentLink, type Run } from './disk-image.ts'
import type { ImageHandle } from './image-handle.ts'
import { runsOfBits } from './sector-bits.ts'
import {
  bitmapBytes,
  FOOTER_BYTES,
  HEADER_BYTES,
  LOCATOR_ROOM,
  readFooter,
  readHeader,
  roundUp,
  SECTOR,
  UNUSED,
  type VhdFooter,
  type VhdHeader,
  type VhdParent,
  writeFooter,
  writeHeader,
} from './vhd-format.ts'

const LOCATOR_BYTES_MAX = 8192
const ENTRIES_MAX = 8 * 1024 * 1024

/** Writes an empty VHD into a new file. */
export async function makeVhd(handle: ImageHandle, spec: ImageSpec): Promise<void> {
  const footer: VhdFooter = { type: spec.type, bytes: spec.bytes, id: spec.id, timestamp: spec.madeAt }
  if (spec.type === 'fixed') {
    await handle.resize(spec.bytes)
    await handle.write(spec.bytes, writeFooter(footer))
    return
  }
  const locators = FOOTER_BYTES + HEADER_BYTES
  const tableOffset = locators + (spec.parent === undefined ? 0 : 2 * LOCATOR_ROOM)
  const entries = Math.ceil(spec.bytes / spec.blockBytes)
  const table = Buffer.alloc(roundUp(entries * 4, SECTOR), 0xff)
  await handle.write(0, writeFooter(footer))
  const parent = spec.parent === undefined ? undefined : await placeParent(handle, spec.parent, locators)
  await handle.write(FOOTER_BYTES, writeHeader({ tableOffset, entries, blockBytes: spec.blockBytes, parent }))
  await handle.write(tableOffset, table)
  await handle.write(tableOffset + table.length, writeFooter(footer))
}

/** Writes the texts of both locators, and tells what the header says of them. */
async function placeParent(handle: ImageHandle, link: ParentLink, offset: number): Promise<VhdParent> {
  const texts = [
    { platform: 'W2ku', text: link.path },
    { platform: 'W2ru', text: link.relativePath ?? link.path },
  ]
  const locators = []
  for (const [place, { platform, text }] of texts.entries()) {
    const at = offset + place * LOCATOR_ROOM
    const bytes = Buffer.from(text, 'utf16le').subarray(0, LOCATOR_ROOM)
    const room = Buffer.alloc(LOCATOR_ROOM)
    bytes.copy(room)
    await handle.write(at, room)
    locators.push({ platform, offset: at, length: bytes.length })
  }
  const name = link.path.replace(/^.*[\\/]/s, '')
  return { id: link.linkage, timestamp: link.timestamp ?? 0, name, locators }
}

/** Reads what a VHD is like. Rejects with ImageError. */
export async function openVhd(handle: ImageHandle): Promise<VhdImage> {
  const bytes = await handle.bytes()
  if (bytes < FOOTER_BYTES) throw new ImageError('the file is too short for a virtual hard disk')
  const footer = readFooter(await handle.read(bytes - FOOTER_BYTES, FOOTER_BYTES))
  if (footer.type === 'fixed') {
    if (bytes !== footer.bytes + FOOTER_BYTES) throw new ImageError('the file is not as long as its disk')
    return new VhdImage(handle, footer, undefined, Buffer.alloc(0), shapeOf(footer, undefined, undefined))
  }
  const header = readHeader(await handle.read(FOOTER_BYTES, HEADER_BYTES))
  if (header.entries * header.blockBytes < footer.bytes || header.entries > ENTRIES_MAX) {
    throw new ImageError('the block table does not fit the disk')
  }
  const table = await handle.read(header.tableOffset, roundUp(header.entries * 4, SECTOR))
  const parent = await readLink(handle, header)
  if ((footer.type === 'differencing') !== (parent !== undefined)) throw new ImageError('the parent is missing')
  return new VhdImage(handle, footer, header, table, shapeOf(footer, header, parent))
}

async function readLink(handle: ImageHandle, { parent }: VhdHeader): Promise<ParentLink | undefined> {
  if (parent === undefined) return undefined
  const texts = new Map<string, string>()
  for (const { platform, offset, length } of parent.locators) {
    if (length > LOCATOR_BYTES_MAX) throw new ImageError('a parent locator is too long')
    texts.set(platform, (await handle.read(offset, length)).toString('utf16le').replace(/\0+$/, ''))
  }
  const relativePath = texts.get('W2ru')
  const path = texts.get('W2ku') ?? relativePath ?? parent.name
  return {
    path,
    linkage: parent.id,
    timestamp: parent.timestamp,
    ...(relativePath === undefined ? {} : { relativePath }),
  }
}

function shapeOf(footer: VhdFooter, header: VhdHeader | undefined, parent: ParentLink | undefined): ImageShape {
  return {
    format: 'vhd',
    type: footer.type,
    bytes: footer.bytes,
    blockBytes: header?.blockBytes ?? 0,
    logicalSectorBytes: SECTOR,
    physicalSectorBytes: SECTOR,
    id: footer.id,
    linkage: footer.id,
    timestamp: footer.timestamp,
    ...(parent === undefined ? {} : { parent }),
  }
}

/** A VHD that is open. */
export class VhdImage implements DiskImage {
  shape: ImageShape
  readonly #handle: ImageHandle
  #footer: VhdFooter
  /** Undefined for a fixed one. */
  #header: VhdHeader | undefined
  #table: Buffer

  constructor(handle: ImageHandle, footer: VhdFooter, header: VhdHeader | undefined, table: Buffer, shape: ImageShape) {
    this.#handle = handle
    this.#footer = footer
    this.#header = header
    this.#table = table
    this.shape = shape
  }

  async *runs(): AsyncGenerator<Run> {
    const { bytes, blockBytes, type } = this.shape
    if (this.#header === undefined) {
      yield { offset: 0, length: bytes, isZero: false }
      return
    }
    for (let block = 0; block * blockBytes < bytes; block++) {
      const start = block * blockBytes
      const length = Math.min(blockBytes, bytes - start)
      const at = this.#blockAt(block)
      if (at === undefined) continue
      if (type === 'dynamic') yield { offset: start, length, isZero: false }
      else yield* runsOfBits(await this.#handle.read(at, bitmapBytes(blockBytes)), start, length, SECTOR, 'high')
    }
  }

  async read(offset: number, length: number): Promise<Buffer> {
    if (this.#header === undefined) return this.#handle.read(offset, length)
    const pieces: Buffer[] = []
    for (const { block, within, size } of this.#pieces(offset, length)) {
      const at = this.#blockAt(block)
      if (at === undefined) throw new ImageError('the block is not in the image')
      pieces.push(await this.#handle.read(at + bitmapBytes(this.shape.blockBytes) + within, size))
    }
    return Buffer.concat(pieces)
  }

  async write(offset: number, data: Buffer): Promise<void> {
    if (this.#header === undefined) return this.#handle.write(offset, data)
    let done = 0
    for (const { block, within, size } of this.#pieces(offset, data.length)) {
      const at = this.#blockAt(block) ?? (await this.#addBlock(block))
      const bits = bitmapBytes(this.shape.blockBytes)
      await this.#handle.write(at + bits + within, data.subarray(done, done + size))
      if (this.shape.type === 'differencing') await this.#mark(at, within / SECTOR, size / SECTOR)
      done += size
    }
  }

  async grow(bytes: number): Promise<void> {
    const end = (await this.#handle.bytes()) - FOOTER_BYTES
    this.#footer = { ...this.#footer, bytes }
    this.shape = { ...this.shape, bytes }
    if (this.#header === undefined) {
      await this.#handle.write(end, Buffer.alloc(FOOTER_BYTES))
      await this.#handle.resize(bytes)
      await this.#writeFooters(bytes)
      return
    }
    await this.#growTable(this.#header, end)
  }

  /** A table that no longer fits where it is moves to the end of the file. */
  async #growTable(header: VhdHeader, end: number): Promise<void> {
    const entries = Math.ceil(this.shape.bytes / header.blockBytes)
    const table = Buffer.alloc(roundUp(entries * 4, SECTOR), 0xff)
    this.#table.copy(table)
    const isMoving = table.length > this.#table.length
    const tableOffset = isMoving ? end : header.tableOffset
    this.#table = table
    this.#header = { ...header, entries, tableOffset }
    await this.#handle.write(tableOffset, table)
    await this.#handle.write(FOOTER_BYTES, writeHeader(this.#header))
    await this.#writeFooters(isMoving ? end + table.length : end)
  }

  async relink(link: ParentLink): Promise<void> {
    const header = this.#header
    if (header?.parent === undefined) throw new ImageError('the image has no parent')
    const end = (await this.#handle.bytes()) - FOOTER_BYTES
    const hasRoom =
      header.parent.locators.length === 2 && header.parent.locators[0]?.offset === FOOTER_BYTES + HEADER_BYTES
    const parent = await placeParent(this.#handle, link, hasRoom ? FOOTER_BYTES + HEADER_BYTES : end)
    this.#header = { ...header, parent }
    await this.#handle.write(FOOTER_BYTES, writeHeader(this.#header))
    if (!hasRoom) await this.#writeFooters(end + 2 * LOCATOR_ROOM)
    this.shape = { ...this.shape, parent: link }
  }

  async identify(id: string): Promise<void> {
    this.#footer = { ...this.#footer, id }
    this.shape = { ...this.shape, id, linkage: id }
    await this.#writeFooters((await this.#handle.bytes()) - FOOTER_BYTES)
  }

  async restoreLinkage(linkage: string): Promise<void> {
    if (linkage !== this.shape.linkage) await this.identify(linkage)
  }

  async setPhysicalSectorBytes(bytes: number): Promise<void> {
    if (bytes !== SECTOR) throw new ImageError('a VHD has sectors of 512 bytes only')
  }

  async verify(): Promise<void> {
    const header = this.#header
    if (header === undefined) return
    const end = (await this.#handle.bytes()) - FOOTER_BYTES
    const size = bitmapBytes(header.blockBytes) + header.blockBytes
    const seen = new Set<number>()
    for (let block = 0; block < header.entries; block++) {
      const at = this.#blockAt(block)
      if (at === undefined) continue
      if (at < FOOTER_BYTES + HEADER_BYTES || at + size > end || seen.has(at)) {
        throw new ImageError(`block ${block} is in a wrong place`)
      }
      seen.add(at)
    }
    const first = readFooter(await this.#handle.read(0, FOOTER_BYTES))
    if (first.bytes !== this.shape.bytes) throw new ImageError('the two footers differ')
  }

  close(): Promise<void> {
    return this.#handle.close()
  }

  #blockAt(block: number): number | undefined {
    const sector = this.#table.readUInt32BE(block * 4)
    return sector === UNUSED ? undefined : sector * SECTOR
  }

  /** A block takes the place of the footer, which moves behind it. */
  async #addBlock(block: number): Promise<number> {
    const header = this.#header
    if (header === undefined) throw new ImageError('a fixed image has no blocks')
    const at = roundUp((await this.#handle.bytes()) - FOOTER_BYTES, SECTOR)
    const bits = bitmapBytes(header.blockBytes)
    await this.#handle.write(at, Buffer.alloc(bits, this.shape.type === 'dynamic' ? 0xff : 0))
    await this.#handle.resize(at + bits)
    await this.#handle.resize(at + bits + header.blockBytes)
    await this.#writeFooters(at + bits + header.blockBytes)
    this.#table.writeUInt32BE(at / SECTOR, block * 4)
    await this.#handle.write(header.tableOffset + block * 4, this.#table.subarray(block * 4, block * 4 + 4))
    return at
  }

  async #mark(at: number, first: number, count: number): Promise<void> {
    const bits = await this.#handle.read(at, bitmapBytes(this.shape.blockBytes))
    for (let bit = first; bit < first + count; bit++) bits[bit >> 3] = (bits[bit >> 3] ?? 0) | (0x80 >> (bit & 7))
    await this.#handle.write(at, bits)
  }

  async #writeFooters(end: number): Promise<void> {
    const footer = writeFooter(this.#footer)
    await this.#handle.write(end, footer)
    if (this.#header !== undefined) await this.#handle.write(0, footer)
  }

  *#pieces(offset: number, length: number) {
    const { blockBytes } = this.shape
    for (let done = 0; done < length; ) {
      const within = (offset + done) % blockBytes
      const size = Math.min(blockBytes - within, length - done)
      yield { block: Math.floor((offset + done) / blockBytes), within, size }
      done += size
    }
  }
}
