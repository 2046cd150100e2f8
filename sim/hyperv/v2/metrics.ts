import { datetimeOf, intervalOf } from '../cim/datetime.ts'
import type { Instance, Schema } from '../cim/model.ts'
import type { ClassProvider, ObjectName, Provider } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import type { Vm } from '../host/model.ts'
import { named, nameOfService, nameOfSystem } from '../host/names.ts'
import { nameOfVm } from '../host/settings.ts'
import { metricMethods } from './metrics-methods.ts'
import { type Metric, metricNamed, metricsOf } from './metrics-table.ts'
import { type Reading, readingsOf } from './metrics-values.ts'
import { associationOf, keyOf, type Pair, pathIn, providerOf, type Row, rowOf } from './rows.ts'
import { type Service, serviceProvider } from './services.ts'

/** The service that collects metrics. Source: the Name is as hosts print it. */
const SERVICE: Service = {
  className: 'Msvm_MetricService',
  name: 'metricsvc',
  title: 'Hyper-V Metric Service',
  description: 'Service for collecting metrics of virtual systems',
}

const DEFINITIONS = { base: 'Msvm_BaseMetricDefinition', aggregated: 'Msvm_AggregationMetricDefinition' } as const
const VALUES = { base: 'Msvm_BaseMetricValue', aggregated: 'Msvm_AggregationMetricValue' } as const

const definitionClass = ({ isAggregated }: Metric): string => DEFINITIONS[isAggregated ? 'aggregated' : 'base']
const valueClass = ({ isAggregated }: Metric): string => VALUES[isAggregated ? 'aggregated' : 'base']

const nameOfDefinition = (metric: Metric): ObjectName => named(definitionClass(metric), { Id: metric.id })

/** Source: inferred from the other InstanceIDs of what belongs to a machine. */
const valueId = (vmId: string, metric: Metric): string => `Microsoft:${vmId}\\${metric.id.replace('Microsoft:', '')}`

const nameOfValue = ({ vm, metric }: Reading): ObjectName =>
  named(valueClass(metric), { InstanceID: valueId(vm.id, metric) })

/** What metrics there are, what they are of machines that are measured, and the service that turns them on. */
export function metrics(host: Host, schema: Schema): Provider[] {
  const own = providerOf(schema, {
    classes: {
      ...definitionProviders(host, schema),
      ...valueProviders(host, schema),
      Msvm_MetricServiceSettingData: { list: () => [serviceSettings(host, schema)] },
      Msvm_ElementSettingData: serviceSettingsOf(host, schema),
      Msvm_MetricForME: valuesOfMachines(host, schema),
      Msvm_MetricInstance: valuesOfDefinitions(host, schema),
      Msvm_MetricDefForME: definitionsOfMachines(host, schema),
    },
    methods: metricMethods(host, schema),
  })
  return [serviceProvider(host, schema, SERVICE), own]
}

function definitionProviders(host: Host, schema: Schema): Readonly<Record<string, ClassProvider>> {
  const providerFor = (isAggregated: boolean): ClassProvider => ({
    list: () =>
      metricsOf(host.state.build)
        .filter(metric => metric.isAggregated === isAggregated)
        .map(metric => definitionRow(host, schema, metric)),
    find(keys) {
      const metric = metricNamed(keys.get('Id') ?? '', host.state.build)
      return metric?.isAggregated === isAggregated ? definitionRow(host, schema, metric) : undefined
    },
  })
  return { [DEFINITIONS.base]: providerFor(false), [DEFINITIONS.aggregated]: providerFor(true) }
}

// DataType 13: uint64; GatheringType 3: periodic; TimeScope 3: interval; Calculable 3: summable. Source: the ValueMaps.
function definitionRow(host: Host, schema: Schema, metric: Metric): Instance {
  const name = host.locale === 'ja-JP' ? metric.localName : metric.name
  return rowOf(schema, definitionClass(metric), {
    Calculable: metric.isAggregated ? 2 : 3,
    Caption: name,
    ChangeType: metric.isAggregated ? 4 : 3,
    DataType: 13,
    Description: name,
    ElementName: name,
    GatheringType: 3,
    Id: metric.id,
    InstanceID: metric.id,
    IsContinuous: true,
    Name: name,
    ProgrammaticUnits: metric.programmaticUnits,
    TimeScope: 3,
    Units: metric.units,
  })
}

function valueProviders(host: Host, schema: Schema): Readonly<Record<string, ClassProvider>> {
  const providerFor = (isAggregated: boolean): ClassProvider => ({
    *list() {
      for (const vm of host.state.vms) {
        for (const reading of readingsOf(host, vm)) {
          if (reading.metric.isAggregated === isAggregated) yield valueRow(host, schema, reading)
        }
      }
    },
    find(keys) {
      const reading = readingNamed(host, keys.get('InstanceID') ?? '')
      return reading?.metric.isAggregated === isAggregated ? valueRow(host, schema, reading) : undefined
    },
  })
  return { [VALUES.base]: providerFor(false), [VALUES.aggregated]: providerFor(true) }
}

