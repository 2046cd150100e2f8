import { textOf } from '../cim/instance.ts'
import type { Instance, Schema } from '../cim/model.ts'
import type { Method, ObjectName, Provider } from '../cim/provider.ts'
import { findSettings } from '../host/definition.ts'
import type { Host } from '../host/host.ts'
import type { Vm } from '../host/model.ts'
import { named, nameOfSettings, nameOfSystem } from '../host/names.ts'
import { Return } from '../host/operation-error.ts'
import { changeState } from '../host/power.ts'
import { hostRow, isHost, systemRow } from '../v2/computer-system.ts'
import { associationOf, keyOf, type Pair, providerOf } from '../v2/rows.ts'
import { vmNamed } from '../v2/system-settings.ts'
import { V1 } from './translate-paths.ts'
import { V1_ENABLED_STATE, V1_REFUSED_STATES, V1_REQUESTS, V1_WANTED } from './translate-states.ts'
import { GLOBAL_SETTINGS, globalRow, nameOfGlobal, SETTINGS, snapshotRow, systemRowOf } from './translate-systems.ts'

/** Msvm_ComputerSystem: the host and its machines, and what changes the state of these. */
export function systems(host: Host, schema: Schema): Provider {
  return providerOf(schema, {
    classes: {
      Msvm_ComputerSystem: {
        *list() {
          yield hostRow(host, schema)
          for (const vm of host.state.vms) yield machineRow(host, schema, vm)
        },
        find(keys) {
          const name = keys.get('Name') ?? ''
          const vm = host.vm(name)
          if (vm !== undefined) return machineRow(host, schema, vm)
          return isHost(host, name) ? hostRow(host, schema) : undefined
        },
      },
    },
    methods: {
      'Msvm_ComputerSystem.RequestStateChange': requestStateChange(host),
      // Source: Microsoft Learn: "This method is not supported."
      'Msvm_ComputerSystem.SetPowerState': () => ({ returnValue: NOT_SUPPORTED }),
    },
  })
}

/** Return value 1 of CIM's own methods. */
const NOT_SUPPORTED = 1

// Source: a query for the English words was known to find nothing on hosts of other languages; libvirt 6.9 changed its own.
function machineRow(host: Host, schema: Schema, vm: Vm): Instance {
  const row = systemRow(host, schema, vm)
  const values = new Map(row.values).set('EnabledState', V1_ENABLED_STATE[vm.power])
  const wanted = V1_WANTED[vm.power]
  if (wanted !== undefined) values.set('RequestedState', wanted)
  if (host.locale === 'ja-JP') values.set('Description', 'Microsoft 仮想マシン')
  return { ...row, values }
}

function requestStateChange(host: Host): Method {
  return ({ self, input, caller }) => {
    const vm = host.vm(textOf(self, 'Name'))
    if (vm === undefined) return { returnValue: Return.notSupported }
    const wanted = Number(input.get('RequestedState'))
    const request = V1_REQUESTS[wanted]
    if (request !== undefined) return changeState(host, vm, request, { namespace: V1, owner: caller.user })
    return { returnValue: V1_REFUSED_STATES.has(wanted) ? Return.invalidState : Return.invalidParameter }
  }
}

/** The two settings objects of each machine, those of snapshots, and what joins them to the machine. */
export function systemSettings(host: Host, schema: Schema): Provider {
  return providerOf(schema, {
    classes: {
      [GLOBAL_SETTINGS]: {
        list: () => host.state.vms.map(vm => globalRow(host, schema, vm)),
        find(keys) {
          const vm = vmOfGlobal(host, keys.get('InstanceID') ?? '')
          return vm === undefined ? undefined : globalRow(host, schema, vm)
        },
        demanded(values) {
          const name = values.get('systemname')
          if (name === undefined) return undefined
          const vm = host.vm(name)
          return vm === undefined ? [] : [globalRow(host, schema, vm)]
        },
      },
      [SETTINGS]: {
        *list() {
          for (const vm of host.state.vms) yield* settingsOf(host, schema, vm)
        },
        find: keys => findRow(host, schema, keys.get('InstanceID') ?? ''),
        demanded(values) {
          const name = values.get('systemname')
          const vm = name === undefined ? undefined : host.vm(name)
          return vm === undefined ? undefined : settingsOf(host, schema, vm)
        },
      },
      Msvm_SettingsDefineState: associationOf(host, schema, {
        className: 'Msvm_SettingsDefineState',
        ends: ['ManagedElement', 'SettingData'],
        list: () => host.state.vms.map(statePair),
        *of(object) {
          const vm = vmNamed(host, schema, object)
          if (vm !== undefined) yield statePair(vm)
        },
      }),
      Msvm_ElementSettingData: associationOf(host, schema, {
        className: 'Msvm_ElementSettingData',
        ends: ['ManagedElement', 'SettingData'],
        list: () => host.state.vms.flatMap(elementPairs),
        of: object => pairsAt(host, schema, object),
        values: { IsCurrent: 0, IsDefault: 0, IsNext: 0 },
      }),
    },
  })
}

function* settingsOf(host: Host, schema: Schema, vm: Vm): Iterable<Instance> {
  yield systemRowOf(host, schema, vm, vm.configuration)
  for (const snapshot of vm.snapshots) yield snapshotRow(host, schema, vm, snapshot)
}

/** Msvm_VirtualSystemSettingData of a machine or a snapshot, by its InstanceID. */
export function findRow(host: Host, schema: Schema, instanceId: string): Instance | undefined {
  const found = findSettings(host, instanceId)
  if (found === undefined) return undefined
  const { vm, configuration } = found
  const snapshot = vm.snapshots.find(one => one.configuration === configuration)
  return systemRowOf(host, schema, vm, configuration, snapshot)
}

function vmOfGlobal(host: Host, instanceId: string): Vm | undefined {
  const [, id] = /^Microsoft:([0-9a-f-]{36})\\Global$/i.exec(instanceId) ?? []
  return id === undefined ? undefined : host.vm(id)
}

const statePair = (vm: Vm): Pair => [nameOfSystem(vm.id), nameOfSettings(vm.id)]

/** A machine and what is set of it that it is not made of now. Source: Microsoft Learn, Msvm_ElementSettingData (v1). */
function elementPairs(vm: Vm): Pair[] {
  const system = nameOfSystem(vm.id)
  return [[system, nameOfGlobal(vm)], ...vm.snapshots.map(({ id }): Pair => [system, nameOfSettings(id)])]
}

function pairsAt(host: Host, schema: Schema, object: ObjectName): Pair[] {
  if (schema.isA(object.className, 'CIM_System')) {
    const vm = host.vm(keyOf(object, 'Name') ?? '')
    return vm === undefined ? [] : elementPairs(vm)
  }
  if (!schema.isA(object.className, 'CIM_VirtualSystemSettingData')) return []
  const id = keyOf(object, 'InstanceID') ?? ''
  const ofGlobal = vmOfGlobal(host, id)
  if (ofGlobal !== undefined) return [[nameOfSystem(ofGlobal.id), nameOfGlobal(ofGlobal)]]
  const found = findSettings(host, id)
  if (found === undefined || found.configuration === found.vm.configuration) return []
  return [[nameOfSystem(found.vm.id), named(SETTINGS, { InstanceID: id })]]
}
