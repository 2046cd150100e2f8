import type { CimValue } from '../cim/model.ts'
import type { Host } from './host.ts'
import type { ExternalPort, Switch, SwitchKind, SwitchPort, Vm } from './model.ts'
import { OperationError, Return } from './operation-error.ts'
import { guidOf } from './random.ts'

import { sameId } from './resources-ids.ts'
import { isActive } from './resources-images.ts'
import { keyIn } from './resources-references.ts'
import { idOf, makeSettings, type Values, withValues } from './resources-settings.ts'
import { type SwitchReason, switchText } from './switches-texts.ts'
import { textIn, textsIn } from './settings.ts'

// Virtual switches and their ports. Both namespaces show them: v2 through allocations, v1 as objects. What a machine's
// adapter is connected to stands in the machine's configuration alone; a port of the switch is made of it when asked.

/** How a switch is made. */
export interface SwitchSpec {
  readonly name: string
  readonly notes?: readonly string[]
  /** The GUID of the host's network card that it is bound to. */
  readonly externalPort?: string
  /** Whether the host gets a card on it. */
  readonly hasHostPort?: boolean
  /** What its ports to the host and to the outside are called. */
  readonly hostPortName?: string
  readonly externalPortName?: string
  /** Further values of Msvm_VirtualEthernetSwitchSettingData. */
  readonly values?: Values
  /** Given where the caller may choose: v1 does. */
  readonly id?: string
  readonly learnableAddresses?: number
}

const SWITCHES_MAX = 1_000
const PORTS_MAX = 4_096
/** Source: the default that v1's CreateSwitch documents. */
const LEARNABLE_ADDRESSES = 1024

/** A switch by its GUID, whatever the case and with or without braces. */
export function switchNamed(host: Host, id: string): Switch | undefined {
  const wanted = id.replace(/^\{(.*)\}$/, '$1')
  return host.state.switches.find(one => sameId(one.id, wanted))
}

/** The object path of a switch, as hosts write it into HostResource. */
export const switchPath = (host: Host, id: string): string =>
  `\\\\${host.state.name}\\root\\virtualization\\v2:Msvm_VirtualEthernetSwitch.` +
  `CreationClassName="Msvm_VirtualEthernetSwitch",Name="${id}"`

export const switchName = (one: Switch): string => textIn(one.settings, 'ElementName') ?? ''

/** Refuses in the host's own language. */
export const switchRefusal = (host: Host, name: string, reason: SwitchReason, code?: number): OperationError =>
  new OperationError(code ?? Return.invalidParameter, switchText(host.locale, name, reason))

/** Makes a switch: private, internal or external, as its ports say. */
export function createSwitch(host: Host, spec: SwitchSpec): Switch {
  const id = spec.id ?? host.random.guid()
  if (host.state.switches.length >= SWITCHES_MAX) throw switchRefusal(host, spec.name, 'tooMany', Return.failed)
  if (spec.id !== undefined && switchNamed(host, id) !== undefined) throw switchRefusal(host, spec.name, 'invalid')
  const made: Switch = {
    id,
    settings: makeSettings('Msvm_VirtualEthernetSwitchSettingData', {
      BandwidthReservationMode: 2,
      MaxNumMACAddress: LEARNABLE_ADDRESSES,
      Notes: spec.notes === undefined ? undefined : [...spec.notes],
      ...spec.values,
      ElementName: spec.name,
      InstanceID: `Microsoft:${id}`,
      VirtualSystemIdentifier: id,
    }),
    kind: 'private',
    hasHostPort: false,
    ports: [],
    learnableAddresses: spec.learnableAddresses ?? LEARNABLE_ADDRESSES,
  }
  if (spec.externalPort !== undefined) bindExternal(host, made, spec.externalPort, spec.externalPortName)
  if (spec.hasHostPort === true) addHostPort(host, made, spec.hostPortName)
  host.state.switches.push(made)
  host.touch()
  return made
}

/** Takes a switch away. Refused while machines that run are connected to it; others are left with a dead connection. */
export function deleteSwitch(host: Host, one: Switch): void {
  // Source: "Virtual switch cannot be deleted because it is being used by running virtual machines …".
  if (connectionsOf(host, one).some(({ vm }) => isActive(vm))) {
    throw switchRefusal(host, switchName(one), 'inUse', Return.inUse)
  }
  host.state.switches = host.state.switches.filter(other => other !== one)
  host.touch()
}

