import type { GuestFileSystem, GuestNode } from './file-system.ts'
import { type BlockReader, damaged } from './reader.ts'

interface FatVolume {
  readonly disk: BlockReader
  readonly clusterBytes: number
  readonly clusters: number
  /** Bits of an entry of the table. */
  readonly width: 12 | 16 | 32
  readonly tableAt: number
  readonly dataAt: number
  /** Where the root folder is: clusters as for any other, or with the two older kinds a place of its own. */
  readonly root: { readonly cluster: number } | { readonly at: number; readonly bytes: number }
}

/** What there must be fewer clusters than, for entries of 12 and of 16 bits. Source: Microsoft, FAT specification 1.03. */
const CLUSTERS_12 = 4085
const CLUSTERS_16 = 65_525
const CLUSTER_BYTES_MAX = 262_144
const FOLDER_BYTES_MAX = 8 * 1_048_576
const ENTRY_BYTES = 32

/** The FAT file system of a partition; undefined where there is none. Source: Microsoft, FAT specification 1.03. */
export async function openFat(disk: BlockReader): Promise<GuestFileSystem | undefined> {
  if (disk.bytes < 512) return undefined
  const sector = await disk.read(0, 512)
  const sectorBytes = sector.readUInt16LE(11)
  const isBootSector = sector.readUInt16LE(510) === 0xaa55 && [512, 1024, 2048, 4096].includes(sectorBytes)
  const perCluster = sector.readUInt8(13)
  const tables = sector.readUInt8(16)
  if (!isBootSector || perCluster === 0 || (perCluster & (perCluster - 1)) !== 0 || tables === 0 || tables > 4) {
    return undefined
  }
  const tableSectors = sector.readUInt16LE(22) || sector.readUInt32LE(36)
  const rootSectors = Math.ceil((sector.readUInt16LE(17) * ENTRY_BYTES) / sectorBytes)
  const tableStart = sector.readUInt16LE(14)
  const rootStart = tableStart + tables * tableSectors
  const sectors = sector.readUInt16LE(19) || sector.readUInt32LE(32)
  const clusters = Math.floor((sectors - rootStart - rootSectors) / perCluster)
  const clusterBytes = perCluster * sectorBytes
  if (tableStart === 0 || tableSectors === 0 || clusters < 1 || clusterBytes > CLUSTER_BYTES_MAX) return undefined
  const width = clusters < CLUSTERS_12 ? 12 : clusters < CLUSTERS_16 ? 16 : 32
  const volume: FatVolume = {
    disk,
    clusterBytes,
    clusters,
    width,
    tableAt: tableStart * sectorBytes,
    dataAt: (rootStart + rootSectors) * sectorBytes,
    root:
      width === 32
        ? { cluster: sector.readUInt32LE(44) }
        : { at: rootStart * sectorBytes, bytes: rootSectors * sectorBytes },
  }
  const id = sector
    .readUInt32LE(width === 32 ? 67 : 39)
    .toString(16)
    .padStart(8, '0')
    .toUpperCase()
  return {
    type: 'FAT',
    uuid: `${id.slice(0, 4)}-${id.slice(4)}`,
    label: sector.toString('latin1', width === 32 ? 71 : 43, width === 32 ? 82 : 54).trim(),
    root: () => Promise.resolve(rootNode(volume)),
  }
}

function rootNode(volume: FatVolume): GuestNode {
  const { root } = volume
  return folderNode(
    volume,
    'cluster' in root ? chain(volume, root.cluster) : () => volume.disk.read(root.at, root.bytes),
  )
}

type Pieces = () => AsyncIterable<Buffer> | Promise<Buffer>

function folderNode(volume: FatVolume, pieces: Pieces): GuestNode {
  return {
    kind: 'folder',
    bytes: 0,
    content: () => {
      throw damaged('a folder is no file')
    },
    lookup: async name => {
      const entry = entriesIn(await readFolder(pieces()), volume.width).find(({ names }) =>
        names.includes(name.toLowerCase()),
      )
      return entry === undefined ? undefined : toNode(volume, entry)
    },
  }
}

function toNode(volume: FatVolume, { isFolder, cluster, bytes }: Entry): GuestNode {
  if (isFolder) return cluster === 0 ? rootNode(volume) : folderNode(volume, chain(volume, cluster))
  return {
    kind: 'file',
    bytes,
    lookup: () => Promise.resolve(undefined),
    content: bytesMax => fileContent(volume, cluster, bytes, bytesMax),
  }
}

