import { type ExtInode, type ExtVolume, parseInode } from './ext-inode.ts'
import { contentOf } from './ext-content.ts'
import type { GuestFileSystem, GuestNode } from './file-system.ts'
import { type BlockReader, damaged, uuidOf } from './reader.ts'

const SUPERBLOCK = { at: 1024, bytes: 1024 }
const MAGIC = 0xef53
/** Blocks of 1,024 times this power of two. */
const BLOCK_POWER_MAX = 6
const INODE_BYTES = { min: 128, max: 65_536 }
const ROOT_INODE = 2
/** Revision 0 has inodes of 128 bytes and no features. */
const OLD_REVISION = 0

/**
 * What a file system must not have to be read here: compression, a journal alone, tables of groups elsewhere, other
 * entries of folders. A journal that was not replayed does not hinder: what it holds was written moments before.
 */
const UNREADABLE: ReadonlyArray<readonly [number, string]> = [
  [0x1, 'compression'],
  [0x8, 'only a journal'],
  [0x10, 'meta block groups'],
  [0x1000, 'data in folders'],
]
const NEEDS_RECOVERY = 0x4
const HAS_64_BIT = 0x80
const KNOWN = 0x1 | 0x2 | 0x4 | 0x8 | 0x10 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x1000 | 0x2000 | 0x4000 | 0x8000
const KNOWN_TOO = 0x10000 | 0x20000

/**
 * The ext2, ext3 or ext4 file system of a partition; undefined where there is none.
 * Source: Linux, Documentation/filesystems/ext4.
 */
export async function openExt(disk: BlockReader): Promise<GuestFileSystem | undefined> {
  if (disk.bytes < SUPERBLOCK.at + SUPERBLOCK.bytes) return undefined
  const superblock = await disk.read(SUPERBLOCK.at, SUPERBLOCK.bytes)
  if (superblock.readUInt16LE(56) !== MAGIC) return undefined
  const volume = volumeOf(disk, superblock)
  return {
    type: (superblock.readUInt32LE(96) & NEEDS_RECOVERY) === 0 ? 'ext' : 'ext, not unmounted',
    uuid: uuidOf(superblock.subarray(104, 120)),
    label: superblock.toString('utf8', 120, 136).replace(/\0.*$/s, ''),
    root: async () => toNode(volume, await readInode(volume, ROOT_INODE)),
  }
}

function volumeOf(disk: BlockReader, superblock: Buffer): ExtVolume {
  const isOld = superblock.readUInt32LE(76) === OLD_REVISION
  const features = isOld ? 0 : superblock.readUInt32LE(96)
  const hindrance = UNREADABLE.find(([bit]) => (features & bit) !== 0)?.[1]
  if (hindrance !== undefined) throw damaged(`an ext file system has ${hindrance}, which is not supported`)
  if ((features & ~(KNOWN | KNOWN_TOO)) !== 0) throw damaged('an ext file system has features that are not known')
  const power = superblock.readUInt32LE(24)
  if (power > BLOCK_POWER_MAX) throw damaged(`an ext file system has blocks of 2^${power + 10} bytes`)
  const blockBytes = 1024 * 2 ** power
  const inodeBytes = isOld ? INODE_BYTES.min : superblock.readUInt16LE(88)
  const is64Bit = (features & HAS_64_BIT) !== 0
  const volume: ExtVolume = {
    disk,
    blockBytes,
    inodeBytes,
    inodes: superblock.readUInt32LE(0),
    inodesPerGroup: superblock.readUInt32LE(40),
    groupTableBlock: Math.floor(SUPERBLOCK.at / blockBytes) + 1,
    groupBytes: is64Bit ? superblock.readUInt16LE(254) : 32,
  }
  const isSound = volume.inodesPerGroup > 0 && inodeBytes >= INODE_BYTES.min && inodeBytes <= volume.blockBytes
  if (!isSound || volume.groupBytes < (is64Bit ? 64 : 32) || volume.groupBytes > volume.blockBytes) {
    throw damaged('an ext file system has a superblock that cannot be true')
  }
  return volume
}

async function readInode(volume: ExtVolume, number: number): Promise<ExtInode> {
  if (number < 1 || number > volume.inodes) throw damaged(`an ext file system has no inode ${number}`)
  const index = number - 1
  const group = Math.floor(index / volume.inodesPerGroup)
  const at = volume.groupTableBlock * volume.blockBytes + group * volume.groupBytes
  const descriptor = await volume.disk.read(at, volume.groupBytes)
  const high = volume.groupBytes >= 64 ? descriptor.readUInt32LE(0x28) : 0
  const table = descriptor.readUInt32LE(8) + high * 2 ** 32
  const place = table * volume.blockBytes + (index % volume.inodesPerGroup) * volume.inodeBytes
  return parseInode(await volume.disk.read(place, volume.inodeBytes))
}

function toNode(volume: ExtVolume, inode: ExtInode): GuestNode {
  return {
    kind: inode.kind,
    bytes: inode.bytes,
    content: bytesMax => contentOf(volume, inode, bytesMax),
    lookup: async name => {
      const number = await lookup(volume, inode, name)
      return number === undefined ? undefined : toNode(volume, await readInode(volume, number))
    },
  }
}

/** A folder larger than this holds more than anybody boots from. */
const FOLDER_BYTES_MAX = 32 * 1_048_576

/** The inode of a name. Folders with an index are read from the beginning too: to the old reader, it looks like free space. */
async function lookup(volume: ExtVolume, folder: ExtInode, name: string): Promise<number | undefined> {
  const wanted = Buffer.from(name)
  if (folder.isInline) {
    // The first four bytes are the number of the parent; what does not fit beside them is a row of entries of its own.
    const pieces: Buffer[] = []
    for await (const piece of contentOf(volume, folder, FOLDER_BYTES_MAX)) pieces.push(piece)
    const data = Buffer.concat(pieces)
    return findEntry(data.subarray(4, 60), wanted) ?? findEntry(data.subarray(60), wanted)
  }
  for await (const piece of contentOf(volume, folder, FOLDER_BYTES_MAX)) {
    for (let at = 0; at < piece.length; at += volume.blockBytes) {
      const found = findEntry(piece.subarray(at, at + volume.blockBytes), wanted)
      if (found !== undefined) return found
    }
  }
  return undefined
}

const ENTRY_HEAD_BYTES = 8
/** In a folder of blocks of 64 KiB, the length of a whole block does not fit in its 16 bits. */
const WHOLE_BLOCK = [0, 0xffff]

function findEntry(block: Buffer, wanted: Buffer): number | undefined {
  for (let at = 0; at + ENTRY_HEAD_BYTES <= block.length; ) {
    const inode = block.readUInt32LE(at)
    const length = block.readUInt16LE(at + 4)
    const nameEnd = at + ENTRY_HEAD_BYTES + block.readUInt8(at + 6)
    if (inode !== 0 && nameEnd <= block.length && block.subarray(at + ENTRY_HEAD_BYTES, nameEnd).equals(wanted)) {
      return inode
    }
    if (WHOLE_BLOCK.includes(length)) return undefined
    if (length < ENTRY_HEAD_BYTES) throw damaged('a folder of an ext file system has an entry without length')
    at += length
  }
  return undefined
}
