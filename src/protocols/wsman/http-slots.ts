import type { Patience } from './http-patience.ts'
import { TransportError } from './transport.ts'

/** Lets so many in at once; the others wait in the order in which they came. */
export class HttpSlots {
  readonly #waitingMax: number
  readonly #waiting = new Set<() => void>()
  #free: number

  constructor(slots: number, waitingMax: number) {
    this.#free = slots
    this.#waitingMax = waitingMax
  }

  /** Resolves with what gives the place back, to be called once. Rejects with TransportError. */
  async take(patience: Patience): Promise<() => void> {
    if (this.#free > 0) this.#free -= 1
    else await this.#wait(patience)
    return () => this.#give()
  }

  async #wait(patience: Patience): Promise<void> {
    if (this.#waiting.size >= this.#waitingMax) {
      throw new TransportError('overflow', `${this.#waitingMax} posts wait already`, { wasSent: false })
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.add(resolve)
    await patience.wait(promise, { wasSent: false, dismiss: () => this.#waiting.delete(resolve) })
  }

  /** The place goes to whoever waits longest, so that nobody who comes then gets in between. */
  #give(): void {
    const [first] = this.#waiting
    if (first === undefined) {
      this.#free += 1
      return
    }
    this.#waiting.delete(first)
    first()
  }
}
