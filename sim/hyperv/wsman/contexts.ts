import type { Clock } from '../host/clock.ts'
import type { Random } from '../host/random.ts'
import { WsmanFault } from './fault.ts'
import type { WinrmLimits } from './limits.ts'

/** Something to be pulled, item by item. */
export interface Items {
  readonly length: number
  /** The item at `index`, written. */
  write(index: number): string
}

/** An enumeration that has items left. */
export interface Enumeration {
  readonly user: string
  /** `root\virtualization\v2` */
  readonly namespace: string
  /** What is enumerated, where one class is known; for faults by plan. */
  readonly className: string | undefined
  readonly items: Items
  /** Of the next item. */
  readonly position: number
}

interface Entry {
  readonly enumeration: Enumeration
  readonly expiresAt: number
}

/**
 * What all enumerations together may hold, so that an authenticated client cannot fill the memory either: an instance
 * takes 2 to 4 KB, and the heap of Node.js ends at 4 GB.
 */
const ITEMS_HELD_MAX = 500_000

/**
 * The enumerations that are open, by their context. A context is good for one answer: the next one has another, and
 * that stops being good when no call comes within the enumeration's time.
 */
export class Contexts {
  readonly #clock: Clock
  readonly #random: Random
  readonly #limits: WinrmLimits
  /** Those that were kept first expire first, since all are kept equally long. */
  readonly #entries = new Map<string, Entry>()
  #held = 0

  constructor(clock: Clock, random: Random, limits: WinrmLimits) {
    this.#clock = clock
    this.#random = random
    this.#limits = limits
  }

  /** How many enumerations of a user are open. */
  countOf(user: string): number {
    this.#sweep()
    let count = 0
    for (const { enumeration } of this.#entries.values()) if (isSameUser(enumeration.user, user)) count++
    return count
  }

  /** Keeps an enumeration and gives its context. */
  add(enumeration: Enumeration): string {
    this.#sweep()
    if (this.#held + enumeration.items.length > ITEMS_HELD_MAX) throw new WsmanFault('busy')
    this.#held += enumeration.items.length
    const context = `uuid:${this.#random.guid()}`
    const expiresAt = this.#clock.now() + this.#limits.enumerationTimeoutMs
    this.#entries.set(context.toUpperCase(), { enumeration, expiresAt })
    return context
  }

  /** The enumeration of a context; undefined for one that is unknown, has expired, or is another user's. */
  find(context: string, user: string): Enumeration | undefined {
    this.#sweep()
    const enumeration = this.#entries.get(context.toUpperCase())?.enumeration
    return enumeration !== undefined && isSameUser(enumeration.user, user) ? enumeration : undefined
  }

  /** Forgets the enumeration. */
  remove(context: string): void {
    const entry = this.#entries.get(context.toUpperCase())
    if (entry === undefined) return
    this.#held -= entry.enumeration.items.length
    this.#entries.delete(context.toUpperCase())
  }

  #sweep(): void {
    const now = this.#clock.now()
    for (const [context, { expiresAt }] of this.#entries) {
      if (expiresAt > now) return
      this.remove(context)
    }
  }
}

/** Account names are told apart without case. */
function isSameUser(a: string, b: string): boolean {
  return a === b || a.toLowerCase() === b.toLowerCase()
}
