import type { NetworkConfig, NicConfig } from '../../drivers/driver.ts'
import type { XmlOutput } from '../../wire/xml/write.ts'
import { VIR_ERR_NO_NETWORK, VIR_ERR_XML_ERROR } from '../error-numbers.ts'
import { OF_INTERFACE } from './accepted.ts'
import type { HostKind } from './host-kind.ts'
import { derivedMac, derivedUuid, parseUuid } from './identity.ts'
import { lookup } from './lookup.ts'
import { readOwnAlias, writeOwnAlias } from './own-alias.ts'
import type { Reading } from './reading.ts'
import { element } from './writing.ts'

/** A network of the host; its card or bridge is known where interfaces may be described by these. */
export type KnownNetwork = Pick<NetworkConfig, 'id' | 'name'> & Partial<Pick<NetworkConfig, 'nic'>>

/** What is known where an interface is read or written. */
export interface InterfaceSurroundings {
  readonly domainId: string
  readonly kind: HostKind
  /** The networks of the host. */
  readonly networks: readonly KnownNetwork[]
  /** The interfaces before it; of one that is to be plugged in, all that there are. */
  readonly before: readonly Pick<NicConfig, 'mac' | 'device'>[]
  /** The interface that is described, where there is one: what the description does not say stays as it is. */
  readonly present?: NicConfig
}

/** What interfaces have unless something else is said, in octets. */
export const MTU_USUAL = 1_500
const MTU_MAX = 65_535
/** More interfaces than any machine has room for. */
const NICS_MAX = 1_000

/**
 * Cards by libvirt's names of them: a host takes the one of the kind that it has, and says so in what it writes. Those
 * that are not here have no counterpart.
 */
const MODELS: Readonly<Record<string, NicConfig['model']>> = {
  virtio: 'paravirtualised',
  'virtio-transitional': 'paravirtualised',
  'virtio-non-transitional': 'paravirtualised',
  netvsc: 'paravirtualised',
  netfront: 'paravirtualised',
  vmxnet3: 'paravirtualised',
  e1000: 'emulated',
  e1000e: 'emulated',
  rtl8139: 'emulated',
  pcnet: 'emulated',
  ne2k_pci: 'emulated',
  tulip: 'emulated',
}

/** Names that libvirt gives the other end of a cable of itself. Source: libvirt, formatdomain, "Overriding the target element". */
const CHOSEN_BY_LIBVIRT = /^(vnet|macvtap|macvlan|vif)\d/

/**
 * Reads an `<interface>`. One without an address is given one by its place among the interfaces of its domain, and its id
 * is always that of its address, unless it was written here with another: the same description gives the same interface.
 */
export function readInterface(
  nic: Reading,
  surroundings: InterfaceSurroundings,
  said: string | undefined = readMac(nic),
): NicConfig {
  const { domainId, before, present } = surroundings
  const mac = said ?? present?.mac ?? macAt(surroundings)
  const { id = present?.id ?? interfaceId(domainId, mac, before), alias } = readOwnAlias(nic)
  const network = readNetwork(nic, surroundings)
  const linkDown = readLink(nic, network)
  const model = readModel(nic, present?.model)
  const mtu = readMtu(nic, present?.mtu)
  nic.acceptHarmless(OF_INTERFACE)
  const device = readDevice(nic, before, present?.device)
  return { id, mac, mtu, model, device, network, ...(linkDown && { linkDown }), ...(alias !== undefined && { alias }) }
}

/** Several interfaces may have one address, which is their owner's business. */
function interfaceId(domainId: string, mac: string, before: InterfaceSurroundings['before']): string {
  const twins = before.filter(each => each.mac === mac).length
  return derivedUuid(domainId, `interface ${mac}${twins === 0 ? '' : ` ${twins}`}`)
}

function macAt({ domainId, kind, before }: InterfaceSurroundings): string {
  let place = before.length
  let mac = derivedMac(kind.macPrefix, domainId, `${place}`)
  // Ends with the last of those that are taken.
  while (before.some(each => each.mac === mac)) mac = derivedMac(kind.macPrefix, domainId, `${++place}`)
  return mac
}

/** The address that the description says. */
export function readMac(nic: Reading): string | undefined {
  const said = nic.child('mac')
  const text = said?.attribute('address')
  if (said === undefined || text === undefined) return undefined
  said.word('type', ['static', 'generated'])
  said.word('check', ['yes', 'no'])
  const octets = text.trim().toLowerCase().split(/[:-]/)
  if (octets.length !== 6 || octets.some(octet => !/^[0-9a-f]{1,2}$/.test(octet))) {
    return said.fail(VIR_ERR_XML_ERROR, `unable to parse mac address '${text.slice(0, 100)}'`)
  }
  const mac = octets.map(octet => octet.padStart(2, '0')).join(':')
  if (/^.[13579bdf]/.test(mac)) {
    return said.fail(VIR_ERR_XML_ERROR, `expected unicast mac address, found multicast '${mac}'`)
  }
  return mac
}

