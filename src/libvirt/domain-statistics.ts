import type { DescribedDomain, DiskConfig, DiskMetrics, DomainConfig, NicMetrics } from '../drivers/driver.ts'
import { type MemoryStat, memoryStatsOf, sumOf, whole } from './counted.ts'
import { DomainWithTuning } from './domain-tuning.ts'
import type { TypedParameter } from './domain-scheduling.ts'
import {
  VIR_ERR_INVALID_ARG,
  VIR_ERR_NO_SUPPORT,
  VIR_ERR_OPERATION_INVALID,
  VIR_ERR_OVERFLOW,
} from './error-numbers.ts'
import { checkFlags, type FunctionName, has } from './flag-check.ts'
import {
  VIR_DOMAIN_AFFECT_CONFIG,
  VIR_DOMAIN_AFFECT_LIVE,
  VIR_DOMAIN_BLOCK_RESIZE_BYTES,
  VIR_DOMAIN_DISK_ERROR_NO_SPACE,
  VIR_DOMAIN_DISK_ERROR_UNSPEC,
  VIR_TYPED_PARAM_LLONG,
  VIR_TYPED_PARAM_STRING_OKAY,
} from './flags/index.ts'
import { impactOf } from './impact.ts'
import { isActiveState } from './remembered.ts'
import { firstOf } from './room.ts'

/** What a guest has done to a disk since its start; -1 where the host does not count. */
export interface BlockStats {
  readonly rdReq: bigint
  readonly rdBytes: bigint
  readonly wrReq: bigint
  readonly wrBytes: bigint
  readonly errs: bigint
}

/** What went through an interface since the domain's start, from the guest's side; -1 where the host does not count. */
export interface InterfaceStats {
  readonly rxBytes: bigint
  readonly rxPackets: bigint
  readonly rxErrs: bigint
  readonly rxDrop: bigint
  readonly txBytes: bigint
  readonly txPackets: bigint
  readonly txErrs: bigint
  readonly txDrop: bigint
}

/** A disk in trouble. */
export interface DiskErrorInfo {
  /** Its target. */
  readonly disk: string
  /** One of `VIR_DOMAIN_DISK_ERROR_`. */
  readonly error: number
}

/** Sizes of the image of a disk, in bytes. */
export interface BlockInfo {
  /** As the guest sees it. */
  readonly capacity: bigint
  /** As it weighs on the host. */
  readonly allocation: bigint
  /** How long it is for the host, which here is what it weighs. */
  readonly physical: bigint
}

const KIB = 1_024
const UNCOUNTED = -1n
/** The longest period that libvirt can be told. */
const PERIOD_MAX = 2 ** 31 - 1

