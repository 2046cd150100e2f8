import { credential, user } from '../model/index.ts'
import type { Store } from '../store/store.ts'
import { type ScramKeys, ScramServer } from '../wire/scram/index.ts'
import type { Credentials } from './credentials.ts'
import type { Log } from './log.ts'
import type { LoginAttempts } from './login-attempts.ts'

/** What the logins need. */
export interface ScramLoginsOptions {
  readonly store: Store
  readonly credentials: Credentials
  readonly attempts: LoginAttempts
  readonly log: Pick<Log, 'warn'>
}

/** What a client is answered, and who it is once that is known. */
export interface ScramAnswer {
  readonly message: string
  /** Reference of the user who has logged in. */
  readonly user?: string
}

/** Logs users in by SCRAM. Unknown users and wrong passwords cannot be told apart, by answer or by time. */
export class ScramLogins {
  readonly #options: ScramLoginsOptions

  constructor(options: ScramLoginsOptions) {
    this.#options = options
  }

  /** A login of a client that comes from an address. */
  begin(address: string): ScramLogin {
    return new ScramLogin(this.#options, address)
  }
}

/** One login: two messages of the client's, in order. */
export class ScramLogin {
  readonly #options: ScramLoginsOptions
  readonly #address: string
  readonly #server = new ScramServer()

  constructor(options: ScramLoginsOptions, address: string) {
    this.#options = options
    this.#address = address
  }

  /**
   * Answers a message; undefined where it does not prove the password. Throws ScramError for what is no message of
   * SCRAM's, and SESSION_LOGIN_RATE_LIMITED.
   */
  async step(message: Uint8Array): Promise<ScramAnswer | undefined> {
    if (this.#server.name !== undefined) return this.#finish(this.#server.name, message)
    const pretended = await this.#options.credentials.pretender()
    return { message: this.#server.challenge(message, name => this.#keysOf(name) ?? pretended(name)) }
  }

  #finish(name: string, message: Uint8Array): ScramAnswer | undefined {
    const { attempts, store } = this.#options
    attempts.begin(name, this.#address)
    const ref = store.findBy(user, 'short_name', name)[0]
    const signature = this.#server.signature(message)
    if (signature === undefined) {
      if (ref !== undefined && store.get(credential, ref)?.scram === '') this.#tellOfMissing(name)
      return undefined
    }
    // The user may have been deleted, or the password changed, since the challenge.
    if (ref === undefined || !this.#server.isOf(this.#keysOf(name))) return undefined
    attempts.forgive(name, this.#address)
    return { message: signature, user: ref }
  }

  #keysOf(name: string): ScramKeys | undefined {
    const { store, credentials } = this.#options
    const ref = store.findBy(user, 'short_name', name)[0]
    return ref === undefined ? undefined : credentials.scramKeys(ref)
  }

  #tellOfMissing(name: string): void {
    this.#options.log.warn(
      { user: name, wayOut: SCRAM_WAY_OUT },
      'a user cannot log in to libvirt with this password yet',
    )
  }
}

/** What helps who has a password and no keys of SCRAM: an older version has set it, or it holds control characters. */
export const SCRAM_WAY_OUT =
  'log in once with the password at the Xen Management API, or set one that can be typed: polyvisor user passwd NAME'
