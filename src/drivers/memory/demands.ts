import { faultOfLimits } from '../disk-limits.ts'
import { type DiskConfig, type DomainConfig, DriverError, type NicConfig } from '../driver.ts'
import type { MemoryDomain, MemoryHost } from './host.ts'

/** The most virtual CPUs that a domain may have. */
export const VCPUS_MAX = 240

const PCI_ADDRESS = /^[0-9a-f]{4}:[0-9a-f]{2}:[0-1][0-9a-f]\.[0-7]$/

/** Demands that the host has all that a definition asks of it: the stored one, or another that it is to run with. */
export function assertStartable(host: MemoryHost, domain: MemoryDomain, config = domain.config): void {
  const { disks, nics = [], cpu, scheduling, platform, vcpus } = config
  for (const disk of disks) assertDisk(host, domain, disk)
  for (const nic of nics) assertNetwork(host, nic.network)
  assertCpus(host, scheduling?.affinity ?? null)
  const missing = cpu?.required.find(feature => !host.info.cpus.every(({ features }) => features.includes(feature)))
  if (missing !== undefined) throw refused(`no CPU of the host has the feature ${missing}`)
  const odd = platform?.pciDevices?.find(address => !PCI_ADDRESS.test(address))
  if (odd !== undefined) throw refused(`the host has no PCI device ${odd}`)
  const { memoryBytes, memoryTargetBytes } = config
  if (memoryTargetBytes !== undefined) assertMemoryTarget(config, memoryTargetBytes)
  if (vcpus > VCPUS_MAX) throw refused(`a domain has at most ${VCPUS_MAX} CPUs`)
  if (memoryBytes > host.info.memoryBytes) throw refused(`the host has ${host.info.memoryBytes} bytes of memory only`)
}

/** Demands that there is a medium where one must be, and that no other domain is in the way. */
export function assertDisk(host: MemoryHost, domain: MemoryDomain, disk: DiskConfig): void {
  const fault = disk.limits && faultOfLimits(disk.limits)
  if (fault !== undefined) throw refused(`${disk.device}: ${fault}`)
  if (disk.location === '') {
    if ((disk.kind ?? 'disk') === 'disk') throw refused(`the disk ${disk.device} has no volume`)
    return
  }
  if (!host.volumes.has(disk.location)) throw refused(`there is no volume at ${disk.location}`)
  host.openFiles.assertClosed(disk.location)
  for (const other of host.active) {
    if (other === domain) continue
    const rival = other.active?.config.disks.find(one => one.location === disk.location && isRivalry(one, disk))
    if (rival !== undefined)
      throw refused(`${other.now.name} uses the volume at ${disk.location} and does not share it`)
  }
}

function isRivalry(one: DiskConfig, other: DiskConfig): boolean {
  if (one.readOnly && other.readOnly) return false
  return !(one.shared && other.shared)
}

/** Demands that there is such a network; a cable that is plugged nowhere needs none. */
export function assertNetwork(host: MemoryHost, network: NicConfig['network']): void {
  if (network !== null && !host.networks.has(network)) throw refused(`the host has no network ${network}`)
}

export function assertCpus(host: MemoryHost, affinity: readonly number[] | null): void {
  if (affinity === null) return
  if (affinity.length === 0) throw refused('no CPU is left to run on')
  const missing = affinity.find(number => !host.info.cpus.some(cpu => cpu.number === number))
  if (missing !== undefined) throw refused(`the host has no CPU ${missing}`)
}

export function assertMemoryTarget({ memoryBytes }: DomainConfig, bytes: number): void {
  if (Number.isSafeInteger(bytes) && bytes > 0 && bytes <= memoryBytes) return
  throw refused(`the domain can have more than nothing and up to ${memoryBytes} bytes of memory, not ${bytes}`)
}

function refused(message: string): DriverError {
  return new DriverError('refused', message)
}
