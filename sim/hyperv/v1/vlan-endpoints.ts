import { textOf } from '../cim/instance.ts'
import type { CimValue, Instance, Schema } from '../cim/model.ts'
import { type ClassProvider, type ObjectName, type Provider, Wbem, WmiError } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import { named } from '../host/names.ts'
import { OperationError } from '../host/operation-error.ts'
import { sameValue } from '../host/resources-changes.ts'
import { findPort, type PortView, portsOf } from '../host/switches.ts'
import { associationOf, keyOf, type Pair, providerOf, rowOf } from '../v2/rows.ts'
import { nameOfPort } from './adapter-ports.ts'
import { TAG_MAX, tagOf, tagPort, vlanFeatureOf } from './port-tags.ts'
import { contextOf } from './resource-changes.ts'

// The end of each port of a switch in a VLAN, and its settings, which are written by putting them:
//   Msvm_SwitchPort -BindsTo- Msvm_VLANEndpoint -NetworkElementSettingData- Msvm_VLANEndpointSettingData

const ENDPOINT = 'Msvm_VLANEndpoint'
const SETTINGS = 'Msvm_VLANEndpointSettingData'

/** The ends of ports in VLANs. */
export function vlanEndpoints(host: Host, schema: Schema): Provider {
  const views = (): PortView[] => host.state.switches.flatMap(one => portsOf(host, one))
  const at = (id: string): PortView[] => [findPort(host, id)].flatMap(view => view ?? [])
  const portOf = (object: ObjectName): PortView[] =>
    at(keyOf(object, 'Name') ?? (keyOf(object, 'InstanceID') ?? '').replace(/^Microsoft:/i, ''))
  const joining = (
    className: string,
    ends: readonly [string, string],
    pairOf: (view: PortView) => Pair,
  ): ClassProvider =>
    associationOf(host, schema, {
      className,
      ends,
      list: () => views().map(pairOf),
      of: object => portOf(object).map(pairOf),
    })
  return providerOf(schema, {
    classes: {
      [ENDPOINT]: {
        list: () => views().map(view => endpointRow(schema, view)),
        find: keys => at(keys.get('Name') ?? '').map(view => endpointRow(schema, view))[0],
      },
      [SETTINGS]: {
        list: () => views().map(view => settingsRow(host, schema, view)),
        find: keys =>
          at((keys.get('InstanceID') ?? '').replace(/^Microsoft:/i, '')).map(view =>
            settingsRow(host, schema, view),
          )[0],
        put: (instance, values) => put(host, instance, values),
      },
      Msvm_BindsTo: joining('Msvm_BindsTo', ['Antecedent', 'Dependent'], view => [
        nameOfPort(view.one.id, view.port.id),
        nameOfEndpoint(view),
      ]),
      Msvm_NetworkElementSettingData: joining(
        'Msvm_NetworkElementSettingData',
        ['ManagedElement', 'SettingData'],
        view => [nameOfEndpoint(view), named(SETTINGS, { InstanceID: settingsId(view) })],
      ),
    },
  })
}

const settingsId = ({ port }: PortView): string => `Microsoft:${port.id}`

const nameOfEndpoint = ({ one, port }: PortView): ObjectName =>
  named(ENDPOINT, {
    CreationClassName: ENDPOINT,
    Name: port.id,
    SystemCreationClassName: 'Msvm_VirtualSwitch',
    SystemName: one.id,
  })

/** Source: Microsoft Learn, Msvm_VLANEndpoint (v1), with its defaults; the modes are access, 2, and trunk, 5. */
function endpointRow(schema: Schema, view: PortView): Instance {
  return rowOf(schema, ENDPOINT, {
    ...Object.fromEntries(nameOfEndpoint(view).keys),
    BroadcastResetSupported: false,
    Caption: 'VLAN Endpoint',
    DesiredEndpointMode: 2,
    ElementName: view.port.name,
    EnabledDefault: 2,
    EnabledState: 5,
    HealthState: 5,
    OperationalEndpointMode: 2,
    OperationalStatus: [2],
    OtherTypeDescription: 'Virtual Ethernet',
    ProtocolIFType: 1,
    RequestedState: 12,
    StatusDescriptions: ['The service is running normally'],
    SupportedEndpointModes: [2, 5],
  })
}

/** Source: OpenStack's driver for v1 finds the settings of a port by its ElementName. */
function settingsRow(host: Host, schema: Schema, view: PortView): Instance {
  const native = vlanFeatureOf(host, view)?.values['NativeVlanId']
  return rowOf(schema, SETTINGS, {
    AccessVLAN: tagOf(host, view),
    Caption: 'VLAN Endpoint Settings',
    DefaultVLAN: 0,
    Description: 'Microsoft VLAN Endpoint Settings',
    ElementName: view.port.name,
    InstanceID: settingsId(view),
    NativeVLAN: typeof native === 'number' ? native : 0,
  })
}

/** Source: Microsoft Learn: AccessVLAN may be written; OpenStack's driver puts it. What else may be is not simulated. */
function put(host: Host, instance: Instance, values: ReadonlyMap<string, CimValue>): void {
  const changes = [...values].filter(([name, value]) => !sameValue(instance.values.get(name) ?? null, value))
  for (const [name, value] of changes) {
    if (name !== 'AccessVLAN') throw new WmiError(Wbem.providerNotCapable, `${name} is not written here`)
    const isTag = typeof value === 'number' && value <= TAG_MAX
    if (!isTag) throw new WmiError(Wbem.invalidParameter, 'Invalid parameter')
    const view = findPort(host, textOf(instance, 'InstanceID').replace(/^Microsoft:/i, ''))
    if (view !== undefined) tag(host, view, value)
  }
}

function tag(host: Host, view: PortView, value: number): void {
  try {
    tagPort(contextOf(host), view, value)
  } catch (error) {
    if (error instanceof OperationError) throw new WmiError(Wbem.failed, error.message)
    throw error
  }
}
