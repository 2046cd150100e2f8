import { Buffer, isUtf8 } from 'node:buffer'
import { XdrError } from './error.ts'

/** What everything is aligned to. Source: RFC 4506, §3. */
export const UNIT_BYTES = 4
const SHORT_TEXT_BYTES_MAX = 64

/** Reads values from bytes, one after another. Every method throws XdrError where the bytes hold no such value. */
export class XdrReader {
  readonly #bytes: Buffer
  readonly #view: DataView
  #offset: number

  /** Reads `bytes` from `offset` on. Opaque values are views of them, not copies. */
  constructor(bytes: Uint8Array, offset = 0) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#offset = offset
  }

  /** How many bytes are left. */
  get remaining(): number {
    return this.#bytes.length - this.#offset
  }

  /** A signed integer of 32 bits. Source: RFC 4506, §4.1. */
  int(): number {
    return this.#view.getInt32(this.#take(4))
  }

  /** An unsigned integer of 32 bits. Source: RFC 4506, §4.2. */
  uint(): number {
    return this.#view.getUint32(this.#take(4))
  }

  /** A signed integer of 64 bits. Source: RFC 4506, §4.5. */
  hyper(): bigint {
    return this.#view.getBigInt64(this.#take(8))
  }

  /** An unsigned integer of 64 bits. Source: RFC 4506, §4.5. */
  uhyper(): bigint {
    return this.#view.getBigUint64(this.#take(8))
  }

  /** A floating point number of 64 bits, infinities and NaN among them. Source: RFC 4506, §4.7. */
  double(): number {
    return this.#view.getFloat64(this.#take(8))
  }

  /** 0 or 1. Source: RFC 4506, §4.4. */
  bool(): boolean {
    const value = this.uint()
    if (value > 1) throw new XdrError('malformed', 'a truth value is neither 0 nor 1')
    return value === 1
  }

  /** So many bytes, and the zeros that fill the last unit. Source: RFC 4506, §4.9. */
  fixedBytes(length: number): Buffer {
    const start = this.#takeFilled(length)
    return this.#bytes.subarray(start, start + length)
  }

  /** A length of at most `lengthMax`, and so many bytes. Source: RFC 4506, §4.10. */
  bytes(lengthMax: number): Buffer {
    return this.fixedBytes(this.length(lengthMax, 'bytes'))
  }

  /** Text in UTF-8 of at most `bytesMax` bytes, without a NUL: where it goes in C, it would end there. */
  text(bytesMax: number): string {
    const length = this.length(bytesMax, 'bytes')
    const start = this.#takeFilled(length)
    const end = start + length
    if (this.#isShortAscii(start, end)) return this.#bytes.toString('latin1', start, end)
    const bytes = this.#bytes.subarray(start, end)
    if (bytes.includes(0)) throw new XdrError('malformed', 'a text holds a NUL')
    if (!isUtf8(bytes)) throw new XdrError('malformed', 'a text is not UTF-8')
    return bytes.toString('utf8')
  }

  /** How many `things` follow, at most `most` of them. */
  length(most: number, things: string): number {
    const length = this.uint()
    if (length > most) throw new XdrError('limit', `${length} ${things} where ${most} are allowed`)
    return length
  }

  /** Checks that nothing is left. */
  end(): void {
    if (this.remaining > 0) throw new XdrError('malformed', `${this.remaining} bytes too many`)
  }

  /** Whether these are few bytes of ASCII without a NUL, as most texts are: what costs more to ask of all is known of them. */
  #isShortAscii(start: number, end: number): boolean {
    if (end - start > SHORT_TEXT_BYTES_MAX) return false
    for (let at = start; at < end; at++) {
      const byte = this.#bytes[at] ?? 0
      if (byte === 0 || byte > 0x7f) return false
    }
    return true
  }

  /** Takes so many bytes and the zeros that fill the last unit; says where they begin. */
  #takeFilled(length: number): number {
    const start = this.#take(Math.ceil(length / UNIT_BYTES) * UNIT_BYTES)
    for (let pad = start + length; pad < this.#offset; pad++) {
      if (this.#bytes[pad] !== 0) throw new XdrError('malformed', 'what fills the last unit is not zero')
    }
    return start
  }

  #take(bytes: number): number {
    const start = this.#offset
    if (bytes > this.#bytes.length - start) throw new XdrError('truncated', 'the bytes end before the value does')
    this.#offset += bytes
    return start
  }
}
