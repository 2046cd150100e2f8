import type { DiskMetrics, DomainMetrics, GuestMemory } from '../drivers/driver.ts'
import {
  VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON,
  VIR_DOMAIN_MEMORY_STAT_AVAILABLE,
  VIR_DOMAIN_MEMORY_STAT_DISK_CACHES,
  VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGALLOC,
  VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGFAIL,
  VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE,
  VIR_DOMAIN_MEMORY_STAT_MAJOR_FAULT,
  VIR_DOMAIN_MEMORY_STAT_MINOR_FAULT,
  VIR_DOMAIN_MEMORY_STAT_RSS,
  VIR_DOMAIN_MEMORY_STAT_SWAP_IN,
  VIR_DOMAIN_MEMORY_STAT_SWAP_OUT,
  VIR_DOMAIN_MEMORY_STAT_UNUSED,
  VIR_DOMAIN_MEMORY_STAT_USABLE,
} from './flags/index.ts'

/** A counter of a guest's memory. */
export interface MemoryStat {
  /** One of `VIR_DOMAIN_MEMORY_STAT_`. */
  readonly tag: number
  /** In KiB where it is a size, in seconds since 1970 where it is a time, else a number of times. */
  readonly val: bigint
}

const KIB = 1_024
const MS_PER_S = 1_000
const NS_PER_MS = 1_000_000

/** A counter as the wire has it. */
export const whole = (value: number): bigint => BigInt(Math.round(value))

/** Milliseconds in nanoseconds. */
export const nanoseconds = (ms: number): bigint => whole(ms * NS_PER_MS)

/** What a guest says, by what libvirt calls it, and in how much of that one of libvirt's is. */
const SAID: readonly (readonly [said: keyof GuestMemory, tag: number, unit: number])[] = [
  ['swappedInBytes', VIR_DOMAIN_MEMORY_STAT_SWAP_IN, KIB],
  ['swappedOutBytes', VIR_DOMAIN_MEMORY_STAT_SWAP_OUT, KIB],
  ['majorFaults', VIR_DOMAIN_MEMORY_STAT_MAJOR_FAULT, 1],
  ['minorFaults', VIR_DOMAIN_MEMORY_STAT_MINOR_FAULT, 1],
  ['unusedBytes', VIR_DOMAIN_MEMORY_STAT_UNUSED, KIB],
  ['availableBytes', VIR_DOMAIN_MEMORY_STAT_AVAILABLE, KIB],
  ['usableBytes', VIR_DOMAIN_MEMORY_STAT_USABLE, KIB],
  ['atMs', VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE, MS_PER_S],
  ['cacheBytes', VIR_DOMAIN_MEMORY_STAT_DISK_CACHES, KIB],
  ['hugePagesGiven', VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGALLOC, 1],
  ['hugePagesRefused', VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGFAIL, 1],
]

/** What there is to tell of the memory of a guest, in libvirt's order. */
export function memoryStatsOf({ memoryBytes, guestMemory = {}, residentBytes }: DomainMetrics): MemoryStat[] {
  const said = SAID.flatMap(([name, tag, unit]) => {
    const value = guestMemory[name]
    return value === undefined ? [] : [{ tag, val: BigInt(Math.floor(value / unit)) }]
  })
  return [
    { tag: VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON, val: whole(memoryBytes / KIB) },
    ...said,
    ...(residentBytes === undefined ? [] : [{ tag: VIR_DOMAIN_MEMORY_STAT_RSS, val: whole(residentBytes / KIB) }]),
  ]
}

/** The CPU time of a domain in milliseconds: where the host counts virtual CPUs alone, theirs. */
export const cpuTimeOf = ({ cpu, vcpuMs }: DomainMetrics): NonNullable<DomainMetrics['cpu']> =>
  cpu ?? { totalMs: vcpuMs.reduce((sum, ms) => sum + ms, 0) }

type DiskCounter = Exclude<keyof DiskMetrics, 'id'>

/**
 * One counter of several disks together; undefined where the host does not have it of each of them, or counts none. Of
 * no disk at all it is 0.
 */
export function sumOf(counted: readonly DiskMetrics[], counter: DiskCounter, disks: number): bigint | undefined {
  if (counted.length === 0 && disks > 0) return undefined
  let sum = 0n
  for (const disk of counted) {
    const value = disk[counter]
    if (value === undefined) return undefined
    sum += whole(value)
  }
  return sum
}
