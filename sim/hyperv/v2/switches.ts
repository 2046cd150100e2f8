import type { Instance, Schema } from '../cim/model.ts'
import type { ClassProvider, ObjectName, Provider } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import type { Settings, Switch, SwitchPort } from '../host/model.ts'
import { named, nameOfSystem } from '../host/names.ts'
import { guidOf } from '../host/random.ts'
import { editionOf } from '../host/default-devices.ts'
import { ownerOfId, sameId } from '../host/resources-ids.ts'
import { idOf, settingsOf } from '../host/resources-settings.ts'
import { cardDeviceId, type PortRole, portAllocationId, roleOf, switchName, switchNamed } from '../host/switches.ts'
import { nameOfHostPort } from './network-names.ts'
import { nameOfResource } from './resources.ts'
import { associationOf, keyOf, type Pair, pathIn, providerOf, rowOf } from './rows.ts'

/** Virtual switches, their settings, and the allocations of their own ports; and what joins these. */
export function switches(host: Host, schema: Schema): Provider {
  return providerOf(schema, {
    classes: {
      Msvm_VirtualEthernetSwitch: {
        list: () => host.state.switches.map(one => switchRow(host, schema, one)),
        find(keys) {
          const one = switchNamed(host, keys.get('Name') ?? '')
          return one === undefined ? undefined : switchRow(host, schema, one)
        },
      },
      Msvm_VirtualEthernetSwitchSettingData: {
        list: () => host.state.switches.map(one => settingsRow(host, schema, one)),
        find(keys) {
          const one = switchOfId(host, keys.get('InstanceID') ?? '')
          return one === undefined ? undefined : settingsRow(host, schema, one)
        },
      },
      Msvm_EthernetPortAllocationSettingData: allocationProvider(host, schema),
      Msvm_SettingsDefineState: associationOf(host, schema, {
        className: 'Msvm_SettingsDefineState',
        ends: ['ManagedElement', 'SettingData'],
        list: () => host.state.switches.map(statePair),
        *of(object) {
          const one = switchAt(host, schema, object)
          if (one !== undefined) yield statePair(one)
        },
      }),
      Msvm_VirtualSystemSettingDataComponent: associationOf(host, schema, {
        className: 'Msvm_VirtualSystemSettingDataComponent',
        ends: ['GroupComponent', 'PartComponent'],
        *list() {
          for (const one of host.state.switches) yield* partsOf(host, one)
        },
        of: object => partsAt(host, object),
      }),
    },
  })
}

/** Msvm_VirtualEthernetSwitch. */
export const nameOfSwitch = (id: string): ObjectName =>
  named('Msvm_VirtualEthernetSwitch', { CreationClassName: 'Msvm_VirtualEthernetSwitch', Name: id })

const nameOfSettings = (one: Switch): ObjectName =>
  named('Msvm_VirtualEthernetSwitchSettingData', { InstanceID: idOf(one.settings) })

const statePair = (one: Switch): Pair => [nameOfSwitch(one.id), nameOfSettings(one)]

/** The switch whose settings, and nothing within them, an InstanceID names. */
export function switchOfId(host: Host, id: string): Switch | undefined {
  return host.state.switches.find(one => sameId(idOf(one.settings), id))
}

/** The switch that an object is: itself, or its settings. */
function switchAt(host: Host, schema: Schema, object: ObjectName): Switch | undefined {
  if (schema.isA(object.className, 'CIM_System')) return switchNamed(host, keyOf(object, 'Name') ?? '')
  if (!schema.isA(object.className, 'CIM_SettingData')) return undefined
  return switchOfId(host, keyOf(object, 'InstanceID') ?? '')
}

