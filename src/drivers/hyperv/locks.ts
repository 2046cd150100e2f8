import { DriverError } from '../driver.ts'

/** Operations on one domain that may wait for one another. */
const WAITING_MAX = 64

/** One lock for each domain: operations on one go one after another, in the order in which they came. */
export class Locks {
  readonly #last = new Map<string, { readonly done: Promise<unknown>; count: number }>()

  /** Runs `operation` when all that came before for this key are done. Rejects as `refused` when too many wait. */
  async run<T>(key: string, operation: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key)
    const count = (before?.count ?? 0) + 1
    if (count > WAITING_MAX) throw new DriverError('refused', `${WAITING_MAX} operations on it are waiting already`)
    const mine = before === undefined ? operation() : before.done.then(operation)
    // The next in line waits for this one, whatever becomes of it.
    const entry = { done: mine.catch(() => undefined), count }
    this.#last.set(key, entry)
    try {
      return await mine
    } finally {
      const last = this.#last.get(key)
      if (last === entry) this.#last.delete(key)
      else if (last !== undefined) last.count -= 1
    }
  }
}
