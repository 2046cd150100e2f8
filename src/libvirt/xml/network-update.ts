import type { NetworkConfig } from '../../drivers/driver.ts'
import type { XmlElement } from '../../wire/xml/tree.ts'
import {
  type ErrorNumber,
  VIR_ERR_INTERNAL_ERROR,
  VIR_ERR_NO_SUPPORT,
  VIR_ERR_OPERATION_INVALID,
  VIR_ERR_OPERATION_UNSUPPORTED,
  VIR_ERR_XML_ERROR,
  VIR_FROM_NETWORK,
} from '../error-numbers.ts'
import { LibvirtError } from '../errors.ts'
import {
  VIR_NETWORK_SECTION_BRIDGE,
  VIR_NETWORK_SECTION_DNS_HOST,
  VIR_NETWORK_SECTION_DNS_SRV,
  VIR_NETWORK_SECTION_DNS_TXT,
  VIR_NETWORK_SECTION_DOMAIN,
  VIR_NETWORK_SECTION_FORWARD,
  VIR_NETWORK_SECTION_FORWARD_INTERFACE,
  VIR_NETWORK_SECTION_FORWARD_PF,
  VIR_NETWORK_SECTION_IP,
  VIR_NETWORK_SECTION_IP_DHCP_HOST,
  VIR_NETWORK_SECTION_IP_DHCP_RANGE,
  VIR_NETWORK_SECTION_PORTGROUP,
  VIR_NETWORK_UPDATE_COMMAND_ADD_FIRST,
  VIR_NETWORK_UPDATE_COMMAND_ADD_LAST,
  VIR_NETWORK_UPDATE_COMMAND_DELETE,
  VIR_NETWORK_UPDATE_COMMAND_MODIFY,
} from '../flags/index.ts'
import type { HostKind } from './host-kind.ts'
import { outputOf } from './metadata.ts'
import { type NetworkParts, networkParts, readNetwork, writeParts } from './network.ts'
import { readElement } from './reading.ts'
import { element } from './writing.ts'

/** What is to become of a part of a network's description. */
export interface NetworkUpdate {
  /** A `VIR_NETWORK_UPDATE_COMMAND_`. */
  readonly command: number
  /** A `VIR_NETWORK_SECTION_`. */
  readonly section: number
  /** The element. */
  readonly xml: string
}

/** The sections that hosts here have, each once in a description. libvirt itself does not update these. */
const OWN: Readonly<Record<number, 'bridge' | 'ip' | 'forward'>> = {
  [VIR_NETWORK_SECTION_BRIDGE]: 'bridge',
  [VIR_NETWORK_SECTION_IP]: 'ip',
  [VIR_NETWORK_SECTION_FORWARD]: 'forward',
}

/** The others, as libvirt names them where it cannot update one. Source: libvirt, src/conf/network_conf.c, virNetworkDefUpdateSection. */
const FOREIGN: Readonly<Record<number, string>> = {
  [VIR_NETWORK_SECTION_DOMAIN]: 'domain',
  [VIR_NETWORK_SECTION_IP_DHCP_HOST]: 'ip dhcp host',
  [VIR_NETWORK_SECTION_IP_DHCP_RANGE]: 'ip dhcp range',
  [VIR_NETWORK_SECTION_FORWARD_PF]: 'forward pf',
  [VIR_NETWORK_SECTION_PORTGROUP]: 'portgroup',
  [VIR_NETWORK_SECTION_DNS_HOST]: 'dns host',
  [VIR_NETWORK_SECTION_DNS_TXT]: 'dns txt',
  [VIR_NETWORK_SECTION_DNS_SRV]: 'dns srv',
}

type Deed = 'modify' | 'delete' | 'add'

const DEEDS: Readonly<Record<number, Deed>> = {
  [VIR_NETWORK_UPDATE_COMMAND_MODIFY]: 'modify',
  [VIR_NETWORK_UPDATE_COMMAND_DELETE]: 'delete',
  [VIR_NETWORK_UPDATE_COMMAND_ADD_FIRST]: 'add',
  [VIR_NETWORK_UPDATE_COMMAND_ADD_LAST]: 'add',
}

