import { CALLS_RUNNING_MAX, CALLS_WAITING_BYTES_MAX, CALLS_WAITING_MAX, UNSENT_BYTES_BUSY } from './limits.ts'
import type { PacketLink } from './link.ts'
import type { Packet } from './packet.ts'

/**
 * The calls of one connection: some are worked on, more wait for their turn, and then nothing more is read. The same
 * while too much waits to be sent: who asks without reading the answers is not read either.
 */
export class CallQueue {
  readonly #link: PacketLink
  readonly #work: (call: Packet) => Promise<void>
  readonly #waiting: Packet[] = []
  #waitingBytes = 0
  #running = 0
  #isFull = false
  #isBusy = false
  #finished: (() => void) | undefined
  readonly #fullness = {}
  readonly #business = {}
  readonly #finality = {}

  /** `work` must not reject. */
  constructor(link: PacketLink, work: (call: Packet) => Promise<void>) {
    this.#link = link
    this.#work = work
  }

  /** Takes a call; none after `finish`. */
  push(call: Packet): void {
    if (this.#finished !== undefined) return
    this.#waiting.push(call)
    this.#waitingBytes += call.body.length
    this.#advance()
    if (this.#waiting.length >= CALLS_WAITING_MAX || this.#waitingBytes >= CALLS_WAITING_BYTES_MAX) {
      this.#isFull = true
      this.#link.hold(this.#fullness)
    }
  }

  /** Reads no more, and calls `finished` when those are done that are worked on, or at once where there are none. */
  finish(finished: () => void): void {
    this.clear()
    this.#finished ??= finished
    this.#link.hold(this.#finality)
    if (this.#running === 0) finished()
  }

  /** Forgets the calls that wait. */
  clear(): void {
    this.#waiting.length = 0
    this.#waitingBytes = 0
  }

  #advance(): void {
    while (this.#running < CALLS_RUNNING_MAX) {
      const call = this.#waiting.shift()
      if (call === undefined) return
      this.#waitingBytes -= call.body.length
      this.#running++
      void this.#work(call).finally(() => this.#done())
    }
  }

  #done(): void {
    this.#running--
    if (this.#running === 0) this.#finished?.()
    this.#advance()
    if (this.#isFull && this.#waiting.length <= CALLS_WAITING_MAX / 2) {
      this.#isFull = false
      this.#link.release(this.#fullness)
    }
    if (this.#link.unsentBytes > UNSENT_BYTES_BUSY) void this.#waitForClient()
  }

  async #waitForClient(): Promise<void> {
    if (this.#isBusy) return
    this.#isBusy = true
    this.#link.hold(this.#business)
    // When the link ends instead, there is nothing more to read.
    await this.#link.drained().catch(() => undefined)
    this.#isBusy = false
    this.#link.release(this.#business)
  }
}
