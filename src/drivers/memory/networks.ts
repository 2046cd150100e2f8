import { DriverError, type NetworkConfig, type NetworkLease, type NetworkOps } from '../driver.ts'
import { interfacesOf } from './agent.ts'
import type { Connection } from './connection.ts'
import type { MemoryHost } from './host.ts'

/** A memory host has an ethernet device of every name but this one. */
export const MISSING_NIC = 'no-such-nic'

/** How many networks a memory host has room for. */
const NETWORKS_MAX = 4096
const NIC_NAME_MAX = 15
const VLAN_MAX = 4094

/** The networks of a memory host. */
export function networkOps(host: MemoryHost, connection: Connection): NetworkOps {
  return {
    list: () => connection.call('networks.list', () => [...host.networks.values()]),
    define: network => connection.call('networks.define', () => define(host, structuredClone(network))),
    leases: id => connection.call('networks.leases', () => leases(host, id)),
    undefine: id => connection.call('networks.undefine', () => undefine(host, id)),
  }
}

function define(host: MemoryHost, network: NetworkConfig): void {
  const { id, nic, vlan } = network
  if (nic === MISSING_NIC || nic.length > NIC_NAME_MAX || /[\s/]/.test(nic)) {
    throw new DriverError('refused', `the host has no ethernet device ${nic}`)
  }
  if (vlan !== null && !(Number.isSafeInteger(vlan) && vlan >= 1 && vlan <= VLAN_MAX)) {
    throw new DriverError('refused', `not an 802.1Q tag: ${vlan}`)
  }
  if (!host.networks.has(id) && host.networks.size >= NETWORKS_MAX) {
    throw new DriverError('refused', `the host has ${NETWORKS_MAX} networks already`)
  }
  host.networks.set(id, network)
}

/** For how long an address is given. */
const LEASE_MS = 3_600_000

/** As long as a guest is there, it has its address given again in time. */
function leases(host: MemoryHost, id: string): NetworkLease[] {
  if (!host.networks.has(id)) throw new DriverError('not-found', `the host has no network ${id}`)
  const expiresAtMs = Date.now() + LEASE_MS
  return [...host.active].flatMap(({ active, now }) => {
    if (active === null || now.state === 'suspended') return []
    const nics = active.config.nics?.filter(({ network }) => network === id) ?? []
    return nics.flatMap(nic => {
      const [{ addresses } = { addresses: [] }] = interfacesOf({ ...active.config, nics: [nic] })
      const mac = nic.mac.toLowerCase()
      return addresses
        .filter(({ family }) => family === 'ipv4')
        .map(({ address, prefix }) => ({ mac, address, prefix, hostname: null, clientId: null, expiresAtMs }))
    })
  })
}

function undefine(host: MemoryHost, id: string): void {
  const network = host.networks.get(id)
  if (network === undefined) throw new DriverError('not-found', `the host has no network ${id}`)
  for (const { active, now } of host.active) {
    if (!active?.config.nics?.some(nic => nic.network === id)) continue
    throw new DriverError('bad-state', `an interface of ${now.name} is plugged into the network ${network.name}`)
  }
  host.networks.delete(id)
}
