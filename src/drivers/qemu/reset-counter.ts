/**
 * SeaBIOS resets the machine itself once or twice when it comes up after a reset; that many milliseconds later at
 * most. A guest that resets faster than this is counted once. Source: measured with QEMU 7.2 and SeaBIOS 1.16.
 */
const ECHO_MS = 2_000

/** Tells resets that the guest asked for from those that a reset brings with it. */
export class ResetCounter {
  #lastMs = Number.NEGATIVE_INFINITY
  #comesUpWhenResumed = false

  /** To be told of each reset, with QEMU's own time; answers whether it is one that the guest asked for. */
  isByGuest(timestampMs: number, isFromInside: boolean, isRunning: boolean): boolean {
    if (isFromInside && timestampMs - this.#lastMs < ECHO_MS) return false
    this.#lastMs = timestampMs
    this.#comesUpWhenResumed = !isRunning
    return isFromInside
  }

  /** The guest executes again; one that was reset while it stood still comes up only now. */
  resumed(timestampMs: number): void {
    if (this.#comesUpWhenResumed) this.#lastMs = timestampMs
    this.#comesUpWhenResumed = false
  }
}
