import type { NetworkConfig, NetworkTitle } from '../../drivers/driver.ts'
import type { XmlOutput } from '../../wire/xml/write.ts'
import {
  VIR_ERR_CONFIG_UNSUPPORTED,
  VIR_ERR_INTERNAL_ERROR,
  VIR_ERR_NO_NAME,
  VIR_ERR_XML_DETAIL,
  VIR_ERR_XML_ERROR,
  VIR_FROM_NETWORK,
} from '../error-numbers.ts'
import { OF_NETWORK } from './accepted-elsewhere.ts'
import type { HostKind } from './host-kind.ts'
import { parseUuid } from './identity.ts'
import { readDocument, type Reading } from './reading.ts'
import { element, write } from './writing.ts'

/** What is known where a network is described. */
export interface NetworkSurroundings {
  readonly kind: HostKind
  /** The UUID of a network whose description has none. */
  readonly newId: () => string
}

/** Ways of forwarding that libvirt has and hosts here have not. Source: libvirt, formatnetwork, "Connectivity". */
const FOREIGN_MODES: readonly string[] = ['route', 'open', 'private', 'vepa', 'passthrough', 'hostdev', 'nat', 'none']
const VLAN_MAX = 4_094
/** Bridges that libvirt makes and names itself. */
const MADE_BY_LIBVIRT = /^virbr\d+$/

/**
 * Reads the description of a network: one of mode `bridge` is bound to a network card or a bridge of the host; what one
 * without is on a host, its kind says. Throws LibvirtError as `readDomain` does. Source: libvirt, formatnetwork.
 */
export function readNetwork(text: string, { kind, newId }: NetworkSurroundings): NetworkConfig {
  const network = readDocument(text, 'network', VIR_FROM_NETWORK)
  network.attribute('connections') // How many interfaces are plugged in.
  network.child('metadata')?.ignoreAll() // What programs note for themselves.
  const name = readName(network)
  const id = readId(network) ?? newId()
  const { card: nic, hasHost } = readLeads(network, name, kind)
  const config = { id, name, nic, vlan: readVlan(network), ...readAddress(network), ...(hasHost && { hasHost }) }
  network.acceptHarmless(OF_NETWORK)
  network.finish()
  return config
}

function readName(network: Reading): string {
  const name = network.child('name')?.rawText() ?? ''
  if (name === '') return network.fail(VIR_ERR_NO_NAME, network.path)
  const title = network.child('title')?.text() ?? ''
  if (title !== '') network.refuse('/title', title, 'a network has a name alone')
  return /[/\n]/.test(name) ? network.fail(VIR_ERR_XML_DETAIL, 'invalid char in name: /') : name
}

function readId(network: Reading): string | undefined {
  const uuid = network.child('uuid')
  if (uuid === undefined) return undefined
  return parseUuid(uuid.text()) ?? uuid.fail(VIR_ERR_INTERNAL_ERROR, 'malformed uuid element')
}

/** Where a network leads beside the domains that are plugged in: to a card of the host, and to the host. */
interface Leads {
  readonly card: string
  readonly hasHost: boolean
}

/** What a host calls its own interface in a network, is no bridge to bind it to. */
function readLeads(network: Reading, name: string, kind: HostKind): Leads {
  const bridge = network.child('bridge')
  bridge?.word('stp', ['on', 'off'])
  bridge?.word('delay', ['0'])
  const bridgeName = bridge?.attribute('name') ?? ''
  const hasHost = bridgeName !== '' && bridgeName === kind.hostInterface?.(name)
  return { card: readCard(network, bridge, hasHost ? '' : bridgeName, kind), hasHost }
}

/** The card or the bridge; empty for a network that is bound to none. */
function readCard(network: Reading, bridge: Reading | undefined, bridgeName: string, kind: HostKind): string {
  const forward = network.child('forward')
  // libvirt's own is NAT where a way is described and none is named.
  const mode = forward === undefined ? 'none' : (forward.attribute('mode') ?? 'nat')
  if (mode === 'bridge' && forward !== undefined) return readBinding(forward, bridgeName)
  if (mode !== kind.unboundForward) {
    refuseMode(forward ?? network, forward === undefined ? '/forward' : '/@mode', mode, kind)
  }
  if (bridgeName !== '' && !MADE_BY_LIBVIRT.test(bridgeName)) {
    bridge?.refuse('/@name', bridgeName, 'a network that is bound to a bridge is of mode bridge')
  }
  return ''
}

function refuseMode(said: Reading, path: string, mode: string, { unboundForward }: HostKind): never {
  const other = unboundForward === 'none' ? 'have no forward' : `are of mode ${unboundForward}`
  const why = `networks of this host ${other}, or are of mode bridge with a card of the host`
  if (FOREIGN_MODES.includes(mode)) return said.refuse(path, mode, why)
  return said.fail(VIR_ERR_CONFIG_UNSUPPORTED, `unknown forwarding type '${mode.slice(0, 100)}'`)
}

