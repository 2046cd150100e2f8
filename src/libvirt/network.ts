import type { NetworkTitle } from '../drivers/driver.ts'
import {
  VIR_ERR_INTERNAL_ERROR,
  VIR_ERR_NO_NETWORK,
  VIR_ERR_OPERATION_INVALID,
  VIR_ERR_OPERATION_UNSUPPORTED,
} from './error-numbers.ts'
import { checkFlags, type FunctionName } from './flag-check.ts'
import { VIR_NETWORK_XML_INACTIVE } from './flags/index.ts'
import type { Host } from './host.ts'
import type { NetworkDeed, NetworkKeeper } from './kept-networks.ts'
import { type KnownNetwork, networksOf } from './known-networks.ts'
import { uuidBytes } from './uuid.ts'
import { hostInterfaceOf, writeNetwork } from './xml/network.ts'

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