/**
 * A network of which a part is another: what `readNetwork` makes of its description with the part changed in it. Throws
 * LibvirtError, in libvirt's words, for a part that there is or is not, and for sections that networks here do not have.
 */
export function updatedNetwork(config: NetworkConfig, update: NetworkUpdate, kind: HostKind): NetworkConfig {
  const { command, section } = update
  const parts = networkParts(config, kind)
  const foreign = FOREIGN[section]
  if (foreign !== undefined) {
    throw refusal(VIR_ERR_OPERATION_UNSUPPORTED, `can't update '${foreign}' section of network '${config.name}'`)
  }
  const name = OWN[section]
  if (name === undefined && section !== VIR_NETWORK_SECTION_FORWARD_INTERFACE) {
    throw refusal(VIR_ERR_INTERNAL_ERROR, "can't update unrecognized section of network")
  }
  const deed = DEEDS[command]
  if (deed === undefined) throw refusal(VIR_ERR_NO_SUPPORT, `unrecognized network update command code ${command}`)
  const changed =
    name === undefined ? withCard(config, parts, deed, update) : withPart(config, parts, deed, { ...update, name })
  return readNetwork(writeParts(config, changed), { kind, newId: () => config.id })
}

const refusal = (code: ErrorNumber, detail: string) => new LibvirtError(code, detail, { domain: VIR_FROM_NETWORK })

/** Source: libvirt, src/conf/network_conf.c, virNetworkDefUpdateForwardInterface. */
function withCard({ name, nic }: NetworkConfig, parts: NetworkParts, deed: Deed, { xml }: NetworkUpdate): NetworkParts {
  const given = read(xml, 'interface', name)
  const dev = given.attribute('dev')
  if (dev === undefined) throw refusal(VIR_ERR_XML_ERROR, 'missing dev attribute in <interface> element')
  if (deed === 'modify') {
    const text = 'forward interface entries cannot be modified, only added or deleted'
    throw refusal(VIR_ERR_OPERATION_UNSUPPORTED, text)
  }
  const cards = nic === '' ? [] : [nic]
  const isThere = cards.includes(dev)
  if (deed === 'add' && isThere) {
    const text = `there is an existing interface entry in network '${name}' that matches "<interface dev='${dev}'>"`
    throw refusal(VIR_ERR_OPERATION_INVALID, text)
  }
  if (deed === 'delete' && !isThere) {
    const text = `couldn't find an interface entry in network '${name}' matching <interface dev='${dev}'>`
    throw refusal(VIR_ERR_OPERATION_INVALID, text)
  }
  const left = deed === 'add' ? [...cards, dev] : cards.filter(card => card !== dev)
  const mode = parts.forward?.attributes?.['mode']
  const interfaces = left.map(card => element('interface', { dev: card }))
  return { ...parts, forward: element('forward', mode === undefined ? {} : { mode }, ...interfaces) }
}

interface PartUpdate extends NetworkUpdate {
  readonly name: 'bridge' | 'ip' | 'forward'
}

function withPart(config: NetworkConfig, parts: NetworkParts, deed: Deed, { name, xml }: PartUpdate): NetworkParts {
  const given = outputOf(read(xml, name, config.name))
  const present = parts[name]
  if (deed === 'add' && present !== undefined) {
    throw refusal(VIR_ERR_OPERATION_INVALID, `there is an existing ${name} entry in network '${config.name}'`)
  }
  const isMeant = ([attribute, value]: readonly [string, unknown]) => present?.attributes?.[attribute] === value
  const isThere = present !== undefined && (deed !== 'delete' || Object.entries(given.attributes ?? {}).every(isMeant))
  if (deed !== 'add' && !isThere) {
    throw refusal(VIR_ERR_OPERATION_INVALID, `couldn't find a matching ${name} entry in network '${config.name}'`)
  }
  return { ...parts, [name]: deed === 'delete' ? undefined : given }
}

/** Source: libvirt, src/conf/network_conf.c, virNetworkDefUpdateCheckElementName. */
function read(xml: string, name: string, network: string): XmlElement {
  const root = readElement(xml, VIR_FROM_NETWORK)
  if (root.name === name) return root
  const text = `unexpected element <${root.name.slice(0, 100)}>, expecting <${name}>, while updating network '${network}'`
  throw refusal(VIR_ERR_XML_ERROR, text)
}
