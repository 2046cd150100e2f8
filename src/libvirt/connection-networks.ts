import { randomUUID } from 'node:crypto'
import type { NetworkConfig } from '../drivers/driver.ts'
import { ConnectionWithDomains } from './connection-domains.ts'
import { VIR_ERR_NO_NETWORK, VIR_ERR_OPERATION_FAILED } from './error-numbers.ts'
import { checkFlags, type FunctionName, has } from './flag-check.ts'
import {
  VIR_CONNECT_LIST_NETWORKS_ACTIVE,
  VIR_CONNECT_LIST_NETWORKS_AUTOSTART,
  VIR_CONNECT_LIST_NETWORKS_INACTIVE,
  VIR_CONNECT_LIST_NETWORKS_NO_AUTOSTART,
  VIR_CONNECT_LIST_NETWORKS_PERSISTENT,
  VIR_CONNECT_LIST_NETWORKS_TRANSIENT,
  VIR_NETWORK_DEFINE_VALIDATE,
} from './flags/index.ts'
import { Network } from './network.ts'
import { firstOf } from './room.ts'
import { uuidOf } from './uuid.ts'
import { readNetwork } from './xml/network.ts'

/** Of each pair the flag for what all networks here are, and the flag for what none is. */
const PAIRS = [
  [VIR_CONNECT_LIST_NETWORKS_ACTIVE, VIR_CONNECT_LIST_NETWORKS_INACTIVE],
  [VIR_CONNECT_LIST_NETWORKS_PERSISTENT, VIR_CONNECT_LIST_NETWORKS_TRANSIENT],
  [VIR_CONNECT_LIST_NETWORKS_AUTOSTART, VIR_CONNECT_LIST_NETWORKS_NO_AUTOSTART],
] as const
const FILTERS = PAIRS.flat().reduce((sum, flag) => sum | flag, 0)
const DEFINE = { known: VIR_NETWORK_DEFINE_VALIDATE }

/** The networks of a host. */
export class ConnectionWithNetworks extends ConnectionWithDomains {
  /** How many carry packets (virConnectNumOfNetworks). */
  async numOfNetworks(): Promise<number> {
    return this.#read('virConnectNumOfNetworks', ({ length }) => length)
  }

  /** The names of the first `maxnames` of these (virConnectListNetworks). */
  async listNetworks(maxnames?: number): Promise<string[]> {
    return this.#read('virConnectListNetworks', networks =>
      firstOf(networks, maxnames, 'virConnectListNetworks').map(({ name }) => name),
    )
  }

  /** How many do not: none, since a network that a host has carries packets (virConnectNumOfDefinedNetworks). */
  async numOfDefinedNetworks(): Promise<number> {
    return this.#read('virConnectNumOfDefinedNetworks', () => 0)
  }

  /** The names of the first `maxnames` of these (virConnectListDefinedNetworks). */
  async listDefinedNetworks(maxnames?: number): Promise<string[]> {
    return this.#read('virConnectListDefinedNetworks', () => firstOf([], maxnames, 'virConnectListDefinedNetworks'))
  }

  /** All, or those that `VIR_CONNECT_LIST_NETWORKS_` flags are for (virConnectListAllNetworks). */
  async listAllNetworks(flags = 0): Promise<Network[]> {
    return this.#read('virConnectListAllNetworks', networks => {
      checkFlags('virConnectListAllNetworks', flags, { known: FILTERS })
      const isWanted = PAIRS.every(([yes, no]) => has(flags, yes) || !has(flags, no))
      return isWanted ? networks.map(network => new Network(this.host, network)) : []
    })
  }

  /** The network of this name; rejects with `VIR_ERR_NO_NETWORK` (virNetworkLookupByName). */
  async networkLookupByName(name: string): Promise<Network> {
    const isIt = (network: NetworkConfig) => network.name === name
    return this.#lookUp('virNetworkLookupByName', isIt, `no network with matching name '${name}'`)
  }

  /** The network of this UUID, text or 16 octets; rejects with `VIR_ERR_NO_NETWORK` (virNetworkLookupByUUID). */
  async networkLookupByUUID(uuid: string | Uint8Array): Promise<Network> {
    return this.#byUuid('virNetworkLookupByUUID', uuid)
  }

  /** As `networkLookupByUUID`, of text (virNetworkLookupByUUIDString). */
  async networkLookupByUUIDString(uuid: string): Promise<Network> {
    return this.#byUuid('virNetworkLookupByUUIDString', uuid)
  }

  /** Makes the network that is described, or changes the one of its UUID; it carries packets at once (virNetworkDefineXML). */
  async networkDefineXML(xml: string): Promise<Network> {
    return this.#define('virNetworkDefineXML', xml, 0)
  }

  /** As `networkDefineXML`, with `VIR_NETWORK_DEFINE_` flags (virNetworkDefineXMLFlags). */
  async networkDefineXMLFlags(xml: string, flags = 0): Promise<Network> {
    return this.#define('virNetworkDefineXMLFlags', xml, flags)
  }

  /** As for domains, a UUID keeps its name and a name its UUID. */
  async #define(name: FunctionName, xml: string, flags: number): Promise<Network> {
    return this.host.change(name, VIR_ERR_NO_NETWORK, async () => {
      checkFlags(name, flags, DEFINE)
      const group = this.host.group(name, 'networks')
      const network = readNetwork(xml, { kind: this.host.kind, newId: () => randomUUID() })
      for (const present of await group.list()) {
        if ((present.id === network.id) === (present.name === network.name)) continue
        const text = `network '${present.name}' already exists with uuid ${present.id}`
        throw this.host.error(VIR_ERR_OPERATION_FAILED, text)
      }
      await group.define(network)
      return new Network(this.host, network)
    })
  }

  async #byUuid(name: FunctionName, given: string | Uint8Array): Promise<Network> {
    const uuid = await this.host.read(name, VIR_ERR_NO_NETWORK, async () => uuidOf(name, given))
    return this.#lookUp(name, ({ id }) => id === uuid, `no network with matching uuid '${uuid}'`)
  }

  #lookUp(name: FunctionName, isIt: (network: NetworkConfig) => boolean, missing: string): Promise<Network> {
    return this.#read(name, networks => {
      const found = networks.find(isIt)
      if (found !== undefined) return new Network(this.host, found)
      throw this.host.error(VIR_ERR_NO_NETWORK, missing)
    })
  }

  #read<T>(name: FunctionName, tell: (networks: readonly NetworkConfig[]) => T): Promise<T> {
    return this.host.read(name, VIR_ERR_NO_NETWORK, async () => tell(await this.host.group(name, 'networks').list()))
  }
}
