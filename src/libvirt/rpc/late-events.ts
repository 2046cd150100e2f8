import { XdrError } from '../../wire/xdr/error.ts'

/** Events that come before the call that asked for them is answered. */
const WAITING_MAX = 10_000

/**
 * Events for a client that does not know yet what the callback is called that they are for: libvirt's clients forget
 * those that come before the answer. They wait for it, and go out in their order.
 */
export class LateEvents<E> {
  readonly #onLost: () => void
  #waiting: E[] = []
  #pass: ((event: E) => void) | undefined

  /**
   * `onLost` is called for an event that the client would miss, since too many wait, or since the wire has no way to tell
   * it; it is to end the client.
   */
  constructor(onLost: () => void) {
    this.#onLost = onLost
  }

  push(event: E): void {
    if (this.#pass !== undefined) this.#pass(event)
    else if (this.#waiting.length < WAITING_MAX) this.#waiting.push(event)
    else this.#onLost()
  }

  /** To be called last in a handler: its answer goes out before anything that is not a promise's has its turn. */
  openAfterAnswer(pass: (event: E) => void): void {
    const passed = (event: E) => this.#passed(pass, event)
    setImmediate(() => {
      this.#pass = passed
      for (const event of this.#waiting) passed(event)
      this.#waiting = []
    })
  }

  /** Nobody waits for what is thrown here, so that one such event would end the server. */
  #passed(pass: (event: E) => void, event: E): void {
    try {
      pass(event)
    } catch (error) {
      if (!(error instanceof XdrError)) throw error
      this.#onLost()
    }
  }
}