/** What guests do, counted. */
export class DomainWithStatistics extends DomainWithTuning {
  /**
   * What was read from and written to a disk, which is called by its target or its image; with an empty name, to all of
   * them (virDomainBlockStats).
   */
  async blockStats(disk: string): Promise<BlockStats> {
    return this.read('virDomainBlockStats', () => this.#blockStats('virDomainBlockStats', disk))
  }

  /** As `blockStats`, each counter that the host has by its name (virDomainBlockStatsFlags). */
  async blockStatsFlags(disk: string, flags = 0): Promise<readonly TypedParameter[]> {
    return this.read('virDomainBlockStatsFlags', async () => {
      checkFlags('virDomainBlockStatsFlags', flags, { known: VIR_TYPED_PARAM_STRING_OKAY })
      const { counted, disks } = await this.#counted('virDomainBlockStatsFlags', disk)
      return BLOCK_STATS.flatMap(([field, counter]) => {
        const value = sumOf(counted, counter, disks)
        return value === undefined ? [] : [{ field, type: VIR_TYPED_PARAM_LLONG, value }]
      })
    })
  }

  /** What went through an interface, which is called by its target or its hardware address (virDomainInterfaceStats). */
  async interfaceStats(device: string): Promise<InterfaceStats> {
    return this.read('virDomainInterfaceStats', async () => {
      const [{ nics: counted }, { nics = [] }] = await this.#metrics('virDomainInterfaceStats')
      const { id } = this.#find(nics, device, nic => [nic.device, nic.mac], 'interface')
      const counters: Partial<NicMetrics> = counted.find(one => one.id === id) ?? {}
      const count = (value: number | undefined) => (value === undefined ? UNCOUNTED : whole(value))
      return {
        rxBytes: count(counters.receivedBytes),
        rxPackets: count(counters.receivedPackets),
        rxErrs: count(counters.receivedErrors),
        rxDrop: count(counters.receivedDropped),
        txBytes: count(counters.sentBytes),
        txPackets: count(counters.sentPackets),
        txErrs: count(counters.sentErrors),
        txDrop: count(counters.sentDropped),
      }
    })
  }

  /**
   * What the guest has of its memory, and what it and the host say of it; the first `nrStats` counters
   * (virDomainMemoryStats).
   */
  async memoryStats(nrStats?: number, flags = 0): Promise<readonly MemoryStat[]> {
    return this.read('virDomainMemoryStats', async () => {
      checkFlags('virDomainMemoryStats', flags, {})
      const metrics = this.host.group('virDomainMemoryStats', 'metrics')
      const measured = await this.active(() => this.host.seeing(this.id, () => metrics.domain(this.id)))
      return firstOf(memoryStatsOf(measured), nrStats, 'virDomainMemoryStats')
    })
  }

  /**
   * Has the guest tell of its memory every so many seconds, with 0 no more: now, where it is active, and from its next
   * start on; with `VIR_DOMAIN_AFFECT_CONFIG` from then on alone (virDomainSetMemoryStatsPeriod).
   */
  async setMemoryStatsPeriod(period: number, flags = 0): Promise<void> {
    const name = 'virDomainSetMemoryStatsPeriod'
    await this.change(name, async () => {
      checkFlags(name, flags, { known: VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG })
      if (!Number.isSafeInteger(period) || period < 0 || period > PERIOD_MAX) {
        throw this.host.error(VIR_ERR_INVALID_ARG, `period in ${name} must be zero or greater`)
      }
      const devices = this.host.group(name, 'devices')
      if (devices.setMemoryStatsPeriod === undefined) throw this.host.error(VIR_ERR_NO_SUPPORT, name)
      let isLive = false
      await this.amend((config, now) => {
        isLive = impactOf(this.host, flags, now).isLive
        return isLive ? undefined : withPeriod(config, period)
      })
      if (!isLive) return
      const seconds = period === 0 ? null : period
      await this.host.remembered.turns.run(this.id, async () => devices.setMemoryStatsPeriod?.(this.id, seconds))
    })
  }

  /** The disks whose images could not be read or written, of which the domain may be paused (virDomainGetDiskErrors). */
  async getDiskErrors(maxErrors?: number, flags = 0): Promise<readonly DiskErrorInfo[]> {
    const name = 'virDomainGetDiskErrors'
    return this.read(name, async () => {
      checkFlags(name, flags, {})
      const metrics = this.host.group(name, 'metrics')
      if (metrics.diskErrors === undefined) throw this.host.error(VIR_ERR_NO_SUPPORT, name)
      const failing = await this.active(() =>
        this.host.seeing(this.id, async () => metrics.diskErrors?.(this.id) ?? []),
      )
      const { disks } = await this.#asItRuns(await this.host.described(this.id))
      const told = disks.flatMap(({ id, device }) => {
        const reason = failing.find(one => one.id === id)?.reason
        return reason === undefined ? [] : [{ disk: device, error: DISK_ERRORS[reason] }]
      })
      return firstOf(told, maxErrors, name)
    })
  }

  /** The sizes of the image of a disk, which is called by its target or its image (virDomainGetBlockInfo). */
  async getBlockInfo(disk: string, flags = 0): Promise<BlockInfo> {
    return this.read('virDomainGetBlockInfo', async () => {
      checkFlags('virDomainGetBlockInfo', flags, {})
      const storage = this.host.group('virDomainGetBlockInfo', 'storage')
      const { domain, config, living } = await this.host.described(this.id)
      const { disks } = await this.living(domain, config, living)
      const { location, device } = this.#find(disks, disk, namesOf, 'disk')
      if (location === '')
        throw this.host.error(VIR_ERR_INVALID_ARG, `disk '${device}' does not currently have a source assigned`)
      const { virtualBytes, physicalBytes } = await storage.getVolume(location)
      const physical = BigInt(physicalBytes)
      return { capacity: BigInt(virtualBytes), allocation: physical, physical }
    })
  }

  /**
   * Grows the image of a disk, which is called by its target or its image, under the eyes of the guest: to `size` KiB, or
   * bytes with `VIR_DOMAIN_BLOCK_RESIZE_BYTES` (virDomainBlockResize).
   */
  async blockResize(disk: string, size: number, flags = 0): Promise<void> {
    await this.change('virDomainBlockResize', async () => {
      checkFlags('virDomainBlockResize', flags, { known: VIR_DOMAIN_BLOCK_RESIZE_BYTES })
      const storage = this.host.group('virDomainBlockResize', 'storage')
      const bytes = size * (has(flags, VIR_DOMAIN_BLOCK_RESIZE_BYTES) ? 1 : KIB)
      if (!Number.isSafeInteger(bytes)) throw this.host.error(VIR_ERR_OVERFLOW, `size is too large: ${size}`)
      const now = await this.now()
      if (!isActiveState(now.state)) throw this.host.error(VIR_ERR_OPERATION_INVALID, 'domain is not running')
      const { disks } = await this.living(now, await this.config())
      const { location, device } = this.#find(disks, disk, namesOf, 'disk')
      if (location === '') {
        throw this.host.error(VIR_ERR_INVALID_ARG, `disk '${device}' does not currently have a source assigned`)
      }
      await storage.resizeVolume(location, bytes)
    })
  }

  async #blockStats(name: FunctionName, disk: string): Promise<BlockStats> {
    const { counted, disks } = await this.#counted(name, disk)
    const sum = (counter: Exclude<keyof DiskMetrics, 'id'>) => sumOf(counted, counter, disks) ?? UNCOUNTED
    return {
      rdReq: sum('reads'),
      rdBytes: sum('readBytes'),
      wrReq: sum('writes'),
      wrBytes: sum('writtenBytes'),
      errs: sum('errors'),
    }
  }

