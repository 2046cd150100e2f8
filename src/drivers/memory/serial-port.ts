import type { SerialChunk } from '../driver.ts'

/** How much of its output a serial port keeps; older output is dropped, positions go on. */
export const SERIAL_BYTES_MAX = 65_536

/** What a domain's first serial port has printed over all its boots. ASCII only, so that a character is a byte. */
export class SerialPort {
  #kept = ''
  #end = 0

  print(text: string): void {
    this.#end += text.length
    this.#kept = (this.#kept + text).slice(-SERIAL_BYTES_MAX)
  }

  /** Counts output as printed that is too old to be kept. */
  skip(bytes: number): void {
    this.#end += bytes
    this.#kept = ''
  }

  /** A position beyond the end reads nothing and is told the end: its domain was made anew. */
  read(from: number, bytesMax: number): SerialChunk {
    const oldest = this.#end - this.#kept.length
    const start = Math.min(Math.max(from, oldest), this.#end)
    const data = Buffer.from(this.#kept.slice(start - oldest, start - oldest + Math.max(0, bytesMax)), 'latin1')
    return { data, next: start + data.length }
  }
}