/** Changes what is said of a switch; NULL takes a value away. */
export function modifySwitch(host: Host, one: Switch, changes: Readonly<Record<string, CimValue | undefined>>): void {
  one.settings = withValues(one.settings, changes)
  host.touch()
}

/** Binds a switch to a network card of the host. */
export function bindExternal(host: Host, one: Switch, cardId: string, name?: string): SwitchPort {
  const card = host.state.externalPorts.find(each => sameId(each.id, cardId.replace(/^\{(.*)\}$/, '$1')))
  if (card === undefined) throw switchRefusal(host, switchName(one), 'noCard')
  if (one.externalPort !== undefined) throw switchRefusal(host, switchName(one), 'invalid')
  if (isBound(host, card)) throw switchRefusal(host, switchName(one), 'cardBound')
  one.externalPort = card.id
  const port = newPort(host, one, name ?? `${switchName(one)}_External`, cardDeviceId(card.id))
  one.kind = kindFor(one)
  return port
}

/** Gives the host a card on a switch. */
export function addHostPort(host: Host, one: Switch, name?: string): SwitchPort {
  if (one.hasHostPort) throw switchRefusal(host, switchName(one), 'invalid')
  one.hasHostPort = true
  const port = newPort(host, one, name ?? switchName(one))
  port.connectedTo = internalDeviceId(port)
  one.kind = kindFor(one)
  return port
}

/** Takes a port to the host, to the outside, or a free one away. */
export function removePort(host: Host, one: Switch, port: SwitchPort): void {
  const role = roleOf(one, port)
  one.ports = one.ports.filter(other => other !== port)
  const within = `${portAllocationId(one, port)}\\`.toLowerCase()
  if (one.features !== undefined) {
    one.features = one.features.filter(feature => !idOf(feature).toLowerCase().startsWith(within))
  }
  if (role === 'host') one.hasHostPort = false
  if (role === 'external') delete one.externalPort
  one.kind = kindFor(one)
  host.touch()
}

const kindFor = (one: Switch): SwitchKind =>
  one.externalPort !== undefined ? 'external' : one.hasHostPort ? 'internal' : 'private'

/** Makes a port that is connected to nothing yet. v1 has such; in v2 a port comes with what is connected. */
export function createPort(host: Host, one: Switch, name: string, id?: string): SwitchPort {
  if (id !== undefined && findPort(host, id) !== undefined) throw switchRefusal(host, switchName(one), 'invalid')
  const port = newPort(host, one, name, undefined, id)
  host.touch()
  return port
}

/** Puts a network card of the host at a port that is free. */
export function attachCard(host: Host, one: Switch, port: SwitchPort, card: ExternalPort): void {
  if (one.externalPort !== undefined) throw switchRefusal(host, switchName(one), 'invalid')
  if (isBound(host, card)) throw switchRefusal(host, switchName(one), 'cardBound')
  one.externalPort = card.id
  attach(host, one, port, cardDeviceId(card.id))
}

/** Puts a card that the host itself has, by its DeviceID, at a port that is free. */
export function attachHost(host: Host, one: Switch, port: SwitchPort, deviceId: string): void {
  if (one.hasHostPort) throw switchRefusal(host, switchName(one), 'invalid')
  one.hasHostPort = true
  attach(host, one, port, deviceId)
}

function attach(host: Host, one: Switch, port: SwitchPort, deviceId: string): void {
  connectPort(host, port, deviceId)
  one.kind = kindFor(one)
}

/** Takes the host, or the outside, from a port, which stays. */
export function detach(host: Host, one: Switch, port: SwitchPort): void {
  const role = roleOf(one, port)
  if (role === 'host') one.hasHostPort = false
  if (role === 'external') delete one.externalPort
  connectPort(host, port, undefined)
  one.kind = kindFor(one)
}

/** Says that an adapter of a machine is at a port, by the InstanceID of its settings; undefined frees the port. */
export function connectPort(host: Host, port: SwitchPort, adapterId: string | undefined): void {
  if (adapterId === undefined) delete port.connectedTo
  else port.connectedTo = adapterId
  host.touch()
}