  /** What is counted of a disk, or with an empty name of all, and of how many it should be. */
  async #counted(name: FunctionName, disk: string) {
    const [{ disks: all }, { disks }] = await this.#metrics(name)
    const meant = disk === '' ? disks : [this.#find(disks, disk, namesOf, 'disk')]
    return { counted: all.filter(({ id }) => meant.some(each => each.id === id)), disks: meant.length }
  }

  async #metrics(name: FunctionName) {
    const metrics = this.host.group(name, 'metrics')
    const now = await this.now()
    if (!isActiveState(now.state)) throw this.host.error(VIR_ERR_OPERATION_INVALID, 'domain is not running')
    return Promise.all([
      metrics.domain(this.id),
      this.host.described(this.id).then(described => this.#asItRuns(described)),
    ])
  }

  #asItRuns({ domain, config, living }: DescribedDomain): Promise<DomainConfig> {
    return this.living(domain, config, living)
  }

  /** The first device that has this name among its names. */
  #find<D>(devices: readonly D[], name: string, names: (device: D) => readonly string[], what: string): D {
    const found = devices.find(device => names(device).includes(name))
    if (found !== undefined && name !== '') return found
    const text = what === 'disk' ? `invalid path: ${name}` : `invalid path, '${name}' is not a known interface`
    throw this.host.error(VIR_ERR_INVALID_ARG, text)
  }
}

/** By the names of libvirt, in its order. Source: libvirt, include/libvirt/libvirt-domain.h, VIR_DOMAIN_BLOCK_STATS_. */
const BLOCK_STATS = [
  ['wr_bytes', 'writtenBytes'],
  ['wr_operations', 'writes'],
  ['rd_bytes', 'readBytes'],
  ['rd_operations', 'reads'],
  ['flush_operations', 'flushes'],
  ['wr_total_times', 'writeNs'],
  ['rd_total_times', 'readNs'],
  ['flush_total_times', 'flushNs'],
  ['errs', 'errors'],
] as const

const DISK_ERRORS = { 'no-space': VIR_DOMAIN_DISK_ERROR_NO_SPACE, unspecified: VIR_DOMAIN_DISK_ERROR_UNSPEC } as const

function withPeriod({ platform = {}, ...config }: DomainConfig, period: number): DomainConfig {
  const { memoryStatsSeconds: _, ...board } = platform
  return { ...config, platform: { ...board, ...(period > 0 && { memoryStatsSeconds: period }) } }
}

const namesOf = ({ device, location }: DiskConfig): readonly string[] => [device, location]
