import type {
  DirtyRate,
  DiskMetrics,
  Domain,
  DomainConfig,
  DomainMetrics,
  NicMetrics,
  Volume,
} from '../drivers/driver.ts'
import { cpuTimeOf, memoryStatsOf, nanoseconds, whole } from './counted.ts'
import type { TypedParameter } from './domain-scheduling.ts'
import { stateAndReason } from './domain-state.ts'
import { has } from './flag-check.ts'
import {
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
  VIR_DOMAIN_STATS_BALLOON,
  VIR_DOMAIN_STATS_BLOCK,
  VIR_DOMAIN_STATS_CPU_TOTAL,
  VIR_DOMAIN_STATS_DIRTYRATE,
  VIR_DOMAIN_STATS_INTERFACE,
  VIR_DOMAIN_STATS_STATE,
  VIR_DOMAIN_STATS_VCPU,
  VIR_TYPED_PARAM_INT,
  VIR_TYPED_PARAM_LLONG,
  VIR_TYPED_PARAM_STRING,
  VIR_TYPED_PARAM_UINT,
  VIR_TYPED_PARAM_ULLONG,
  VIR_VCPU_RUNNING,
} from './flags/index.ts'
import type { StateReasons } from './state-reasons.ts'

/** A text by its name, as libvirt's virTypedParameter. */
export interface TextParameter {
  readonly field: string
  /** `VIR_TYPED_PARAM_STRING`. */
  readonly type: typeof VIR_TYPED_PARAM_STRING
  readonly value: string
}

/** Something that is told of a domain, by its name: a number or a text. */
export type StatsParameter = TypedParameter | TextParameter

/** What is known of a domain, to tell of it. */
export interface Seen {
  readonly domain: Domain
  /** Why domains are what they are. */
  readonly reasons: StateReasons
  /** Undefined where no group that is told needs it. */
  readonly config: DomainConfig | undefined
  /** Undefined where it has none now. */
  readonly metrics: DomainMetrics | undefined
  /** Volumes by where they are; those that cannot be told of are not there. */
  readonly volumes: ReadonlyMap<string, Volume>
  /** What they build on, the nearest first, by where they are; nothing where that is not to be told. */
  readonly below: ReadonlyMap<string, readonly Volume[]>
  /** How fast it writes to its memory; undefined where that is not to be told. */
  readonly dirtyRate: DirtyRate | undefined
}

const KIB = 1_024

/**
 * What groups of statistics tell of a domain. A counter that its host does not have is not there.
 * Source: libvirt, src/libvirt-domain.c, virConnectGetAllDomainStats.
 */
export function statisticsOf(seen: Seen, groups: number): StatsParameter[] {
  return GROUPS.flatMap(([group, tell]) => (has(groups, group) ? tell(seen) : []))
}

type Group = readonly [group: number, tell: (seen: Seen) => readonly StatsParameter[]]

const GROUPS: readonly Group[] = [
  [VIR_DOMAIN_STATS_STATE, stateOf],
  [VIR_DOMAIN_STATS_CPU_TOTAL, cpuTimes],
  [VIR_DOMAIN_STATS_BALLOON, memoryOf],
  [VIR_DOMAIN_STATS_VCPU, vcpusOf],
  [VIR_DOMAIN_STATS_INTERFACE, interfacesOf],
  [VIR_DOMAIN_STATS_BLOCK, disksOf],
  [VIR_DOMAIN_STATS_DIRTYRATE, dirtyRateOf],
]

const ofType = (type: number) => (field: string, value: number) => ({ field, type, value: whole(value) })
const int = ofType(VIR_TYPED_PARAM_INT)
const uint = ofType(VIR_TYPED_PARAM_UINT)
const llong = ofType(VIR_TYPED_PARAM_LLONG)
const ullong = ofType(VIR_TYPED_PARAM_ULLONG)
/** Where it is counted. */
const counter = (field: string, value: number | undefined) => (value === undefined ? [] : [ullong(field, value)])
const time = (field: string, ms: number | undefined) =>
  ms === undefined ? [] : [{ field, type: VIR_TYPED_PARAM_ULLONG, value: nanoseconds(ms) }]
const text = (field: string, value: string) => ({ field, type: VIR_TYPED_PARAM_STRING, value }) as const

function stateOf({ domain, reasons }: Seen): readonly StatsParameter[] {
  const { state, reason } = stateAndReason(reasons, domain)
  return [int('state.state', state), int('state.reason', reason)]
}

function cpuTimes({ metrics }: Seen): readonly StatsParameter[] {
  if (metrics === undefined) return []
  const { totalMs, userMs, systemMs } = cpuTimeOf(metrics)
  return [...time('cpu.time', totalMs), ...time('cpu.user', userMs), ...time('cpu.system', systemMs)]
}

/** What is told of memory beside what a domain has now and at most, by how libvirt calls it here. */
const OF_MEMORY: ReadonlyMap<number, string> = new Map([
  [VIR_DOMAIN_MEMORY_STAT_SWAP_IN, 'swap_in'],
  [VIR_DOMAIN_MEMORY_STAT_SWAP_OUT, 'swap_out'],
  [VIR_DOMAIN_MEMORY_STAT_MAJOR_FAULT, 'major_fault'],
  [VIR_DOMAIN_MEMORY_STAT_MINOR_FAULT, 'minor_fault'],
  [VIR_DOMAIN_MEMORY_STAT_UNUSED, 'unused'],
  [VIR_DOMAIN_MEMORY_STAT_AVAILABLE, 'available'],
  [VIR_DOMAIN_MEMORY_STAT_RSS, 'rss'],
  [VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE, 'last-update'],
  [VIR_DOMAIN_MEMORY_STAT_USABLE, 'usable'],
  [VIR_DOMAIN_MEMORY_STAT_DISK_CACHES, 'disk_caches'],
  [VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGALLOC, 'hugetlb_pgalloc'],
  [VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGFAIL, 'hugetlb_pgfail'],
])

