import { randomUUID } from 'node:crypto'
import { ConnectionWithSavedDomains } from './connection-saved-domains.ts'
import {
  VIR_ERR_ARGUMENT_UNSUPPORTED,
  VIR_ERR_INVALID_ARG,
  VIR_ERR_NO_NETWORK,
  VIR_ERR_OPERATION_FAILED,
} from './error-numbers.ts'
import { Subscriptions } from './ears.ts'
import { checkFlags, type FunctionName, has } from './flag-check.ts'
import {
  VIR_CONNECT_LIST_NETWORKS_ACTIVE,
  VIR_CONNECT_LIST_NETWORKS_AUTOSTART,
  VIR_CONNECT_LIST_NETWORKS_INACTIVE,
  VIR_CONNECT_LIST_NETWORKS_NO_AUTOSTART,
  VIR_CONNECT_LIST_NETWORKS_PERSISTENT,
  VIR_CONNECT_LIST_NETWORKS_TRANSIENT,
  VIR_NETWORK_CREATE_VALIDATE,
  VIR_NETWORK_DEFINE_VALIDATE,
  VIR_NETWORK_EVENT_DEFINED,
  VIR_NETWORK_EVENT_ID_LIFECYCLE,
  VIR_NETWORK_EVENT_STARTED,
  VIR_NETWORK_EVENT_STOPPED,
  VIR_NETWORK_EVENT_UNDEFINED,
} from './flags/index.ts'
import type { Host } from './host.ts'
import type { NetworkDeed } from './kept-networks.ts'
import { type KnownNetwork, networksOf } from './known-networks.ts'
import { Network } from './network.ts'
import { firstOf } from './room.ts'
import { uuidOf } from './uuid.ts'
import { readNetwork } from './xml/network.ts'

/** Flags for what networks are and for what they are not, of which one that is given excludes the others. */
const PAIRS = [
  [VIR_CONNECT_LIST_NETWORKS_ACTIVE, VIR_CONNECT_LIST_NETWORKS_INACTIVE, 'isActive'],
  [VIR_CONNECT_LIST_NETWORKS_PERSISTENT, VIR_CONNECT_LIST_NETWORKS_TRANSIENT, 'isPersistent'],
  [VIR_CONNECT_LIST_NETWORKS_AUTOSTART, VIR_CONNECT_LIST_NETWORKS_NO_AUTOSTART, 'autostart'],
] as const
const FILTERS = PAIRS.reduce((sum, [yes, no]) => sum | yes | no, 0)
const DEFINE = { known: VIR_NETWORK_DEFINE_VALIDATE }
const CREATE = { known: VIR_NETWORK_CREATE_VALIDATE }

/** Told what has become of a network: a `VIR_NETWORK_EVENT_`, and 0, since nothing more is ever said. */
export type NetworkCallback = (network: Network, event: number, detail: number) => void

/** Source: libvirt, include/libvirt/libvirt-network.h (virNetworkEventLifecycleType). */
const EVENTS: Readonly<Record<NetworkDeed, number>> = {
  defined: VIR_NETWORK_EVENT_DEFINED,
  undefined: VIR_NETWORK_EVENT_UNDEFINED,
  started: VIR_NETWORK_EVENT_STARTED,
  stopped: VIR_NETWORK_EVENT_STOPPED,
}

/** How many callbacks for networks and pools a connection has. */
const CALLBACKS_MAX = 1_000

/** Begins to listen to networks or pools; answers the number by which that ends. Throws LibvirtError for one too many. */
export function subscribe(host: Host, subscriptions: Subscriptions, listen: () => () => void): number {
  if (subscriptions.count < CALLBACKS_MAX) return subscriptions.add(listen)
  const text = `a connection has ${CALLBACKS_MAX} callbacks for networks and storage pools at most`
  throw host.error(VIR_ERR_OPERATION_FAILED, text)
}

