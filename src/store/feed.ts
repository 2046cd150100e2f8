import type { Change } from './store.ts'

/** How many changes the feed keeps; older ones fall out, a whole generation at a time. */
export const CHANGES_KEPT_MAX = 65_536

/** The latest durable changes, and those who wait for the next. */
export class Feed {
  /** One list for each generation that changed something. */
  readonly #kept: (readonly Change[])[] = []
  readonly #listeners = new Set<(changes: readonly Change[]) => void>()
  readonly #warn: (message: string) => void
  readonly #keptMax: number
  /** What fell out of `#kept` is only cut off now and then: shifting a long list on each commit would be slow. */
  #start = 0
  #count = 0
  #reachesBackTo: number
  #newest: number

  constructor(generation: number, warn: (message: string) => void, keptMax = CHANGES_KEPT_MAX) {
    this.#reachesBackTo = generation
    this.#newest = generation
    this.#warn = warn
    this.#keptMax = keptMax
  }

  /** The newest generation told. */
  get newest(): number {
    return this.#newest
  }

  /** Adds what changed in one generation, newer than all before. `tell` then tells the listeners. */
  push(generation: number, changes: readonly Change[]): void {
    this.#newest = generation
    if (changes.length === 0) return
    this.#kept.push(changes)
    this.#count += changes.length
    while (this.#count > this.#keptMax) this.#drop()
    if (this.#start > 1_000 && this.#start * 2 > this.#kept.length) {
      this.#kept.splice(0, this.#start)
      this.#start = 0
    }
  }

  /** Calls every listener. One that throws is reported; the others are called all the same. */
  tell(changes: readonly Change[]): void {
    for (const listener of this.#listeners) {
      try {
        listener(changes)
      } catch (error) {
        this.#warn(`a listener of the change feed failed: ${error instanceof Error ? error.stack : String(error)}`)
      }
    }
  }

  /** See `Store.changesSince`. */
  since(after: number): readonly Change[] | undefined {
    if (after < this.#reachesBackTo || after > this.#newest) return undefined
    let [low, high] = [this.#start, this.#kept.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#kept[middle]?.[0]?.generation ?? 0) > after) high = middle
      else low = middle + 1
    }
    return this.#kept.slice(low).flat()
  }

  /** See `Store.onChange`. */
  listen(listener: (changes: readonly Change[]) => void): () => void {
    // Wrapped, so that one function may listen twice.
    const own = (changes: readonly Change[]) => listener(changes)
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  #drop(): void {
    const oldest = this.#kept[this.#start]
    if (oldest === undefined) return
    this.#start += 1
    this.#count -= oldest.length
    this.#reachesBackTo = oldest[0]?.generation ?? this.#reachesBackTo
  }
}
