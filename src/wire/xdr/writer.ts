import { Buffer } from 'node:buffer'
import { XdrError } from './error.ts'
import { UNIT_BYTES } from './reader.ts'

const FIRST_BYTES = 256
const INT_MIN = -0x8000_0000
const INT_MAX = 0x7fff_ffff
const UINT_MAX = 0xffff_ffff

/** Writes values into bytes, one after another. Every method throws XdrError for a value that it cannot write. */
export class XdrWriter {
  readonly #bytesMax: number
  #bytes: Buffer
  #length = 0

  /** Refuses, with an XdrError of kind `limit`, to write more than `bytesMax` bytes. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
    this.#bytes = Buffer.allocUnsafe(Math.min(FIRST_BYTES, bytesMax))
  }

  /** How many bytes have been written. */
  get length(): number {
    return this.#length
  }

  /** What has been written; nothing may be written after. */
  take(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  /** A signed integer of 32 bits. */
  int(value: number): void {
    if (!Number.isInteger(value) || value < INT_MIN || value > INT_MAX) throw unwritable('no integer of 32 bits')
    const start = this.#grow(4)
    this.#bytes.writeInt32BE(value, start)
  }

  /** An unsigned integer of 32 bits. */
  uint(value: number): void {
    checkUint(value)
    const start = this.#grow(4)
    this.#bytes.writeUInt32BE(value, start)
  }

  /** Writes an unsigned integer over one that stands at `offset`. */
  overwriteUint(value: number, offset: number): void {
    checkUint(value)
    this.#bytes.writeUInt32BE(value, offset)
  }

  /** A signed integer of 64 bits. */
  hyper(value: bigint): void {
    if (BigInt.asIntN(64, value) !== value) throw unwritable('no integer of 64 bits')
    const start = this.#grow(8)
    this.#bytes.writeBigInt64BE(value, start)
  }

  /** An unsigned integer of 64 bits. */
  uhyper(value: bigint): void {
    if (BigInt.asUintN(64, value) !== value) throw unwritable('no unsigned integer of 64 bits')
    const start = this.#grow(8)
    this.#bytes.writeBigUInt64BE(value, start)
  }

  /** A floating point number of 64 bits. */
  double(value: number): void {
    const start = this.#grow(8)
    this.#bytes.writeDoubleBE(value, start)
  }

  /** 0 or 1. */
  bool(value: boolean): void {
    this.uint(value ? 1 : 0)
  }

  /** Exactly `length` bytes, and zeros that fill the last unit. */
  fixedBytes(value: Uint8Array, length: number): void {
    if (value.length !== length) throw unwritable(`${value.length} bytes where there are to be ${length}`)
    this.raw(value)
    const padding = (UNIT_BYTES - (length % UNIT_BYTES)) % UNIT_BYTES
    const start = this.#grow(padding)
    this.#bytes.fill(0, start, this.#length)
  }

  /** The length, at most `lengthMax`, and the bytes. */
  bytes(value: Uint8Array, lengthMax: number): void {
    this.count(value.length, lengthMax, 'bytes')
    this.fixedBytes(value, value.length)
  }

  /** Text as UTF-8 of at most `bytesMax` bytes. It may hold no NUL and no half of a surrogate pair. */
  text(value: string, bytesMax: number): void {
    if (value.includes('\0')) throw unwritable('a text holds a NUL')
    if (!value.isWellFormed()) throw unwritable('a text is not Unicode')
    this.bytes(Buffer.from(value, 'utf8'), bytesMax)
  }

  /** How many `things` follow, at most `most`. */
  count(value: number, most: number, things: string): void {
    if (value > most) throw unwritable(`${value} ${things} where ${most} are allowed`)
    this.uint(value)
  }

  /** Bytes as they are, without a length and without filling the last unit. */
  raw(value: Uint8Array): void {
    const start = this.#grow(value.length)
    this.#bytes.set(value, start)
  }

  /** Makes room for so many bytes; says where it begins. */
  #grow(bytes: number): number {
    const start = this.#length
    const length = start + bytes
    if (length > this.#bytesMax) throw new XdrError('limit', `more than ${this.#bytesMax} bytes`)
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.min(this.#bytesMax, Math.max(length, this.#bytes.length * 2)))
      this.#bytes.copy(larger, 0, 0, start)
      this.#bytes = larger
    }
    this.#length = length
    return start
  }
}

function checkUint(value: number): void {
  if (!Number.isInteger(value) || value < 0 || value > UINT_MAX) throw unwritable('no unsigned integer of 32 bits')
}

function unwritable(reason: string): XdrError {
  return new XdrError('unwritable', reason)
}
