import { ImageError, type ParentLink } from './disk-image.ts'
import { guidFromBytes, guidToBytes } from './guid-bytes.ts'
import { MIB } from './vhdx-format.ts'

// What a VHDX says of its disk: items in a region of its own. Source: [MS-VHDX] §2.6.

const ITEM = {
  parameters: 'CAA16737-FA36-4D43-B3B6-33F0AA44E76B',
  size: '2FA54224-CD1B-4876-B211-5DBED83BF4B8',
  id: 'BECA12AB-B2E6-4523-93EF-C309E000C746',
  logicalSector: '8141BF1D-A96F-4709-BA47-F233A8FAAB5F',
  physicalSector: 'CDA348C7-445D-4471-9CC9-E9885251C556',
  parent: 'A8D35F2D-B30B-454D-ABF7-D3D84834AB0C',
} as const

type ItemName = keyof typeof ITEM

const LOCATOR_TYPE = 'B04AEFB7-D19E-4A81-B789-25B8E9445913'
const TABLE_BYTES = 64 * 1024
const ITEMS_MAX = 1024
const ITEM_BYTES_MAX = MIB
const LOCATOR_ENTRIES_MAX = 64
/** Whether an item is of the disk rather than of the file, and that a reader must know it. */
const FLAGS: Readonly<Record<ItemName, number>> = {
  parameters: 4,
  size: 6,
  id: 6,
  logicalSector: 6,
  physicalSector: 6,
  parent: 4,
}

export interface Metadata {
  readonly blockBytes: number
  /** Whether blocks are not given back: the image is fixed. */
  readonly isFixed: boolean
  readonly hasParent: boolean
  readonly bytes: number
  readonly id: string
  readonly logicalSectorBytes: number
  readonly physicalSectorBytes: number
  readonly parent?: ParentLink
}

/** The whole region. Throws ImageError where it does not fit. */
export function writeMetadata(metadata: Metadata, regionBytes: number): Buffer {
  const region = Buffer.alloc(regionBytes)
  region.write('metadata', 0, 'latin1')
  const items = itemsOf(metadata)
  region.writeUInt16LE(items.length, 10)
  let position = TABLE_BYTES
  for (const [place, [name, content]] of items.entries()) {
    if (position + content.length > regionBytes) throw new ImageError('the metadata do not fit')
    const at = 32 + 32 * place
    guidToBytes(ITEM[name]).copy(region, at)
    region.writeUInt32LE(position, at + 16)
    region.writeUInt32LE(content.length, at + 20)
    region.writeUInt32LE(FLAGS[name], at + 24)
    content.copy(region, position)
    position += content.length
  }
  return region
}

