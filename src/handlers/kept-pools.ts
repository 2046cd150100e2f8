/** The repositories of a host as clients of libvirt see them: as storage pools, which can be stopped. */

import { DriverError } from '../drivers/driver.ts'
import { type Services, StoreFailure, type Transaction } from '../engine/context.ts'
import { placeKey } from '../engine/images.ts'
import { SR } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'
import { ApiError } from '../model/kernel/error.ts'
import { newRecord } from '../model/kernel/operations.ts'
import { asDriverError } from './driver-failure.ts'
import { dropGone, isFirstOfHost, letGo, scan, scanHeld, startRepository } from './repository.ts'
import { SharedWatches, type Watched } from './shared-watch.ts'
import { plainPath, repositoryAt } from './sr-place.ts'

/** A pool that is to be kept. */
export interface NewPool {
  readonly name: string
  readonly uuid: string
  readonly type: string
  readonly location: string
}

/** A repository as a pool. */
export interface Pool extends NewPool {
  readonly isActive: boolean
  readonly isPersistent: boolean
  readonly autostart: boolean
}

/** What has become of a pool. */
export interface PoolNews {
  readonly pool: Pool
  readonly deed: 'defined' | 'started' | 'stopped' | 'undefined' | 'created' | 'deleted' | 'refreshed'
}

/** What virt-install takes for the pool that a host has by itself. Source: virt-manager, virtinst/storage.py. */
const DEFAULT_NAME = 'default'
/** Pools of this name are something else. Source: "libvirt driver for Hyper-V". */
const RESERVED_NAME = 'Primordial'
/** How long a change waits for others that are at work in the same repository. Source: libvirt, qemu_domainjob.c. */
const TURN_MS = 30_000
const UUID_SHOWN = 8
/** How many repositories of a host clients of libvirt may add to; longer lists their protocol does not carry. */
const POOLS_MAX = 4_000

type SrRecord = RecordOf<typeof SR>

/** The pools of one host. What changes them rejects with DriverError, or LockBusy where others take too long. */
export class KeptPools {
  readonly #services: Services
  readonly #host: string

  constructor(services: Services, host: string) {
    this.#services = services
    this.#host = host
  }

  list(): readonly Pool[] {
    const { store } = this.#services
    const records = store.findBy(SR, 'host', this.#host).flatMap(ref => store.get(SR, ref) ?? [])
    return named(records, record => this.#isFirst(record)).map(poolOf)
  }

  define(pool: NewPool): Promise<void> {
    const before = this.#record(pool)
    return this.#change(transaction => {
      if (before === undefined) return this.#insert(transaction, pool, { stopped: true, autostart: false })
      const location = plainPath(pool.location)
      transaction.patch(SR, pool.uuid, { location, transient: false })
      if (placeKey(location) !== placeKey(before.location)) this.#empty(transaction, pool.uuid)
    })
  }

