/** Time as a memory host sees it, so that tests can bring their own. */
export interface Clock {
  /** Milliseconds from some fixed moment; never goes back. */
  nowMs(): number
  /**
   * Runs `run` once, `delayMs` from now, unless the returned function is called first. Only where a caller is
   * `awaited` does this keep the process alive: a guest does not, a call that is under way does.
   */
  after(delayMs: number, run: () => void, options?: { readonly awaited: boolean }): () => void
}

/** The time of the machine. */
export const machineClock: Clock = {
  nowMs: () => performance.now(),
  after(delayMs, run, { awaited } = { awaited: false }) {
    const timer = setTimeout(run, delayMs)
    if (!awaited) timer.unref()
    return () => clearTimeout(timer)
  },
}

interface Entry {
  readonly dueMs: number
  readonly run: () => void
  disarm: () => void
}

/**
 * A clock that can be stood still: while nobody is connected to a memory host no timer of it is armed, and what
 * became due meanwhile is run when somebody connects.
 */
export class Agenda implements Clock {
  readonly #clock: Clock
  readonly #entries = new Set<Entry>()
  #isArmed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  nowMs(): number {
    return this.#clock.nowMs()
  }

  after(delayMs: number, run: () => void): () => void {
    const entry: Entry = { dueMs: this.nowMs() + delayMs, run, disarm: () => {} }
    this.#entries.add(entry)
    if (this.#isArmed) this.#arm(entry)
    return () => {
      entry.disarm()
      this.#entries.delete(entry)
    }
  }

  arm(): void {
    if (this.#isArmed) return
    this.#isArmed = true
    for (const entry of this.#entries) this.#arm(entry)
  }

  disarm(): void {
    this.#isArmed = false
    for (const entry of this.#entries) entry.disarm()
  }

  #arm(entry: Entry): void {
    entry.disarm = this.#clock.after(Math.max(0, entry.dueMs - this.nowMs()), () => {
      this.#entries.delete(entry)
      entry.run()
    })
  }
}
