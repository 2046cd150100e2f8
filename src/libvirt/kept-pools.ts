import { Ears } from './ears.ts'
import { VIR_ERR_OPERATION_FAILED } from './error-numbers.ts'
import { LibvirtError } from './errors.ts'

/** A folder of a host that somebody made a pool, or is about to. */
export interface NewPool {
  readonly name: string
  readonly uuid: string
  readonly type: string
  readonly location: string
}

/** A pool that is kept. */
export interface KeptPool extends NewPool {
  /** Whether it can be used. */
  readonly isActive: boolean
  /** Whether it stays when it is stopped. */
  readonly isPersistent: boolean
  /** Whether it is started when its host comes, where it is not active. */
  readonly autostart: boolean
}

/** What has become of a pool; `created` and `deleted`: of its folder; `refreshed`: its volumes may be others. */
export type PoolDeed = 'defined' | 'started' | 'stopped' | 'undefined' | 'created' | 'deleted' | 'refreshed'

/** A pool, and what has become of it. */
export interface PoolNews {
  readonly pool: Pick<NewPool, 'name' | 'uuid'>
  readonly deed: PoolDeed
}

/** Who keeps the pools of a host. What makes no sense in a pool's state has been refused before it is asked. */
export interface PoolKeeper {
  /** In the order in which they came; names and UUIDs are each of one pool. */
  list(): readonly KeptPool[]
  /** Keeps a pool that is not active; one that is there already stays when it is stopped. */
  define(pool: NewPool): Promise<void>
  /** Keeps a pool that is active, its folder being open, until it is stopped. */
  create(pool: NewPool): Promise<void>
  /** Makes a pool active. */
  start(uuid: string): Promise<void>
  /** Makes a pool inactive; one that is not persistent is forgotten. Its images stay. */
  stop(uuid: string): Promise<void>
  /** Forgets a pool that is not active. */
  undefine(uuid: string): Promise<void>
  setAutostart(uuid: string, autostart: boolean): Promise<void>
  /** Runs what changes the volumes of a pool while nobody else does; then everybody knows what it did, well or not. */
  changing<R>(uuids: readonly string[], change: () => Promise<R>): Promise<R>
  /** Tells who listens what was done to a pool that changes nothing of what is kept. */
  tell(uuid: string, deed: 'created' | 'deleted' | 'refreshed'): void
  /** Calls `listener`, which must not throw, with what becomes of pools, whoever does it; answers what ends it. */
  listen(listener: (news: PoolNews) => void): () => void
}

/** How many pools are remembered of a host. */
export const POOLS_MAX = 1_000

/** Keeps pools as long as this process runs. */
export class RememberedPools implements PoolKeeper {
  readonly #pools = new Map<string, KeptPool>()
  readonly #ears = new Ears<PoolNews>()

  list(): readonly KeptPool[] {
    return [...this.#pools.values()]
  }

  async define(pool: NewPool): Promise<void> {
    const present = this.#pools.get(pool.uuid)
    this.#keep({ isActive: false, autostart: false, ...present, ...pool, isPersistent: true })
    this.#tell(pool, 'defined')
  }

  async create(pool: NewPool): Promise<void> {
    this.#keep({ autostart: false, isPersistent: false, ...this.#pools.get(pool.uuid), ...pool, isActive: true })
    this.#tell(pool, 'started')
  }

  async start(uuid: string): Promise<void> {
    this.#change(uuid, { isActive: true }, 'started')
  }

  async stop(uuid: string): Promise<void> {
    if (this.#pools.get(uuid)?.isPersistent === false) return this.#forget(uuid, 'stopped')
    this.#change(uuid, { isActive: false }, 'stopped')
  }

  async undefine(uuid: string): Promise<void> {
    this.#forget(uuid, 'undefined')
  }

  async setAutostart(uuid: string, autostart: boolean): Promise<void> {
    this.#change(uuid, { autostart })
  }

  async changing<R>(uuids: readonly string[], change: () => Promise<R>): Promise<R> {
    try {
      return await change()
    } finally {
      for (const uuid of uuids) this.tell(uuid, 'refreshed')
    }
  }

  tell(uuid: string, deed: PoolDeed): void {
    this.#change(uuid, {}, deed)
  }

  listen(listener: (news: PoolNews) => void): () => void {
    return this.#ears.listen(listener)
  }

  #keep(pool: KeptPool): void {
    if (!this.#pools.has(pool.uuid) && this.#pools.size >= POOLS_MAX) {
      throw new LibvirtError(VIR_ERR_OPERATION_FAILED, `there are ${POOLS_MAX} pools that were created already`)
    }
    this.#pools.set(pool.uuid, pool)
  }

  /** Those that the host has by itself are not kept, and stay as they are. */
  #change(uuid: string, change: Partial<KeptPool>, deed?: PoolDeed): void {
    const pool = this.#pools.get(uuid)
    if (pool === undefined) return
    this.#pools.set(uuid, { ...pool, ...change })
    if (deed !== undefined) this.#tell(pool, deed)
  }

  #forget(uuid: string, deed: PoolDeed): void {
    const pool = this.#pools.get(uuid)
    this.#pools.delete(uuid)
    if (pool !== undefined) this.#tell(pool, deed)
  }

  #tell({ name, uuid }: NewPool, deed: PoolDeed): void {
    this.#ears.tell({ pool: { name, uuid }, deed })
  }
}
