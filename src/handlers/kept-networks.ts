/** Networks as clients of libvirt see them on one host: as what is there whether or not the host knows it. */

import { DriverError, type NetworkConfig, type NetworkOps } from '../drivers/driver.ts'
import type { Services, Transaction } from '../engine/context.ts'
import { networkFields, recordTold } from '../engine/networks.ts'
import { fail } from '../model/errors.ts'
import { network } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'
import { ApiError } from '../model/kernel/error.ts'
import { newRecord } from '../model/kernel/operations.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import { asDriverError } from './driver-failure.ts'
import { networkConfig } from './network-config.ts'
import { SharedWatches, type Watched } from './shared-watch.ts'
import { takeBack } from './take-back.ts'

/** A network, as a host could have it. */
export interface Network extends NetworkConfig {
  readonly isPersistent: boolean
  readonly autostart: boolean
}

/** What has become of a network. */
export interface NetworkNews {
  readonly network: Network
  readonly deed: 'defined' | 'started' | 'stopped' | 'undefined'
}

/** A network, and whether the host has it. */
interface Seen {
  readonly network: Network
  readonly isActive: boolean
  /** What it says of itself, to be compared. */
  readonly text: string
}

/** How long a change waits for others that are at work with the same network. Source: libvirt, qemu_domainjob.c. */
const TURN_MS = 30_000

/** How many networks there may be for clients of libvirt to add to; longer lists their protocol does not carry. */
const NETWORKS_MAX = 16_000

type NetworkRecord = RecordOf<typeof network>

/** The networks of one host. What changes them rejects with DriverError, or LockBusy where others take too long. */
export class KeptNetworks {
  readonly #services: Services
  readonly #host: string

  constructor(services: Services, host: string) {
    this.#services = services
    this.#host = host
  }

  list(): readonly Network[] {
    return this.#seen().map(({ network: seen }) => seen)
  }

  define(config: NetworkConfig): Promise<void> {
    return this.#inTurn(config.id, async networks => {
      const before = this.#find(config.id)
      if (before?.told.includes(this.#host) === true) await networks.define(config)
      await this.#keep(config, { transient: false, ...(before?.host !== NULL_REF && { kept: true }) })
    })
  }

  create(config: NetworkConfig): Promise<void> {
    return this.#inTurn(config.id, async networks => {
      const before = this.#find(config.id)
      await this.#keep(config, before === undefined ? { transient: true } : {})
      try {
        await networks.define(config)
      } catch (error) {
        throw await takeBack(error, [() => this.#setBack(config.id, before)])
      }
      await this.#note(config.id, true)
    })
  }

  start(id: string): Promise<void> {
    return this.#inTurn(id, async networks => {
      await networks.define(networkConfig(this.#known(id)))
      await this.#note(id, true)
    })
  }

  stop(id: string): Promise<void> {
    return this.#inTurn(id, async networks => {
      const { transient, host, kept } = this.#known(id)
      const isToBeKept = !transient && !kept && host === this.#host
      // First, so that whoever looks at the host in between does not take it for gone.
      if (isToBeKept) await this.#patch(id, { kept: true })
      try {
        await networks.undefine(id)
      } catch (error) {
        throw await takeBack(error, isToBeKept ? [() => this.#patch(id, { kept: false })] : [])
      }
      if (transient) await this.#services.store.transact(transaction => forget(transaction, id, this.#host))
      else await this.#note(id, false)
    })
  }

