import type { GuestNode } from './file-system.ts'
import { type BlockReader, damaged, toPlace } from './reader.ts'

/** What of a superblock is needed for reading. */
export interface ExtVolume {
  readonly disk: BlockReader
  readonly blockBytes: number
  readonly inodeBytes: number
  readonly inodes: number
  readonly inodesPerGroup: number
  readonly groupTableBlock: number
  readonly groupBytes: number
}

/** What of an inode is needed for reading. */
export interface ExtInode {
  readonly kind: GuestNode['kind']
  readonly bytes: number
  readonly hasExtents: boolean
  /** Whether the data is in the inode itself. */
  readonly isInline: boolean
  /** The 60 bytes with the places of blocks, the root of the extents, or the beginning of inline data. */
  readonly map: Buffer
  /** What of inline data does not fit there. */
  readonly inlineRest: Buffer
}

const MAP = { at: 40, bytes: 60 }
const FLAG = { encrypted: 0x800, extents: 0x80000, inline: 0x1000_0000 }
const KINDS: Readonly<Record<number, GuestNode['kind']>> = { 0x8000: 'file', 0x4000: 'folder', 0xa000: 'link' }

/** Source: Linux, Documentation/filesystems/ext4, "Index Nodes". */
export function parseInode(inode: Buffer): ExtInode {
  const kind = KINDS[inode.readUInt16LE(0) & 0xf000] ?? 'other'
  const flags = inode.readUInt32LE(32)
  if ((flags & FLAG.encrypted) !== 0) throw damaged('a file is encrypted, which is not supported')
  const high = BigInt(inode.readUInt32LE(108)) << 32n
  const bytes = toPlace(high | BigInt(inode.readUInt32LE(4)), 'the size of a file')
  const isInline = (flags & FLAG.inline) !== 0
  const hasExtents = (flags & FLAG.extents) !== 0
  // A link that fits is held where others have their blocks.
  const isShortLink = kind === 'link' && !hasExtents && bytes < MAP.bytes
  return {
    kind,
    bytes,
    hasExtents,
    isInline: isInline || isShortLink,
    map: inode.subarray(MAP.at, MAP.at + MAP.bytes),
    inlineRest: isInline ? inlineRestIn(inode) : Buffer.alloc(0),
  }
}

const ATTRIBUTES_MAGIC = 0xea02_0000
const ATTRIBUTE_HEAD_BYTES = 16
const SYSTEM = 7

/** The value of the attribute `system.data` in the inode; empty where there is none. */
function inlineRestIn(inode: Buffer): Buffer {
  const none = Buffer.alloc(0)
  if (inode.length < 132) return none
  const start = 128 + inode.readUInt16LE(128)
  if (start + 4 > inode.length || inode.readUInt32LE(start) !== ATTRIBUTES_MAGIC) return none
  const values = start + 4
  for (let at = values; at + ATTRIBUTE_HEAD_BYTES <= inode.length; ) {
    const nameLength = inode.readUInt8(at)
    const index = inode.readUInt8(at + 1)
    if (nameLength === 0 && index === 0) return none
    const nameAt = at + ATTRIBUTE_HEAD_BYTES
    if (index === SYSTEM && inode.toString('latin1', nameAt, nameAt + nameLength) === 'data') {
      const valueAt = values + inode.readUInt16LE(at + 2)
      return inode.subarray(valueAt, valueAt + inode.readUInt32LE(at + 8))
    }
    at = nameAt + Math.ceil(nameLength / 4) * 4
  }
  return none
}
