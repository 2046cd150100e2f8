import { type BlockReader, damaged, part, toPlace } from './reader.ts'

/** A partition, or the whole disk where it has none. */
export interface Partition {
  /** As GRUB counts them, from 1, logical ones from 5; 0 for the whole disk. */
  readonly number: number
  readonly table: 'msdos' | 'gpt' | 'none'
  readonly disk: BlockReader
}

const SECTOR = 512
const PARTITIONS_MAX = 128
const ENTRY_BYTES = 16
const GPT_ENTRY_BYTES_MAX = 4096
const MBR_TABLE = 446
/** Types of partitions that only hold others. Source: the types of the MBR, extended by CHS, LBA, and of Linux. */
const EXTENDED = [0x05, 0x0f, 0x85]
const PROTECTIVE = 0xee

/** The partitions of a disk, in the order of their table. A disk without a table is one partition. */
export async function partitionsOf(disk: BlockReader): Promise<readonly Partition[]> {
  const whole: Partition = { number: 0, table: 'none', disk }
  if (disk.bytes < 2 * SECTOR) return [whole]
  const entries = tableIn(await disk.read(0, SECTOR))
  if (entries === undefined) return [whole]
  if (entries.some(({ type }) => type === PROTECTIVE)) return readGpt(disk)
  const primary = entries.map((entry, index) => ({ ...entry, number: index + 1 })).filter(({ type }) => type !== 0)
  const extended = primary.find(({ type }) => EXTENDED.includes(type))
  const logical = extended === undefined ? [] : await readLogical(disk, extended.start)
  const plain = primary.filter(({ type }) => !EXTENDED.includes(type)).map(entry => toPartition(disk, entry))
  return [...plain, ...logical]
}

interface Entry {
  readonly type: number
  /** In sectors, like the length. */
  readonly start: number
  readonly length: number
}

const toPartition = (disk: BlockReader, { number, start, length }: Entry & { readonly number: number }): Partition => ({
  number,
  table: 'msdos',
  disk: part(disk, start * SECTOR, length * SECTOR),
})

/** Undefined where a sector is none with a table; that of a file system has the same signature, but no sound states. */
function tableIn(sector: Buffer): readonly Entry[] | undefined {
  if (sector.readUInt16LE(510) !== 0xaa55) return undefined
  const entries = [0, 1, 2, 3].map(index => sector.subarray(MBR_TABLE + index * ENTRY_BYTES))
  if (entries.some(entry => entry.readUInt8(0) !== 0 && entry.readUInt8(0) !== 0x80)) return undefined
  const table = entries.map(entry => ({
    type: entry.readUInt8(4),
    start: entry.readUInt32LE(8),
    length: entry.readUInt32LE(12),
  }))
  return table.every(({ type, length }) => type === 0 || length === 0) ? undefined : table
}

/** Each of the records that are linked names one partition, and the next record by its place in the extended one. */
async function readLogical(disk: BlockReader, extendedStart: number): Promise<Partition[]> {
  const found: Partition[] = []
  for (let record = extendedStart; found.length < PARTITIONS_MAX; ) {
    const [entry, next] = tableIn(await disk.read(record * SECTOR, SECTOR)) ?? []
    if (entry !== undefined && entry.length > 0) {
      found.push(toPartition(disk, { ...entry, start: record + entry.start, number: found.length + 5 }))
    }
    if (next === undefined || next.start === 0 || next.type === 0) return found
    record = extendedStart + next.start
    // Records may lie in any order; so that a ring ends, each must bring a partition.
    if (entry === undefined || entry.length === 0) return found
  }
  throw damaged(`there is no end of logical partitions after ${PARTITIONS_MAX}`)
}

/** Source: UEFI 2.10, "GUID Partition Table". Sectors of 4,096 bytes are not known to a machine of ours. */
async function readGpt(disk: BlockReader): Promise<Partition[]> {
  const header = await disk.read(SECTOR, SECTOR)
  if (header.toString('latin1', 0, 8) !== 'EFI PART')
    throw damaged('there is no GUID partition table where one must be')
  const at = toPlace(header.readBigUInt64LE(72), 'the place of the partition table') * SECTOR
  const [count, bytes] = [Math.min(header.readUInt32LE(80), PARTITIONS_MAX), header.readUInt32LE(84)]
  if (bytes < 128 || bytes > GPT_ENTRY_BYTES_MAX) throw damaged(`entries of the partition table have ${bytes} bytes`)
  const table = await disk.read(at, count * bytes)
  const found: Partition[] = []
  for (let index = 0; index < count; index++) {
    const entry = table.subarray(index * bytes, (index + 1) * bytes)
    if (entry.subarray(0, 16).every(byte => byte === 0)) continue
    const first = toPlace(entry.readBigUInt64LE(32), 'the start of a partition')
    const last = toPlace(entry.readBigUInt64LE(40), 'the end of a partition')
    const length = Math.max(0, last - first + 1) * SECTOR
    found.push({ number: index + 1, table: 'gpt', disk: part(disk, first * SECTOR, length) })
  }
  return found
}
