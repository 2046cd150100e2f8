import type { NetworkLease, NetworkTitle } from '../drivers/driver.ts'
import {
  VIR_ERR_INTERNAL_ERROR,
  VIR_ERR_INVALID_ARG,
  VIR_ERR_INVALID_MAC,
  VIR_ERR_NO_NETWORK,
  VIR_ERR_NO_SUPPORT,
  VIR_ERR_OPERATION_INVALID,
  VIR_ERR_OPERATION_UNSUPPORTED,
} from './error-numbers.ts'
import { checkFlags, type FunctionName, has } from './flag-check.ts'
import {
  VIR_IP_ADDR_TYPE_IPV4,
  VIR_NETWORK_UPDATE_AFFECT_CONFIG,
  VIR_NETWORK_UPDATE_AFFECT_LIVE,
  VIR_NETWORK_XML_INACTIVE,
} from './flags/index.ts'
import type { Host } from './host.ts'
import type { NetworkDeed, NetworkKeeper } from './kept-networks.ts'
import { type KnownNetwork, networksOf } from './known-networks.ts'
import { uuidBytes } from './uuid.ts'
import { hostInterfaceOf, writeNetwork } from './xml/network.ts'
import { updatedNetwork } from './xml/network-update.ts'

/** An address that a guest was given by DHCP. */
export interface NetworkDHCPLease {
  /** The host's own interface in the network; empty where it has none. */
  readonly iface: string
  /** When it ends, in seconds since 1970; 0 for never. */
  readonly expirytime: bigint
  /** `VIR_IP_ADDR_TYPE_IPV4`. */
  readonly type: number
  readonly mac: string | null
  /** What tells leases of IPv6 apart: null. */
  readonly iaid: string | null
  readonly ipaddr: string
  readonly prefix: number
  /** What the guest calls itself; null where it did not say. */
  readonly hostname: string | null
  /** How the guest tells itself from others; null where it does not. */
  readonly clientid: string | null
}

const UPDATE = { known: VIR_NETWORK_UPDATE_AFFECT_LIVE | VIR_NETWORK_UPDATE_AFFECT_CONFIG }
/** How much of what is no hardware address an error repeats. */
const MAC_SHOWN_MAX = 100
const MS_PER_S = 1_000

/**
 * A network of a host, as it was found. What a host itself has of networks is defined, carries packets, and is there when
 * the host has started; where a server keeps networks, they can be stopped too, which is that the host does not know them.
 */
export class Network {
  readonly #host: Host
  readonly #id: string
  readonly #name: string

  constructor(host: Host, { id, name }: NetworkTitle) {
    this.#host = host
    this.#id = id
    this.#name = name
  }

  /** The name it had when it was found (virNetworkGetName). */
  getName(): string {
    return this.#name
  }

  /** Its UUID in 16 octets (virNetworkGetUUID). */
  getUUID(): Uint8Array {
    return uuidBytes(this.#id)
  }

  /** Its UUID in lower case with hyphens (virNetworkGetUUIDString). */
  getUUIDString(): string {
    return this.#id
  }

  /** Describes it in libvirt's XML: its kind, the card it is bound to, and its VLAN too (virNetworkGetXMLDesc). */
  async getXMLDesc(flags = 0): Promise<string> {
    return this.#read('virNetworkGetXMLDesc', network => {
      checkFlags('virNetworkGetXMLDesc', flags, { known: VIR_NETWORK_XML_INACTIVE })
      return writeNetwork(network, this.#host.kind)
    })
  }

  /** Whether it carries packets (virNetworkIsActive). */
  async isActive(): Promise<boolean> {
    return this.#read('virNetworkIsActive', ({ isActive }) => isActive)
  }

  /** Whether it stays when it stops (virNetworkIsPersistent). */
  async isPersistent(): Promise<boolean> {
    return this.#read('virNetworkIsPersistent', ({ isPersistent }) => isPersistent)
  }

  /** Whether it is there when the host has started (virNetworkGetAutostart). */
  async getAutostart(): Promise<boolean> {
    return this.#read('virNetworkGetAutostart', ({ autostart }) => autostart)
  }

