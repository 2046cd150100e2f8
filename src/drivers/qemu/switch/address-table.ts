/** Addresses that are remembered of one segment; where more are seen, the oldest is forgotten. */
export const ADDRESSES_MAX = 4_096
/** How long an address that is no longer heard of is remembered. Source: IEEE 802.1D, the recommended ageing time. */
const AGE_MS_MAX = 300_000

interface Entry<P> {
  readonly port: P
  readonly seenMs: number
}

/** Behind which port each hardware address of a segment was last seen. */
export class AddressTable<P> {
  readonly #entries = new Map<number, Entry<P>>()
  readonly #now: () => number

  /** `now` gives milliseconds of a clock that never goes back. */
  constructor(now: () => number) {
    this.#now = now
  }

  get size(): number {
    return this.#entries.size
  }

  learn(address: number, port: P): void {
    // Taken out first, so that the entries stay in the order in which they were last seen.
    this.#entries.delete(address)
    this.#entries.set(address, { port, seenMs: this.#now() })
    if (this.#entries.size <= ADDRESSES_MAX) return
    const [oldest] = this.#entries.keys()
    if (oldest !== undefined) this.#entries.delete(oldest)
  }

  /** Undefined where the address is not known, or no longer. */
  find(address: number): P | undefined {
    const entry = this.#entries.get(address)
    if (entry === undefined) return undefined
    if (this.#now() - entry.seenMs <= AGE_MS_MAX) return entry.port
    this.#entries.delete(address)
    return undefined
  }

  /** Forgets all that was seen behind a port. */
  forget(port: P): void {
    for (const [address, entry] of this.#entries) if (entry.port === port) this.#entries.delete(address)
  }
}
