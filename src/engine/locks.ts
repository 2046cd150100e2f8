/** Too many wait for the same object. */
export class LockBusy extends Error {
  override readonly name = 'LockBusy'
}

const WAITING_MAX = 100

/** One lock per object, first come, first served, with a bounded queue. */
export class Locks {
  readonly #waitingMax: number
  readonly #queues = new Map<string, (() => void)[]>()

  constructor(waitingMax = WAITING_MAX) {
    this.#waitingMax = waitingMax
  }

  /** Runs `body` while nobody else holds `key`. Rejects with LockBusy where too many wait already. */
  async hold<R>(key: string, body: () => Promise<R> | R): Promise<R> {
    await this.#acquire(key)
    try {
      return await body()
    } finally {
      this.#release(key)
    }
  }

  async #acquire(key: string): Promise<void> {
    const queue = this.#queues.get(key)
    if (queue === undefined) {
      this.#queues.set(key, [])
      return
    }
    if (queue.length >= this.#waitingMax) throw new LockBusy(key)
    await new Promise<void>(resolve => queue.push(resolve))
  }

  #release(key: string): void {
    const next = this.#queues.get(key)?.shift()
    if (next === undefined) this.#queues.delete(key)
    else next()
  }
}
