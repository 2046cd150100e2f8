import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type DomainId, DriverError, type NetworkConfig, type NetworkLease, type NicMetrics } from '../../driver.ts'
import { Lock } from '../lock.ts'
import { SwitchKeeper, type WantedPort } from '../switch/keeper.ts'
import type { PortStatus } from '../switch/messages.ts'
import { addressesOf } from './addresses.ts'
import { readNetworks, writeNetworks } from './network-file.ts'
import { assertNetwork, Uplinks } from './uplinks.ts'

/** The cable of an interface: the socket on which its QEMU listens, and where the other end is plugged. */
export interface Cable {
  /** As `NicConfig.id`. */
  readonly nic: string
  readonly path: string
  /** Null for nowhere. */
  readonly network: string | null
}

/** What the networks of a connection need. */
export interface NetworksOptions {
  /** As `rootOf` gives it. */
  readonly root: string
  /** Absolute path of the emulator. */
  readonly program: string
  readonly warn: (message: string) => void
}

/** Networks that a host may have. */
const NETWORKS_MAX = 4_096

/**
 * The networks of the host: their definitions, which cables are plugged into them, the switch between those, and the
 * uplinks of the networks in use. Switch and uplinks go on while no server is there.
 */
export class Networks {
  readonly #file: string
  readonly #folder: string
  readonly #warn: (message: string) => void
  readonly #keeper: SwitchKeeper
  readonly #uplinks: Uplinks
  readonly #networks = new Map<string, NetworkConfig>()
  /** For definitions and uplinks, one change at a time. */
  readonly #lock = new Lock()
  readonly #failing = new Set<string>()
  #isClosed = false