function newPort(host: Host, one: Switch, name: string, connectedTo?: string, id?: string): SwitchPort {
  if (one.ports.length >= PORTS_MAX) throw switchRefusal(host, switchName(one), 'tooMany', Return.failed)
  const port: SwitchPort = { id: id ?? host.random.guid(), name }
  if (connectedTo !== undefined) port.connectedTo = connectedTo
  one.ports.push(port)
  return port
}

/** Msvm_ExternalEthernetPort.DeviceID of a card of the host. Source: recorded. */
export const cardDeviceId = (id: string): string => `Microsoft:{${id}}`

/** Msvm_InternalEthernetPort.DeviceID of the host's own card on a switch. */
export const internalDeviceId = (port: SwitchPort): string => `Microsoft:{${guidOf(`internal port of ${port.id}`)}}`

/** Whether a card of the host is bound to a switch. */
export const isBound = (host: Host, card: ExternalPort): boolean =>
  host.state.switches.some(one => one.externalPort === card.id)

/** What is at a port. */
export type PortRole = 'host' | 'external' | 'adapter' | 'free'

export function roleOf(one: Switch, port: SwitchPort): PortRole {
  const { connectedTo } = port
  if (connectedTo === undefined) return 'free'
  if (one.externalPort !== undefined && sameId(connectedTo, cardDeviceId(one.externalPort))) return 'external'
  return connectedTo.startsWith('Microsoft:{') ? 'host' : 'adapter'
}

/** A connection of a machine to a switch. */
export interface Connection {
  readonly vm: Vm
  /** InstanceID of the Msvm_EthernetPortAllocationSettingData. */
  readonly id: string
  /** InstanceID of the adapter's settings. */
  readonly adapterId: string
  readonly name: string
}

/** The connections of machines, running or not, that name this switch. */
export function connectionsOf(host: Host, one: Switch): Connection[] {
  return host.state.vms.flatMap(vm =>
    vm.configuration.resources.flatMap(settings => {
      const [path] = textsIn(settings, 'HostResource')
      if (path === undefined || settings.className !== 'Msvm_EthernetPortAllocationSettingData') return []
      const named = keyIn(path, /^Msvm_VirtualEthernetSwitch$/i, 'Name')
      if (named === undefined || !sameId(named, one.id)) return []
      const id = idOf(settings)
      return [{ vm, id, adapterId: id.replace(/\\C$/i, ''), name: textIn(settings, 'ElementName') ?? '' }]
    }),
  )
}

/** A port as it stands: its own data, and the connection that it is made of where it is a machine's. */
export interface PortView {
  readonly one: Switch
  readonly port: SwitchPort
  readonly role: PortRole
  readonly connection?: Connection
}

/**
 * All ports of a switch: those to the host and the outside, those that v1 made, and one for each further connection.
 * A port whose adapter is gone is free.
 */
export function portsOf(host: Host, one: Switch): PortView[] {
  const rest = new Map(connectionsOf(host, one).map(connection => [connection.adapterId.toLowerCase(), connection]))
  const kept = one.ports.map((port): PortView => {
    const role = roleOf(one, port)
    const connection = rest.get(port.connectedTo?.toLowerCase() ?? '')
    if (role !== 'adapter') return { one, port, role }
    rest.delete(port.connectedTo?.toLowerCase() ?? '')
    return connection === undefined ? { one, port, role: 'free' } : { one, port, role, connection }
  })
  const made = [...rest.values()].map((connection): PortView => {
    const port = { id: guidOf(`port of ${connection.id}`), name: connection.name, connectedTo: connection.adapterId }
    return { one, port, role: 'adapter', connection }
  })
  return [...kept, ...made]
}

/** A port of any switch by its GUID. */
export function findPort(host: Host, id: string): PortView | undefined {
  for (const one of host.state.switches) {
    const found = portsOf(host, one).find(({ port }) => sameId(port.id, id))
    if (found !== undefined) return found
  }
  return undefined
}

/** The InstanceID of the allocation of a port to the host or to the outside. */
export const portAllocationId = (one: Switch, port: SwitchPort): string => `Microsoft:${one.id}\\${port.id}`
