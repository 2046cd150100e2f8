import {
  type DirtyRate,
  type Domain as DriverDomain,
  type DomainConfig,
  DriverError,
  type DomainId,
  type DomainMetrics,
  type Volume,
} from '../drivers/driver.ts'
import { ConnectionWithFacts } from './connection-facts.ts'
import { Domain } from './domain.ts'
import { filterDomains } from './domain-filter.ts'
import { VIR_ERR_ARGUMENT_UNSUPPORTED } from './error-numbers.ts'
import { checkFlags, type FunctionName, has } from './flag-check.ts'
import {
  VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE,
  VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING,
  VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS,
  VIR_CONNECT_GET_ALL_DOMAINS_STATS_INACTIVE,
  VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT,
  VIR_CONNECT_GET_ALL_DOMAINS_STATS_OTHER,
  VIR_CONNECT_GET_ALL_DOMAINS_STATS_PAUSED,
  VIR_CONNECT_GET_ALL_DOMAINS_STATS_PERSISTENT,
  VIR_CONNECT_GET_ALL_DOMAINS_STATS_RUNNING,
  VIR_CONNECT_GET_ALL_DOMAINS_STATS_SHUTOFF,
  VIR_CONNECT_GET_ALL_DOMAINS_STATS_TRANSIENT,
  VIR_DOMAIN_STATS_BALLOON,
  VIR_DOMAIN_STATS_BLOCK,
  VIR_DOMAIN_STATS_CPU_TOTAL,
  VIR_DOMAIN_STATS_DIRTYRATE,
  VIR_DOMAIN_STATS_INTERFACE,
  VIR_DOMAIN_STATS_IOTHREAD,
  VIR_DOMAIN_STATS_MEMORY,
  VIR_DOMAIN_STATS_PERF,
  VIR_DOMAIN_STATS_STATE,
  VIR_DOMAIN_STATS_VCPU,
} from './flags/index.ts'
import { isActiveState } from './remembered.ts'
import { askEach } from './side-by-side.ts'
import { type StatsParameter, statisticsOf } from './statistics.ts'

/** What is told of a domain. */
export interface DomainStatsRecord {
  readonly dom: Domain
  readonly params: readonly StatsParameter[]
}

// These are the numbers of the flags by which domains are listed.
const FILTERS =
  VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE |
  VIR_CONNECT_GET_ALL_DOMAINS_STATS_INACTIVE |
  VIR_CONNECT_GET_ALL_DOMAINS_STATS_PERSISTENT |
  VIR_CONNECT_GET_ALL_DOMAINS_STATS_TRANSIENT |
  VIR_CONNECT_GET_ALL_DOMAINS_STATS_RUNNING |
  VIR_CONNECT_GET_ALL_DOMAINS_STATS_PAUSED |
  VIR_CONNECT_GET_ALL_DOMAINS_STATS_SHUTOFF |
  VIR_CONNECT_GET_ALL_DOMAINS_STATS_OTHER
const KNOWN =
  FILTERS |
  VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT |
  VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING |
  VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS

const OF_DEFINITIONS = VIR_DOMAIN_STATS_BALLOON | VIR_DOMAIN_STATS_VCPU | VIR_DOMAIN_STATS_BLOCK
/** Which there are only where a host measures domains. */
const MEASURED = VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_INTERFACE
/**
 * Groups that a host of QEMU has, and in which there is nothing: no events are counted, no disk has a thread of its own,
 * and nobody watches bandwidth. Source: libvirt, src/qemu/qemu_driver.c, qemuDomainGetStatsWorkers.
 */
const EMPTY_OF_QEMU = VIR_DOMAIN_STATS_PERF | VIR_DOMAIN_STATS_IOTHREAD | VIR_DOMAIN_STATS_MEMORY

type Measured = ReadonlyMap<DomainId, DomainMetrics>