function itemsOf(metadata: Metadata): [ItemName, Buffer][] {
  const { blockBytes, isFixed, hasParent, bytes, id, logicalSectorBytes, physicalSectorBytes, parent } = metadata
  const parameters = Buffer.alloc(8)
  parameters.writeUInt32LE(blockBytes, 0)
  parameters.writeUInt32LE((isFixed ? 1 : 0) | (hasParent ? 2 : 0), 4)
  const size = Buffer.alloc(8)
  size.writeBigUInt64LE(BigInt(bytes))
  return [
    ['parameters', parameters],
    ['size', size],
    ['id', guidToBytes(id)],
    ['logicalSector', number(logicalSectorBytes)],
    ['physicalSector', number(physicalSectorBytes)],
    ...(parent === undefined ? [] : [['parent', writeLocator(parent)] satisfies [ItemName, Buffer]]),
  ]
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

/** Keys and values, each a stretch of UTF-16 behind the entries. */
function writeLocator({ linkage, path, relativePath }: ParentLink): Buffer {
  const pairs = Object.entries({
    parent_linkage: `{${linkage.toLowerCase()}}`,
    ...(relativePath === undefined ? {} : { relative_path: relativePath }),
    absolute_win32_path: path,
  })
  const entries = Buffer.alloc(20 + 12 * pairs.length)
  guidToBytes(LOCATOR_TYPE).copy(entries)
  entries.writeUInt16LE(pairs.length, 18)
  const texts: Buffer[] = []
  let position = entries.length
  for (const [place, pair] of pairs.entries()) {
    for (const [part, text] of pair.entries()) {
      const bytes = Buffer.from(text, 'utf16le')
      entries.writeUInt32LE(position, 20 + 12 * place + 4 * part)
      entries.writeUInt16LE(bytes.length, 28 + 12 * place + 2 * part)
      texts.push(bytes)
      position += bytes.length
    }
  }
  return Buffer.concat([entries, ...texts])
}

/** Throws ImageError. */
export function readMetadata(region: Buffer): Metadata {
  if (region.toString('latin1', 0, 8) !== 'metadata') throw new ImageError('the metadata are missing')
  const items = readItems(region)
  const parameters = demand(items, 'parameters', 8)
  const flags = parameters.readUInt32LE(4)
  const hasParent = (flags & 2) !== 0
  const metadata = {
    blockBytes: parameters.readUInt32LE(0),
    isFixed: (flags & 1) !== 0,
    hasParent,
    bytes: Number(demand(items, 'size', 8).readBigUInt64LE(0)),
    id: guidFromBytes(demand(items, 'id', 16)),
    logicalSectorBytes: demand(items, 'logicalSector', 4).readUInt32LE(0),
    physicalSectorBytes: demand(items, 'physicalSector', 4).readUInt32LE(0),
    ...(hasParent ? { parent: readLocator(demand(items, 'parent', 20)) } : {}),
  }
  requirePossible(metadata)
  return metadata
}

function readItems(region: Buffer): ReadonlyMap<string, Buffer> {
  const items = new Map<string, Buffer>()
  const count = region.readUInt16LE(10)
  if (count > ITEMS_MAX) throw new ImageError('there are too many metadata')
  for (let place = 0; place < count; place++) {
    const at = 32 + 32 * place
    const [offset, length] = [region.readUInt32LE(at + 16), region.readUInt32LE(at + 20)]
    if (length > ITEM_BYTES_MAX || offset + length > region.length) throw new ImageError('metadata are out of place')
    items.set(guidFromBytes(region.subarray(at, at + 16)), region.subarray(offset, offset + length))
  }
  return items
}

function demand(items: ReadonlyMap<string, Buffer>, name: ItemName, bytes: number): Buffer {
  const item = items.get(ITEM[name])
  if (item === undefined || item.length < bytes) throw new ImageError(`the metadata lack ${name}`)
  return item
}

const SIZE_MAX = 64 * 1024 ** 4

function requirePossible({ blockBytes, bytes, logicalSectorBytes, physicalSectorBytes }: Metadata): void {
  const isBlock = blockBytes >= MIB && blockBytes <= 256 * MIB && (blockBytes & (blockBytes - 1)) === 0
  const areSectors = [logicalSectorBytes, physicalSectorBytes].every(size => size === 512 || size === 4096)
  const isSize = bytes > 0 && bytes <= SIZE_MAX && bytes % logicalSectorBytes === 0
  if (!isBlock || !areSectors || !isSize) throw new ImageError('the metadata are out of range')
}

function readLocator(item: Buffer): ParentLink {
  const count = item.readUInt16LE(18)
  if (count > LOCATOR_ENTRIES_MAX || 20 + 12 * count > item.length)
    throw new ImageError('the parent locator is damaged')
  const pairs = new Map<string, string>()
  for (let place = 0; place < count; place++) {
    const at = 20 + 12 * place
    const text = (part: 0 | 1): string => {
      const offset = item.readUInt32LE(at + 4 * part)
      const length = item.readUInt16LE(at + 8 + 2 * part)
      if (offset + length > item.length) throw new ImageError('the parent locator is damaged')
      return item.toString('utf16le', offset, offset + length)
    }
    pairs.set(text(0), text(1))
  }
  const relativePath = pairs.get('relative_path')
  const path = pairs.get('absolute_win32_path') ?? relativePath
  const linkage = pairs.get('parent_linkage')
  if (path === undefined || linkage === undefined) throw new ImageError('the parent locator says nothing')
  return {
    path,
    linkage: linkage.replace(/[{}]/g, '').toUpperCase(),
    ...(relativePath === undefined ? {} : { relativePath }),
  }
}