  undefine(id: string): Promise<void> {
    return this.#inTurn(id, async () => {
      const { told, host } = this.#known(id)
      if (told.includes(this.#host)) return this.#patch(id, { host: this.#host, transient: true, kept: false })
      await this.#services.store.transact(transaction => {
        const users = transaction.get(network, id)?.VIFs ?? []
        if (host === NULL_REF && users.length > 0) {
          throw fail('OBJECT_IN_USE', { class: 'network', object: id, users: users.map(vif => `VIF:${vif}`).join(',') })
        }
        forget(transaction, id, this.#host)
      })
    })
  }

  setAutostart(id: string, autostart: boolean): Promise<void> {
    return this.#inTurn(id, async () => {
      if (this.#known(id).host !== NULL_REF) return this.#patch(id, { autostart })
      const reason = 'is one of all hosts, which are told of it when a machine uses it'
      throw new DriverError('refused', `network ${id} ${reason}`)
    })
  }

  /** Tells the host of those that are to be there when the server starts. Rejects, when it was told of all, with the first refusal. */
  async autostart(): Promise<void> {
    const { store } = this.#services
    const isWanted = ({ host, kept, autostart, told }: NetworkRecord) =>
      host === this.#host && kept && autostart && !told.includes(this.#host)
    const wanted = store.all(network).filter(ref => {
      const record = store.get(network, ref)
      return record !== undefined && isWanted(record)
    })
    const refusals: unknown[] = []
    for (const id of wanted) await this.start(id).catch((error: unknown) => refusals.push(error))
    if (refusals.length > 0) throw refusals[0]
  }

  listen(listener: (news: NetworkNews) => void): () => void {
    const { store } = this.#services
    return watches.listen(store, this.#host, { list: () => this.#seen(), ...WATCHED }, listener)
  }

  /** Of what was found on the host, that which is kept, or which it has. */
  #seen(): readonly Seen[] {
    const { store } = this.#services
    return store.all(network).flatMap(ref => {
      const record = store.get(network, ref)
      if (record === undefined) return []
      const isActive = record.told.includes(this.#host)
      const isSeen = record.host === NULL_REF || (record.host === this.#host && (record.kept || isActive))
      const config = isSeen ? configIfAny(record) : undefined
      if (config === undefined) return []
      const isPersistent = !record.transient
      const autostart = isPersistent && record.host === this.#host && record.autostart
      return [{ network: { ...config, isPersistent, autostart }, isActive, text: JSON.stringify(config) }]
    })
  }

  #find(id: string): NetworkRecord | undefined {
    const record = this.#services.store.get(network, id)
    if (record === undefined || record.host === NULL_REF || record.host === this.#host) return record
    throw new DriverError('refused', `another host has a network with uuid ${id}`)
  }

  #known(id: string): NetworkRecord {
    const record = this.#find(id)
    if (record === undefined) throw new DriverError('not-found', `no network ${id}`)
    return record
  }

  #keep(config: NetworkConfig, values: Partial<NetworkRecord>): Promise<void> {
    const { id } = config
    return this.#services.store.transact(transaction => {
      if (transaction.get(network, id) === undefined) {
        if (transaction.all(network).length >= NETWORKS_MAX) {
          throw new DriverError('refused', `there are ${NETWORKS_MAX} networks already`)
        }
        const own = { uuid: id, host: this.#host, autostart: false }
        transaction.insert(network, newRecord(network, { ...networkFields(config), ...own, ...values }))
      } else transaction.patch(network, id, { ...networkFields(config), ...values })
    })
  }

  #setBack(id: string, before: NetworkRecord | undefined): Promise<void> {
    return this.#services.store.transact(transaction => {
      if (before === undefined) return transaction.remove(network, id)
      const { name_label, NIC, VLAN, default_gateway, default_netmask, has_host } = before
      transaction.patch(network, id, { name_label, NIC, VLAN, default_gateway, default_netmask, has_host })
    })
  }

  #patch(id: string, values: Partial<NetworkRecord>): Promise<void> {
    return this.#services.store.transact(transaction => transaction.patch(network, id, values))
  }

  #note(id: string, isTold: boolean): Promise<void> {
    return this.#services.store.transact(transaction => recordTold(transaction, id, this.#host, isTold))
  }

  #inTurn(id: string, body: (networks: NetworkOps) => Promise<void>): Promise<void> {
    const { locks, hosts } = this.#services
    const run = async () => {
      const { networks, name: driver } = hosts.driver(this.#host)
      if (networks === undefined) throw fail('DRIVER_UNSUPPORTED', { driver, operation: 'networks' })
      await body(networks)
    }
    return asDriverError(() => locks.hold(id, run, TURN_MS))
  }
}

/** One that interfaces are plugged into stays, and is nothing that clients of libvirt see any more. */
function forget(transaction: Transaction, id: string, host: string): void {
  if (transaction.get(network, id)?.VIFs.length === 0) return transaction.remove(network, id)
  transaction.patch(network, id, { kept: false, transient: false })
  recordTold(transaction, id, host, false)
}

/** What clients of the Xen Management API say of networks may be none that a host could have. */
function configIfAny(record: NetworkRecord): NetworkConfig | undefined {
  try {
    return networkConfig(record)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return undefined
  }
}

const watches = new SharedWatches<Seen, NetworkNews>()
const WATCHED: Omit<Watched<Seen, NetworkNews>, 'list'> = {
  keyOf: ({ network: { id } }) => id,
  isConcerned: changes => changes.some(change => change.class === 'network'),
  newsOf: () => newsOf,
}

/** What became of a network. One that is not persistent is never defined. */
function newsOf(before: Seen | undefined, now: Seen | undefined): readonly NetworkNews[] {
  const seen = now ?? before
  if (seen === undefined) return []
  const [was, is] = [before?.isActive === true, now?.isActive === true]
  const isDefined = now?.network.isPersistent === true && before?.network.isPersistent !== true
  const isChanged = before !== undefined && now !== undefined && before.text !== now.text
  const isForgotten = before?.network.isPersistent === true && now?.network.isPersistent !== true
  const deeds: readonly (readonly [NetworkNews['deed'], boolean])[] = [
    ['defined', isDefined || isChanged],
    ['started', is && !was],
    ['stopped', was && !is],
    ['undefined', isForgotten],
  ]
  return deeds.flatMap(([deed, isSo]) => (isSo ? [{ network: seen.network, deed }] : []))
}
