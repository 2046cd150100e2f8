import type { Host } from './host.ts'
import type { ExternalPort, InternalPort, Switch, SwitchPort } from './model.ts'
import { OperationError, Return } from './operation-error.ts'
import { isAddress, nextAddress } from './resources-addresses.ts'
import { sameId } from './resources-ids.ts'
import { detach, isBound, portsOf, switchName, switchRefusal } from './switches.ts'

// The network cards that the host itself has. A switch that was made with one brings it along; v1 makes them by
// themselves and puts them at a port of a switch.

/** A card of the host's own as it stands. */
export interface InternalView {
  /** Msvm_InternalEthernetPort.DeviceID. */
  readonly deviceId: string
  readonly name: string
  readonly address: string
  /** Where it is plugged in. */
  readonly at?: { readonly one: Switch; readonly port: SwitchPort }
}

const PORTS_MAX = 1_000

/** Msvm_InternalEthernetPort.DeviceID of a card that was made by itself. */
export const internalPortId = (id: string): string => `Microsoft:{${id}}`

/** All cards of the host's own, those that are at no switch among them. */
export function internalPorts(host: Host): InternalView[] {
  const made = host.state.internalPorts ?? []
  const plugged = host.state.switches.flatMap(one =>
    portsOf(host, one).flatMap(({ port, role }) => (role === 'host' ? [pluggedView(host, one, port)] : [])),
  )
  const loose = made
    .filter(({ id }) => !plugged.some(view => sameId(view.deviceId, internalPortId(id))))
    .map(({ id, name, address }): InternalView => ({ deviceId: internalPortId(id), name, address }))
  return [...plugged, ...loose]
}

/** The card of the host's own that is at a port of a switch. */
export function pluggedView(host: Host, one: Switch, port: SwitchPort): InternalView {
  const deviceId = port.connectedTo ?? ''
  const made = host.state.internalPorts?.find(({ id }) => sameId(internalPortId(id), deviceId))
  // A card that came with its switch has an address that only its DeviceID decides.
  const address = made?.address ?? `00155D${deviceId.replaceAll('-', '').slice(-7, -1)}`
  return { deviceId, name: (made?.name ?? port.name) || switchName(one), address, at: { one, port } }
}

export function internalPortNamed(host: Host, deviceId: string): InternalView | undefined {
  return internalPorts(host).find(view => sameId(view.deviceId, deviceId))
}

/** Makes a card. Its identifier and address are the host's choice where none are given. */
export function createInternalPort(
  host: Host,
  spec: { readonly id?: string; readonly name: string; readonly address?: string },
): InternalPort {
  const present = host.state.internalPorts ?? []
  const id = spec.id ?? host.random.guid()
  const isTaken = internalPortNamed(host, internalPortId(id)) !== undefined
  const isWrong = spec.address !== undefined && !isAddress(spec.address)
  if (isTaken || isWrong || /[{}"\\]/.test(id)) throw switchRefusal(host, spec.name, 'invalid')
  if (present.length >= PORTS_MAX) throw switchRefusal(host, spec.name, 'tooMany', Return.failed)
  const made = { id, name: spec.name, address: spec.address?.toUpperCase() ?? nextAddress(host) }
  host.state.internalPorts = [...present, made]
  host.touch()
  return made
}

/** Takes a card away, and from the switch that it is at. */
export function deleteInternalPort(host: Host, { deviceId, at }: InternalView): void {
  if (at !== undefined) detach(host, at.one, at.port)
  host.state.internalPorts = (host.state.internalPorts ?? []).filter(({ id }) => !sameId(internalPortId(id), deviceId))
  host.touch()
}

/** Whether a network card was bound, at a switch or for one. */
export const isTaken = (host: Host, card: ExternalPort): boolean =>
  isBound(host, card) || (host.state.boundPorts ?? []).includes(card.id)

/** Binds a network card, so that it can be put at a port of a switch. */
export function bindCard(host: Host, card: ExternalPort): void {
  if (isTaken(host, card)) throw switchRefusal(host, card.name, 'cardBound', Return.inUse)
  host.state.boundPorts = [...(host.state.boundPorts ?? []), card.id]
  host.touch()
}

/** Gives a network card back to the host; it must be at no switch any more. */
export function unbindCard(host: Host, card: ExternalPort): void {
  if (isBound(host, card)) throw switchRefusal(host, card.name, 'cardBound', Return.inUse)
  if (!isTaken(host, card)) throw new OperationError(Return.invalidState, 'The network adapter is not bound.')
  host.state.boundPorts = (host.state.boundPorts ?? []).filter(id => id !== card.id)
  host.touch()
}