/** The network that it is plugged into; null for one of type `null`, which is plugged nowhere. */
function readNetwork(nic: Reading, { networks }: InterfaceSurroundings): string | null {
  const type = nic.attribute('type') ?? ''
  if (type === 'null' || type === 'none') return null
  if (type !== 'network' && type !== 'bridge') return nic.refuse('/@type', type)
  const source = nic.child('source')
  const name = source?.attribute(type)
  if (source === undefined || name === undefined || name === '') {
    return nic.fail(VIR_ERR_XML_ERROR, `interface type='${type}' requires a 'source' element`)
  }
  if (type === 'bridge')
    return onlyOf(
      source,
      '/@bridge',
      name,
      networks.filter(each => each.nic === name),
    )
  // libvirt writes of running domains where it has plugged them in.
  for (const attribute of ['bridge', 'portid']) source.attribute(attribute)
  const byId = networks.filter(each => each.id === parseUuid(name))
  return onlyOf(source, '/@network', name, [...networks.filter(each => each.name === name), ...byId])
}

function onlyOf(source: Reading, path: string, name: string, found: readonly KnownNetwork[]): string {
  const [network, second] = found
  if (network === undefined) {
    return source.fail(VIR_ERR_NO_NETWORK, `no network with matching name '${name.slice(0, 100)}'`)
  }
  if (second === undefined) return network.id
  return source.refuse(path, name, 'several networks are called so; they can be told apart by their UUIDs')
}

/** Whether its link is down though the cable is plugged in; one that is plugged nowhere has none that could be up. */
function readLink(nic: Reading, network: string | null): boolean {
  const link = nic.child('link')
  const state = link?.word('state', ['up', 'down'])
  if (state === 'up' && network === null) link?.refuse('/@state', state, 'an interface of type null is plugged nowhere')
  return state === 'down' && network !== null
}

function readModel(nic: Reading, usual: NicConfig['model'] = 'paravirtualised'): NicConfig['model'] {
  const model = nic.child('model')
  const type = model?.attribute('type')
  if (model === undefined || type === undefined) return usual
  const kind = lookup(MODELS, type)
  return kind ?? model.refuse('/@type', type)
}

function readMtu(nic: Reading, usual: number = MTU_USUAL): number {
  const mtu = nic.child('mtu')
  const size = mtu?.attribute('size')
  if (mtu === undefined || size === undefined) return usual
  const octets = /^\d{1,6}$/.test(size) ? Number(size) : 0
  return octets >= 1 && octets <= MTU_MAX ? octets : mtu.invalid('/@size', size)
}

function readDevice(nic: Reading, before: InterfaceSurroundings['before'], present: string | undefined): string {
  const device = nic.child('target')?.attribute('dev') ?? ''
  return device === '' || CHOSEN_BY_LIBVIRT.test(device) ? (present ?? freeDevice(before)) : device
}

function freeDevice(before: InterfaceSurroundings['before']): string {
  const taken = new Set(before.map(each => each.device))
  for (let number = 0; number < NICS_MAX; number++) if (!taken.has(`eth${number}`)) return `eth${number}`
  return `eth${before.length}`
}

/** `<interface>` of a domain. */
export function writeInterface(nic: NicConfig, surroundings: InterfaceSurroundings): XmlOutput {
  const { domainId, kind, networks, before } = surroundings
  const { mac, model, mtu, device, network, linkDown = false } = nic
  return element(
    'interface',
    { type: network === null ? 'null' : 'network' },
    element('mac', { address: mac }),
    network !== null && element('source', { network: networkName(network, networks) }),
    element('target', { dev: device }),
    element('model', { type: model === 'emulated' ? kind.emulatedNic : kind.paravirtualisedNic }),
    (network === null || linkDown) && element('link', { state: 'down' }),
    mtu !== MTU_USUAL && element('mtu', { size: mtu }),
    writeOwnAlias(nic, interfaceId(domainId, mac, before)),
  )
}

/** Its name; the UUID where that tells no network, or several. */
function networkName(id: string, networks: readonly KnownNetwork[]): string {
  const name = networks.find(each => each.id === id)?.name ?? ''
  const isOnly = networks.filter(each => each.name === name).length === 1
  return isOnly && name !== '' && parseUuid(name) === undefined ? name : id
}
