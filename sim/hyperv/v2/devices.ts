import { textOf } from '../cim/instance.ts'
import type { Instance, Schema } from '../cim/model.ts'
import type { ObjectName, Provider } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import type { Vm } from '../host/model.ts'
import { named, nameOfSystem } from '../host/names.ts'
import { OperationError, Return } from '../host/operation-error.ts'
import { associationOf, keyOf, type Pair, providerOf, type Row, rowOf } from './rows.ts'

/** A device of one class as it is now: DeviceID tells those of one machine apart. */
export type DeviceRow = Row & { readonly DeviceID: string }

/** A class of devices that machines have while they run. */
export interface DeviceClass {
  readonly className: string
  /** Those of a machine; asked for machines that have a worker process only. */
  readonly of: (vm: Vm) => readonly DeviceRow[]
  /** Those of the host itself. */
  readonly ofHost?: () => readonly DeviceRow[]
}

/** The devices of a class, and what joins them to their systems. */
export function deviceProvider(host: Host, schema: Schema, { className, of, ofHost }: DeviceClass): Provider {
  const devicesOf = (vm: Vm): readonly DeviceRow[] => (vm.processId === undefined ? [] : of(vm))
  const systemOf = (name: string): System | undefined => {
    const vm = host.vm(name)
    if (vm !== undefined) return { name: vm.id, rows: devicesOf(vm) }
    return name.toUpperCase() === host.state.name ? { name: host.state.name, rows: ofHost?.() ?? [] } : undefined
  }
  function* systems(): Iterable<System> {
    yield { name: host.state.name, rows: ofHost?.() ?? [] }
    for (const vm of host.state.vms) yield { name: vm.id, rows: devicesOf(vm) }
  }
  return providerOf(schema, {
    classes: {
      [className]: {
        *list() {
          for (const { name, rows } of systems()) for (const row of rows) yield deviceRow(schema, className, name, row)
        },
        find(keys) {
          const system = systemOf(keys.get('SystemName') ?? '')
          const id = (keys.get('DeviceID') ?? '').toLowerCase()
          const row = system?.rows.find(one => one.DeviceID.toLowerCase() === id)
          return row === undefined || system === undefined ? undefined : deviceRow(schema, className, system.name, row)
        },
        demanded(values) {
          const name = values.get('systemname')
          if (name === undefined) return undefined
          const system = systemOf(name)
          return system?.rows.map(row => deviceRow(schema, className, system.name, row)) ?? []
        },
      },
      Msvm_SystemDevice: associationOf(host, schema, {
        className: 'Msvm_SystemDevice',
        ends: ['GroupComponent', 'PartComponent'],
        *list() {
          for (const system of systems()) yield* pairsOf(className, system)
        },
        *of(object) {
          const isDevice = schema.isA(object.className, className)
          if (!isDevice && !schema.isA(object.className, 'CIM_System')) return
          const system = systemOf(keyOf(object, isDevice ? 'SystemName' : 'Name') ?? '')
          if (system === undefined) return
          const id = keyOf(object, 'DeviceID')?.toLowerCase()
          const rows = isDevice ? system.rows.filter(row => row.DeviceID.toLowerCase() === id) : system.rows
          yield* pairsOf(className, { ...system, rows })
        },
      }),
    },
  })
}

interface System {
  readonly name: string
  readonly rows: readonly DeviceRow[]
}

function* pairsOf(className: string, { name, rows }: System): Iterable<Pair> {
  for (const { DeviceID } of rows) yield [nameOfSystem(name), nameOfDevice(className, name, DeviceID)]
}

/** The name of a device of a system. */
export function nameOfDevice(className: string, systemName: string, DeviceID: string): ObjectName {
  return named(className, {
    CreationClassName: className,
    DeviceID,
    SystemCreationClassName: 'Msvm_ComputerSystem',
    SystemName: systemName,
  })
}

/** What all devices say. Source: Microsoft Learn, of each of their classes. */
function deviceRow(schema: Schema, className: string, systemName: string, row: DeviceRow): Instance {
  return rowOf(schema, className, {
    CreationClassName: className,
    EnabledDefault: 2,
    EnabledState: 2,
    HealthState: 5,
    OperationalStatus: [2],
    RequestedState: 12,
    Status: 'OK',
    StatusDescriptions: ['OK'],
    SystemCreationClassName: 'Msvm_ComputerSystem',
    SystemName: systemName,
    ...row,
  })
}

/** The machine whose device this is. Throws OperationError where the machine is gone or does not run. */
export function vmOfDevice(host: Host, self: Instance): Vm {
  const vm = host.vm(textOf(self, 'SystemName'))
  if (vm?.power !== 'running') throw new OperationError(Return.invalidState, 'The virtual machine does not run.')
  return vm
}
