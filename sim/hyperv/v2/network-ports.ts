import type { Instance, Schema } from '../cim/model.ts'
import { sameName } from '../cim/path.ts'
import type { ClassProvider, ObjectName, Provider } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import { pluggedView } from '../host/internal-ports.ts'
import type { Vm } from '../host/model.ts'
import { named, nameOfSystem } from '../host/names.ts'
import { isActive } from '../host/resources-images.ts'
import { ownerOfId, sameId } from '../host/resources-ids.ts'
import { idOf, kindOf } from '../host/resources-settings.ts'
import { textIn } from '../host/settings.ts'
import { cardDeviceId, isBound, type PortView, portsOf } from '../host/switches.ts'
import { nameOfEndpoint, nameOfHostPort, nameOfInternalPort, nameOfPort, nameOfSwitchPort } from './network-names.ts'
import { nameOfAllocation, nameOfSwitch } from './switches.ts'
import { associationOf, keyOf, type Pair, providerOf, type Row, rowOf } from './rows.ts'

// Ports, and the cables between them: from the adapter of a machine that runs, over its endpoint and that of the
// switch's port, to the switch.
//   Msvm_SyntheticEthernetPort -EthernetDeviceSAPImplementation- Msvm_LANEndpoint -ActiveConnection- Msvm_LANEndpoint
//   -EthernetDeviceSAPImplementation- Msvm_EthernetSwitchPort -SystemDevice- Msvm_VirtualEthernetSwitch

/** A port of any kind. */
interface Port {
  readonly name: ObjectName
  readonly row: Row
  /** What it belongs to. */
  readonly system: ObjectName
  readonly address: string | undefined
}

/** A cable: a port of a switch, and what is plugged in at the other end. */
interface Cable {
  readonly port: Port
  readonly device: Port
  /** The settings that say so. */
  readonly allocation: ObjectName
}

const ADAPTER_CLASSES = ['Msvm_SyntheticEthernetPort', 'Msvm_EmulatedEthernetPort'] as const

const PORT_CLASSES = [
  'Msvm_ExternalEthernetPort',
  'Msvm_InternalEthernetPort',
  'Msvm_EthernetSwitchPort',
  ...ADAPTER_CLASSES,
] as const

/** Ports and cables, and what joins them to the systems and the settings that they are of. */
export function networkPorts(host: Host, schema: Schema): Provider {
  return providerOf(schema, {
    classes: {
      ...Object.fromEntries(PORT_CLASSES.map(name => [name, portProvider(host, schema, name)])),
      Msvm_LANEndpoint: { list: () => allPorts(host).map(port => endpointRow(schema, port)) },
      Msvm_SystemDevice: joining(host, schema, {
        className: 'Msvm_SystemDevice',
        ends: ['GroupComponent', 'PartComponent'],
        near: ['CIM_System', ...PORT_CLASSES],
        list: object => portsAt(host, object).map(({ system, name }): Pair => [system, name]),
      }),
      Msvm_EthernetDeviceSAPImplementation: joining(host, schema, {
        className: 'Msvm_EthernetDeviceSAPImplementation',
        ends: ['Antecedent', 'Dependent'],
        near: [...PORT_CLASSES, 'Msvm_LANEndpoint'],
        list: object => portsAt(host, object).map(({ name }): Pair => [name, nameOfEndpoint(name)]),
      }),
      Msvm_ActiveConnection: joining(host, schema, {
        className: 'Msvm_ActiveConnection',
        ends: ['Antecedent', 'Dependent'],
        near: ['Msvm_LANEndpoint'],
        list: () =>
          cablesOf(host).map(({ port, device }): Pair => [nameOfEndpoint(port.name), nameOfEndpoint(device.name)]),
      }),
      Msvm_ElementSettingData: joining(host, schema, {
        className: 'Msvm_ElementSettingData',
        ends: ['ManagedElement', 'SettingData'],
        near: ['Msvm_EthernetSwitchPort', 'Msvm_EthernetPortAllocationSettingData'],
        list: () => cablesOf(host).map(({ port, allocation }): Pair => [port.name, allocation]),
      }),
      Msvm_SettingsDefineState: joining(host, schema, {
        className: 'Msvm_SettingsDefineState',
        ends: ['ManagedElement', 'SettingData'],
        near: [...ADAPTER_CLASSES, ...ADAPTER_CLASSES.map(name => `${name}SettingData`)],
        list: object => adapterPairs(host, object),
      }),
    },
  })
}

