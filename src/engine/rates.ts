/** What two readings of counters come to. */

import type { CpuTime, DomainMetrics } from '../drivers/driver.ts'

/** A rate of bytes both ways, in KiB per second. */
export interface Traffic {
  readonly incoming: number
  readonly outgoing: number
}

/** What a domain has been doing between two readings. */
export interface DomainRates {
  /** Of each virtual CPU by number, 0 to 1. */
  readonly utilisation: ReadonlyMap<bigint, number>
  /** By `DiskConfig.id`; incoming is what the guest read. */
  readonly disks: ReadonlyMap<string, Traffic>
  /** By `NicConfig.id`. */
  readonly nics: ReadonlyMap<string, Traffic>
}

const KIB = 1024
const SECOND_MS = 1000

/** The rates between two readings; of what was not there at the first, or began again, nothing. */
export function ratesBetween(before: DomainMetrics, now: DomainMetrics): DomainRates {
  const elapsedMs = now.atMs - before.atMs
  const perSecond = (bytes: number) => (elapsedMs > 0 ? bytes / KIB / (elapsedMs / SECOND_MS) : 0)
  const cpus = now.vcpuMs.map((ms, number) => {
    const share = elapsedMs > 0 ? grown(before.vcpuMs[number], ms) / elapsedMs : 0
    return [BigInt(number), Math.min(1, share)] as const
  })
  const disks = now.disks.map(({ id, readBytes, writtenBytes }) => {
    const disk = before.disks.find(each => each.id === id)
    const incoming = perSecond(grown(disk?.readBytes, readBytes))
    return [id, { incoming, outgoing: perSecond(grown(disk?.writtenBytes, writtenBytes)) }] as const
  })
  const nics = now.nics.map(({ id, receivedBytes, sentBytes }) => {
    const nic = before.nics.find(each => each.id === id)
    const incoming = perSecond(grown(nic?.receivedBytes, receivedBytes))
    return [id, { incoming, outgoing: perSecond(grown(nic?.sentBytes, sentBytes)) }] as const
  })
  return { utilisation: new Map(cpus), disks: new Map(disks), nics: new Map(nics) }
}

/** How busy each CPU of a host has been between two readings, by number, 0 to 1. */
export function loadsBetween(before: readonly CpuTime[], now: readonly CpuTime[]): ReadonlyMap<bigint, number> {
  const loads = now.map(cpu => {
    const was = before.find(({ number }) => number === cpu.number)
    const [busyMs, idleMs] = [grown(was?.busyMs, cpu.busyMs), grown(was?.idleMs, cpu.idleMs)]
    return [BigInt(cpu.number), busyMs + idleMs > 0 ? busyMs / (busyMs + idleMs) : 0] as const
  })
  return new Map(loads)
}

/** A counter that is smaller than before has begun again, and one that was not there has no before. */
const grown = (before: number | undefined, now: number): number => Math.max(0, now - (before ?? now))
