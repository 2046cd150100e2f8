/** How long a guest takes to give or take what its balloon is told, in the time it runs. */
const MOVE_MS = 100

/**
 * What a guest is left of its memory. It has all of it when it boots and goes for its target from there; how far it got
 * is worked out from the time it ran, when somebody asks.
 */
export class Balloon {
  readonly #maxBytes: number
  readonly #isObeyed: boolean
  #targetBytes: number
  /** What it was, and when, on its way to the target. */
  #from: { readonly bytes: number; readonly atMs: number }

  constructor(maxBytes: number, targetBytes: number, isObeyed: boolean) {
    this.#maxBytes = maxBytes
    this.#isObeyed = isObeyed
    this.#targetBytes = targetBytes
    this.#from = { bytes: maxBytes, atMs: 0 }
  }

  /** What the guest has after it ran for `lifeMs`. */
  bytes(lifeMs: number): number {
    if (!this.#isObeyed) return this.#maxBytes
    const { bytes, atMs } = this.#from
    const share = Math.min(1, Math.max(0, lifeMs - atMs) / MOVE_MS)
    return Math.round(bytes + share * (this.#targetBytes - bytes))
  }

  aim(targetBytes: number, lifeMs: number): void {
    this.#from = { bytes: this.bytes(lifeMs), atMs: lifeMs }
    this.#targetBytes = targetBytes
  }

  /** Begins again with all memory, as after a reset. */
  boot(lifeMs: number): void {
    this.#from = { bytes: this.#maxBytes, atMs: lifeMs }
  }
}
