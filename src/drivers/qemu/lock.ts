import { DriverError } from '../driver.ts'

/** Operations that may wait where nothing else is said. */
const WAITING_MAX = 64

/** Lets operations through one after another, in the order in which they came. */
export class Lock {
  #last: Promise<unknown> = Promise.resolve()
  #count = 0
  readonly #waitingMax: number

  constructor(waitingMax = WAITING_MAX) {
    this.#waitingMax = waitingMax
  }

  /** Whether nobody has the lock or waits for it. */
  get isIdle(): boolean {
    return this.#count === 0
  }

  /** Runs `operation` when all that came before are done. Rejects as `refused` when too many wait. */
  async run<T>(operation: () => Promise<T>): Promise<T> {
    if (this.#count > this.#waitingMax) {
      throw new DriverError('refused', `${this.#waitingMax} operations are waiting already`)
    }
    return this.runAlways(operation)
  }

  /** As `run`, however many wait. For what nobody could ask for again; whoever uses it sees to a bound. */
  async runAlways<T>(operation: () => Promise<T>): Promise<T> {
    this.#count++
    const previous = this.#last
    const mine = previous.then(operation)
    // The next in line waits for this one, whatever becomes of it.
    this.#last = mine.catch(() => undefined)
    try {
      return await mine
    } finally {
      this.#count--
    }
  }
}
