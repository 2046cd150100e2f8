/** What was planned and can be called off. */
export interface Planned {
  /** Calling it late or twice is harmless. */
  cancel(): void
}

/** Time as the simulated host knows it. Everything that waits or measures goes by it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Calls `action` once, `ms` from now and never before this returns. */
  after(ms: number, action: () => void): Planned
}

// Node takes a longer delay for one of 1 ms.
const DELAY_MAX_MS = 2 ** 31 - 1

/** The machine's own time. What is planned does not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, action) {
    const timer = setTimeout(action, Math.min(Math.max(ms, 0), DELAY_MAX_MS)).unref()
    return { cancel: () => clearTimeout(timer) }
  },
}

interface Entry {
  readonly at: number
  readonly action: () => void
}

/** Time that passes only when told to: for tests. */
export class ManualClock implements Clock {
  #now: number
  readonly #entries = new Set<Entry>()

  constructor(now: number) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  after(ms: number, action: () => void): Planned {
    const entry = { at: this.#now + Math.max(ms, 0), action }
    this.#entries.add(entry)
    return { cancel: () => this.#entries.delete(entry) }
  }

  /**
   * Lets time pass, doing in order what was planned, with a turn of the event loop after each so that what waits for
   * it can go on and plan more.
   */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    for (let next = this.#first(end); next !== undefined; next = this.#first(end)) {
      this.#entries.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.action()
      await new Promise(resolve => setImmediate(resolve))
    }
    this.#now = end
  }

  #first(until: number): Entry | undefined {
    let first: Entry | undefined
    for (const entry of this.#entries) {
      if (entry.at <= until && (first === undefined || entry.at < first.at)) first = entry
    }
    return first
  }
}
