/** Those who listen, each until it ends that itself. */
export class Ears<T> {
  // By subscription, not by listener: one function may listen twice.
  readonly #listeners = new Map<symbol, (told: T) => void>()

  /** Calls `listener`, which must not throw, with what is told from now on; answers what ends it. */
  listen(listener: (told: T) => void): () => void {
    const subscription = Symbol('subscription')
    this.#listeners.set(subscription, listener)
    return () => void this.#listeners.delete(subscription)
  }

  tell(told: T): void {
    for (const listener of this.#listeners.values()) listener(told)
  }
}

/** What one connection listens to, by numbers. */
export class Subscriptions {
  readonly #ends = new Map<number, () => void>()
  #next = 0

  /** How many there are. */
  get count(): number {
    return this.#ends.size
  }

  /** Takes over what `listen` begins; answers its number, which it is given before. */
  add(listen: (id: number) => () => void): number {
    const id = this.#next++
    this.#ends.set(id, listen(id))
    return id
  }

  /** Ends one; answers whether there was one of that number. */
  end(id: number): boolean {
    const end = this.#ends.get(id)
    this.#ends.delete(id)
    end?.()
    return end !== undefined
  }

  endAll(): void {
    for (const id of this.#ends.keys()) this.end(id)
  }
}