/** Source: as hosts of Server 2012 R2 and Server 2025 print it. */
function switchRow(host: Host, schema: Schema, one: Switch): Instance {
  const isJapanese = host.locale === 'ja-JP'
  return rowOf(schema, 'Msvm_VirtualEthernetSwitch', {
    Caption: isJapanese ? '仮想スイッチ' : 'Virtual Switch',
    CreationClassName: 'Msvm_VirtualEthernetSwitch',
    Dedicated: [38],
    Description: isJapanese ? 'Microsoft 仮想スイッチ' : 'Microsoft Virtual Switch',
    ElementName: switchName(one),
    EnabledDefault: 2,
    EnabledState: 5,
    HealthState: 5,
    IdentifyingDescriptions: ['Virtual Switch Extension Miniport Adapter Id'],
    MaxIOVOffloads: 0,
    MaxVMQOffloads: 0,
    Name: one.id,
    OperationalStatus: [2],
    OtherIdentifyingInfo: [`{${guidOf(`miniport of ${one.id}`)}}`],
    RequestedState: 12,
    ResetCapability: 5,
    Status: 'OK',
    StatusDescriptions: ['OK'],
    TransitioningToState: null,
  })
}

function settingsRow(host: Host, schema: Schema, { settings }: Switch): Instance {
  const isJapanese = host.locale === 'ja-JP'
  return rowOf(schema, settings.className, {
    Caption: isJapanese ? '仮想スイッチの設定' : 'Virtual Switch Settings',
    Description: isJapanese ? '仮想スイッチの設定です。' : 'Settings for the virtual Ethernet switch.',
    ...settings.values,
  })
}

/** The ports of a switch that are its own, to the host and to the outside: those have an allocation of their own. */
const ownPorts = (one: Switch): SwitchPort[] =>
  one.ports.filter(port => ['host', 'external'].includes(roleOf(one, port)))

/** The allocation of one of its own ports. */
export const nameOfAllocation = (one: Switch, port: SwitchPort): ObjectName =>
  named('Msvm_EthernetPortAllocationSettingData', { InstanceID: portAllocationId(one, port) })

function allocationOf(host: Host, one: Switch, port: SwitchPort): Settings {
  const role: PortRole = roleOf(one, port)
  const resource = role === 'external' ? nameOfHostPort(host, cardIdOf(one)) : nameOfSystem(host.state.name)
  return settingsOf(editionOf(host), 'connection', {
    ElementName: port.name,
    EnabledState: 2,
    HostResource: [pathIn(host, resource)],
    InstanceID: portAllocationId(one, port),
  })
}

const cardIdOf = (one: Switch): string => cardDeviceId(one.externalPort ?? '')

function allocationProvider(host: Host, schema: Schema): ClassProvider {
  const row = (one: Switch, port: SwitchPort): Instance => {
    const { className, values } = allocationOf(host, one, port)
    return rowOf(schema, className, values)
  }
  return {
    *list() {
      for (const one of host.state.switches) for (const port of ownPorts(one)) yield row(one, port)
    },
    find(keys) {
      const found = allocationNamed(host, keys.get('InstanceID') ?? '')
      return found === undefined ? undefined : row(found.one, found.port)
    },
  }
}

/** A port of a switch's own by the InstanceID of its allocation. */
export function allocationNamed(
  host: Host,
  id: string,
): { readonly one: Switch; readonly port: SwitchPort } | undefined {
  const one = switchNamed(host, ownerOfId(id)?.owner ?? '')
  const port = one === undefined ? undefined : ownPorts(one).find(each => sameId(portAllocationId(one, each), id))
  return one === undefined || port === undefined ? undefined : { one, port }
}

function* partsOf(host: Host, one: Switch): Iterable<Pair> {
  for (const port of ownPorts(one)) yield [nameOfSettings(one), nameOfResource(allocationOf(host, one, port))]
}

function* partsAt(host: Host, object: ObjectName): Iterable<Pair> {
  const id = keyOf(object, 'InstanceID') ?? ''
  const one = switchOfId(host, id)
  if (one !== undefined) yield* partsOf(host, one)
  const part = allocationNamed(host, id)
  if (part !== undefined) yield [nameOfSettings(part.one), nameOfAllocation(part.one, part.port)]
}