interface Joining {
  readonly className: string
  readonly ends: readonly [string, string]
  /** What classes of objects it can join at all. */
  readonly near: readonly string[]
  /** All pairs, or those that may be of an object. */
  readonly list: (object?: ObjectName) => Iterable<Pair>
}

/** An association that does not look at all machines where one object is asked for. */
function joining(host: Host, schema: Schema, { className, ends, near, list }: Joining): ClassProvider {
  return associationOf(host, schema, {
    className,
    ends,
    list: () => list(),
    *of(object) {
      if (!near.some(name => schema.isA(object.className, name) || schema.isA(name, object.className))) return
      for (const pair of list(object)) {
        if (sameName(pair[0], object, schema) || sameName(pair[1], object, schema)) yield pair
      }
    },
  })
}

function portProvider(host: Host, schema: Schema, className: string): ClassProvider {
  const row = (port: Port): Instance => portRow(schema, port)
  return {
    list: () =>
      allPorts(host)
        .filter(({ name }) => name.className === className)
        .map(row),
    find(keys) {
      const name: ObjectName = { className, keys }
      const port = portsAt(host, name).find(each => isSame(each.name, name))
      return port === undefined ? undefined : row(port)
    },
  }
}

function allPorts(host: Host): Port[] {
  const adapters = host.state.vms.flatMap(vm => adapterPorts(host, vm))
  return [...hostPorts(host), ...adapters, ...switchPortViews(host).map(switchPort)]
}

/** The ports of the system that an object is, or is of; all where no object is given. */
function portsAt(host: Host, object: ObjectName | undefined): Port[] {
  if (object === undefined) return allPorts(host)
  const system = keyOf(object, 'SystemName') ?? keyOf(object, 'Name') ?? ''
  const vm = host.vm(system)
  if (vm !== undefined) return adapterPorts(host, vm)
  if (sameId(system, host.state.name)) return hostPorts(host)
  return switchPortViews(host)
    .filter(({ one }) => sameId(one.id, system))
    .map(switchPort)
}

/** The host's network cards, and its own cards on switches. */
function hostPorts(host: Host): Port[] {
  const cards = host.state.externalPorts.map((card): Port => {
    const name = nameOfHostPort(host, cardDeviceId(card.id))
    const row = { ElementName: card.name, IsBound: isBound(host, card), PermanentAddress: card.address }
    return { name, row, system: nameOfSystem(host.state.name), address: card.address }
  })
  const own = host.state.switches.flatMap(one =>
    portsOf(host, one).flatMap(view => (view.role === 'host' ? [internalPort(host, view)] : [])),
  )
  return [...cards, ...own]
}

function internalPort(host: Host, { one, port }: PortView): Port {
  const { deviceId, name, address } = pluggedView(host, one, port)
  const row = { ElementName: name, PermanentAddress: address }
  return { name: nameOfInternalPort(host, deviceId), row, system: nameOfSystem(host.state.name), address }
}

/** The adapters of a machine, if it runs. */
function adapterPorts(host: Host, vm: Vm): Port[] {
  if (!isActive(vm)) return []
  return vm.configuration.resources.flatMap(settings => {
    const className = adapterClass(host, settings)
    if (className === undefined) return []
    const address = textIn(settings, 'Address')
    const row = { ElementName: textIn(settings, 'ElementName'), PermanentAddress: address }
    return [{ name: nameOfAdapter(vm, className, idOf(settings)), row, system: nameOfSystem(vm.id), address }]
  })
}

function adapterClass(host: Host, settings: Parameters<typeof kindOf>[0]): string | undefined {
  const kind = kindOf(settings, host.state.build)
  if (kind === 'syntheticPort') return 'Msvm_SyntheticEthernetPort'
  return kind === 'emulatedPort' ? 'Msvm_EmulatedEthernetPort' : undefined
}

/** Source: the DeviceID of an adapter is its InstanceID without the machine. */
const nameOfAdapter = (vm: Vm, className: string, settingsId: string): ObjectName =>
  nameOfPort(className, 'Msvm_ComputerSystem', vm.id, `Microsoft:${settingsId.split('\\').slice(1).join('\\')}`)