/** What is counted of many domains at once. */
export class ConnectionWithStatistics extends ConnectionWithFacts {
  /**
   * What `VIR_DOMAIN_STATS_` groups tell of all domains, or of those that flags are for; 0 is all groups that there are.
   * Groups that there are not are left out, or refused with `VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS`
   * (virConnectGetAllDomainStats).
   */
  async getAllDomainStats(stats = 0, flags = 0): Promise<DomainStatsRecord[]> {
    const name = 'virConnectGetAllDomainStats'
    return this.read(name, () => this.#stats(name, { stats, flags }))
  }

  /** As `getAllDomainStats`, of these domains, in their order, without those that are gone (virDomainListGetStats). */
  async domainListGetStats(doms: readonly Domain[], stats = 0, flags = 0): Promise<DomainStatsRecord[]> {
    const name = 'virDomainListGetStats'
    return this.read(name, () => this.#stats(name, { stats, flags, ids: doms.map(dom => dom.getUUIDString()) }))
  }

  async #stats(
    name: FunctionName,
    { stats, flags, ids }: { readonly stats: number; readonly flags: number; readonly ids?: readonly DomainId[] },
  ): Promise<DomainStatsRecord[]> {
    checkFlags(name, flags, { known: KNOWN })
    const groups = this.#groups(stats, flags)
    const domains = await filterDomains(this.host, await this.#those(ids), flags & FILTERS)
    const isMeasured = (groups & (OF_DEFINITIONS | MEASURED)) !== 0
    const isDefined = has(groups, OF_DEFINITIONS | VIR_DOMAIN_STATS_INTERFACE)
    const [configs, metrics] = await Promise.all([
      isDefined ? this.#configs(domains) : undefined,
      isMeasured ? this.#metrics(domains) : new Map<DomainId, DomainMetrics>(),
    ])
    const isOfDisks = has(groups, VIR_DOMAIN_STATS_BLOCK)
    const locations = isOfDisks ? locationsIn([...(configs?.values() ?? [])]) : []
    const isOfBases = has(flags, VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING)
    const [volumes, below, rates] = await Promise.all([
      this.#volumes(locations),
      isOfBases ? this.#below(locations) : new Map<string, readonly Volume[]>(),
      has(groups, VIR_DOMAIN_STATS_DIRTYRATE) ? this.#dirtyRates(domains) : new Map<DomainId, DirtyRate>(),
    ])
    const known = { reasons: this.host.past.reasons, volumes, below }
    return domains.flatMap(domain => {
      const { id } = domain
      const config = configs?.get(id)
      if (configs !== undefined && config === undefined) return [] // It is gone by now.
      const seen = { ...known, domain, config, metrics: metrics.get(id), dirtyRate: rates.get(id) }
      return [{ dom: new Domain(this.host, domain), params: statisticsOf(seen, groups) }]
    })
  }

  /** Those of the groups that there are. */
  #groups(stats: number, flags: number): number {
    const { metrics, name } = this.host.driver
    const measured = metrics === undefined ? 0 : MEASURED
    const looked = metrics?.dirtyRate === undefined ? 0 : VIR_DOMAIN_STATS_DIRTYRATE
    const isQemu = name === 'qemu'
    const there = VIR_DOMAIN_STATS_STATE | OF_DEFINITIONS | measured | looked | (isQemu ? EMPTY_OF_QEMU : 0)
    const missing = (stats & ~there) >>> 0
    if (missing !== 0 && has(flags, VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS)) {
      const whose = isQemu ? 'this daemon or QEMU' : 'this daemon'
      const text = `Stats types bits 0x${missing.toString(16)} are not supported by ${whose}`
      throw this.host.error(VIR_ERR_ARGUMENT_UNSUPPORTED, text)
    }
    return stats === 0 ? there : stats & there
  }

  async #those(ids: readonly DomainId[] | undefined): Promise<readonly DriverDomain[]> {
    const domains = await this.host.domains()
    if (ids === undefined) return domains
    const byId = new Map(domains.map(domain => [domain.id, domain]))
    return ids.flatMap(id => byId.get(id) ?? [])
  }

  /** What they are made of: those that are active as they run, the others as they are defined. */
  async #configs(domains: readonly DriverDomain[]): Promise<ReadonlyMap<DomainId, DomainConfig>> {
    const ids = domains.map(({ id }) => id)
    const configs = await this.host.driver.domains.configs(ids, { isLiving: true })
    return new Map(configs.map(config => [config.id, config]))
  }

  async #metrics(domains: readonly DriverDomain[]): Promise<Measured> {
    const { metrics } = this.host.driver
    const ids = domains.filter(({ state }) => isActiveState(state)).map(({ id }) => id)
    if (metrics === undefined || ids.length === 0) return new Map()
    if (metrics.domains !== undefined) return new Map((await metrics.domains(ids)).map(each => [each.id, each]))
    const each = await askEach(ids, async id => {
      const measured = await ifTold(() => metrics.domain(id))
      return measured === undefined ? [] : [[id, measured] as const]
    })
    return new Map(each.flat())
  }

  async #volumes(locations: readonly string[]): Promise<ReadonlyMap<string, Volume>> {
    const { storage } = this.host.driver
    if (storage === undefined || locations.length === 0) return NO_VOLUMES
    if (storage.getVolumes !== undefined) return storage.getVolumes(locations)
    const each = await askEach(locations, async location => {
      const volume = await ifTold(() => storage.getVolume(location))
      return volume === undefined ? [] : [[location, volume] as const]
    })
    return new Map(each.flat())
  }

  async #dirtyRates(domains: readonly DriverDomain[]): Promise<ReadonlyMap<DomainId, DirtyRate>> {
    const { metrics } = this.host.driver
    const active = domains.filter(({ state }) => isActiveState(state))
    const each = await askEach(active, async ({ id }) => {
      const rate = await ifTold(async () => metrics?.dirtyRate?.(id))
      return rate === undefined ? [] : [[id, rate] as const]
    })
    return new Map(each.flat())
  }

  /** What images build on, where the host tells of it. */
  async #below(locations: readonly string[]): Promise<ReadonlyMap<string, readonly Volume[]>> {
    const { storage } = this.host.driver
    const each = await askEach(locations, async location => {
      const below = await ifTold(async () => storage?.volumesBelow?.(location))
      return below === undefined ? [] : [[location, below] as const]
    })
    return new Map(each.flat())
  }
}

/** Where the images of disks are, each once. */
const locationsIn = (configs: readonly DomainConfig[]): string[] =>
  [...new Set(configs.flatMap(({ disks }) => disks.map(({ location }) => location)))].filter(each => each !== '')

const NO_VOLUMES: ReadonlyMap<string, Volume> = new Map()

/** What a host tells of one of many; undefined where it says that there is none, or nothing to tell now. */
async function ifTold<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof DriverError && error.kind !== 'unreachable') return undefined
    throw error
  }
}
