import type { IncomingMessage } from 'node:http'

/** The bytes of all bodies that a listener holds. */
export class HeldBytes {
  readonly #max: number
  #count = 0

  constructor(max: number) {
    this.#max = max
  }

  get count(): number {
    return this.#count
  }

  /** False where so much is not to be had. */
  take(count: number): boolean {
    if (this.#count + count > this.#max) return false
    this.#count += count
    return true
  }

  giveBack(count: number): void {
    this.#count -= count
  }
}

/** `large`: more than the bound; `full`: the listener holds too much already; `gone`: the client went away. */
export type BodyFailure = 'large' | 'full' | 'gone'

/** Reads a body; with `held`, counts what is held of it until `release` is called. Without, throws it away. */
export function readBody(message: IncomingMessage, bytesMax: number, held: HeldBytes | undefined): IncomingBody {
  return new IncomingBody(message, bytesMax, held)
}

/** A body that comes in. */
export class IncomingBody {
  readonly #held: HeldBytes | undefined
  readonly #chunks: Buffer[] = []
  readonly #whole = Promise.withResolvers<Buffer | BodyFailure>()
  #bytes = 0
  #taken = 0

  constructor(message: IncomingMessage, bytesMax: number, held: HeldBytes | undefined) {
    this.#held = held
    const stop = (failure: BodyFailure) => {
      message.removeListener('data', take)
      message.resume() // The rest is read into nothing, or the answer would not be.
      this.#whole.resolve(failure)
    }
    const take = (chunk: Buffer) => {
      this.#bytes += chunk.length
      if (this.#bytes > bytesMax) stop('large')
      else if (!this.#keep(chunk)) stop('full')
    }
    message.on('data', take)
    message.once('end', () => this.#whole.resolve(Buffer.concat(this.#chunks)))
    message.once('close', () => this.#whole.resolve('gone'))
    message.once('error', () => this.#whole.resolve('gone'))
  }

  /** Empty for what is thrown away. Never rejects. */
  get whole(): Promise<Buffer | BodyFailure> {
    return this.#whole.promise
  }

  release(): void {
    this.#held?.giveBack(this.#taken)
    this.#taken = 0
    this.#chunks.length = 0
  }

  #keep(chunk: Buffer): boolean {
    if (this.#held === undefined) return true
    if (!this.#held.take(chunk.length)) return false
    this.#taken += chunk.length
    this.#chunks.push(chunk)
    return true
  }
}
