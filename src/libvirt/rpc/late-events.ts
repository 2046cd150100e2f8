/** Events that come before the call that asked for them is answered. */
const WAITING_MAX = 10_000

/**
 * Events for a client that does not know yet what the callback is called that they are for: libvirt's clients forget
 * those that come before the answer. They wait for it, and go out in their order.
 */
export class LateEvents<E> {
  readonly #onOverflow: () => void
  #waiting: E[] = []
  #pass: ((event: E) => void) | undefined

  /** `onOverflow` is called where too many wait; it is to end the client, which would miss some. */
  constructor(onOverflow: () => void) {
    this.#onOverflow = onOverflow
  }

  push(event: E): void {
    if (this.#pass !== undefined) this.#pass(event)
    else if (this.#waiting.length < WAITING_MAX) this.#waiting.push(event)
    else this.#onOverflow()
  }

  /** To be called last in a handler: its answer goes out before anything that is not a promise's has its turn. */
  openAfterAnswer(pass: (event: E) => void): void {
    setImmediate(() => {
      this.#pass = pass
      for (const event of this.#waiting) pass(event)
      this.#waiting = []
    })
  }
}
