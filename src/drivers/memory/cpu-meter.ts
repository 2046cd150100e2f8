import type { CpuTime } from '../driver.ts'
import type { Clock } from './clock.ts'
import type { Machine } from './machine.ts'

/**
 * The CPU time of a memory host: what its guests use, spread evenly over its CPUs, and no more than there is. It is
 * brought up to date whenever it is read.
 */
export class CpuMeter {
  readonly #clock: Clock
  readonly #count: number
  #readMs: number
  /** What guests had used when it was read last. */
  #usedMs = 0
  /** What guests used that are gone. */
  #goneMs = 0
  #busyMs = 0
  #idleMs = 0

  constructor(clock: Clock, count: number) {
    this.#clock = clock
    this.#count = count
    this.#readMs = clock.nowMs()
  }

  /** Counts what a guest used that halts. */
  retire(machine: Machine): void {
    this.#goneMs += usedMs(machine)
  }

  read(machines: Iterable<Machine>): CpuTime[] {
    let guestsMs = this.#goneMs
    for (const machine of machines) guestsMs += usedMs(machine)
    const nowMs = this.#clock.nowMs()
    const passedMs = nowMs - this.#readMs
    const busyMs = Math.min(passedMs, Math.max(0, guestsMs - this.#usedMs) / this.#count)
    this.#busyMs += busyMs
    this.#idleMs += passedMs - busyMs
    this.#usedMs = guestsMs
    this.#readMs = nowMs
    return Array.from({ length: this.#count }, (_, number) => ({ number, busyMs: this.#busyMs, idleMs: this.#idleMs }))
  }
}

function usedMs({ usage, guest }: Machine): number {
  return usage.vcpuMs(guest.lifeMs).reduce((sum, ms) => sum + ms, 0)
}
