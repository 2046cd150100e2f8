import type { ObjectName } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import { type InternalView, internalPorts, isTaken } from '../host/internal-ports.ts'
import type { ExternalPort, Settings, Vm } from '../host/model.ts'
import { named } from '../host/names.ts'
import { isActive } from '../host/resources-images.ts'
import { ownerOfId } from '../host/resources-ids.ts'
import { ownVm } from '../host/resources-owner.ts'
import { idOf, kindOf } from '../host/resources-settings.ts'
import { textIn } from '../host/settings.ts'
import { cardDeviceId, portsOf } from '../host/switches.ts'
import { nameOfPort as nameOfDevicePort } from '../v2/network-names.ts'
import type { Row } from '../v2/rows.ts'
import { connectionPaths, nameOfPort } from './adapter-ports.ts'
import { parsePath } from '../cim/path.ts'

// Ports of the host and of machines that run, and the end of the cable at each:
//   Msvm_SyntheticEthernetPort -DeviceSAPImplementation- Msvm_VmLANEndpoint -ActiveConnection- Msvm_SwitchPort
//   Msvm_ExternalEthernetPort -GlobalEthernetPortSAPImplementation- Msvm_SwitchLANEndpoint -ActiveConnection- Msvm_SwitchPort

export const PORT_CLASSES = [
  'Msvm_ExternalEthernetPort',
  'Msvm_InternalEthernetPort',
  'Msvm_SyntheticEthernetPort',
  'Msvm_EmulatedEthernetPort',
] as const

export type EndpointClass = 'Msvm_SwitchLANEndpoint' | 'Msvm_VmLANEndpoint'

/** A port, and what there is to say of it and of its end of the cable. */
export interface EthernetPort {
  readonly name: ObjectName
  readonly endpoint: ObjectName
  readonly system: string
  readonly row: Row
  readonly address: string | undefined
  /** The port of a switch at the other end. */
  readonly at: ObjectName | undefined
  readonly of: PortOwner
}

/** Whose a port is. */
export type PortOwner =
  | { readonly kind: 'card'; readonly card: ExternalPort }
  | { readonly kind: 'internal'; readonly view: InternalView }
  | { readonly kind: 'adapter'; readonly vm: Vm; readonly settings: Settings }

const HOST = 'Msvm_ComputerSystem'

/** The end of the cable at a port. It is named by the port's DeviceID without its prefix. */
function nameOfEndpoint(className: EndpointClass, system: string, deviceId: string): ObjectName {
  return named(className, {
    CreationClassName: className,
    Name: deviceId.replace(/^Microsoft:/, ''),
    SystemCreationClassName: HOST,
    SystemName: system,
  })
}

/** All ports. */
export const allPorts = (host: Host): EthernetPort[] => [
  ...hostPorts(host),
  ...host.state.vms.flatMap(vm => adapterPorts(host, vm)),
]

/** Those of one system, by its Name. */
export function portsOfSystem(host: Host, name: string): EthernetPort[] {
  const vm = host.vm(name)
  if (vm !== undefined) return adapterPorts(host, vm)
  return name.toUpperCase() === host.state.name ? hostPorts(host) : []
}

function hostPorts(host: Host): EthernetPort[] {
  const system = host.state.name
  const cards = host.state.externalPorts.map((card): EthernetPort => {
    const deviceId = cardDeviceId(card.id)
    return {
      name: nameOfDevicePort('Msvm_ExternalEthernetPort', HOST, system, deviceId),
      endpoint: nameOfEndpoint('Msvm_SwitchLANEndpoint', system, deviceId),
      system,
      row: { Description: 'Microsoft External Ethernet Port', ElementName: card.name, IsBound: isTaken(host, card) },
      address: card.address,
      at: portOfCard(host, card),
      of: { kind: 'card', card },
    }
  })
  return [...cards, ...internalPorts(host).map(view => internalPort(host, view))]
}

function portOfCard(host: Host, card: ExternalPort): ObjectName | undefined {
  const one = host.state.switches.find(({ externalPort }) => externalPort === card.id)
  const view = one === undefined ? undefined : portsOf(host, one).find(({ role }) => role === 'external')
  return view === undefined ? undefined : nameOfPort(view.one.id, view.port.id)
}

export function internalPort(host: Host, view: InternalView): EthernetPort {
  const { deviceId, name, address, at } = view
  const system = host.state.name
  return {
    name: nameOfDevicePort('Msvm_InternalEthernetPort', HOST, system, deviceId),
    endpoint: nameOfEndpoint('Msvm_SwitchLANEndpoint', system, deviceId),
    system,
    row: { Description: 'Microsoft Internal Ethernet Port', ElementName: name },
    address,
    at: at === undefined ? undefined : nameOfPort(at.one.id, at.port.id),
    of: { kind: 'internal', view },
  }
}

/** The adapters of a machine, while it runs. */
function adapterPorts(host: Host, vm: Vm): EthernetPort[] {
  if (!isActive(vm)) return []
  return vm.configuration.resources.flatMap((settings): EthernetPort[] => {
    const className = adapterClass(host, settings)
    return className === undefined ? [] : [adapterPort(host, vm, className, settings)]
  })
}

function adapterPort(host: Host, vm: Vm, className: string, settings: Settings): EthernetPort {
  const deviceId = `Microsoft:${ownerOfId(idOf(settings))?.rest ?? ''}`
  const words = className.replace(/^Msvm_(\w+?)EthernetPort$/, '$1')
  return {
    name: nameOfDevicePort(className, HOST, vm.id, deviceId),
    endpoint: nameOfEndpoint('Msvm_VmLANEndpoint', vm.id, deviceId),
    system: vm.id,
    row: { Description: `Microsoft ${words} Ethernet Port`, ElementName: textIn(settings, 'ElementName') },
    address: textIn(settings, 'Address'),
    at: portOfAdapter(host, vm, settings),
    of: { kind: 'adapter', vm, settings },
  }
}

function portOfAdapter(host: Host, vm: Vm, settings: Settings): ObjectName | undefined {
  const [path] = connectionPaths(host, ownVm(vm), settings)
  return path === undefined ? undefined : parsePath(path)
}

function adapterClass(host: Host, settings: Settings): string | undefined {
  const kind = kindOf(settings, host.state.build)
  if (kind === 'syntheticPort') return 'Msvm_SyntheticEthernetPort'
  return kind === 'emulatedPort' ? 'Msvm_EmulatedEthernetPort' : undefined
}