/** libvirt names the card twice, and calls a bridge a bridge. */
function readBinding(forward: Reading, bridge: string): string {
  const [first, second] = forward.children('interface')
  if (second !== undefined) second.refuse('', second.attribute('dev'), 'a network is bound to one card')
  first?.attribute('connections')
  const names = [forward.attribute('dev'), first?.attribute('dev'), bridge].filter(name => name !== undefined)
  const [name, other] = [...new Set(names.filter(each => each !== ''))]
  if (name === undefined) return forward.refuse('/interface', undefined, 'it names no card of the host')
  return other === undefined ? name : forward.refuse('', `${name}, ${other}`, 'a network is bound to one card')
}

function readVlan(network: Reading): number | null {
  const vlan = network.child('vlan')
  if (vlan === undefined) return null
  vlan.word('trunk', ['no'])
  const [tag, second] = vlan.children('tag')
  if (tag === undefined)
    return vlan.fail(VIR_ERR_XML_ERROR, 'missing tag id - each <vlan> must have at least one <tag> subelement')
  const id = tag.attribute('id') ?? ''
  if (second !== undefined) second.refuse('/@id', second.attribute('id'), 'a network has one tag')
  const number = /^\d{1,5}$/.test(id) ? Number(id) : 0
  return number >= 1 && number <= VLAN_MAX ? number : tag.invalid('/@id', id)
}

type Address = Pick<NetworkConfig, 'gateway' | 'netmask'>

/** What guests are told is their gateway. Who is given which address is the host's business. */
function readAddress(network: Reading): Address {
  const [ip, second] = network.children('ip')
  if (second !== undefined) second.refuse('/@address', second.attribute('address'), 'a network has one address')
  if (ip === undefined) return { gateway: '', netmask: '' }
  ip.word('family', ['ipv4'])
  const gateway = ip.attribute('address') ?? ''
  if (!isAddress(gateway)) return ip.invalid('/@address', gateway)
  const prefix = ip.attribute('prefix')
  const netmask = prefix === undefined ? (ip.attribute('netmask') ?? '') : maskOf(ip, prefix)
  if (netmask !== '' && !isAddress(netmask)) return ip.invalid('/@netmask', netmask)
  ip.child('dhcp') // Without a range; whoever names one is refused.
  return { gateway, netmask }
}

const isAddress = (text: string): boolean =>
  /^\d{1,3}(\.\d{1,3}){3}$/.test(text) && text.split('.').every(octet => Number(octet) <= 255)

function maskOf(ip: Reading, prefix: string): string {
  const bits = /^\d{1,2}$/.test(prefix) ? Number(prefix) : -1
  if (bits < 0 || bits > 32) return ip.invalid('/@prefix', prefix)
  const octets = [0, 1, 2, 3].map(octet => 256 - 2 ** (8 - Math.min(8, Math.max(0, bits - octet * 8))))
  return octets.join('.')
}

/** Describes a network as libvirt does. */
export const writeNetwork = (config: NetworkConfig, kind: HostKind): string =>
  writeParts(config, networkParts(config, kind))

/** What a description says beside what the network is called: each part once, or not at all. */
export interface NetworkParts {
  readonly forward: XmlOutput | undefined
  readonly bridge: XmlOutput | undefined
  readonly vlan: XmlOutput | undefined
  readonly ip: XmlOutput | undefined
}

/** The parts of a description. */
export function networkParts(config: NetworkConfig, kind: HostKind): NetworkParts {
  const { nic, vlan, gateway, netmask } = config
  const own = hostInterfaceOf(config, kind)
  const bound = element('forward', { dev: nic, mode: 'bridge' }, element('interface', { dev: nic }))
  const unbound = kind.unboundForward === 'none' ? undefined : element('forward', { mode: kind.unboundForward })
  return {
    forward: nic === '' ? unbound : bound,
    bridge: own === undefined ? undefined : element('bridge', { name: own }),
    vlan: vlan === null ? undefined : element('vlan', {}, element('tag', { id: vlan })),
    ip: gateway === '' ? undefined : element('ip', { address: gateway, netmask: netmask === '' ? undefined : netmask }),
  }
}

/** The description that has these parts. */
export function writeParts({ id, name }: NetworkTitle, { forward, bridge, vlan, ip }: NetworkParts): string {
  const titles = [element('name', {}, name), element('uuid', {}, id)]
  return write(element('network', {}, titles, forward, bridge, vlan, ip), VIR_FROM_NETWORK)
}

/** What the host calls its own interface in a network; undefined where it has none, or does not tell. */
export function hostInterfaceOf({ name, hasHost = false }: NetworkConfig, kind: HostKind): string | undefined {
  return hasHost ? kind.hostInterface?.(name) : undefined
}
