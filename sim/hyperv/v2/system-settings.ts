import type { Instance, Schema } from '../cim/model.ts'
import type { ObjectName, Provider } from '../cim/provider.ts'
import { findSettings } from '../host/definition.ts'
import type { Host } from '../host/host.ts'
import type { Settings, Vm } from '../host/model.ts'
import { nameOfSettings, nameOfSystem } from '../host/names.ts'
import { associationOf, keyOf, type Pair, providerOf, rowOf } from './rows.ts'

/** Msvm_VirtualSystemSettingData of machines and snapshots, and what joins machines to their own. */
export function systemSettings(host: Host, schema: Schema): Provider {
  return providerOf(schema, {
    classes: {
      Msvm_VirtualSystemSettingData: {
        *list() {
          for (const vm of host.state.vms) {
            yield ownRow(schema, vm)
            for (const snapshot of vm.snapshots) {
              yield settingsRow(schema, snapshot.configuration.system, snapshot.holdsState)
            }
          }
        },
        find: keys => find(host, schema, keys.get('InstanceID') ?? ''),
      },
      Msvm_SettingsDefineState: associationOf(host, schema, {
        className: 'Msvm_SettingsDefineState',
        ends: ['ManagedElement', 'SettingData'],
        *list() {
          for (const vm of host.state.vms) yield pairOf(vm)
        },
        *of(object) {
          const vm = vmNamed(host, schema, object)
          if (vm !== undefined) yield pairOf(vm)
        },
      }),
    },
  })
}

function find(host: Host, schema: Schema, instanceId: string): Instance | undefined {
  const found = findSettings(host, instanceId)
  if (found === undefined) return undefined
  const { vm, configuration } = found
  if (configuration === vm.configuration) return ownRow(schema, vm)
  const snapshot = vm.snapshots.find(one => one.configuration === configuration)
  return settingsRow(schema, configuration.system, snapshot?.holdsState ?? false)
}

const ownRow = (schema: Schema, vm: Vm): Instance => settingsRow(schema, vm.configuration.system, vm.power === 'saved')

function settingsRow(schema: Schema, settings: Settings, IsSaved: boolean): Instance {
  return rowOf(schema, settings.className, { ...settings.values, IsSaved })
}

const pairOf = (vm: Vm): Pair => [nameOfSystem(vm.id), nameOfSettings(vm.id)]

/** The machine that an object is: its system, or its own settings; undefined for anything else. */
export function vmNamed(host: Host, schema: Schema, object: ObjectName): Vm | undefined {
  if (schema.isA(object.className, 'CIM_System')) return host.vm(keyOf(object, 'Name') ?? '')
  if (!schema.isA(object.className, 'CIM_SettingData')) return undefined
  const found = findSettings(host, keyOf(object, 'InstanceID') ?? '')
  return found?.configuration === found?.vm.configuration ? found?.vm : undefined
}
