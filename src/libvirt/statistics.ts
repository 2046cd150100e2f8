import type { Domain, DomainConfig, DomainMetrics, Volume } from '../drivers/driver.ts'
import type { TypedParameter } from './domain-scheduling.ts'
import { stateAndReason } from './domain-state.ts'
import { has } from './flag-check.ts'
import {
  VIR_DOMAIN_STATS_BALLOON,
  VIR_DOMAIN_STATS_BLOCK,
  VIR_DOMAIN_STATS_CPU_TOTAL,
  VIR_DOMAIN_STATS_INTERFACE,
  VIR_DOMAIN_STATS_STATE,
  VIR_DOMAIN_STATS_VCPU,
  VIR_TYPED_PARAM_INT,
  VIR_TYPED_PARAM_STRING,
  VIR_TYPED_PARAM_UINT,
  VIR_TYPED_PARAM_ULLONG,
  VIR_VCPU_RUNNING,
} from './flags/index.ts'

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
  /** Undefined where no group that is told needs it. */
  readonly config: DomainConfig | undefined
  /** Undefined where it has none now. */
  readonly metrics: DomainMetrics | undefined
  /** Volumes by where they are; those that cannot be told of are not there. */
  readonly volumes: ReadonlyMap<string, Volume>
}

const KIB = 1_024
const NS_PER_MS = 1_000_000

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
  [VIR_DOMAIN_STATS_CPU_TOTAL, cpuTimeOf],
  [VIR_DOMAIN_STATS_BALLOON, memoryOf],
  [VIR_DOMAIN_STATS_VCPU, vcpusOf],
  [VIR_DOMAIN_STATS_INTERFACE, interfacesOf],
  [VIR_DOMAIN_STATS_BLOCK, disksOf],
]

const whole = (type: number) => (field: string, value: number) => ({ field, type, value: BigInt(Math.round(value)) })
const int = whole(VIR_TYPED_PARAM_INT)
const uint = whole(VIR_TYPED_PARAM_UINT)
const ullong = whole(VIR_TYPED_PARAM_ULLONG)
const text = (field: string, value: string) => ({ field, type: VIR_TYPED_PARAM_STRING, value }) as const

function stateOf({ domain }: Seen): readonly StatsParameter[] {
  const { state, reason } = stateAndReason(domain.state)
  return [int('state.state', state), int('state.reason', reason)]
}

function cpuTimeOf({ metrics }: Seen): readonly StatsParameter[] {
  if (metrics === undefined) return []
  return [ullong('cpu.time', metrics.vcpuMs.reduce((sum, ms) => sum + ms, 0) * NS_PER_MS)]
}

function memoryOf({ config, metrics }: Seen): readonly StatsParameter[] {
  if (config === undefined) return []
  const { memoryBytes, memoryTargetBytes = memoryBytes } = config
  const nowBytes = metrics?.memoryBytes ?? memoryTargetBytes
  return [ullong('balloon.current', nowBytes / KIB), ullong('balloon.maximum', Math.ceil(memoryBytes / KIB))]
}

function vcpusOf({ config, metrics }: Seen): readonly StatsParameter[] {
  if (config === undefined) return []
  const count = metrics?.vcpuMs.length ?? config.vcpus
  const each = (metrics?.vcpuMs ?? []).flatMap((ms, number) => [
    int(`vcpu.${number}.state`, VIR_VCPU_RUNNING),
    ullong(`vcpu.${number}.time`, ms * NS_PER_MS),
  ])
  return [uint('vcpu.current', count), uint('vcpu.maximum', count), ...each]
}

/** libvirt tells of them while the domain is active. */
function interfacesOf({ config, metrics }: Seen): readonly StatsParameter[] {
  if (config === undefined || metrics === undefined) return []
  const { nics = [] } = config
  const counters = new Map(metrics.nics.map(counted => [counted.id, counted]))
  const each = nics.flatMap(({ id, device }, number) => {
    const counted = counters.get(id)
    const bytes =
      counted === undefined
        ? []
        : [ullong(`net.${number}.rx.bytes`, counted.receivedBytes), ullong(`net.${number}.tx.bytes`, counted.sentBytes)]
    return [text(`net.${number}.name`, device), ...bytes]
  })
  return [uint('net.count', nics.length), ...each]
}

function disksOf({ config, metrics, volumes }: Seen): readonly StatsParameter[] {
  if (config === undefined) return []
  const counters = new Map(metrics?.disks.map(counted => [counted.id, counted]))
  const each = config.disks.flatMap(({ id, device, location }, number) => {
    const [counted, volume] = [counters.get(id), volumes.get(location)]
    const name = (of: string) => `block.${number}.${of}`
    return [
      text(name('name'), device),
      ...(location === '' ? [] : [text(name('path'), location)]),
      ...(counted === undefined
        ? []
        : [ullong(name('rd.bytes'), counted.readBytes), ullong(name('wr.bytes'), counted.writtenBytes)]),
      ...(volume === undefined
        ? []
        : [
            ullong(name('allocation'), volume.physicalBytes),
            ullong(name('capacity'), volume.virtualBytes),
            ullong(name('physical'), volume.physicalBytes),
          ]),
    ]
  })
  return [uint('block.count', config.disks.length), ...each]
}
