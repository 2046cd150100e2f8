import type { ExtInode, ExtVolume } from './ext-inode.ts'
import { damaged } from './reader.ts'

/** Blocks in a row, of a file and of the disk. What is in no run is zero. */
interface Run {
  readonly logical: number
  readonly physical: number
  readonly count: number
}

/** The most that is handed on at once. A multiple of every size of blocks. */
const PIECE_BYTES = 1_048_576

/** What a file, folder or link of an ext file system holds, in pieces of whole blocks but for the last. */
export async function* contentOf(volume: ExtVolume, inode: ExtInode, bytesMax: number): AsyncGenerator<Buffer> {
  if (inode.bytes > bytesMax) throw damaged(`a file has ${inode.bytes} bytes, which is more than ${bytesMax}`)
  if (inode.isInline) {
    const data = Buffer.concat([inode.map, inode.inlineRest])
    if (inode.bytes > data.length) throw damaged('a file of an ext file system is shorter than it says')
    yield data.subarray(0, inode.bytes)
    return
  }
  let at = 0
  for await (const run of runsOf(volume, inode)) {
    const start = Math.min(run.logical * volume.blockBytes, inode.bytes)
    const end = Math.min((run.logical + run.count) * volume.blockBytes, inode.bytes)
    yield* zeros(start - at)
    for (at = start; at < end; ) {
      const count = Math.min(PIECE_BYTES, end - at)
      yield await volume.disk.read(run.physical * volume.blockBytes + (at - start), count)
      at += count
    }
    if (at >= inode.bytes) return
  }
  yield* zeros(inode.bytes - at)
}

function* zeros(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= PIECE_BYTES) yield Buffer.alloc(Math.min(left, PIECE_BYTES))
}

/** The runs of a file by their place in it; each begins where the one before ends, or later. */
async function* runsOf(volume: ExtVolume, inode: ExtInode): AsyncGenerator<Run> {
  const blocks = Math.ceil(inode.bytes / volume.blockBytes)
  const runs = inode.hasExtents ? extents(volume, inode.map, EXTENT_DEPTH_MAX) : mapped(volume, inode.map, blocks)
  let end = 0
  for await (const run of runs) {
    if (run.logical < end) throw damaged('the extents of a file overlap')
    end = run.logical + run.count
    yield run
  }
}

const EXTENT_MAGIC = 0xf30a
const EXTENT_BYTES = 12
const EXTENT_DEPTH_MAX = 5
/** A length beyond this is that of an extent without data yet, longer by this. */
const INITIALISED_MAX = 32_768

/** Source: Linux, Documentation/filesystems/ext4, "Extent Tree". Each level must be one less deep, so that there is an end. */
async function* extents(volume: ExtVolume, node: Buffer, depthMax: number): AsyncGenerator<Run> {
  const [magic, count, depth] = [node.readUInt16LE(0), node.readUInt16LE(2), node.readUInt16LE(6)]
  if (magic !== EXTENT_MAGIC || depth > depthMax || (count + 1) * EXTENT_BYTES > node.length) {
    throw damaged('the extents of a file cannot be true')
  }
  for (let index = 1; index <= count; index++) {
    const entry = node.subarray(index * EXTENT_BYTES, (index + 1) * EXTENT_BYTES)
    if (depth === 0) {
      const length = entry.readUInt16LE(4)
      const physical = entry.readUInt16LE(6) * 2 ** 32 + entry.readUInt32LE(8)
      if (length <= INITIALISED_MAX) yield { logical: entry.readUInt32LE(0), physical, count: length }
    } else {
      const place = entry.readUInt16LE(8) * 2 ** 32 + entry.readUInt32LE(4)
      yield* extents(volume, await volume.disk.read(place * volume.blockBytes, volume.blockBytes), depth - 1)
    }
  }
}

const DIRECT_BLOCKS = 12
const INDIRECTIONS = 3

/** The blocks of a file as ext2 and ext3 note them: twelve, then blocks of places, and blocks of places of such. */
async function* mapped(volume: ExtVolume, map: Buffer, blocks: number): AsyncGenerator<Run> {
  let run: Run | undefined
  for await (const { logical, physical } of places(volume, map, blocks)) {
    const follows = run !== undefined && run.logical + run.count === logical && run.physical + run.count === physical
    if (run !== undefined && follows) {
      run = { ...run, count: run.count + 1 }
      continue
    }
    if (run !== undefined) yield run
    run = { logical, physical, count: 1 }
  }
  if (run !== undefined) yield run
}

interface Place {
  readonly logical: number
  readonly physical: number
}

async function* places(volume: ExtVolume, map: Buffer, blocks: number): AsyncGenerator<Place> {
  yield* listed(map.subarray(0, DIRECT_BLOCKS * 4), 0, blocks)
  const perBlock = volume.blockBytes / 4
  let first = DIRECT_BLOCKS
  for (let level = 1; level <= INDIRECTIONS; level++) {
    if (first >= blocks) return
    const block = map.readUInt32LE((DIRECT_BLOCKS + level - 1) * 4)
    if (block !== 0) yield* indirect(volume, block, level, first, blocks)
    first += perBlock ** level
  }
}

async function* indirect(
  volume: ExtVolume,
  block: number,
  level: number,
  first: number,
  blocks: number,
): AsyncGenerator<Place> {
  const list = await volume.disk.read(block * volume.blockBytes, volume.blockBytes)
  if (level === 1) {
    yield* listed(list, first, blocks)
    return
  }
  const span = (volume.blockBytes / 4) ** (level - 1)
  for (let index = 0; index * 4 < list.length && first + index * span < blocks; index++) {
    const next = list.readUInt32LE(index * 4)
    if (next !== 0) yield* indirect(volume, next, level - 1, first + index * span, blocks)
  }
}

/** Zero is no place: a hole. */
function* listed(list: Buffer, first: number, blocks: number): Generator<Place> {
  for (let index = 0; index * 4 < list.length && first + index < blocks; index++) {
    const physical = list.readUInt32LE(index * 4)
    if (physical !== 0) yield { logical: first + index, physical }
  }
}
