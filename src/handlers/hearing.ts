/** What has changed among things since it was looked last. */
export class Hearing<T> {
  readonly #keyOf: (thing: T) => string
  #known: ReadonlyMap<string, T>

  constructor(things: readonly T[], keyOf: (thing: T) => string) {
    this.#keyOf = keyOf
    this.#known = this.#byKey(things)
  }

  /** Each that there is, and that there was, with what it was before and is now. */
  hear(things: readonly T[]): readonly { readonly before: T | undefined; readonly now: T | undefined }[] {
    const before = this.#known
    const now = this.#byKey(things)
    this.#known = now
    const gone = [...before].filter(([key]) => !now.has(key))
    return [
      ...gone.map(([, thing]) => ({ before: thing, now: undefined })),
      ...Array.from(now, ([key, thing]) => ({ before: before.get(key), now: thing })),
    ]
  }

  #byKey(things: readonly T[]): ReadonlyMap<string, T> {
    return new Map(things.map(thing => [this.#keyOf(thing), thing]))
  }
}
