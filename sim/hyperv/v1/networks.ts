import type { Instance, Schema } from '../cim/model.ts'
import { sameName } from '../cim/path.ts'
import type { ClassProvider, ObjectName, Provider } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import { nameOfSystem } from '../host/names.ts'
import { sameId } from '../host/resources-ids.ts'
import { associationOf, keyOf, type Pair, providerOf, type Row, rowOf } from '../v2/rows.ts'
import { allPorts, type EndpointClass, type EthernetPort, PORT_CLASSES, portsOfSystem } from './ethernet-ports.ts'

/** Ethernet ports of the host and of machines that run, their ends of cables, and what joins these and the switches. */
export function networks(host: Host, schema: Schema): Provider {
  const joining = (className: string, pairOf: (port: EthernetPort) => Pair | undefined): ClassProvider =>
    joinedPorts(host, schema, className, pairOf)
  return providerOf(schema, {
    classes: {
      ...Object.fromEntries(PORT_CLASSES.map(name => [name, portProvider(host, schema, name)])),
      Msvm_SwitchLANEndpoint: endpointProvider(host, schema, 'Msvm_SwitchLANEndpoint'),
      Msvm_VmLANEndpoint: endpointProvider(host, schema, 'Msvm_VmLANEndpoint'),
      Msvm_SystemDevice: joining('Msvm_SystemDevice', ({ system, name }) => [nameOfSystem(system), name]),
      Msvm_GlobalEthernetPortSAPImplementation: joining('Msvm_GlobalEthernetPortSAPImplementation', port =>
        port.of.kind === 'adapter' ? undefined : [port.name, port.endpoint],
      ),
      Msvm_DeviceSAPImplementation: joining('Msvm_DeviceSAPImplementation', port =>
        port.of.kind === 'adapter' ? [port.name, port.endpoint] : undefined,
      ),
      Msvm_ActiveConnection: joining('Msvm_ActiveConnection', ({ at, endpoint }) =>
        at === undefined ? undefined : [at, endpoint],
      ),
    },
  })
}

const isNamed = (name: ObjectName, key: string, keys: ReadonlyMap<string, string>): boolean =>
  sameId(keyOf(name, key) ?? '', keys.get(key) ?? '')

function portProvider(host: Host, schema: Schema, className: string): ClassProvider {
  const rows = (ports: readonly EthernetPort[]): Instance[] =>
    ports.filter(({ name }) => name.className === className).map(port => portRow(schema, port))
  return {
    list: () => rows(allPorts(host)),
    find: keys =>
      rows(portsOfSystem(host, keys.get('SystemName') ?? '').filter(({ name }) => isNamed(name, 'DeviceID', keys)))[0],
    demanded(values) {
      const name = values.get('systemname')
      return name === undefined ? undefined : rows(portsOfSystem(host, name))
    },
  }
}

function endpointProvider(host: Host, schema: Schema, className: EndpointClass): ClassProvider {
  const rows = (ports: readonly EthernetPort[]): Instance[] =>
    ports.filter(({ endpoint }) => endpoint.className === className).map(port => endpointRow(schema, port))
  return {
    list: () => rows(allPorts(host)),
    find: keys =>
      rows(portsOfSystem(host, keys.get('SystemName') ?? '').filter(one => isNamed(one.endpoint, 'Name', keys)))[0],
  }
}

/** An association of at most one pair for each port, which does not look at all machines where it need not. */
function joinedPorts(
  host: Host,
  schema: Schema,
  className: string,
  pairOf: (port: EthernetPort) => Pair | undefined,
): ClassProvider {
  const ends = className === 'Msvm_SystemDevice' ? SYSTEM_ENDS : DEPENDENCY_ENDS
  return associationOf(host, schema, {
    className,
    ends,
    list: () => allPorts(host).flatMap(port => present(pairOf(port))),
    *of(object) {
      for (const pair of near(host, schema, object).flatMap(port => present(pairOf(port)))) {
        if (pair.some(end => sameName(end, object, schema))) yield pair
      }
    },
  })
}

const SYSTEM_ENDS = ['GroupComponent', 'PartComponent'] as const
const DEPENDENCY_ENDS = ['Antecedent', 'Dependent'] as const

const present = (pair: Pair | undefined): Pair[] => (pair === undefined ? [] : [pair])

/** The ports that an object can have to do with: a port of a switch, those of any system. */
function near(host: Host, schema: Schema, object: ObjectName): EthernetPort[] {
  if (schema.isA(object.className, 'Msvm_SwitchPort')) return allPorts(host)
  const isOf = schema.isA(object.className, 'CIM_LogicalDevice') || schema.isA(object.className, 'CIM_LANEndpoint')
  if (isOf) return portsOfSystem(host, keyOf(object, 'SystemName') ?? '')
  return schema.isA(object.className, 'CIM_System') ? portsOfSystem(host, keyOf(object, 'Name') ?? '') : []
}

const keysIn = ({ keys }: ObjectName): Row => Object.fromEntries(keys)

// Ten gigabits, as the synthetic adapter tells its guest.
const SPEED = 10_000_000_000n

const WELL: Row = {
  HealthState: 5,
  OperationalStatus: [2],
  RequestedState: 12,
  Status: 'OK',
  StatusDescriptions: ['OK'],
}

/** Source: Microsoft Learn, of each of the classes. */
function portRow(schema: Schema, { name, row, address }: EthernetPort): Instance {
  return rowOf(schema, name.className, {
    ...WELL,
    Caption: 'Ethernet Port',
    EnabledDefault: 2,
    EnabledState: 5,
    FullDuplex: true,
    LinkTechnology: 2,
    MaxSpeed: SPEED,
    Name: row['ElementName'],
    NetworkAddresses: address === undefined ? [] : [address],
    PermanentAddress: address,
    Speed: SPEED,
    ...row,
    ...keysIn(name),
  })
}

function endpointRow(schema: Schema, { endpoint, row, address, at }: EthernetPort): Instance {
  return rowOf(schema, endpoint.className, {
    ...WELL,
    BroadcastResetSupported: false,
    Caption: 'LAN Endpoint',
    Connected: at !== undefined,
    Description: 'Microsoft Virtual LAN Endpoint',
    ElementName: row['ElementName'],
    EnabledState: 5,
    MACAddress: address,
    MaxDataSize: 1500,
    OtherTypeDescription: 'Virtual Ethernet',
    ...keysIn(endpoint),
  })
}
