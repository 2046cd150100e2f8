import { Duplex } from 'node:stream'
import type { Clock } from './clock.ts'
import type { Guest } from './guest.ts'
import { converse, encodeUpdate, type UpdateRequest } from './rfb.ts'
import { Screen } from './screen.ts'

/** How often a picture that stands still is looked at again. */
const LOOK_MS = 50

/**
 * The display of a guest, as a server of the RFB protocol. It sends a picture only where one was asked for and the last
 * one has been taken, and keeps the newest request only.
 */
export class VncTerminal extends Duplex {
  readonly #clock: Clock
  readonly #screen: Screen
  readonly #talk: Generator<number, void, Buffer>
  #input = Buffer.alloc(0)
  #wantedBytes: number
  #request: UpdateRequest | null = null
  #shownFrame = -1
  #hasRoom = true
  #hasFinished = false
  #cancel = () => {}

  constructor(guest: Guest, name: string, clock: Clock) {
    super({ allowHalfOpen: false })
    this.#clock = clock
    this.#screen = new Screen(guest)
    this.#talk = converse({
      name,
      screen: this.#screen,
      send: bytes => this.push(bytes),
      onRequest: request => {
        this.#request = request
      },
    })
    this.#wantedBytes = this.#talk.next().value ?? 0
  }

  /** The domain has halted. */
  finish(): void {
    if (this.#hasFinished) return
    this.#hasFinished = true
    this.#cancel()
    this.push(null)
  }

  override _read(): void {
    this.#hasRoom = true
    this.#show()
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#input = Buffer.concat([this.#input, chunk])
    try {
      while (this.#input.length >= this.#wantedBytes) {
        const bytes = this.#input.subarray(0, this.#wantedBytes)
        this.#input = this.#input.subarray(this.#wantedBytes)
        this.#wantedBytes = this.#talk.next(bytes).value ?? 0
      }
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)))
      return
    }
    this.#show()
    done()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#cancel()
    done(error)
  }

  /** Answers the request that is open, once there is something to show. */
  #show(): void {
    this.#cancel()
    const request = this.#request
    if (request === null || !this.#hasRoom || this.#hasFinished || this.destroyed) return
    const { frame } = this.#screen
    if (request.isIncremental && frame === this.#shownFrame) {
      this.#cancel = this.#clock.after(LOOK_MS, () => this.#show())
      return
    }
    this.#request = null
    this.#shownFrame = frame
    this.#hasRoom = this.push(encodeUpdate(this.#screen, request))
  }
}
