const LINE_FEED = 0x0a

/**
 * Cuts a stream of bytes into lines. A line is UTF-8, ends in a line feed, and is given without it and without the
 * carriage return that QEMU puts before it.
 */
export class LineSplitter {
  readonly #lineBytesMax: number
  #pieces: Buffer[] = []
  #bytes = 0

  /** `lineBytesMax` bounds what is kept of a line that has not ended yet. */
  constructor(lineBytesMax: number) {
    this.#lineBytesMax = lineBytesMax
  }

  /** The lines that this chunk completes. Throws RangeError when a line grows over its bound. */
  push(chunk: Buffer): string[] {
    const lines: string[] = []
    let start = 0
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      this.#keep(chunk.subarray(start, end))
      lines.push(Buffer.concat(this.#pieces, this.#bytes).toString('utf8').trimEnd())
      this.#pieces = []
      this.#bytes = 0
      start = end + 1
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start))
    return lines
  }

  #keep(piece: Buffer): void {
    this.#bytes += piece.length
    if (this.#bytes > this.#lineBytesMax) throw new RangeError(`a line of more than ${this.#lineBytesMax} bytes`)
    this.#pieces.push(piece)
  }
}
