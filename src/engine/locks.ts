/** Too many wait for the same object, or somebody has waited for it too long. */
export class LockBusy extends Error {
  override readonly name = 'LockBusy'
}

const WAITING_MAX = 100

/** One lock per object, first come, first served, with a bounded queue. */
export class Locks {
  readonly #waitingMax: number
  readonly #queues = new Map<string, (() => void)[]>()
  readonly #watchers = new Set<Set<string>>()
  /** Keys under which something is being done that shuts nobody out, with how much. */
  readonly #marks = new Map<string, number>()

  constructor(waitingMax = WAITING_MAX) {
    this.#waitingMax = waitingMax
  }

  /**
   * Runs `body` while nobody else holds `key`. Rejects with LockBusy where too many wait already, or `waitMs` has passed
   * before its turn came.
   */
  async hold<R>(key: string, body: () => Promise<R> | R, waitMs?: number): Promise<R> {
    await this.#acquire(key, waitMs)
    try {
      return await body()
    } finally {
      this.#release(key)
    }
  }

  /** Runs `body`, which shuts nobody out, and lets those who watch know of it. */
  async mark<R>(key: string, body: () => Promise<R>): Promise<R> {
    for (const watcher of this.#watchers) watcher.add(key)
    this.#marks.set(key, (this.#marks.get(key) ?? 0) + 1)
    try {
      return await body()
    } finally {
      const left = (this.#marks.get(key) ?? 1) - 1
      if (left > 0) this.#marks.set(key, left)
      else this.#marks.delete(key)
    }
  }

  /** Whether somebody holds this key. */
  isHeld(key: string): boolean {
    return this.#queues.has(key)
  }

  /** Whether something is marked as being done under this key. */
  isMarked(key: string): boolean {
    return this.#marks.has(key)
  }

  /** Every key that is held or marked now or comes to be, until `end` is called. */
  watch(): { readonly held: ReadonlySet<string>; readonly end: () => void } {
    const held = new Set([...this.#queues.keys(), ...this.#marks.keys()])
    this.#watchers.add(held)
    return { held, end: () => void this.#watchers.delete(held) }
  }

  async #acquire(key: string, waitMs: number | undefined): Promise<void> {
    const queue = this.#queues.get(key)
    for (const watcher of this.#watchers) watcher.add(key)
    if (queue === undefined) {
      this.#queues.set(key, [])
      return
    }
    if (queue.length >= this.#waitingMax) throw new LockBusy(key)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    queue.push(resolve)
    const giveUp = () => {
      const place = queue.indexOf(resolve)
      // Where its turn has come just now, it is not given up.
      if (place >= 0) queue.splice(place, 1)
      if (place >= 0) reject(new LockBusy(key))
    }
    const timer = waitMs === undefined ? undefined : setTimeout(giveUp, waitMs)
    try {
      await promise
    } finally {
      clearTimeout(timer)
    }
  }

  #release(key: string): void {
    const next = this.#queues.get(key)?.shift()
    if (next === undefined) this.#queues.delete(key)
    else next()
  }
}
