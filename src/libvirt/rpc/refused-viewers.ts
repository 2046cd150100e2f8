import type { HostUse } from '../host.ts'

/** How often it is told of somebody who goes on trying. */
const TELL_EVERY_MS = 600_000
/** How many users are told apart; all others are told of as one. */
const USERS_MAX = 32

/** What is known of one who was refused. */
interface Refused {
  toldMs: number
  /** How often since then. */
  count: number
}

/**
 * Tells the operator who may not look at a domain: of each user once, and then how often from time to time, so that nobody
 * fills the log by trying.
 */
export class RefusedViewers {
  readonly #domain: string
  readonly #warn: HostUse['warn']
  readonly #now: () => number
  readonly #users = new Map<number | 'others' | undefined, Refused>()

  /** `now` gives milliseconds of a clock that never goes back. */
  constructor(domain: string, warn: HostUse['warn'], now: () => number = () => performance.now()) {
    this.#domain = domain
    this.#warn = warn
    this.#now = now
  }

  /** Notes that somebody was refused: a user by number, undefined where it could not be found out who. */
  add(user: number | undefined): void {
    const who = this.#users.has(user) || this.#users.size < USERS_MAX ? user : 'others'
    const known = this.#users.get(who)
    if (known === undefined) {
      this.#users.set(who, { toldMs: this.#now(), count: 0 })
      this.#warn('somebody may not look at a domain', { domain: this.#domain, user: who })
      return
    }
    known.count++
    if (this.#now() - known.toldMs >= TELL_EVERY_MS) this.#tell(who, known)
  }

  /** Tells how often it was since it was told last. */
  end(): void {
    for (const [who, known] of this.#users) if (known.count > 0) this.#tell(who, known)
    this.#users.clear()
  }

  #tell(user: number | 'others' | undefined, known: Refused): void {
    const times = known.count
    known.count = 0
    known.toldMs = this.#now()
    this.#warn('somebody who may not look at a domain has gone on trying', { domain: this.#domain, user, times })
  }
}
