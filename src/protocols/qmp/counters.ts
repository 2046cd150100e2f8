import { integerMember, JsonShapeError, stringMember, toJsonObject } from './json.ts'

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
}

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
    }
  })

/** Reads what a balloon leaves its guest, in bytes. Source: QEMU qapi/machine.json, BalloonInfo. Throws JsonShapeError. */
export const decodeBalloon = (answer: unknown): number => integerMember(toJsonObject(answer, 'the balloon'), 'actual')

function toList(answer: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(answer)) throw new JsonShapeError(`${what} are no array`)
  return answer
}
