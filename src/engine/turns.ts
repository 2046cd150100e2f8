/**
 * Work that is due for many keys: a few at once, and for one key never twice at once. A key that becomes due while its
 * work is being done has it done once more.
 */
export class Turns {
  readonly #atOnceMax: number
  readonly #work: (key: string) => Promise<void>
  readonly #onIdle: () => void
  readonly #due = new Set<string>()
  readonly #busy = new Set<string>()

  /** `work` must not reject; `onIdle` is called when nothing is due any more and what had begun has ended. */
  constructor(atOnceMax: number, work: (key: string) => Promise<void>, onIdle = () => {}) {
    this.#atOnceMax = atOnceMax
    this.#work = work
    this.#onIdle = onIdle
  }

  /** The key's turn comes, once, however often it is asked for until then. */
  ask(key: string): void {
    this.#due.add(key)
    this.#next()
  }

  /** Nothing that is due is done any more; what has begun ends. */
  clear(): void {
    this.#due.clear()
  }

  #next(): void {
    for (const key of this.#due) {
      if (this.#busy.size >= this.#atOnceMax) return
      if (this.#busy.has(key)) continue
      this.#due.delete(key)
      this.#busy.add(key)
      void this.#work(key).finally(() => {
        this.#busy.delete(key)
        this.#next()
        if (this.#busy.size === 0) this.#onIdle()
      })
    }
  }
}
