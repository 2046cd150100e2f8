import { user } from '../model/index.ts'
import type { Store } from '../store/store.ts'
import type { Log } from './log.ts'
import { type ScramLogin, ScramLogins } from './scram-logins.ts'
import type { Sessions } from './sessions.ts'
import { UserWatch } from './user-watch.ts'

/** A user who is served outside of sessions, for as long as a connection stands. */
export interface Account {
  readonly name: string
  /** Looked up at each call. */
  readonly isAdministrator: () => boolean
  /** Aborted when the user is deleted, or the password is changed. */
  readonly signal: AbortSignal
  /** The connection is gone. Calling it twice is harmless. */
  readonly release: () => void
}

/** The users, for protocols that log in otherwise than by a session. */
export class Accounts {
  readonly #store: Store
  readonly #logins: ScramLogins
  readonly #watch: UserWatch

  constructor({ store, sessions, log }: { readonly store: Store; readonly sessions: Sessions; readonly log: Log }) {
    const { credentials, attempts } = sessions
    this.#store = store
    this.#logins = new ScramLogins({ store, credentials, attempts, log })
    this.#watch = new UserWatch(store)
  }

  /** A login by SCRAM of a client that comes from an address. */
  login(address: string): ScramLogin {
    return this.#logins.begin(address)
  }

  /** The user of a reference. */
  of(ref: string): Account | undefined {
    const name = this.#store.get(user, ref)?.short_name
    if (name === undefined) return undefined
    const isAdministrator = () => this.#store.get(user, ref)?.administrator === true
    return { name, isAdministrator, ...this.#watch.watch(ref) }
  }

  /** The user of a name. */
  named(name: string): Account | undefined {
    const ref = this.#store.findBy(user, 'short_name', name)[0]
    return ref === undefined ? undefined : this.of(ref)
  }
}
