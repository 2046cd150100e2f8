import type { GuestMemory } from '../driver.ts'
import type { Clock } from './clock.ts'
import type { Guest } from './guest.ts'

/** How long a guest takes to boot; then what the host wants in it runs, and tells of its memory for the first time. */
export const BOOTED_MS = 50

/** What of its memory a guest makes no use of, could do without, and has files in. */
const UNUSED = 0.6
const USABLE = 0.8
const CACHED = 0.2
/** What its kernel keeps for itself. */
const KEPT = 0.02
const PAGE_BYTES = 4_096
/** Each page that it touches first is a fault, some of them read from a disk. */
const FAULTS_PER_MS = 2
const FAULTS_PER_MAJOR = 50

/**
 * What a guest says of its memory: once when it has booted, and then as often as it is asked to. No timer counts: when it
 * said something last is worked out when somebody asks.
 */
export class GuestTelling {
  readonly #clock: Clock
  /** What was worked out last: a guest that is paused meanwhile has said it no later. */
  #told: { readonly lifeMs: number; readonly atMs: number } | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** `bytesAt` is what its balloon leaves it after it ran for so long. Without `seconds` it is asked no more. */
  read(
    { uptimeMs, lifeMs }: Pick<Guest, 'uptimeMs' | 'lifeMs'>,
    seconds: number | undefined,
    bytesAt: (lifeMs: number) => number,
  ): GuestMemory {
    if (uptimeMs < BOOTED_MS) return {}
    const sinceMs = seconds === undefined ? uptimeMs - BOOTED_MS : (uptimeMs - BOOTED_MS) % (seconds * 1_000)
    const toldMs = lifeMs - sinceMs
    if (this.#told?.lifeMs !== toldMs) {
      this.#told = { lifeMs: toldMs, atMs: performance.timeOrigin + this.#clock.nowMs() - sinceMs }
    }
    return { atMs: this.#told.atMs, ...saidOf(bytesAt(toldMs), toldMs) }
  }
}

function saidOf(bytes: number, ranMs: number): GuestMemory {
  const pages = (share: number) => Math.floor((bytes * share) / PAGE_BYTES) * PAGE_BYTES
  const faults = Math.floor(ranMs * FAULTS_PER_MS)
  const majorFaults = Math.floor(faults / FAULTS_PER_MAJOR)
  return {
    availableBytes: pages(1 - KEPT),
    unusedBytes: pages(UNUSED),
    usableBytes: pages(USABLE),
    cacheBytes: pages(CACHED),
    swappedInBytes: 0,
    swappedOutBytes: 0,
    majorFaults,
    minorFaults: faults - majorFaults,
    hugePagesGiven: 0,
    hugePagesRefused: 0,
  }
}