/** The networks of a host. */
export class ConnectionWithNetworks extends ConnectionWithSavedDomains {
  /** What of networks and pools is listened to; ends with the connection. */
  protected readonly subscriptions = new Subscriptions()

  /** How many carry packets (virConnectNumOfNetworks). */
  async numOfNetworks(): Promise<number> {
    return this.#read('virConnectNumOfNetworks', networks => networks.filter(isActive).length)
  }

  /** The names of the first `maxnames` of these (virConnectListNetworks). */
  async listNetworks(maxnames?: number): Promise<string[]> {
    return this.#read('virConnectListNetworks', networks =>
      firstOf(networks.filter(isActive), maxnames, 'virConnectListNetworks').map(({ name }) => name),
    )
  }

  /** How many do not (virConnectNumOfDefinedNetworks). */
  async numOfDefinedNetworks(): Promise<number> {
    return this.#read('virConnectNumOfDefinedNetworks', networks => networks.filter(isInactive).length)
  }

  /** The names of the first `maxnames` of these (virConnectListDefinedNetworks). */
  async listDefinedNetworks(maxnames?: number): Promise<string[]> {
    return this.#read('virConnectListDefinedNetworks', networks =>
      firstOf(networks.filter(isInactive), maxnames, 'virConnectListDefinedNetworks').map(({ name }) => name),
    )
  }

  /** All, or those that `VIR_CONNECT_LIST_NETWORKS_` flags are for (virConnectListAllNetworks). */
  async listAllNetworks(flags = 0): Promise<Network[]> {
    return this.#read('virConnectListAllNetworks', networks => {
      checkFlags('virConnectListAllNetworks', flags, { known: FILTERS })
      const isWanted = (network: KnownNetwork) =>
        PAIRS.every(([yes, no, field]) => !has(flags, yes | no) || has(flags, network[field] ? yes : no))
      return networks.filter(isWanted).map(network => new Network(this.host, network))
    })
  }

  /** The network of this name; rejects with `VIR_ERR_NO_NETWORK` (virNetworkLookupByName). */
  async networkLookupByName(name: string): Promise<Network> {
    const isIt = (network: KnownNetwork) => network.name === name
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

  /**
   * Makes the network that is described, or changes the one of its UUID, which the host follows. It carries packets at once,
   * or where a server keeps networks once it is started (virNetworkDefineXML).
   */
  async networkDefineXML(xml: string): Promise<Network> {
    return this.#define('virNetworkDefineXML', xml, 0)
  }

  /** As `networkDefineXML`, with `VIR_NETWORK_DEFINE_` flags (virNetworkDefineXMLFlags). */
  async networkDefineXMLFlags(xml: string, flags = 0): Promise<Network> {
    return this.#define('virNetworkDefineXMLFlags', xml, flags)
  }

  /**
   * Makes the network that is described, which carries packets at once, and where a server keeps networks is gone when it
   * is stopped (virNetworkCreateXML).
   */
  async networkCreateXML(xml: string): Promise<Network> {
    return this.#create('virNetworkCreateXML', xml, 0)
  }

  /** As `networkCreateXML`, with `VIR_NETWORK_CREATE_` flags (virNetworkCreateXMLFlags). */
  async networkCreateXMLFlags(xml: string, flags = 0): Promise<Network> {
    return this.#create('virNetworkCreateXMLFlags', xml, flags)
  }

  /**
   * Calls `callback`, which must not throw, for what becomes of one network, or of all where it is null, until
   * `networkEventDeregisterAny` with the number that is given: `VIR_NETWORK_EVENT_ID_LIFECYCLE`. Of hosts that no server
   * manages, what this process does is told (virConnectNetworkEventRegisterAny).
   */
  async networkEventRegisterAny(net: Network | null, eventID: number, callback: NetworkCallback): Promise<number> {
    const name = 'virConnectNetworkEventRegisterAny'
    return this.host.read(name, VIR_ERR_NO_NETWORK, async () => {
      this.host.group(name, 'networks')
      if (eventID !== VIR_NETWORK_EVENT_ID_LIFECYCLE) {
        const text = `networks have no events ${eventID}; there is VIR_NETWORK_EVENT_ID_LIFECYCLE`
        throw this.host.error(VIR_ERR_ARGUMENT_UNSUPPORTED, text)
      }
      const ears = this.host.company.networks ?? this.host.remembered.networks
      return subscribe(this.host, this.subscriptions, () =>
        ears.listen(({ network, deed }) => {
          if (net !== null && net.getUUIDString() !== network.id) return
          callback(new Network(this.host, network), EVENTS[deed], 0)
        }),
      )
    })
  }

  /** Ends that (virConnectNetworkEventDeregisterAny). */
  async networkEventDeregisterAny(callbackID: number): Promise<void> {
    return this.host.read('virConnectNetworkEventDeregisterAny', VIR_ERR_NO_NETWORK, async () => {
      if (this.subscriptions.end(callbackID)) return
      throw this.host.error(VIR_ERR_INVALID_ARG, `no event callback ${callbackID}`)
    })
  }

  async #define(name: FunctionName, xml: string, flags: number): Promise<Network> {
    return this.host.change(name, VIR_ERR_NO_NETWORK, async () => {
      checkFlags(name, flags, DEFINE)
      const group = this.host.group(name, 'networks')
      const { network } = await this.#described(name, xml)
      const keeper = this.host.company.networks
      if (keeper !== undefined) await keeper.define(network)
      else {
        await group.define(network)
        this.host.remembered.networks.tell({ network, deed: 'defined' })
      }
      return new Network(this.host, network)
    })
  }

  async #create(name: FunctionName, xml: string, flags: number): Promise<Network> {
    return this.host.change(name, VIR_ERR_NO_NETWORK, async () => {
      checkFlags(name, flags, CREATE)
      const group = this.host.group(name, 'networks')
      const { network, present } = await this.#described(name, xml)
      if (present?.isActive === true) {
        throw this.host.error(VIR_ERR_OPERATION_FAILED, `network is already active as '${present.name}'`)
      }
      const keeper = this.host.company.networks
      if (keeper !== undefined) await keeper.create(network)
      else {
        await group.define(network)
        this.host.remembered.networks.tell({ network, deed: 'started' })
      }
      return new Network(this.host, network)
    })
  }

  /** A network as it is described, and the one of its UUID. As for domains, a UUID keeps its name and a name its UUID. */
  async #described(name: FunctionName, xml: string) {
    const network = readNetwork(xml, { kind: this.host.kind, newId: () => randomUUID() })
    const known = await networksOf(this.host, name)
    for (const present of known) {
      if ((present.id === network.id) === (present.name === network.name)) continue
      const text = `network '${present.name}' already exists with uuid ${present.id}`
      throw this.host.error(VIR_ERR_OPERATION_FAILED, text)
    }
    return { network, present: known.find(({ id }) => id === network.id) }
  }

  async #byUuid(name: FunctionName, given: string | Uint8Array): Promise<Network> {
    const uuid = await this.host.read(name, VIR_ERR_NO_NETWORK, async () => uuidOf(name, given))
    return this.#lookUp(name, ({ id }) => id === uuid, `no network with matching uuid '${uuid}'`)
  }

  #lookUp(name: FunctionName, isIt: (network: KnownNetwork) => boolean, missing: string): Promise<Network> {
    return this.#read(name, networks => {
      const found = networks.find(isIt)
      if (found !== undefined) return new Network(this.host, found)
      throw this.host.error(VIR_ERR_NO_NETWORK, missing)
    })
  }

  #read<T>(name: FunctionName, tell: (networks: readonly KnownNetwork[]) => T): Promise<T> {
    return this.host.read(name, VIR_ERR_NO_NETWORK, async () => tell(await networksOf(this.host, name)))
  }
}

const isActive = (network: KnownNetwork): boolean => network.isActive
const isInactive = (network: KnownNetwork): boolean => !network.isActive