function readingNamed(host: Host, id: string): Reading | undefined {
  const [, vmId = ''] = /^Microsoft:([0-9A-F-]{36})\\/i.exec(id) ?? []
  const vm = host.vm(vmId)
  if (vm === undefined) return undefined
  return readingsOf(host, vm).find(({ metric }) => valueId(vm.id, metric).toLowerCase() === id.toLowerCase())
}

function valueRow(host: Host, schema: Schema, { vm, metric, value, durationMs }: Reading): Instance {
  const Duration = intervalOf(durationMs)
  const TimeStamp = datetimeOf(host.clock.now())
  const aggregation: Row = metric.isAggregated ? { AggregationDuration: Duration, AggregationTimeStamp: TimeStamp } : {}
  const name = host.locale === 'ja-JP' ? metric.localName : metric.name
  return rowOf(schema, valueClass(metric), {
    ...aggregation,
    Caption: name,
    Description: name,
    Duration,
    ElementName: name,
    InstanceID: valueId(vm.id, metric),
    MeasuredElementName: nameOfVm(vm),
    MetricDefinitionId: metric.id,
    MetricValue: String(value),
    TimeStamp,
    Volatile: true,
  })
}

/** The machine that an object is; undefined for anything else. */
function machineAt(host: Host, schema: Schema, object: ObjectName): Vm | undefined {
  return schema.isA(object.className, 'CIM_System') ? host.vm(keyOf(object, 'Name') ?? '') : undefined
}

function valuesOfMachines(host: Host, schema: Schema): ClassProvider {
  const pairsOf = (vm: Vm): Pair[] => readingsOf(host, vm).map(each => [nameOfSystem(vm.id), nameOfValue(each)])
  return associationOf(host, schema, {
    className: 'Msvm_MetricForME',
    ends: ['Antecedent', 'Dependent'],
    list: () => host.state.vms.flatMap(pairsOf),
    *of(object) {
      const vm = machineAt(host, schema, object)
      if (vm !== undefined) yield* pairsOf(vm)
      const reading = readingNamed(host, keyOf(object, 'InstanceID') ?? '')
      if (reading !== undefined) yield [nameOfSystem(reading.vm.id), nameOfValue(reading)]
    },
  })
}

function valuesOfDefinitions(host: Host, schema: Schema): ClassProvider {
  const pairOf = (reading: Reading): Pair => [nameOfDefinition(reading.metric), nameOfValue(reading)]
  const all = (): Reading[] => host.state.vms.flatMap(vm => readingsOf(host, vm))
  return associationOf(host, schema, {
    className: 'Msvm_MetricInstance',
    ends: ['Antecedent', 'Dependent'],
    list: () => all().map(pairOf),
    *of(object) {
      const metric = metricNamed(keyOf(object, 'Id') ?? '', host.state.build)
      if (metric !== undefined)
        yield* all()
          .filter(each => each.metric.id === metric.id)
          .map(pairOf)
      const reading = readingNamed(host, keyOf(object, 'InstanceID') ?? '')
      if (reading !== undefined) yield pairOf(reading)
    },
  })
}

/** Which metrics machines could have, and whether they are collected: 2 enabled, 3 disabled. */
function definitionsOfMachines(host: Host, schema: Schema): ClassProvider {
  const rowsOf = (vm: Vm): Instance[] =>
    metricsOf(host.state.build)
      .filter(({ measures }) => measures !== undefined)
      .map(metric => {
        const isOn = vm.metricsSince !== undefined && (vm.metrics?.includes(metric.id) ?? true)
        return rowOf(schema, 'Msvm_MetricDefForME', {
          Antecedent: pathIn(host, nameOfSystem(vm.id)),
          Dependent: pathIn(host, nameOfDefinition(metric)),
          MetricCollectionEnabled: isOn ? 2 : 3,
        })
      })
  return {
    list: () => host.state.vms.flatMap(rowsOf),
    *referring(object) {
      const vm = machineAt(host, schema, object)
      if (vm !== undefined) yield* rowsOf(vm)
      const metric = metricNamed(keyOf(object, 'Id') ?? '', host.state.build)
      if (metric === undefined) return
      const path = pathIn(host, nameOfDefinition(metric))
      yield* host.state.vms.flatMap(rowsOf).filter(row => row.values.get('Dependent') === path)
    },
  }
}

/** How often values are written down. Source: one hour is the default that Microsoft Learn tells. */
const FLUSH_MS = 3_600_000

function serviceSettings(host: Host, schema: Schema): Instance {
  return rowOf(schema, 'Msvm_MetricServiceSettingData', {
    Caption: SERVICE.title,
    Description: SERVICE.description,
    ElementName: SERVICE.title,
    InstanceID: `Microsoft:${host.state.name}`,
    MetricsFlushInterval: intervalOf(FLUSH_MS),
  })
}

function serviceSettingsOf(host: Host, schema: Schema): ClassProvider {
  const pair: Pair = [
    nameOfService(host, SERVICE.className, SERVICE.name),
    named('Msvm_MetricServiceSettingData', { InstanceID: `Microsoft:${host.state.name}` }),
  ]
  return associationOf(host, schema, {
    className: 'Msvm_ElementSettingData',
    ends: ['ManagedElement', 'SettingData'],
    list: () => [pair],
    values: { IsCurrent: 1, IsDefault: 1, IsNext: 0 },
  })
}
