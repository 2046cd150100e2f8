import type { NetworkConfig } from '../drivers/driver.ts'
import {
  VIR_ERR_INTERNAL_ERROR,
  VIR_ERR_NO_NETWORK,
  VIR_ERR_OPERATION_INVALID,
  VIR_ERR_OPERATION_UNSUPPORTED,
} from './error-numbers.ts'
import { checkFlags, type FunctionName } from './flag-check.ts'
import { VIR_NETWORK_XML_INACTIVE } from './flags/index.ts'
import type { Host } from './host.ts'
import { uuidBytes } from './uuid.ts'
import { hostInterfaceOf, writeNetwork } from './xml/network.ts'

/**
 * A network of a host, as it was found. What a host has of networks is defined, carries packets, and is there when the
 * host has started.
 */
export class Network {
  readonly #host: Host
  readonly #id: string
  readonly #name: string

  constructor(host: Host, { id, name }: Pick<NetworkConfig, 'id' | 'name'>) {
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
    return this.#read('virNetworkIsActive', () => true)
  }

  /** Whether it stays when it stops (virNetworkIsPersistent). */
  async isPersistent(): Promise<boolean> {
    return this.#read('virNetworkIsPersistent', () => true)
  }

  /** Whether it is there when the host has started (virNetworkGetAutostart). */
  async getAutostart(): Promise<boolean> {
    return this.#read('virNetworkGetAutostart', () => true)
  }

  /** Rejects with `VIR_ERR_OPERATION_UNSUPPORTED` for what would keep it from that (virNetworkSetAutostart). */
  async setAutostart(autostart: boolean | number): Promise<void> {
    return this.#change('virNetworkSetAutostart', async () => {
      if (autostart !== false && autostart !== 0) return
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

  /** Rejects with `VIR_ERR_OPERATION_INVALID`, since it is active (virNetworkCreate). */
  async create(): Promise<void> {
    return this.#change('virNetworkCreate', async () => {
      throw this.#host.error(VIR_ERR_OPERATION_INVALID, 'network is already active')
    })
  }

  /** Rejects with `VIR_ERR_OPERATION_UNSUPPORTED`: a network that is stopped, hosts do not know (virNetworkDestroy). */
  async destroy(): Promise<void> {
    return this.#change('virNetworkDestroy', async () => {
      throw this.#host.error(
        VIR_ERR_OPERATION_UNSUPPORTED,
        'networks cannot be stopped; virNetworkUndefine forgets them',
      )
    })
  }

  /**
   * Forgets it. Rejects with `VIR_ERR_OPERATION_INVALID` while an interface of a domain that is active is plugged into it
   * (virNetworkUndefine).
   */
  async undefine(): Promise<void> {
    return this.#change('virNetworkUndefine', () =>
      this.#host.group('virNetworkUndefine', 'networks').undefine(this.#id),
    )
  }

  #read<T>(name: FunctionName, tell: (network: NetworkConfig) => T): Promise<T> {
    return this.#host.read(name, VIR_ERR_NO_NETWORK, async () => tell(await this.#now(name)))
  }

  #change(name: FunctionName, run: () => Promise<void>): Promise<void> {
    return this.#host.change(name, VIR_ERR_NO_NETWORK, async () => {
      await this.#now(name)
      await run()
    })
  }

  async #now(name: FunctionName): Promise<NetworkConfig> {
    const networks = await this.#host.group(name, 'networks').list()
    const found = networks.find(({ id }) => id === this.#id)
    if (found !== undefined) return found
    throw this.#host.error(VIR_ERR_NO_NETWORK, `no network with matching uuid '${this.#id}' (${this.#name})`)
  }
}
