import type { Clock } from '../../src/drivers/memory/index.ts'

/** A clock that stands still until it is told to go on. */
export class ManualClock implements Clock {
  #nowMs = 0
  #alarms: { readonly dueMs: number; readonly run: () => void }[] = []

  nowMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, run: () => void): () => void {
    const alarm = { dueMs: this.#nowMs + delayMs, run }
    this.#alarms.push(alarm)
    return () => {
      this.#alarms = this.#alarms.filter(other => other !== alarm)
    }
  }

  get alarmCount(): number {
    return this.#alarms.length
  }

  /** Lets time pass, running what becomes due in the order in which it does. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms
    for (;;) {
      // Whoever waited for the last alarm gets to set the next one.
      await new Promise(setImmediate)
      const due = this.#alarms.filter(alarm => alarm.dueMs <= endMs).toSorted((a, b) => a.dueMs - b.dueMs)[0]
      if (due === undefined) break
      this.#alarms = this.#alarms.filter(alarm => alarm !== due)
      this.#nowMs = due.dueMs
      due.run()
    }
    this.#nowMs = endMs
  }
}
