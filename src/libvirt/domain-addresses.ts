import { isIPv6 } from 'node:net'
import {
  type AddressSource,
  DriverError,
  type GuestInterface,
  type NetworkLease,
  type NetworkOps,
  type NicConfig,
} from '../drivers/driver.ts'
import { DomainWithCpuStatistics } from './domain-cpu-statistics.ts'
import { VIR_ERR_ARGUMENT_UNSUPPORTED, VIR_ERR_NO_HOSTNAME, VIR_ERR_OPERATION_INVALID } from './error-numbers.ts'
import { checkExclusive, checkFlags, type FunctionName, has } from './flag-check.ts'
import {
  VIR_DOMAIN_GET_HOSTNAME_AGENT,
  VIR_DOMAIN_GET_HOSTNAME_LEASE,
  VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT,
  VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP,
  VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE,
  VIR_IP_ADDR_TYPE_IPV4,
  VIR_IP_ADDR_TYPE_IPV6,
} from './flags/index.ts'
import { isActiveState } from './remembered.ts'

/** An address of a guest. */
export interface IPAddress {
  /** One of `VIR_IP_ADDR_TYPE_`. */
  readonly type: number
  readonly addr: string
  /** How many bits are the network's; 0 where nobody tells. */
  readonly prefix: number
}

/** A network interface of a guest, as virDomainInterface has it. */
export interface Interface {
  readonly name: string
  /** Null of one that has no hardware address. */
  readonly hwaddr: string | null
  readonly addrs: readonly IPAddress[]
}

const SOURCES: ReadonlyMap<number, AddressSource | 'lease'> = new Map<number, AddressSource | 'lease'>([
  [VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE, 'lease'],
  [VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT, 'agent'],
  [VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP, 'arp'],
])
const HOSTNAME_FLAGS = Object.entries({ VIR_DOMAIN_GET_HOSTNAME_LEASE, VIR_DOMAIN_GET_HOSTNAME_AGENT })
const HOSTNAME = { known: VIR_DOMAIN_GET_HOSTNAME_LEASE | VIR_DOMAIN_GET_HOSTNAME_AGENT }

/** Where a guest is, and what it is called. */
export class DomainWithAddresses extends DomainWithCpuStatistics {
  /**
   * The interfaces of the guest with their addresses, as who knows them tells: one of `VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_`.
   * A host that has no such source rejects with `VIR_ERR_ARGUMENT_UNSUPPORTED` (virDomainInterfaceAddresses).
   */
  async interfaceAddresses(source = VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE, flags = 0): Promise<Interface[]> {
    const name = 'virDomainInterfaceAddresses'
    const ask = async () => {
      checkFlags(name, flags, {})
      const guest = this.host.group(name, 'guest')
      const known = SOURCES.get(source)
      if (known === 'lease') return this.#leased()
      if (known === undefined || !guest.addressSources.includes(known)) throw this.#noSource(source)
      const interfaces = await this.asked(() => guest.addresses(this.id, known))
      return interfaces.map(interfaceOf)
    }
    return source === VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT ? this.demand(name, ask) : this.read(name, ask)
  }

  /** What the guest calls itself, or with `VIR_DOMAIN_GET_HOSTNAME_LEASE` what it called itself to DHCP (virDomainGetHostname). */
  async getHostname(flags = 0): Promise<string> {
    const name = 'virDomainGetHostname'
    return this.demand(name, async () => {
      checkExclusive(name, flags, HOSTNAME_FLAGS)
      checkFlags(name, flags, HOSTNAME)
      const guest = this.host.group(name, 'guest')
      if (!has(flags, VIR_DOMAIN_GET_HOSTNAME_LEASE)) return this.asked(() => guest.hostName(this.id))
      const told = (await this.#leases()).flatMap(({ leases }) => leases.flatMap(({ hostname }) => hostname ?? []))
      const [hostname] = told
      if (hostname !== undefined) return hostname
      throw this.host.error(VIR_ERR_NO_HOSTNAME, `no hostname found for domain ${this.getName()}`)
    })
  }

  /** Asks for what is not told to who may only read, though it changes nothing of the domain. */
  protected demand<T>(name: FunctionName, ask: () => Promise<T>): Promise<T> {
    return this.read(name, async () => {
      this.host.assertWritable(name)
      return ask()
    })
  }

  /** A guest answers while it runs, and who leases to it tells of one that is in memory. */
  protected async asked<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await this.host.seeing(this.id, ask)
    } catch (error) {
      if (!(error instanceof DriverError && error.kind === 'bad-state')) throw error
      throw this.host.error(VIR_ERR_OPERATION_INVALID, 'domain is not running', error)
    }
  }

  /** Of each interface that was given addresses. Source: libvirt, src/conf/domain_conf.c, virDomainNetDHCPInterfaces. */
  async #leased(): Promise<Interface[]> {
    const interfaces = (await this.#leases()).filter(({ leases }) => leases.length > 0)
    return interfaces.map(({ device, mac, leases }) => ({
      name: device,
      hwaddr: mac.toLowerCase(),
      addrs: leases.map(({ address, prefix }) => ({
        type: TYPES[isIPv6(address) ? 'ipv6' : 'ipv4'],
        addr: address,
        prefix,
      })),
    }))
  }

  /** The interfaces of one that is active, each with what it was given on its network. */
  async #leases(): Promise<readonly (NicConfig & { readonly leases: readonly NetworkLease[] })[]> {
    const { networks } = this.host.driver
    if (networks?.leases === undefined) throw this.#noSource(VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE)
    const { domain, config, living } = await this.host.described(this.id)
    if (!isActiveState(domain.state)) throw this.host.error(VIR_ERR_OPERATION_INVALID, 'domain is not running')
    const { nics = [] } = await this.living(domain, config, living)
    const ids = [...new Set(nics.flatMap(({ network }) => network ?? []))]
    const byNetwork = new Map(await Promise.all(ids.map(async id => [id, await leasesOf(networks, id)] as const)))
    return nics.map(nic => {
      const all = nic.network === null ? [] : (byNetwork.get(nic.network) ?? [])
      return { ...nic, leases: all.filter(({ mac }) => mac.toLowerCase() === nic.mac.toLowerCase()) }
    })
  }

  #noSource(source: number) {
    const { guest, networks } = this.host.driver
    const there = [...(networks?.leases === undefined ? [] : ['lease']), ...(guest?.addressSources ?? [])]
    const hint = there.length === 0 ? 'tells no addresses' : `tells addresses by ${there.join(', ')}`
    const text = `Unsupported IP address data source ${SOURCES.get(source) ?? source}: this host ${hint}`
    return this.host.error(VIR_ERR_ARGUMENT_UNSUPPORTED, text)
  }
}

/** Of a network that is gone nothing is known. */
async function leasesOf(networks: NetworkOps, id: string): Promise<readonly NetworkLease[]> {
  try {
    return (await networks.leases?.(id)) ?? []
  } catch (error) {
    if (error instanceof DriverError && error.kind === 'not-found') return []
    throw error
  }
}

const TYPES = { ipv4: VIR_IP_ADDR_TYPE_IPV4, ipv6: VIR_IP_ADDR_TYPE_IPV6 } as const

const interfaceOf = ({ name, mac, addresses }: GuestInterface): Interface => ({
  name,
  hwaddr: mac ?? null,
  addrs: addresses.map(({ family, address, prefix }) => ({ type: TYPES[family], addr: address, prefix })),
})
