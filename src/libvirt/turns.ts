/** Lets things that are about the same object happen one after another. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Runs `deed` once whatever was begun for `key` before is over, well or not. */
  async run<T>(key: string, deed: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve()
    const mine = before.then(deed, deed)
    this.#last.set(key, mine)
    try {
      return await mine
    } finally {
      if (this.#last.get(key) === mine) this.#last.delete(key)
    }
  }
}
