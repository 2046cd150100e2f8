import { DriverError, type OperationOptions } from '../driver.ts'
import type { Clock } from './clock.ts'
import { type Faults, faultError, type Operation } from './faults.ts'
import type { Random } from './random.ts'

/** What a call is given beside its effect. */
export interface CallOptions extends OperationOptions {
  /** How long it takes, latency apart. */
  readonly takesMs?: number
}

/** How often a long call says how far it is. */
const PROGRESS_STEPS = 10

/**
 * The way from a caller to a memory host. A call waits, then has its effect in one piece: that is what makes calls
 * on one domain follow one another.
 */
export class Connection {
  readonly faults: Faults
  readonly #clock: Clock
  readonly #random: Random
  readonly #latencyMs: number
  /** Wakes the calls that wait. */
  readonly #waiting = new Set<() => void>()
  #isOpen = true

  /** Each call waits for up to `latencyMs`, evenly spread. */
  constructor(faults: Faults, clock: Clock, random: Random, latencyMs: number) {
    this.faults = faults
    this.#clock = clock
    this.#random = random
    this.#latencyMs = latencyMs
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Calls that wait are `unreachable`. */
  close(): void {
    this.#isOpen = false
    for (const wake of this.#waiting) wake()
  }

  async call<T>(operation: Operation, effect: () => T | Promise<T>, options: CallOptions = {}): Promise<T> {
    this.#assertReachable(operation, options.signal)
    const fault = this.faults.next(operation)
    await this.#wait(this.#latencyMs * this.#random.next())
    await this.#work(operation, options)
    this.#assertReachable(operation, options.signal)

    if (fault?.when === 'before') throw faultError(operation, fault)
    const effected = effect()
    // What is done at once is answered at once, before anything else can happen.
    const result = effected instanceof Promise ? await effected : effected
    if (fault?.when === 'after') throw faultError(operation, fault)
    return result
  }

  async #work(operation: Operation, { takesMs = 0, signal, onProgress }: CallOptions): Promise<void> {
    if (takesMs === 0) return
    for (let step = 0; step < PROGRESS_STEPS; step++) {
      onProgress?.(step / PROGRESS_STEPS)
      await this.#wait(takesMs / PROGRESS_STEPS, signal)
      this.#assertReachable(operation, signal)
    }
    onProgress?.(1)
  }

  /** Waits, but no longer than until the connection is closed or `signal` says stop. */
  #wait(delayMs: number, signal?: AbortSignal): Promise<void> {
    if (delayMs === 0) return Promise.resolve()
    return new Promise(resolve => {
      const wake = () => {
        cancel()
        this.#waiting.delete(wake)
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      const cancel = this.#clock.after(delayMs, wake, { awaited: true })
      this.#waiting.add(wake)
      signal?.addEventListener('abort', wake)
    })
  }

  #assertReachable(operation: Operation, signal: AbortSignal | undefined): void {
    if (!this.isOpen) throw new DriverError('unreachable', `${operation}: the connection to the memory host is closed`)
    if (this.faults.isLineCut) throw new DriverError('unreachable', `${operation}: the line to the memory host is cut`)
    if (signal?.aborted) {
      throw new DriverError('refused', `${operation} was told to stop before it was done`, { cause: signal.reason })
    }
  }
}