async function* fileContent(
  volume: FatVolume,
  cluster: number,
  bytes: number,
  bytesMax: number,
): AsyncGenerator<Buffer> {
  if (bytes > bytesMax) throw damaged(`a file has ${bytes} bytes, which is more than ${bytesMax}`)
  let left = bytes
  if (left === 0) return
  for await (const piece of chain(volume, cluster)()) {
    yield piece.subarray(0, left)
    left -= Math.min(left, piece.length)
    if (left === 0) return
  }
  throw damaged('a file of a FAT file system is shorter than it says')
}

async function readFolder(pieces: ReturnType<Pieces>): Promise<Buffer> {
  if ('then' in pieces) return pieces
  const read: Buffer[] = []
  let bytes = 0
  for await (const piece of pieces) {
    bytes += piece.length
    if (bytes > FOLDER_BYTES_MAX) throw damaged('a folder of a FAT file system is too large')
    read.push(piece)
  }
  return Buffer.concat(read)
}

/** The clusters that a file has, one by one. There cannot be more than the volume has, or they go round. */
const chain = (volume: FatVolume, first: number) =>
  async function* (): AsyncGenerator<Buffer> {
    const END = 2 ** (volume.width === 32 ? 28 : volume.width) - 8
    let cluster = first
    for (let count = 0; cluster < END; count++) {
      if (cluster < 2 || cluster >= volume.clusters + 2 || count > volume.clusters) {
        throw damaged('the clusters of a file of a FAT file system cannot be true')
      }
      yield await volume.disk.read(volume.dataAt + (cluster - 2) * volume.clusterBytes, volume.clusterBytes)
      cluster = await nextCluster(volume, cluster)
    }
  }

async function nextCluster({ disk, width, tableAt }: FatVolume, cluster: number): Promise<number> {
  if (width === 32) return (await disk.read(tableAt + cluster * 4, 4)).readUInt32LE() & 0x0fff_ffff
  if (width === 16) return (await disk.read(tableAt + cluster * 2, 2)).readUInt16LE()
  const pair = (await disk.read(tableAt + Math.floor((cluster * 3) / 2), 2)).readUInt16LE()
  return cluster % 2 === 0 ? pair & 0xfff : pair >> 4
}

interface Entry {
  /** The short one and, where there is one, the long one; both in lower case, since case does not count. */
  readonly names: readonly string[]
  readonly isFolder: boolean
  readonly cluster: number
  readonly bytes: number
}

const ATTRIBUTE = { volume: 0x08, folder: 0x10, longName: 0x0f }
const DELETED = 0xe5

function entriesIn(folder: Buffer, width: FatVolume['width']): Entry[] {
  const entries: Entry[] = []
  let long = ''
  for (let at = 0; at + ENTRY_BYTES <= folder.length; at += ENTRY_BYTES) {
    const entry = folder.subarray(at, at + ENTRY_BYTES)
    const [first, attributes] = [entry.readUInt8(0), entry.readUInt8(11)]
    if (first === 0) break
    if (first !== DELETED && (attributes & 0x3f) === ATTRIBUTE.longName) {
      // The parts of a long name come last first.
      long = longPart(entry) + ((first & 0x40) === 0 ? long : '')
      continue
    }
    if (first !== DELETED && (attributes & ATTRIBUTE.volume) === 0) {
      entries.push({
        names: [shortName(entry), long].map(name => name.toLowerCase()),
        isFolder: (attributes & ATTRIBUTE.folder) !== 0,
        // The older kinds keep other things where the newest has the upper half.
        cluster: (width === 32 ? entry.readUInt16LE(20) * 65_536 : 0) + entry.readUInt16LE(26),
        bytes: entry.readUInt32LE(28),
      })
    }
    long = ''
  }
  return entries
}

function longPart(entry: Buffer): string {
  const units = Buffer.concat([entry.subarray(1, 11), entry.subarray(14, 26), entry.subarray(28, 32)])
  return units.toString('utf16le').replace(/[\0\uffff].*$/s, '')
}

function shortName(entry: Buffer): string {
  const [name, ending] = [entry.toString('latin1', 0, 8).trimEnd(), entry.toString('latin1', 8, 11).trimEnd()]
  return ending === '' ? name : `${name}.${ending}`
}
