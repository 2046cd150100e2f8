import type { Instance, Schema } from '../cim/model.ts'
import type { ClassProvider, ObjectName, Provider } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import type { Switch } from '../host/model.ts'
import { nameOfService } from '../host/names.ts'
import { sameId } from '../host/resources-ids.ts'
import { textIn } from '../host/settings.ts'
import { findPort, type PortView, portsOf, switchName, switchNamed } from '../host/switches.ts'
import { associationOf, keyOf, type Pair, providerOf, rowOf } from '../v2/rows.ts'
import { type Service, serviceProvider } from '../v2/services.ts'
import { nameOfPort, nameOfSwitch } from './adapter-ports.ts'

/** The service for switches. Source: Microsoft Learn, Msvm_VirtualSwitchManagementService (v1). */
export const SWITCH_SERVICE: Service = {
  className: 'Msvm_VirtualSwitchManagementService',
  name: 'nvspwmi',
  title: 'Hyper-V Networking Management Service',
  description: 'Provides Hyper-V Networking WMI management',
}

export const nameOfSwitchService = (host: Host): ObjectName =>
  nameOfService(host, SWITCH_SERVICE.className, SWITCH_SERVICE.name)

/** Virtual switches and their ports, which are objects of their own here, and the service for them. */
export function switches(host: Host, schema: Schema): readonly Provider[] {
  const classes = providerOf(schema, {
    classes: {
      Msvm_VirtualSwitch: {
        list: () => host.state.switches.map(one => switchRow(host, schema, one)),
        find(keys) {
          const one = switchNamed(host, keys.get('Name') ?? '')
          return one === undefined ? undefined : switchRow(host, schema, one)
        },
      },
      Msvm_SwitchPort: portProvider(host, schema),
      Msvm_HostedAccessPoint: associationOf(host, schema, {
        className: 'Msvm_HostedAccessPoint',
        ends: ['Antecedent', 'Dependent'],
        list: () => host.state.switches.flatMap(one => portsOf(host, one).map(hostedPair)),
        *of(object) {
          const id = keyOf(object, 'SystemName') ?? keyOf(object, 'Name') ?? ''
          const one = switchNamed(host, id)
          if (one !== undefined) yield* portsOf(host, one).map(hostedPair)
        },
      }),
    },
  })
  return [serviceProvider(host, schema, SWITCH_SERVICE), classes]
}

const hostedPair = ({ one, port }: PortView): Pair => [nameOfSwitch(one.id), nameOfPort(one.id, port.id)]

/** Source: Microsoft Learn, Msvm_VirtualSwitch; MaxVMQOffloads and Dedicated are its defaults. */
function switchRow(host: Host, schema: Schema, one: Switch): Instance {
  const isJapanese = host.locale === 'ja-JP'
  return rowOf(schema, 'Msvm_VirtualSwitch', {
    Caption: isJapanese ? '仮想スイッチ' : 'Virtual Switch',
    CreationClassName: 'Msvm_VirtualSwitch',
    Dedicated: [0],
    Description: isJapanese ? 'Microsoft 仮想スイッチ' : 'Microsoft Virtual Switch',
    ElementName: switchName(one),
    EnabledState: 5,
    HealthState: 5,
    MaxChimneyOffloads: 0,
    MaxVMQOffloads: 0,
    Name: one.id,
    NumLearnableAddresses: one.learnableAddresses,
    OperationalStatus: [2],
    RequestedState: 12,
    ResetCapability: 5,
    ScopeOfResidence: textIn(one.settings, 'ScopeOfResidence') ?? '',
    Status: 'OK',
    StatusDescriptions: ['OK'],
  })
}

function portProvider(host: Host, schema: Schema): ClassProvider {
  const rowsOf = (one: Switch): Instance[] => portsOf(host, one).map(view => portRow(schema, view))
  return {
    list: () => host.state.switches.flatMap(rowsOf),
    find(keys) {
      const found = findPort(host, keys.get('Name') ?? '')
      const isThere = found !== undefined && sameId(found.one.id, keys.get('SystemName') ?? '')
      return isThere ? portRow(schema, found) : undefined
    },
    demanded(values) {
      const name = values.get('systemname')
      const one = name === undefined ? undefined : switchNamed(host, name)
      return name === undefined ? undefined : one === undefined ? [] : rowsOf(one)
    },
  }
}

/** Source: Microsoft Learn, Msvm_SwitchPort, with its defaults. */
function portRow(schema: Schema, { one, port }: PortView): Instance {
  return rowOf(schema, 'Msvm_SwitchPort', {
    AllowMacSpoofing: false,
    BroadcastResetSupported: false,
    Caption: 'Switch Port',
    ChimneyOffloadLimit: 0,
    ChimneyOffloadUsage: 0,
    ChimneyOffloadWeight: 0,
    CreationClassName: 'Msvm_SwitchPort',
    Description: 'Microsoft Virtual Switch Port',
    ElementName: port.name,
    EnabledState: 5,
    HealthState: 5,
    Name: port.id,
    OperationalStatus: [2],
    OtherTypeDescription: 'Virtual Ethernet',
    PreventIPSpoofing: false,
    ProtocolIFType: 1,
    RequestedState: 12,
    ScopeOfResidence: '',
    Status: 'OK',
    StatusDescriptions: ['OK'],
    SystemCreationClassName: 'Msvm_VirtualSwitch',
    SystemName: one.id,
    VMQOffloadLimit: 0,
    VMQOffloadUsage: 0,
    VMQOffloadWeight: 100,
  })
}