  constructor({ root, program, warn }: NetworksOptions) {
    this.#folder = join(root, 'net')
    this.#file = join(root, 'networks.json')
    this.#warn = warn
    const files = ['switch.sock', 'switch.pid', 'switch.log'].map(name => join(this.#folder, name))
    const [control = '', pid = '', log = ''] = files
    this.#keeper = new SwitchKeeper({ control, pid, log }, warn)
    this.#uplinks = new Uplinks(program, this.#folder, () => this.#inBackground(this.#converge()))
  }

  /** Reads the definitions and takes over the switch that runs. Domains say after it which cables they have. */
  async load(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    for (const network of await readNetworks(this.#file)) this.#networks.set(network.id, network)
    await this.#keeper.takeOver()
  }

  /** Takes away what is left of domains that do not live, and starts what is missing. `living` are those that do. */
  async settle(living: ReadonlySet<DomainId>): Promise<void> {
    for (const { id } of this.#keeper.wanted) if (!living.has(domainOf(id))) this.#keeper.unwant(id)
    const inUse = this.#inUse()
    for (const id of this.#uplinks.leftovers([...this.#networks.keys()].filter(network => !inUse.has(network)))) {
      await this.#uplinks.remove(id).catch((error: unknown) => this.#complain(id, error))
    }
    await this.#converge().catch((error: unknown) => this.#warn(`networks: ${String(error)}`))
  }

  list(): NetworkConfig[] {
    return [...this.#networks.values()].map(network => structuredClone(network))
  }

  /** See NetworkOps. Where the new uplink of a network in use cannot be made, the old definition stays, and its uplink. */
  define(wanted: NetworkConfig): Promise<void> {
    return this.#lock.run(async () => {
      const network = structuredClone(wanted)
      assertNetwork(network)
      await this.#uplinks.check(network)
      const before = this.#networks.get(network.id)
      if (before === undefined && this.#networks.size >= NETWORKS_MAX) {
        throw new DriverError('refused', `the host has ${NETWORKS_MAX} networks already`)
      }
      if (before !== undefined && this.#inUse().has(network.id)) await this.#changeInUse(network, before)
      else await this.#write(new Map(this.#networks).set(network.id, network))
      this.#networks.set(network.id, network)
    })
  }

  /** See NetworkOps. */
  undefine(id: string): Promise<void> {
    return this.#lock.run(async () => {
      const network = this.#networks.get(id)
      if (network === undefined) throw new DriverError('not-found', `the host has no network ${id}`)
      if (this.#inUse().has(id)) {
        throw new DriverError('bad-state', `an interface of a domain is plugged into network ${network.name}`)
      }
      await this.#uplinks.remove(id)
      const others = new Map(this.#networks)
      others.delete(id)
      await this.#write(others)
      this.#networks.delete(id)
    })
  }

  /**
   * Plugs cables of a domain, or moves them. Also for cables that are plugged: their QEMU is looked for at once. Rejects
   * as `refused` where a network is missing or cannot be had; then none of them has changed.
   */
  async plug(domain: DomainId, cables: readonly Cable[]): Promise<void> {
    if (cables.length === 0) return
    for (const { network } of cables) this.assertKnown(network)
    const before = new Map(this.#keeper.wanted.map(port => [port.id, port]))
    const ports = cables.map(cable => portOf(domain, cable))
    for (const port of ports) this.#keeper.want(port)
    try {
      await this.#converge(new Set(cables.flatMap(({ network }) => network ?? [])))
    } catch (error) {
      for (const { id } of ports) this.#restore(id, before.get(id))
      this.#inBackground(this.#converge())
      throw error
    }
  }

  /** Takes over cables of a domain that runs: those that the switch knows are where it has them. */
  adopt(domain: DomainId, cables: readonly Cable[]): void {
    const known = new Set(this.#keeper.wanted.map(({ id }) => id))
    for (const port of cables.map(cable => portOf(domain, cable))) if (!known.has(port.id)) this.#keeper.want(port)
  }

  /** Unplugs cables of a domain, or all that it has; at once for whoever asks, a little later in the switch. */
  pull(domain: DomainId, nic?: string): void {
    if (this.#isClosed) return
    const ports = this.#keeper.wanted.filter(({ id }) =>
      nic === undefined ? domainOf(id) === domain : id === portId(domain, nic),
    )
    for (const { id } of ports) this.#keeper.unwant(id)
    if (ports.length > 0) this.#inBackground(this.#converge())
  }

  /** What the interfaces of a domain that have cables have received and sent. Rejects as `unreachable`. */
  async counters(domain: DomainId): Promise<readonly NicMetrics[]> {
    if (!this.#keeper.wanted.some(({ id }) => domainOf(id) === domain)) return []
    const ports = await this.#keeper.status(`${domain}/`)
    return ports.map(port => countersOf(port.id.slice(domain.length + 1), port))
  }

  /** See NetworkOps. */
  async leases(id: string): Promise<readonly NetworkLease[]> {
    if (!this.#networks.has(id)) throw new DriverError('not-found', `the host has no network ${id}`)
    return this.#keeper.leases(id)
  }

  /** Lets go of switch and uplinks, which go on while they are used; first, what has been pulled is taken away. */
  async close(): Promise<void> {
    await this.#lock.runAlways(async () => {
      this.#isClosed = true
      this.#uplinks.close()
      this.#keeper.close()
    })
  }

  /** Makes uplinks and switch as they are to be. Rejects where the uplink of one of these networks cannot be had. */
  #converge(concerned: ReadonlySet<string> = new Set()): Promise<void> {
    return this.#lock.runAlways(async () => {
      if (this.#isClosed) throw new DriverError('unreachable', 'the driver is closed')
      const inUse = this.#inUse()
      for (const id of this.#uplinks.networks.filter(network => !inUse.has(network))) {
        this.#keeper.unwant(uplinkId(id))
        await this.#uplinks.remove(id)
      }
      for (const id of inUse) await this.#ensureUplink(id, concerned.has(id))
      await this.#keeper.converge()
    })
  }

  async #ensureUplink(id: string, isConcerned: boolean): Promise<void> {
    const network = this.#networks.get(id)
    try {
      if (network === undefined) throw new DriverError('refused', `the host has no network ${id}`)
      await this.#plugUplink(network)
      this.#failing.delete(id)
    } catch (error) {
      if (isConcerned) throw error
      // Guests go on talking among themselves; the way out is tried again with the next change.
      this.#complain(id, error)
    }
  }

  async #plugUplink(network: NetworkConfig): Promise<void> {
    const path = this.#uplinks.files(network.id).socket
    const guarded = network.nic === '' ? addressesOf(network) : undefined
    const port = { id: uplinkId(network.id), path, segment: network.id, guarded, isOutside: true }
    if (await this.#uplinks.ensure(network)) this.#keeper.want(port)
    else this.#keeper.keep(port)
  }

  async #changeInUse(network: NetworkConfig, before: NetworkConfig): Promise<void> {
    try {
      await this.#plugUplink(network)
      await this.#keeper.converge()
      await this.#write(new Map(this.#networks).set(network.id, network))
    } catch (error) {
      try {
        await this.#plugUplink(before)
      } catch (failure) {
        const message = `${String(error)}; and its way out as it was before cannot be made: ${String(failure)}`
        throw new DriverError('refused', message, { cause: error })
      }
      throw error
    }
  }

  #write(networks: ReadonlyMap<string, NetworkConfig>): Promise<void> {
    return writeNetworks(this.#file, networks.values())
  }

  /** The networks that a cable is plugged into. */
  #inUse(): ReadonlySet<string> {
    const cables = this.#keeper.wanted.filter(({ id }) => !isUplink(id))
    return new Set(cables.flatMap(({ segment }) => segment ?? []))
  }

  /** Throws as `refused` where the host has no such network; null is always known. */
  assertKnown(network: string | null): void {
    if (network !== null && !this.#networks.has(network)) {
      throw new DriverError('refused', `the host has no network ${network}`)
    }
  }

  #restore(id: string, port: WantedPort | undefined): void {
    if (port === undefined) this.#keeper.unwant(id)
    else this.#keeper.want(port)
  }

  #complain(id: string, error: unknown): void {
    if (!this.#failing.has(id)) this.#warn(`network ${this.#networks.get(id)?.name ?? id}: ${String(error)}`)
    this.#failing.add(id)
  }

  #inBackground(work: Promise<void>): void {
    work.catch((error: unknown) => {
      if (!this.#isClosed) this.#warn(`networks: ${String(error)}`)
    })
  }
}

const UPLINK = 'uplink/'
const uplinkId = (network: string): string => `${UPLINK}${network}`
const isUplink = (port: string): boolean => port.startsWith(UPLINK)
const portId = (domain: DomainId, nic: string): string => `${domain}/${nic}`
const domainOf = (port: string): DomainId => port.slice(0, port.indexOf('/'))
const portOf = (domain: DomainId, { nic, path, network }: Cable): WantedPort => ({
  id: portId(domain, nic),
  path,
  segment: network,
})

/** Nothing is damaged on the way to a guest, and of what it sends nothing is lost that is a frame. */
function countersOf(id: string, { brokenPackets, droppedPackets, ...port }: PortStatus): NicMetrics {
  const { receivedBytes, sentBytes, receivedPackets, sentPackets } = port
  const failed = brokenPackets !== undefined && {
    receivedErrors: 0,
    sentErrors: brokenPackets,
    receivedDropped: droppedPackets - brokenPackets,
    sentDropped: 0,
  }
  return { id, receivedBytes, sentBytes, receivedPackets, sentPackets, ...failed }
}
