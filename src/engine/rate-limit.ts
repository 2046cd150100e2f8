/** How many failures are forgiven at once, and how long one takes to be forgotten. */
export interface RateLimitOptions {
  readonly burst: number
  readonly refillMs: number
  /** The time in milliseconds. */
  readonly now: () => number
}

const KEYS_MAX = 10_000

/** Counts failures per key in a leaky bucket. Bounded: the key not seen for longest is forgotten first. */
export class RateLimit {
  readonly #options: RateLimitOptions
  readonly #buckets = new Map<string, { failures: number; at: number }>()

  constructor(options: RateLimitOptions) {
    this.#options = options
  }

  /** How many milliseconds the key must wait; 0 where it may try. */
  waitMs(key: string): number {
    const failures = this.#failures(key)
    const { burst, refillMs } = this.#options
    return failures <= burst - 1 ? 0 : Math.ceil((failures - burst + 1) * refillMs)
  }

  /** Counts a failure of the key. */
  failed(key: string): void {
    const failures = this.#failures(key) + 1
    this.#buckets.delete(key)
    this.#buckets.set(key, { failures, at: this.#options.now() })
    if (this.#buckets.size > KEYS_MAX) {
      const [oldest] = this.#buckets.keys()
      if (oldest !== undefined) this.#buckets.delete(oldest)
    }
  }

  /** Takes back a failure that was counted before it was known to be none. */
  forgive(key: string): void {
    const bucket = this.#buckets.get(key)
    if (bucket !== undefined) bucket.failures = Math.max(0, bucket.failures - 1)
  }

  #failures(key: string): number {
    const bucket = this.#buckets.get(key)
    if (bucket === undefined) return 0
    return Math.max(0, bucket.failures - (this.#options.now() - bucket.at) / this.#options.refillMs)
  }
}
