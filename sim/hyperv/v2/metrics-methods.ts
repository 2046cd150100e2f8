import type { Schema } from '../cim/model.ts'
import { type Method, type MethodCall, Wbem, WmiError } from '../cim/provider.ts'
import { answerNow } from '../host/answer.ts'
import type { Host } from '../host/host.ts'
import type { Vm } from '../host/model.ts'
import { OperationError, Return } from '../host/operation-error.ts'
import { reasonText } from '../host/resources-texts.ts'
import { nameGiven, textGiven, vmGiven } from './given.ts'
import { type Metric, metricNamed, metricsOf } from './metrics-table.ts'
import { keyOf } from './rows.ts'

/** MetricCollectionEnabled of ControlMetrics. Source: the ValueMap of the MOF. */
const Collection = { enable: 2, disable: 3, reset: 4 } as const

/** The methods of the service that collects metrics. */
export function metricMethods(host: Host, schema: Schema): Readonly<Record<string, Method>> {
  return {
    'Msvm_MetricService.ControlMetrics': ({ input }) => answerNow(() => control(host, schema, input)),
    // Source: a host was seen to call the path of a machine an invalid parameter here.
    'Msvm_MetricService.ShowMetrics': () => invalid(),
    'Msvm_MetricService.ShowMetricsByClass': () => invalid(),
  }
}

function invalid(): never {
  throw new WmiError(Wbem.invalidParameter, 'Invalid parameter')
}

function control(host: Host, schema: Schema, input: MethodCall['input']): void {
  const vm = vmGiven(host, schema, textGiven(input, 'Subject'))
  const wanted = metricsGiven(host, input)
  const now = host.clock.now()
  switch (input.get('MetricCollectionEnabled')) {
    case Collection.enable:
      collect(host, vm, new Set([...collectedOf(host, vm), ...wanted]), vm.metricsSince ?? now)
      break
    case Collection.disable:
      collect(host, vm, new Set(collectedOf(host, vm).filter(id => !wanted.includes(id))), vm.metricsSince ?? now)
      break
    case Collection.reset:
      if (vm.metricsSince !== undefined) vm.metricsSince = now
      break
    default:
      throw new OperationError(Return.invalidParameter, reasonText(host.locale, 'invalid'))
  }
  host.touch()
}

/** The metrics that Definition names; all where it is left out. */
function metricsGiven(host: Host, input: MethodCall['input']): string[] {
  const path = textGiven(input, 'Definition')
  if (path === undefined || path === '') return idsOf(metricsOf(host.state.build))
  const metric = metricNamed(keyOf(nameGiven(path), 'Id') ?? '', host.state.build)
  if (metric === undefined) throw new OperationError(Return.invalidParameter, reasonText(host.locale, 'invalid'))
  return [metric.id]
}

const idsOf = (metrics: readonly Metric[]): string[] => metrics.map(({ id }) => id)

function collectedOf(host: Host, vm: Vm): string[] {
  return vm.metricsSince === undefined ? [] : (vm.metrics ?? idsOf(metricsOf(host.state.build)))
}

function collect(host: Host, vm: Vm, ids: ReadonlySet<string>, since: number): void {
  delete vm.metricsSince
  delete vm.metrics
  if (ids.size === 0) return
  vm.metricsSince = since
  if (ids.size < metricsOf(host.state.build).length) vm.metrics = [...ids]
}
