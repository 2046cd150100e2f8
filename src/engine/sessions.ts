import { hash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto'
import { fail } from '../model/errors.ts'
import { session, user } from '../model/index.ts'
import type { Store } from '../store/store.ts'
import type { Caller } from './caller.ts'
import { Credentials } from './credentials.ts'
import { LoginAttempts, rateLimited } from './login-attempts.ts'
import { HashingBusy } from './password.ts'

/** The bounds of sessions. */
export interface SessionLimits {
  readonly idleMs: number
  readonly perUserMax: number
}

/** A day, and 500 sessions a user. Source: DESIGN §7. */
export const SESSION_LIMITS: SessionLimits = { idleMs: 24 * 3_600_000, perUserMax: 500 }

const TOKEN_BYTES = 32
/** 64 of the reference's 256 bits: enough to find it by, and the rest is enough to prove it. */
const PREFIX_CHARACTERS = 16
/** What sessions are made with. */
export interface SessionOptions {
  readonly store: Store
  readonly now: () => number
  readonly limits?: SessionLimits
  /** Accepted as the password of `root` on the Unix socket, whose mode already proves the operator. */
  readonly localSecret?: string
}

interface Live {
  readonly uuid: string
  readonly user: string
  readonly digest: Buffer
  lastUsed: number
  /** Grows with every use of any session, so that even two of one millisecond have an order. */
  use: number
  /** The reference itself once it has been shown, so that hashing it again for every call is spared. Never stored. */
  shown: Buffer | undefined
}

/**
 * Who is logged in. A session reference is a random secret; only its digest is kept, in memory and in the store, so
 * that sessions outlive a restart and a stolen store opens none. Idle time is counted from the last call, or from
 * the server's start.
 */
export class Sessions {
  readonly #store: Store
  readonly #now: () => number
  readonly #limits: SessionLimits
  readonly #localSecret: Buffer | undefined
  /** What is kept of passwords. */
  readonly credentials: Credentials
  /** How often somebody has tried; other ways to log in count here too. */
  readonly attempts: LoginAttempts
  #uses = 0
  /** By digest. */
  readonly #live = new Map<string, Live>()
  /** Those that have been shown, by the first characters of their reference. */
  readonly #shown = new Map<string, Live>()

  constructor(options: SessionOptions) {
    this.#store = options.store
    this.#now = options.now
    this.#limits = options.limits ?? SESSION_LIMITS
    this.#localSecret = options.localSecret === undefined ? undefined : sha256(options.localSecret)
    this.credentials = new Credentials(options.store)
    this.attempts = new LoginAttempts(options.now)
    for (const ref of this.#store.all(session)) this.#remember(ref)
  }

  /**
   * Checks a password and opens a session; answers its reference, the secret. Unknown users and wrong passwords
   * cannot be told apart, by answer or by time. Throws SESSION_AUTHENTICATION_FAILED or SESSION_LOGIN_RATE_LIMITED.
   */
  async login(name: string, password: string, address: string): Promise<string> {
    this.attempts.begin(name, address)
    const found = this.#store.findBy(user, 'short_name', name)[0]
    if (!(await this.#isPasswordOf(found, password, address))) {
      throw fail('SESSION_AUTHENTICATION_FAILED', {})
    }
    this.attempts.forgive(name, address)
    // The user may have been deleted while the password was being checked.
    if (found === undefined || this.#store.get(user, found) === undefined)
      throw fail('SESSION_AUTHENTICATION_FAILED', {})
    return this.#open(found)
  }

  /** The caller behind a session reference. Throws SESSION_INVALID. */
  authenticate(secret: string, address: string): Caller {
    const live = this.#find(secret)
    const owner = live === undefined ? undefined : this.#store.get(user, live.user)
    const now = this.#now()
    if (live === undefined || owner === undefined || this.#isExpired(live, now)) throw invalid(secret)
    live.lastUsed = now
    live.use = ++this.#uses
    return { user: live.user, session: live.uuid, administrator: owner.administrator, address }
  }

  /** Counts as a call of this session, named by our own name of it; nothing where it has ended. */
  use(uuid: string): void {
    const now = this.#now()
    for (const live of this.#live.values()) {
      if (live.uuid !== uuid || this.#isExpired(live, now)) continue
      live.lastUsed = now
      live.use = ++this.#uses
    }
  }

  /** Finds by a part of the reference or by its digest, and compares the whole in constant time. */
  #find(secret: string): Live | undefined {
    const known = this.#shown.get(secret.slice(0, PREFIX_CHARACTERS))
    if (known !== undefined && known.shown?.length === secret.length) {
      if (timingSafeEqual(known.shown, Buffer.from(secret, 'latin1'))) return known
    }
    const digest = sha256(secret)
    const live = this.#live.get(digest.toString('hex'))
    if (live === undefined || !timingSafeEqual(live.digest, digest)) return undefined
    live.shown = Buffer.from(secret, 'latin1')
    this.#shown.set(secret.slice(0, PREFIX_CHARACTERS), live)
    return live
  }

  /** Ends a session by our own name of it. */
  async logout(uuid: string): Promise<void> {
    await this.#drop([...this.#live].filter(([, live]) => live.uuid === uuid).map(([key]) => key))
  }

  /** Ends the sessions that nobody used for too long. */
  async sweep(): Promise<void> {
    const now = this.#now()
    await this.#drop([...this.#live].filter(([, live]) => this.#isExpired(live, now)).map(([key]) => key))
  }

  /** Ends the sessions of a user, except one. */
  async logoutUser(ref: string, exceptSession = ''): Promise<void> {
    const keys = [...this.#live].filter(([, live]) => live.user === ref && live.uuid !== exceptSession)
    await this.#drop(keys.map(([key]) => key))
  }

  /** Sets a user's password. Throws INVALID_VALUE for one that is too short or absurdly long. */
  async setPassword(ref: string, password: string): Promise<void> {
    await this.credentials.set(ref, password)
  }

  async #isPasswordOf(ref: string | undefined, password: string, address: string): Promise<boolean> {
    if (this.#isLocalSecret(ref, password, address)) return true
    try {
      return await this.credentials.verify(ref, password)
    } catch (error) {
      if (error instanceof HashingBusy) throw rateLimited(1_000)
      throw error
    }
  }

  #isLocalSecret(ref: string | undefined, password: string, address: string): boolean {
    if (this.#localSecret === undefined || address !== LOCAL_ADDRESS || ref === undefined) return false
    return this.#store.get(user, ref)?.administrator === true && timingSafeEqual(sha256(password), this.#localSecret)
  }

  #isExpired(live: Live, now: number): boolean {
    return now - live.lastUsed > this.#limits.idleMs
  }

  async #open(owner: string): Promise<string> {
    const secret = randomBytes(TOKEN_BYTES).toString('hex')
    const digest = sha256(secret).toString('hex')
    const uuid = randomUUID()
    await this.#store.transact(transaction =>
      transaction.insert(session, { uuid, digest, user: owner, created: new Date(this.#now()) }),
    )
    this.#remember(uuid)
    // Counted once it is in: of logins that come at once, each would find room for itself before.
    const mine = [...this.#live].filter(([, live]) => live.user === owner)
    const all = mine.sort(([, a], [, b]) => a.use - b.use)
    await this.#drop(all.slice(0, Math.max(0, all.length - this.#limits.perUserMax)).map(([key]) => key))
    return secret
  }

  #remember(ref: string): void {
    const stored = this.#store.get(session, ref)
    if (stored === undefined) return
    const { uuid, user: owner, digest } = stored
    this.#live.set(digest, {
      uuid,
      user: owner,
      digest: Buffer.from(digest, 'hex'),
      lastUsed: this.#now(),
      use: ++this.#uses,
      shown: undefined,
    })
  }

  async #drop(keys: readonly string[]): Promise<void> {
    const ended = keys.flatMap(key => this.#live.get(key) ?? [])
    for (const key of keys) this.#live.delete(key)
    for (const { shown } of ended) this.#shown.delete(shown?.toString('latin1', 0, PREFIX_CHARACTERS) ?? '')
    if (ended.length === 0) return
    await this.#store.transact(transaction => {
      for (const { uuid } of ended) transaction.remove(session, uuid)
    })
  }
}

/** The address of callers on the Unix socket. */
export const LOCAL_ADDRESS = 'local'

const sha256 = (text: string): Buffer => hash('sha256', text, 'buffer')

/** What was given may be a secret with a typing mistake, so only a digest of it is shown. */
const invalid = (secret: string) =>
  fail('SESSION_INVALID', { handle: `sha256:${sha256(secret).toString('hex').slice(0, 16)}` })
