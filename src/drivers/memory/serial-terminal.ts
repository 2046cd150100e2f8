import { Duplex } from 'node:stream'
import type { Clock } from './clock.ts'
import type { Guest } from './guest.ts'
import type { SerialPort } from './serial-port.ts'

/** How often the port is looked at for output, and how much is taken at once. */
const LOOK_MS = 50
const PIECE_BYTES = 16_384

/** A line to the first serial port of a guest: what it prints from now on, and what is typed. */
export class SerialTerminal extends Duplex {
  readonly #clock: Clock
  readonly #guest: Guest
  readonly #port: SerialPort
  #from: number
  #hasFinished = false
  #hasEnded = false
  #cancel = () => {}

  constructor(guest: Guest, port: SerialPort, clock: Clock) {
    super({ allowHalfOpen: false })
    this.#clock = clock
    this.#guest = guest
    this.#port = port
    guest.print()
    this.#from = port.read(Number.POSITIVE_INFINITY, 0).next
  }

  /** The domain has halted: what is left to read is read, and then there is an end. */
  finish(): void {
    if (this.#hasFinished) return
    this.#hasFinished = true
    this._read()
  }

  override _read(): void {
    this.#cancel()
    if (this.#hasEnded || this.destroyed) return
    this.#guest.print()
    const { data, next } = this.#port.read(this.#from, PIECE_BYTES)
    this.#from = next
    if (data.length > 0) this.push(data)
    else if (this.#hasFinished) {
      this.#hasEnded = true
      this.push(null)
    } else this.#cancel = this.#clock.after(LOOK_MS, () => this._read())
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    if (!this.#hasFinished) this.#guest.type(chunk.toString('latin1'))
    done()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#cancel()
    done(error)
  }
}
