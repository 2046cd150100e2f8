import { integerMember, type JsonObject, JsonShapeError, numberMember, stringMember, toJsonObject } from './json.ts'

/** One virtual CPU in the answer of `query-cpus-fast`. Source: QEMU qapi/machine.json, CpuInfoFast. */
export interface CpuThread {
  readonly index: number
  /** The number of the host's thread that executes it. */
  readonly threadId: number
}

/** One drive in the answer of `query-blockstats`. Source: QEMU qapi/block-core.json, BlockStats. */
export interface DriveCounters {
  /** The name of the drive's device, or its path in QEMU's tree of objects; absent where no device has the drive. */
  readonly device?: string
  readonly readBytes: number
  readonly writtenBytes: number
  /** Requests that were done, how long they took together, and those that failed; absent where a QEMU does not count them. */
  readonly reads?: number
  readonly writes?: number
  readonly flushes?: number
  readonly readNs?: number
  readonly writeNs?: number
  readonly flushNs?: number
  readonly failedReads?: number
  readonly failedWrites?: number
  readonly failedFlushes?: number
}

/** By our names, what QEMU calls them. Source: QEMU qapi/block-core.json, BlockDeviceStats. */
const OF_REQUESTS = {
  reads: 'rd_operations',
  writes: 'wr_operations',
  flushes: 'flush_operations',
  readNs: 'rd_total_time_ns',
  writeNs: 'wr_total_time_ns',
  flushNs: 'flush_total_time_ns',
  failedReads: 'failed_rd_operations',
  failedWrites: 'failed_wr_operations',
  failedFlushes: 'failed_flush_operations',
} as const

/** What the guest has said of its memory through its balloon, by QEMU's names. Source: QEMU hw/virtio/virtio-balloon.c. */
export interface BalloonStats {
  /** When it did last, in seconds since 1970; 0 where it has not yet. */
  readonly lastUpdate: number
  /** In bytes, or a number of times; what it does not say is not there. */
  readonly stats: Readonly<Record<string, number>>
}

/** Answer of `query-dirty-rate`. Source: QEMU qapi/migration.json, DirtyRateInfo. */
export interface DirtyRateInfo {
  readonly status: 'unstarted' | 'measuring' | 'measured'
  readonly startS: number
  readonly periodS: number
  /** `page-sampling` where an older QEMU knows no other. */
  readonly mode: string
  readonly mibPerS?: number
}

/** What QEMU says of a counter that the guest does not tell is -1 without its sign. No guest has so much of anything. */
const UNTOLD_FROM = 2 ** 63

/** Reads the virtual CPUs, in order of their index. Throws JsonShapeError. */
export const decodeCpus = (answer: unknown): readonly CpuThread[] =>
  toList(answer, 'the CPUs')
    .map(each => {
      const cpu = toJsonObject(each, 'the CPU')
      return { index: integerMember(cpu, 'cpu-index'), threadId: integerMember(cpu, 'thread-id') }
    })
    .sort((a, b) => a.index - b.index)

/** Reads the drives' counters. Throws JsonShapeError. */
export const decodeDrives = (answer: unknown): readonly DriveCounters[] =>
  toList(answer, 'the drives').map(each => {
    const drive = toJsonObject(each, 'the drive')
    const stats = toJsonObject(drive['stats'], 'stats')
    return {
      ...('qdev' in drive && { device: stringMember(drive, 'qdev') }),
      readBytes: integerMember(stats, 'rd_bytes'),
      writtenBytes: integerMember(stats, 'wr_bytes'),
      ...requestsIn(stats),
    }
  })

/** Times may be more than JavaScript holds exactly. */
const requestsIn = (stats: JsonObject): Partial<DriveCounters> =>
  Object.fromEntries(
    Object.entries(OF_REQUESTS).flatMap(([name, member]) =>
      member in stats ? [[name, numberMember(stats, member)]] : [],
    ),
  )

/** Reads the property `guest-stats` of a balloon. Throws JsonShapeError. */
export function decodeBalloonStats(answer: unknown): BalloonStats {
  const told = toJsonObject(answer, 'the statistics')
  const stats = Object.entries(toJsonObject(told['stats'], 'stats'))
  return {
    lastUpdate: integerMember(told, 'last-update'),
    stats: Object.fromEntries(
      stats.flatMap(([name, value]) => (typeof value === 'number' && value < UNTOLD_FROM ? [[name, value]] : [])),
    ),
  }
}

const RATE_STATES = ['unstarted', 'measuring', 'measured'] as const

/** Reads how fast a guest was found to write to its memory. Throws JsonShapeError. */
export function decodeDirtyRate(answer: unknown): DirtyRateInfo {
  const told = toJsonObject(answer, 'the rate')
  const said = stringMember(told, 'status')
  const status = RATE_STATES.find(each => each === said)
  if (status === undefined) throw new JsonShapeError(`status is ${said}`)
  return {
    status,
    startS: integerMember(told, 'start-time'),
    periodS: integerMember(told, 'calc-time'),
    mode: 'mode' in told ? stringMember(told, 'mode') : 'page-sampling',
    ...('dirty-rate' in told && { mibPerS: integerMember(told, 'dirty-rate') }),
  }
}

/** Reads what a balloon leaves its guest, in bytes. Source: QEMU qapi/machine.json, BalloonInfo. Throws JsonShapeError. */
export const decodeBalloon = (answer: unknown): number => integerMember(toJsonObject(answer, 'the balloon'), 'actual')

function toList(answer: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(answer)) throw new JsonShapeError(`${what} are no array`)
  return answer
}