function memoryOf({ config, metrics }: Seen): readonly StatsParameter[] {
  if (config === undefined) return []
  const { memoryBytes, memoryTargetBytes = memoryBytes } = config
  const nowBytes = metrics?.memoryBytes ?? memoryTargetBytes
  const told = metrics === undefined ? [] : memoryStatsOf(metrics)
  return [
    ullong('balloon.current', nowBytes / KIB),
    ullong('balloon.maximum', Math.ceil(memoryBytes / KIB)),
    ...told.flatMap(({ tag, val }) => {
      const name = OF_MEMORY.get(tag)
      return name === undefined ? [] : [{ field: `balloon.${name}`, type: VIR_TYPED_PARAM_ULLONG, value: val }]
    }),
  ]
}

function vcpusOf({ config, metrics }: Seen): readonly StatsParameter[] {
  if (config === undefined) return []
  const count = metrics?.vcpuMs.length ?? config.vcpus
  const each = (metrics?.vcpuMs ?? []).flatMap((ms, number) => {
    const { waitMs, delayMs } = metrics?.vcpus?.[number] ?? {}
    return [
      int(`vcpu.${number}.state`, VIR_VCPU_RUNNING),
      ...time(`vcpu.${number}.time`, ms),
      ...time(`vcpu.${number}.wait`, waitMs),
      ...time(`vcpu.${number}.delay`, delayMs),
    ]
  })
  return [uint('vcpu.current', count), uint('vcpu.maximum', count), ...each]
}

/** libvirt tells of them while the domain is active. */
function interfacesOf({ config, metrics }: Seen): readonly StatsParameter[] {
  if (config === undefined || metrics === undefined) return []
  const { nics = [] } = config
  const counters = new Map(metrics.nics.map(counted => [counted.id, counted]))
  const each = nics.flatMap(({ id, device }, number) => [
    text(`net.${number}.name`, device),
    ...trafficOf(`net.${number}`, counters.get(id)),
  ])
  return [uint('net.count', nics.length), ...each]
}

const trafficOf = (net: string, counted: Partial<NicMetrics> = {}): readonly StatsParameter[] => [
  ...counter(`${net}.rx.bytes`, counted.receivedBytes),
  ...counter(`${net}.rx.pkts`, counted.receivedPackets),
  ...counter(`${net}.rx.errs`, counted.receivedErrors),
  ...counter(`${net}.rx.drop`, counted.receivedDropped),
  ...counter(`${net}.tx.bytes`, counted.sentBytes),
  ...counter(`${net}.tx.pkts`, counted.sentPackets),
  ...counter(`${net}.tx.errs`, counted.sentErrors),
  ...counter(`${net}.tx.drop`, counted.sentDropped),
]

function disksOf({ config, metrics, volumes, below }: Seen): readonly StatsParameter[] {
  if (config === undefined) return []
  const counters = new Map(metrics?.disks.map(counted => [counted.id, counted]))
  const images = config.disks.flatMap(disk => [
    { ...disk, volume: volumes.get(disk.location), counted: counters.get(disk.id), index: 0 },
    ...(below.get(disk.location) ?? []).map((volume, depth) => {
      return { ...disk, location: volume.location, volume, counted: undefined, index: depth + 1 }
    }),
  ])
  const each = images.flatMap(({ device, location, volume, counted, index }, number) => [
    text(`block.${number}.name`, device),
    ...(location === '' ? [] : [text(`block.${number}.path`, location)]),
    ...(index === 0 ? [] : [uint(`block.${number}.backingIndex`, index)]),
    ...requestsOf(`block.${number}`, counted),
    ...sizesOf(`block.${number}`, volume),
  ])
  return [uint('block.count', images.length), ...each]
}

const requestsOf = (block: string, counted: Partial<DiskMetrics> = {}): readonly StatsParameter[] => [
  ...counter(`${block}.rd.reqs`, counted.reads),
  ...counter(`${block}.rd.bytes`, counted.readBytes),
  ...counter(`${block}.rd.times`, counted.readNs),
  ...counter(`${block}.wr.reqs`, counted.writes),
  ...counter(`${block}.wr.bytes`, counted.writtenBytes),
  ...counter(`${block}.wr.times`, counted.writeNs),
  ...counter(`${block}.fl.reqs`, counted.flushes),
  ...counter(`${block}.fl.times`, counted.flushNs),
]

const sizesOf = (block: string, volume: Volume | undefined): readonly StatsParameter[] =>
  volume === undefined
    ? []
    : [
        ullong(`${block}.allocation`, volume.physicalBytes),
        ullong(`${block}.capacity`, volume.virtualBytes),
        ullong(`${block}.physical`, volume.physicalBytes),
      ]

/** Source: libvirt, include/libvirt/libvirt-domain.h, virDomainDirtyRateStatus. */
const RATE_STATES = { unstarted: 0, measuring: 1, measured: 2 } as const

function dirtyRateOf({ dirtyRate }: Seen): readonly StatsParameter[] {
  if (dirtyRate === undefined) return []
  const { status, startS, periodS, mode, mibPerS } = dirtyRate
  return [
    int('dirtyrate.calc_status', RATE_STATES[status]),
    llong('dirtyrate.calc_start_time', startS),
    int('dirtyrate.calc_period', periodS),
    text('dirtyrate.calc_mode', mode),
    ...(mibPerS === undefined ? [] : [llong('dirtyrate.megabytes_per_second', mibPerS)]),
  ]
}
