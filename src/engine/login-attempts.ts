import { fail } from '../model/errors.ts'
import type { ApiError } from '../model/kernel/error.ts'
import { RateLimit } from './rate-limit.ts'

const FAILURES_PER_USER = { burst: 10, refillMs: 6_000 }
const FAILURES_PER_ADDRESS = { burst: 100, refillMs: 1_000 }
const NAME_CHARACTERS_MAX = 256

/** Bounds how often passwords can be guessed, by whatever way they come. */
export class LoginAttempts {
  readonly #perUser: RateLimit
  readonly #perAddress: RateLimit

  /** `now` is the time in milliseconds. */
  constructor(now: () => number) {
    this.#perUser = new RateLimit({ ...FAILURES_PER_USER, now })
    this.#perAddress = new RateLimit({ ...FAILURES_PER_ADDRESS, now })
  }

  /**
   * Counts an attempt as failed until `forgive` is called: before the password is checked, or all that come at once
   * would be checked. Throws SESSION_LOGIN_RATE_LIMITED.
   */
  begin(name: string, address: string): void {
    const key = keyOf(name, address)
    const waitMs = Math.max(this.#perUser.waitMs(key), this.#perAddress.waitMs(address))
    if (waitMs > 0) throw rateLimited(waitMs)
    this.#perUser.failed(key)
    this.#perAddress.failed(address)
  }

  /** The attempt that was begun was none to guess. */
  forgive(name: string, address: string): void {
    this.#perUser.forgive(keyOf(name, address))
    this.#perAddress.forgive(address)
  }
}

const keyOf = (name: string, address: string): string => `${name.slice(0, NAME_CHARACTERS_MAX)}@${address}`

/** The error for whoever has to wait. */
export const rateLimited = (waitMs: number): ApiError =>
  fail('SESSION_LOGIN_RATE_LIMITED', { retry_after_seconds: String(Math.ceil(waitMs / 1000)) })