  /**
   * Whether it is to be started with the host where it is not active. Rejects with `VIR_ERR_OPERATION_UNSUPPORTED` where
   * nothing can keep it from that (virNetworkSetAutostart).
   */
  async setAutostart(autostart: boolean | number): Promise<void> {
    const isWanted = autostart !== false && autostart !== 0
    return this.#change('virNetworkSetAutostart', async ({ isPersistent, autostart: before }, keeper) => {
      if (isWanted === before) return
      if (!isPersistent) throw this.#invalid('cannot set autostart for transient network')
      if (keeper !== undefined) return keeper.setAutostart(this.#id, isWanted)
      throw this.#host.error(VIR_ERR_OPERATION_UNSUPPORTED, 'networks are always there when the host has started')
    })
  }

  /** The host's own interface in it; rejects where there is none (virNetworkGetBridgeName). */
  async getBridgeName(): Promise<string> {
    return this.#read('virNetworkGetBridgeName', network => {
      const own = hostInterfaceOf(network, this.#host.kind)
      if (own !== undefined) return own
      throw this.#host.error(VIR_ERR_INTERNAL_ERROR, `network '${this.#name}' does not have a bridge name.`)
    })
  }

  /**
   * Which addresses guests have by DHCP, all or those of a hardware address, as far as the host has seen who was given
   * what; nobody has one of a network that is not active (virNetworkGetDHCPLeases).
   */
  async getDHCPLeases(mac: string | null = null, flags = 0): Promise<NetworkDHCPLease[]> {
    const name = 'virNetworkGetDHCPLeases'
    return this.#host.read(name, VIR_ERR_NO_NETWORK, async () => {
      checkFlags(name, flags, {})
      const wanted = mac === null ? undefined : hardwareAddress(mac)
      if (mac !== null && wanted === undefined) throw this.#host.error(VIR_ERR_INVALID_MAC, mac.slice(0, MAC_SHOWN_MAX))
      const networks = this.#host.group(name, 'networks')
      if (networks.leases === undefined) throw this.#host.error(VIR_ERR_NO_SUPPORT, name)
      const network = await this.#now(name)
      const leases = network.isActive ? await networks.leases(this.#id) : []
      const iface = hostInterfaceOf(network, this.#host.kind) ?? ''
      return leases.filter(lease => wanted === undefined || lease.mac === wanted).map(lease => leaseOf(lease, iface))
    })
  }

  /**
   * Makes a part of its description another, as `networkDefineXML` would with the part changed in it: what is updated counts
   * at once where the network is active, whichever of the `VIR_NETWORK_UPDATE_AFFECT_` is given. Sections are those that
   * networks here have: the bridge, the address, where it leads; others are refused with `VIR_ERR_OPERATION_UNSUPPORTED`
   * (virNetworkUpdate).
   */
  async update(command: number, section: number, parentIndex: number, xml: string, flags = 0): Promise<void> {
    const name = 'virNetworkUpdate'
    return this.#change(name, async (network, keeper) => {
      checkFlags(name, flags, UPDATE)
      if (!Number.isSafeInteger(parentIndex)) {
        throw this.#host.error(VIR_ERR_INVALID_ARG, `parentIndex in ${name} must be a number, not ${parentIndex}`)
      }
      const isOfConfig = has(flags, VIR_NETWORK_UPDATE_AFFECT_CONFIG)
      if (has(flags, VIR_NETWORK_UPDATE_AFFECT_LIVE) && !network.isActive) throw this.#invalid('network is not running')
      if (isOfConfig && !network.isPersistent) {
        throw this.#invalid('cannot change persistent config of a transient network')
      }
      const updated = updatedNetwork(network, { command, section, xml }, this.#host.kind)
      if (keeper === undefined) {
        await this.#host.group(name, 'networks').define(updated)
        this.#tell('defined')
      } else if (network.isPersistent) await keeper.define(updated)
      else await keeper.create(updated)
    })
  }

  /** Makes it active: tells the host of it. Rejects with `VIR_ERR_OPERATION_INVALID` where it is (virNetworkCreate). */
  async create(): Promise<void> {
    return this.#change('virNetworkCreate', async ({ isActive }, keeper) => {
      if (isActive || keeper === undefined) throw this.#invalid('network is already active')
      await keeper.start(this.#id)
    })
  }

  /**
   * Makes it inactive: the host forgets it. Rejects with `VIR_ERR_OPERATION_INVALID` while an interface of a domain that is
   * active is plugged into it, and with `VIR_ERR_OPERATION_UNSUPPORTED` where nobody keeps networks that the host does not
   * know (virNetworkDestroy).
   */
  async destroy(): Promise<void> {
    return this.#change('virNetworkDestroy', async ({ isActive }, keeper) => {
      if (!isActive) throw this.#invalid(`network '${this.#name}' is not active`)
      if (keeper !== undefined) return keeper.stop(this.#id)
      throw this.#host.error(
        VIR_ERR_OPERATION_UNSUPPORTED,
        'networks cannot be stopped; virNetworkUndefine forgets them',
      )
    })
  }

  /**
   * Forgets it. Where a server keeps networks, one that is active goes on until it is stopped; elsewhere it ends, and it
   * rejects with `VIR_ERR_OPERATION_INVALID` while an interface of a domain that is active is plugged into it
   * (virNetworkUndefine).
   */
  async undefine(): Promise<void> {
    return this.#change('virNetworkUndefine', async ({ isPersistent }, keeper) => {
      if (!isPersistent) throw this.#invalid("can't undefine transient network")
      if (keeper !== undefined) return keeper.undefine(this.#id)
      await this.#host.group('virNetworkUndefine', 'networks').undefine(this.#id)
      for (const deed of ['stopped', 'undefined'] as const) this.#tell(deed)
    })
  }

  #tell(deed: NetworkDeed): void {
    this.#host.remembered.networks.tell({ network: { id: this.#id, name: this.#name }, deed })
  }

  #invalid(text: string) {
    return this.#host.error(VIR_ERR_OPERATION_INVALID, text)
  }

  #read<T>(name: FunctionName, tell: (network: KnownNetwork) => T): Promise<T> {
    return this.#host.read(name, VIR_ERR_NO_NETWORK, async () => tell(await this.#now(name)))
  }

  #change(
    name: FunctionName,
    run: (network: KnownNetwork, keeper: NetworkKeeper | undefined) => Promise<void>,
  ): Promise<void> {
    return this.#host.change(name, VIR_ERR_NO_NETWORK, async () => {
      await run(await this.#now(name), this.#host.company.networks)
    })
  }

  async #now(name: FunctionName): Promise<KnownNetwork> {
    const found = (await networksOf(this.#host, name)).find(({ id }) => id === this.#id)
    if (found !== undefined) return found
    throw this.#host.error(VIR_ERR_NO_NETWORK, `no network with matching uuid '${this.#id}' (${this.#name})`)
  }
}

/** In lower case, each octet with two digits; undefined where it is none. Source: libvirt, src/util/virmacaddr.c, virMacAddrParse. */
function hardwareAddress(text: string): string | undefined {
  if (!/^[\da-f]{1,2}(:[\da-f]{1,2}){5}$/i.test(text)) return undefined
  const octets = text.split(':').map(octet => octet.padStart(2, '0'))
  return octets.join(':').toLowerCase()
}

/** Whoever asks later than it ends is told of none; up to then a second is a second. */
const leaseOf = ({ address, expiresAtMs, clientId, ...lease }: NetworkLease, iface: string): NetworkDHCPLease => ({
  iface,
  expirytime: expiresAtMs === null ? 0n : BigInt(Math.floor(expiresAtMs / MS_PER_S)),
  type: VIR_IP_ADDR_TYPE_IPV4,
  mac: lease.mac,
  iaid: null,
  ipaddr: address,
  prefix: lease.prefix,
  hostname: lease.hostname,
  clientid: clientId,
})
