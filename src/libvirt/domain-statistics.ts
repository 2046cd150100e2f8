import type { DiskConfig } from '../drivers/driver.ts'
import { DomainWithTuning } from './domain-tuning.ts'
import type { TypedParameter } from './domain-scheduling.ts'
import { VIR_ERR_INVALID_ARG, VIR_ERR_OPERATION_INVALID, VIR_ERR_OVERFLOW } from './error-numbers.ts'
import { checkFlags, type FunctionName, has } from './flag-check.ts'
import {
  VIR_DOMAIN_BLOCK_RESIZE_BYTES,
  VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON,
  VIR_TYPED_PARAM_LLONG,
  VIR_TYPED_PARAM_STRING_OKAY,
} from './flags/index.ts'
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

/** A counter of a guest's memory. */
export interface MemoryStat {
  /** One of `VIR_DOMAIN_MEMORY_STAT_`. */
  readonly tag: number
  /** In KiB. */
  readonly val: bigint
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
      const { rdBytes, wrBytes } = await this.#blockStats('virDomainBlockStatsFlags', disk)
      const counter = (field: string, value: bigint) =>
        value === UNCOUNTED ? [] : [{ field, type: VIR_TYPED_PARAM_LLONG, value }]
      return [...counter('rd_bytes', rdBytes), ...counter('wr_bytes', wrBytes)]
    })
  }

  /** What went through an interface, which is called by its target or its hardware address (virDomainInterfaceStats). */
  async interfaceStats(device: string): Promise<InterfaceStats> {
    return this.read('virDomainInterfaceStats', async () => {
      const [{ nics: counted }, { nics = [] }] = await this.#metrics('virDomainInterfaceStats')
      const { id } = this.#find(nics, device, nic => [nic.device, nic.mac], 'interface')
      const counters = counted.find(one => one.id === id)
      const [rx, tx] = [counters?.receivedBytes, counters?.sentBytes]
      return {
        rxBytes: rx === undefined ? UNCOUNTED : BigInt(Math.round(rx)),
        rxPackets: UNCOUNTED,
        rxErrs: UNCOUNTED,
        rxDrop: UNCOUNTED,
        txBytes: tx === undefined ? UNCOUNTED : BigInt(Math.round(tx)),
        txPackets: UNCOUNTED,
        txErrs: UNCOUNTED,
        txDrop: UNCOUNTED,
      }
    })
  }

  /** What the guest has of its memory; the first `nrStats` counters (virDomainMemoryStats). */
  async memoryStats(nrStats?: number, flags = 0): Promise<readonly MemoryStat[]> {
    return this.read('virDomainMemoryStats', async () => {
      checkFlags('virDomainMemoryStats', flags, {})
      const metrics = this.host.group('virDomainMemoryStats', 'metrics')
      const { memoryBytes } = await this.active(() => this.host.seeing(this.id, () => metrics.domain(this.id)))
      const val = BigInt(Math.round(memoryBytes / KIB))
      return firstOf([{ tag: VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON, val }], nrStats, 'virDomainMemoryStats')
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
    const [{ disks: counted }, { disks }] = await this.#metrics(name)
    const meant = disk === '' ? disks : [this.#find(disks, disk, namesOf, 'disk')]
    const counters = counted.filter(({ id }) => meant.some(each => each.id === id))
    const sum = (bytesOf: (counter: (typeof counted)[number]) => number) =>
      counters.length === 0 && meant.length > 0
        ? UNCOUNTED
        : BigInt(counters.reduce((all, one) => all + Math.round(bytesOf(one)), 0))
    return {
      rdReq: UNCOUNTED,
      rdBytes: sum(({ readBytes }) => readBytes),
      wrReq: UNCOUNTED,
      wrBytes: sum(({ writtenBytes }) => writtenBytes),
      errs: UNCOUNTED,
    }
  }

  async #metrics(name: FunctionName) {
    const metrics = this.host.group(name, 'metrics')
    const now = await this.now()
    if (!isActiveState(now.state)) throw this.host.error(VIR_ERR_OPERATION_INVALID, 'domain is not running')
    return Promise.all([metrics.domain(this.id), this.config().then(config => this.living(now, config))])
  }

  /** The first device that has this name among its names. */
  #find<D>(devices: readonly D[], name: string, names: (device: D) => readonly string[], what: string): D {
    const found = devices.find(device => names(device).includes(name))
    if (found !== undefined && name !== '') return found
    const text = what === 'disk' ? `invalid path: ${name}` : `invalid path, '${name}' is not a known interface`
    throw this.host.error(VIR_ERR_INVALID_ARG, text)
  }
}

const namesOf = ({ device, location }: DiskConfig): readonly string[] => [device, location]