/** The adapters of all machines that run, or of the one that an object is of, each with its settings. */
function adapterPairs(host: Host, object: ObjectName | undefined): Pair[] {
  const of =
    object === undefined
      ? undefined
      : (keyOf(object, 'SystemName') ?? ownerOfId(keyOf(object, 'InstanceID') ?? '')?.owner)
  const one = of === undefined ? undefined : host.vm(of)
  const vms = object === undefined ? host.state.vms : one === undefined ? [] : [one]
  return vms.filter(isActive).flatMap(vm =>
    vm.configuration.resources.flatMap((settings): Pair[] => {
      const className = adapterClass(host, settings)
      if (className === undefined) return []
      const InstanceID = idOf(settings)
      return [[nameOfAdapter(vm, className, InstanceID), named(settings.className, { InstanceID })]]
    }),
  )
}

/** The ports of switches that there are: those of machines come and go with the machines. */
function switchPortViews(host: Host): PortView[] {
  return host.state.switches.flatMap(one =>
    portsOf(host, one).filter(({ role, connection }) => role !== 'adapter' || (connection && isActive(connection.vm))),
  )
}

function switchPort({ one, port }: PortView): Port {
  return {
    name: nameOfSwitchPort(one.id, port.id),
    row: { ElementName: port.name },
    system: nameOfSwitch(one.id),
    address: undefined,
  }
}

function cablesOf(host: Host): Cable[] {
  const near = [...hostPorts(host), ...host.state.vms.flatMap(vm => adapterPorts(host, vm))]
  return switchPortViews(host).flatMap(view => {
    const name = otherEnd(host, view)
    const device = near.find(port => name !== undefined && isSame(port.name, name))
    if (device === undefined) return []
    const { one, port, connection } = view
    const allocation =
      connection === undefined
        ? nameOfAllocation(one, port)
        : named('Msvm_EthernetPortAllocationSettingData', { InstanceID: connection.id })
    return [{ port: switchPort(view), device, allocation }]
  })
}

const isSame = (a: ObjectName, b: ObjectName): boolean =>
  a.className === b.className &&
  ['DeviceID', 'SystemName'].every(key => sameId(keyOf(a, key) ?? '', keyOf(b, key) ?? ''))

/** What is plugged in at a port of a switch. */
function otherEnd(host: Host, { one, port, role, connection }: PortView): ObjectName | undefined {
  if (role === 'external') return nameOfHostPort(host, cardDeviceId(one.externalPort ?? ''))
  if (role === 'host') return nameOfInternalPort(host, port.connectedTo ?? '')
  if (connection === undefined) return undefined
  const settings = connection.vm.configuration.resources.find(each => sameId(idOf(each), connection.adapterId))
  const className = settings === undefined ? undefined : adapterClass(host, settings)
  return className === undefined ? undefined : nameOfAdapter(connection.vm, className, connection.adapterId)
}

const keysIn = ({ keys }: ObjectName): Row => Object.fromEntries(keys)

// Ten gigabits, as the synthetic adapter tells its guest.
const SPEED = 10_000_000_000n

function portRow(schema: Schema, { name, row, address }: Port): Instance {
  return rowOf(schema, name.className, {
    Caption: 'Ethernet Port',
    Description: 'Microsoft Ethernet Port',
    EnabledDefault: 2,
    EnabledState: 2,
    FullDuplex: true,
    HealthState: 5,
    LinkTechnology: 2,
    MaxSpeed: SPEED,
    Name: row['ElementName'],
    NetworkAddresses: address === undefined ? undefined : [address],
    OperationalStatus: [2],
    RequestedState: 12,
    Speed: SPEED,
    Status: 'OK',
    StatusDescriptions: ['OK'],
    ...row,
    ...keysIn(name),
  })
}

function endpointRow(schema: Schema, { name, row, address }: Port): Instance {
  return rowOf(schema, 'Msvm_LANEndpoint', {
    Caption: 'LAN Endpoint',
    Connected: true,
    Description: 'Microsoft LAN Endpoint',
    ElementName: row['ElementName'],
    EnabledDefault: 2,
    EnabledState: 2,
    HealthState: 5,
    MACAddress: address,
    OperationalStatus: [2],
    RequestedState: 12,
    Status: 'OK',
    StatusDescriptions: ['OK'],
    ...keysIn(nameOfEndpoint(name)),
  })
}
