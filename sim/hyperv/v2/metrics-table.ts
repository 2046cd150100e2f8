/** A metric that a host can collect of a machine. */
export interface Metric {
  /** Msvm_BaseMetricDefinition.Id. */
  readonly id: string
  readonly isAggregated: boolean
  readonly name: string
  readonly localName: string
  readonly units: string
  readonly programmaticUnits: string
  /** What of a machine it measures; absent for what is measured of single resources only. */
  readonly measures?: Measure
  readonly since?: number
}

export type Measure =
  | 'cpu'
  | 'memory'
  | 'memory-most'
  | 'memory-least'
  | 'disk-latency'
  | 'disk-rate'
  | 'disk-read'
  | 'disk-written'
  | 'disk-count'
  | 'network-in'
  | 'network-out'

const MEGABYTES = { units: 'MB', programmaticUnits: 'byte * 2^20' }
const MEGAHERTZ = { units: 'MHz', programmaticUnits: 'hertz * 10^6' }
const MICROSECONDS = { units: 'Microseconds', programmaticUnits: 'second * 10^-6' }
const COUNT = { units: 'Count', programmaticUnits: 'count' }
const PER_SECOND = { units: 'Count per second', programmaticUnits: 'count / second' }

type Unit = typeof MEGABYTES

interface Names {
  readonly name: string
  readonly localName: string
}

function metric(id: string, names: Names, unit: Unit, rest: Partial<Metric> = {}): Metric {
  return { id: `Microsoft:${id}`, isAggregated: true, ...names, ...unit, ...rest }
}

const base = { isAggregated: false } as const

const CPU = { name: 'Average CPU Utilization', localName: '平均 CPU 使用量' }
const MEMORY = { name: 'Average Memory Utilization', localName: '平均メモリ使用量' }
const MEMORY_MOST = { name: 'Maximum Memory', localName: '最大メモリ' }
const MEMORY_LEAST = { name: 'Minimum Memory', localName: '最小メモリ' }
const DISK_SPACE = { name: 'Maximum Disk Allocations', localName: '最大ディスク割り当て' }
const DISK_LATENCY = { name: 'Average Disk Latency', localName: '平均ディスク待ち時間' }
const DISK_RATE = { name: 'Average Normalized Disk Throughput', localName: '正規化された平均ディスク スループット' }
const DISK_READ = { name: 'Disk Data Read', localName: 'ディスク読み取りデータ' }
const DISK_WRITTEN = { name: 'Disk Data Written', localName: 'ディスク書き込みデータ' }
const DISK_COUNT = { name: 'Normalized I/O Operations Completed', localName: '完了した正規化 I/O 操作' }
const NETWORK_IN = {
  name: 'Filtered Incoming Network Traffic',
  localName: 'フィルター済み受信ネットワーク トラフィック',
}
const NETWORK_OUT = {
  name: 'Filtered Outgoing Network Traffic',
  localName: 'フィルター済み送信ネットワーク トラフィック',
}

/**
 * The metrics of a host. Source: the Ids and which of them are aggregations, as a host of Server 2012 R2 prints them;
 * the counts of normalized operations came later, and make the ten base definitions that Server 2025 was seen to have.
 */
const METRICS: readonly Metric[] = [
  metric('04BDF59E-580D-4441-8828-FFFE44472D2D', MEMORY, MEGABYTES),
  metric('04BDF59E-580D-4441-8828-FFFE44472D2E', MEMORY, MEGABYTES, { measures: 'memory' }),
  metric('394DCE66-458F-4895-AE56-41D7C9602A49', MEMORY_MOST, MEGABYTES),
  metric('394DCE66-458F-4895-AE56-41D7C9602A4A', MEMORY_MOST, MEGABYTES, { measures: 'memory-most' }),
  metric('3C215D49-078B-4D9F-8E2E-0C844642D3BB', NETWORK_OUT, MEGABYTES, base),
  metric('3C215D49-078B-4D9F-8E2E-0C844642D3BC', NETWORK_OUT, MEGABYTES, { ...base, measures: 'network-out' }),
  metric('3F6F1051-C8FC-47EF-9821-C07240848748', CPU, MEGAHERTZ),
  metric('3F6F1051-C8FC-47EF-9821-C07240848749', CPU, MEGAHERTZ, { measures: 'cpu' }),
  metric('4E1D459F-7861-46A4-887C-B64397C97E1B', DISK_COUNT, COUNT, { ...base, since: 14393 }),
  metric('534FA8D7-9875-4FAB-BAA6-2424DF29B31E', DISK_WRITTEN, MEGABYTES, { ...base, since: 9600 }),
  metric('72544D55-3035-41DA-B9D7-6C5A39BF8F35', DISK_LATENCY, MICROSECONDS, { since: 9600 }),
  metric('7A9EB0A9-28CF-4216-A6CA-F8DE74A5D4A3', DISK_RATE, PER_SECOND, { measures: 'disk-rate', since: 9600 }),
  metric('8F5001D9-CAB4-4F85-AC1E-887FBBB07641', DISK_LATENCY, MICROSECONDS, { measures: 'disk-latency', since: 9600 }),
  metric('942103D7-A125-4F19-B734-97AEDBF81995', DISK_READ, MEGABYTES, { ...base, measures: 'disk-read', since: 9600 }),
  metric('A4BCA0D9-C27D-4BC8-A7E3-7ED13C89E373', DISK_RATE, PER_SECOND, { since: 9600 }),
  metric('A6C250B0-867B-4CE7-9C47-A4F00AA6BB15', NETWORK_IN, MEGABYTES, base),
  metric('A6C250B0-867B-4CE7-9C47-A4F00AA6BB16', NETWORK_IN, MEGABYTES, { ...base, measures: 'network-in' }),
  metric('A9DFBC22-E05F-438D-9405-22E2078353D6', DISK_READ, MEGABYTES, { ...base, since: 9600 }),
  metric('AD29978B-AAB6-44AE-81CD-0609BF929F18', DISK_SPACE, MEGABYTES),
  metric('AD29978B-AAB6-44AE-81CD-0609BF929F19', DISK_SPACE, MEGABYTES),
  metric('DF735A3F-AB45-4368-80CC-E06F73E8A85C', DISK_COUNT, COUNT, { ...base, measures: 'disk-count', since: 14393 }),
  metric('FF85EA46-9933-4436-BE5D-C96827399966', MEMORY_LEAST, MEGABYTES),
  metric('FF85EA46-9933-4436-BE5D-C96827399967', MEMORY_LEAST, MEGABYTES, { measures: 'memory-least' }),
  metric('FFD2C1DC-091E-4F2A-95F7-75994CE92046', DISK_WRITTEN, MEGABYTES, {
    ...base,
    measures: 'disk-written',
    since: 9600,
  }),
]

/** The metrics that a host of this build has. */
export const metricsOf = (build: number): Metric[] => METRICS.filter(({ since = 0 }) => build >= since)

/** By the Id of its definition, whatever the case. */
export function metricNamed(id: string, build: number): Metric | undefined {
  return metricsOf(build).find(one => one.id.toLowerCase() === id.toLowerCase())
}