  async create(pool: NewPool): Promise<void> {
    if (this.#record(pool) !== undefined) {
      await this.define(pool)
      return this.start(pool.uuid)
    }
    await this.#change(transaction => this.#insert(transaction, pool, { transient: true, autostart: false }))
    try {
      await asDriverError(() => scan(this.#services, pool.uuid))
    } catch (error) {
      await this.#forget(pool.uuid)
      throw error
    }
  }

  start(uuid: string): Promise<void> {
    return asDriverError(() => startRepository(this.#services, uuid))
  }

  stop(uuid: string): Promise<void> {
    return this.#inTurn([uuid], () => {
      if (this.#services.store.get(SR, uuid)?.transient === true) return this.#forget(uuid)
      return this.#change(transaction => transaction.patch(SR, uuid, { stopped: true }))
    })
  }

  undefine(uuid: string): Promise<void> {
    return this.#inTurn([uuid], () => this.#forget(uuid))
  }

  setAutostart(uuid: string, autostart: boolean): Promise<void> {
    return this.#change(transaction => transaction.patch(SR, uuid, { autostart }))
  }

  changing<R>(uuids: readonly string[], change: () => Promise<R>): Promise<R> {
    return this.#inTurn(uuids, async () => {
      try {
        return await change()
      } finally {
        for (const uuid of uuids) await this.#look(uuid)
      }
    })
  }

  tell(uuid: string, deed: 'created' | 'deleted' | 'refreshed'): void {
    const pool = this.list().find(each => each.uuid === uuid)
    if (pool !== undefined) watches.tell(this.#services.store, this.#host, { pool, deed })
  }

  listen(listener: (news: PoolNews) => void): () => void {
    const { store } = this.#services
    return watches.listen(store, this.#host, { list: () => this.list(), ...WATCHED }, listener)
  }

  #record({ uuid }: NewPool): SrRecord | undefined {
    const record = this.#services.store.get(SR, uuid)
    if (record === undefined || record.host === this.#host) return record
    throw new DriverError('refused', `another host has a storage pool with uuid ${uuid}`)
  }

  #insert(transaction: Transaction, pool: NewPool, values: Partial<SrRecord>): void {
    const { name: name_label, uuid, type } = pool
    const location = plainPath(pool.location)
    if (this.#services.store.findBy(SR, 'host', this.#host).length >= POOLS_MAX) {
      throw new DriverError('refused', `the host has ${POOLS_MAX} storage pools already`)
    }
    // Another may have come there meanwhile.
    if (repositoryAt(this.#services.store, this.#host, location)) {
      throw new DriverError('refused', `there is a repository at ${location}`)
    }
    transaction.insert(SR, newRecord(SR, { uuid, type, location, name_label, host: this.#host, ...values }))
  }

  #isFirst(record: SrRecord): boolean {
    const connected = this.#services.hosts.connected().find(({ host }) => host === this.#host)
    const storage = connected?.driver.storage
    return storage !== undefined && isFirstOfHost(record, storage)
  }

  #change(change: Parameters<Services['store']['transact']>[0]): Promise<void> {
    return asDriverError(async () => void (await this.#services.store.transact(change)))
  }

  /** Images that VMs have are in no repository then. */
  #forget(uuid: string): Promise<void> {
    return this.#change(transaction => {
      this.#empty(transaction, uuid)
      transaction.remove(SR, uuid)
    })
  }

  #empty(transaction: Transaction, uuid: string): void {
    letGo(transaction, uuid, transaction.get(SR, uuid)?.VDIs ?? [])
    transaction.patch(SR, uuid, { virtual_allocation: 0n })
  }

  #inTurn<R>(uuids: readonly string[], body: () => Promise<R>): Promise<R> {
    return this.#services.hosts.holdRepositories(uuids, body, TURN_MS)
  }

  /** What was done is done: a host that does not answer now leaves the records as they are until the next look. */
  async #look(uuid: string): Promise<void> {
    if (this.#services.store.get(SR, uuid)?.stopped !== false) return
    try {
      await dropGone(this.#services, uuid, await scanHeld(this.#services, uuid))
    } catch (error) {
      if (!(error instanceof DriverError || error instanceof ApiError || error instanceof StoreFailure)) throw error
    }
  }
}

const VOLUME_FIELDS: readonly string[] = ['VDIs', 'virtual_allocation', 'physical_utilisation']
const isOfVolumes = ({
  class: name,
  fields,
}: {
  readonly class: string
  readonly fields: readonly string[]
}): boolean => name === 'SR' && fields.some(field => VOLUME_FIELDS.includes(field))

const watches = new SharedWatches<Pool, PoolNews>()
const WATCHED: Omit<Watched<Pool, PoolNews>, 'list'> = {
  keyOf: ({ uuid }) => uuid,
  isConcerned: changes => changes.some(change => change.class === 'SR'),
  newsOf(changes) {
    const refreshed = new Set(changes.filter(isOfVolumes).map(({ ref }) => ref))
    return (before, now) => {
      const isRefreshed = before !== undefined && now?.isActive === true && refreshed.has(now.uuid)
      return [...newsOf(before, now), ...(isRefreshed ? [{ pool: now, deed: 'refreshed' } as const] : [])]
    }
  },
}

const poolOf = ({ name, record }: { readonly name: string; readonly record: SrRecord }): Pool => ({
  name,
  uuid: record.uuid,
  type: record.type,
  location: record.location,
  isActive: !record.stopped,
  isPersistent: !record.transient,
  autostart: record.autostart && !record.transient,
})

/** Names are each of one pool: of repositories that are called the same, the oldest alone is called no more than that. */
function named(records: readonly SrRecord[], isFirst: (record: SrRecord) => boolean) {
  const labels = new Set(records.map(({ name_label }) => name_label))
  const taken = new Set([RESERVED_NAME])
  return records.map(record => {
    const { uuid, name_label } = record
    const called = !labels.has(DEFAULT_NAME) && !taken.has(DEFAULT_NAME) && isFirst(record) ? DEFAULT_NAME : name_label
    const wanted = called === '' ? uuid : called
    const name = taken.has(wanted) ? `${wanted} (${uuid.slice(0, UUID_SHOWN)})` : wanted
    taken.add(name)
    return { name, record }
  })
}

/** What became of a pool. One that is not persistent is never defined. */
function newsOf(before: Pool | undefined, now: Pool | undefined): readonly PoolNews[] {
  const pool = now ?? before
  if (pool === undefined) return []
  const [was, is] = [before?.isActive === true, now?.isActive === true]
  const isDefined = now?.isPersistent === true && before?.isPersistent !== true
  const isMoved = before !== undefined && now !== undefined && before.location !== now.location
  const isForgotten = now === undefined && before?.isPersistent === true
  const deeds: readonly (readonly [PoolNews['deed'], boolean])[] = [
    ['defined', isDefined || isMoved],
    ['started', is && !was],
    ['stopped', was && !is],
    ['undefined', isForgotten],
  ]
  return deeds.flatMap(([deed, isSo]) => (isSo ? [{ pool, deed }] : []))
}
