import type { Host } from '../host/host.ts'
import { cpuTimesOf, memoryUseOf, onTimeOf } from '../host/life.ts'
import type { Vm } from '../host/model.ts'
import { fractionOf } from '../host/random.ts'
import { kindOf } from '../host/resources-settings.ts'
import { type Measure, type Metric, metricsOf } from './metrics-table.ts'
import { CLOCK_MHZ } from './processors.ts'

/** A metric of a machine that is collected, and what it is now. */
export interface Reading {
  readonly vm: Vm
  readonly metric: Metric
  readonly value: number
  /** For how long it has been collected. */
  readonly durationMs: number
}

/** What is collected of a machine; nothing where nobody asked for it, or where it has nothing to be measured. */
export function readingsOf(host: Host, vm: Vm): Reading[] {
  const { metricsSince } = vm
  if (metricsSince === undefined) return []
  const durationMs = Math.max(0, host.clock.now() - metricsSince)
  return metricsOf(host.state.build).flatMap(metric => {
    const { measures, id } = metric
    if (measures === undefined || !hasWhatIsMeasured(host, vm, measures)) return []
    if (vm.metrics !== undefined && !vm.metrics.includes(id)) return []
    return [{ vm, metric, value: Math.round(measure(host, vm, measures, durationMs)), durationMs }]
  })
}

/** Source: a machine without disk and adapter was seen to have four values, those of processor and memory. */
function hasWhatIsMeasured(host: Host, vm: Vm, measures: Measure): boolean {
  const has = (...kinds: readonly string[]): boolean =>
    vm.configuration.resources.some(one => kinds.includes(kindOf(one, host.state.build) ?? ''))
  if (measures.startsWith('disk')) return has('hardDisk')
  return !measures.startsWith('network') || has('connection')
}

/** How busy the disks and adapters of a machine are while it runs: between half and all of this, a second. */
const RATES: Readonly<Partial<Record<Measure, number>>> = {
  'disk-read': 0.4,
  'disk-written': 0.2,
  'disk-count': 60,
  'network-in': 0.05,
  'network-out': 0.02,
}

const LATENCY_MICROSECONDS = 900
const OPERATIONS_PER_SECOND = 60

function measure(host: Host, vm: Vm, measures: Measure, durationMs: number): number {
  const ranMs = Math.min(durationMs, onTimeOf(host, vm))
  const share = durationMs === 0 ? 0 : ranMs / durationMs
  const taste = 0.5 + fractionOf(`${measures} of ${vm.id}`) / 2
  const assignedMb = memoryUseOf(host, vm)?.assignedMb ?? 0
  switch (measures) {
    case 'cpu':
      return averageMegahertz(host, vm, ranMs, durationMs)
    case 'memory':
      return assignedMb * share
    case 'memory-most':
      return ranMs === 0 ? 0 : assignedMb
    case 'memory-least':
      // Who did not run all the time had none for a while.
      return share < 1 ? 0 : assignedMb
    case 'disk-latency':
      return ranMs === 0 ? 0 : LATENCY_MICROSECONDS * taste
    case 'disk-rate':
      return OPERATIONS_PER_SECOND * taste * share
    default:
      return ((RATES[measures] ?? 0) * taste * ranMs) / 1000
  }
}

/** What the processors did since metrics are collected, spread over that time. */
function averageMegahertz(host: Host, vm: Vm, ranMs: number, durationMs: number): number {
  const onMs = onTimeOf(host, vm)
  if (onMs === 0 || durationMs === 0) return 0
  const busyMs = cpuTimesOf(host, vm).reduce((sum, time) => sum + Number(time) / UNITS_PER_MS, 0)
  return (busyMs * (ranMs / onMs) * CLOCK_MHZ) / durationMs
}

/** CPU times are in units of 100 ns. */
const UNITS_PER_MS = 10_000
