import type { OpenVolume } from '../drivers/driver.ts'

/** A part of a file: `length` bytes from `offset` on, all that there are where it is 0. */
export interface Bytes {
  readonly offset: number
  readonly length: number
}

/** How much of a file is read, or of zeros written, at once. */
const PIECE_BYTES = 262_144

/** The bytes of an image's file, in pieces and in order; they are read once. */
export class Download implements AsyncIterable<Uint8Array> {
  readonly #file: OpenVolume
  readonly #range: Bytes

  constructor(file: OpenVolume, range: Bytes) {
    this.#file = file
    this.#range = range
  }

  /** Closed at its end, or when whoever reads it stops. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    const { offset, length } = this.#range
    const end = length === 0 ? this.#file.bytes : Math.min(offset + length, this.#file.bytes)
    try {
      for (let position = offset; position < end; ) {
        const piece = await this.#file.read(position, Math.min(PIECE_BYTES, end - position))
        if (piece.length === 0) return
        position += piece.length
        yield piece
      }
    } finally {
      await this.close()
    }
  }

  /** Ends it early. Calling it twice is harmless. */
  async close(): Promise<void> {
    await this.#file.close()
  }
}

/** Where the bytes of an image's file go, in pieces and in order. */
export class Upload {
  readonly #file: OpenVolume
  readonly #end: number
  readonly #finish: () => Promise<void>
  #closing: Promise<void> | undefined
  #position: number

  constructor(file: OpenVolume, { offset, length }: Bytes, finish: () => Promise<void>) {
    this.#file = file
    this.#position = offset
    this.#end = length === 0 ? Number.MAX_SAFE_INTEGER : offset + length
    this.#finish = finish
  }

  /** How many bytes more it takes. */
  get room(): number {
    return this.#end - this.#position
  }

  /** Writes a piece; what is more than there is room for is for the caller to refuse before. */
  async write(piece: Uint8Array): Promise<void> {
    const { length } = piece
    await this.#file.write(this.#position, piece)
    this.#position += length
  }

  /** Writes so many zeros. */
  async writeZeros(count: number): Promise<void> {
    for (let left = count; left > 0; left -= PIECE_BYTES) {
      await this.write(new Uint8Array(Math.min(left, PIECE_BYTES)))
    }
  }

  /** Ends it: what came is durable when it resolves. Calling it twice is harmless. */
  async close(): Promise<void> {
    this.#closing ??= this.#finish()
    await this.#closing
  }
}
