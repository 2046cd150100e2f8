import type { Clock } from './clock.ts'
import type { Lease, Log } from './log.ts'
import type { HeldLease } from './store.ts'

/** How long a lease lasts if its holder falls silent. */
export const LEASE_TTL_MS = 30_000
/** How often a holder prolongs it: twice may fail before it is lost. */
export const LEASE_RENEWAL_MS = 9_000

/** Takes a lease and prolongs it until it is released or lost; undefined while another owner holds it. */
export async function holdLease(log: Log, clock: Clock, name: string, owner: string): Promise<HeldLease | undefined> {
  const askedAt = clock.now()
  const lease = await log.acquireLease(name, owner, LEASE_TTL_MS)
  return lease === undefined ? undefined : new RenewedLease(log, clock, lease, askedAt + LEASE_TTL_MS)
}

class RenewedLease implements HeldLease {
  readonly name: string
  readonly owner: string
  readonly fence: number
  readonly #log: Log
  readonly #clock: Clock
  readonly #lease: Lease
  readonly #ended = new AbortController()
  #expiresAt: number
  #cancelRenewal: () => void
  #cancelExpiry: () => void

  constructor(log: Log, clock: Clock, lease: Lease, expiresAt: number) {
    this.name = lease.name
    this.owner = lease.owner
    this.fence = lease.fence
    this.#log = log
    this.#clock = clock
    this.#lease = lease
    this.#expiresAt = expiresAt
    this.#cancelRenewal = clock.after(LEASE_RENEWAL_MS, () => void this.#renew())
    this.#cancelExpiry = this.#expireInTime()
  }

  get signal(): AbortSignal {
    return this.#ended.signal
  }

  async release(): Promise<void> {
    if (this.signal.aborted) return
    this.#end('released')
    // A log that cannot be told lets the lease expire by itself.
    await this.#log.releaseLease(this.#lease).catch(() => undefined)
  }

  async #renew(): Promise<void> {
    // Counted from before the question: the log's own count began later.
    const askedAt = this.#clock.now()
    const answer = await this.#log.renewLease(this.#lease, LEASE_TTL_MS).catch(() => 'unanswered' as const)
    if (this.signal.aborted) return
    if (answer === false) return this.#end('another owner took the lease')
    if (answer === true) {
      this.#expiresAt = askedAt + LEASE_TTL_MS
      this.#cancelExpiry()
      this.#cancelExpiry = this.#expireInTime()
    }
    this.#cancelRenewal = this.#clock.after(LEASE_RENEWAL_MS, () => void this.#renew())
  }

  /** A holder that cannot reach the log must stop by itself: another may have the lease from this moment on. */
  #expireInTime(): () => void {
    const leftMs = Math.max(0, this.#expiresAt - this.#clock.now())
    return this.#clock.after(leftMs, () => this.#end('the lease could not be renewed in time'))
  }

  #end(reason: string): void {
    this.#cancelRenewal()
    this.#cancelExpiry()
    this.#ended.abort(new Error(`lease ${this.name}: ${reason}`))
  }
}
