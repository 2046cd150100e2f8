import { Buffer } from 'node:buffer'
import { XdrError } from './error.ts'
import { UNIT_BYTES } from './reader.ts'

const FIRST_BYTES = 256
const SHORT_TEXT_LENGTH_MAX = 64
const INT_MIN = -0x8000_0000
const INT_MAX = 0x7fff_ffff
const UINT_MAX = 0xffff_ffff

/** Writes values into bytes, one after another. Every method throws XdrError for a value that it cannot write. */
export class XdrWriter {
  readonly #bytesMax: number
  #bytes: Buffer
  #view: DataView
  #length = 0

  /** Refuses, with an XdrError of kind `limit`, to write more than `bytesMax` bytes. It writes into `room` while that is enough. */
  constructor(bytesMax: number, room: Buffer = Buffer.allocUnsafe(Math.min(FIRST_BYTES, bytesMax))) {
    this.#bytesMax = bytesMax
    this.#bytes = room
    this.#view = viewOf(room)
  }

  /** How many bytes have been written. */
  get length(): number {
    return this.#length
  }

  /** What has been written; nothing may be written after. */
  take(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  /** What was written into: `room`, or what took its place. */
  get room(): Buffer {
    return this.#bytes
  }

  /** A signed integer of 32 bits. */
  int(value: number): void {
    if (!Number.isInteger(value) || value < INT_MIN || value > INT_MAX) throw unwritable('no integer of 32 bits')
    const start = this.#grow(4)
    this.#view.setInt32(start, value)
  }

  /** An unsigned integer of 32 bits. */
  uint(value: number): void {
    checkUint(value)
    const start = this.#grow(4)
    this.#view.setUint32(start, value)
  }

  /** Writes an unsigned integer over one that stands at `offset`. */
  overwriteUint(value: number, offset: number): void {
    checkUint(value)
    this.#view.setUint32(offset, value)
  }

  /** A signed integer of 64 bits. */
  hyper(value: bigint): void {
    if (BigInt.asIntN(64, value) !== value) throw unwritable('no integer of 64 bits')
    const start = this.#grow(8)
    this.#view.setBigInt64(start, value)
  }

  /** An unsigned integer of 64 bits. */
  uhyper(value: bigint): void {
    if (BigInt.asUintN(64, value) !== value) throw unwritable('no unsigned integer of 64 bits')
    const start = this.#grow(8)
    this.#view.setBigUint64(start, value)
  }

  /** A floating point number of 64 bits. */
  double(value: number): void {
    const start = this.#grow(8)
    this.#view.setFloat64(start, value)
  }

  /** 0 or 1. */
  bool(value: boolean): void {
    this.uint(value ? 1 : 0)
  }

  /** Exactly `length` bytes, and zeros that fill the last unit. */
  fixedBytes(value: Uint8Array, length: number): void {
    if (value.length !== length) throw unwritable(`${value.length} bytes where there are to be ${length}`)
    this.raw(value)
    this.#pad(length)
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
    const length = Buffer.byteLength(value, 'utf8')
    this.count(length, bytesMax, 'bytes')
    const start = this.#grow(length)
    // Most texts are short names in ASCII: those are faster written here than by a call out of the engine.
    if (length === value.length && length <= SHORT_TEXT_LENGTH_MAX) {
      for (let index = 0; index < length; index++) this.#bytes[start + index] = value.charCodeAt(index)
    } else {
      this.#bytes.write(value, start, 'utf8')
    }
    this.#pad(length)
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

  /** Zeros that fill the last unit of so many bytes. */
  #pad(length: number): void {
    const padding = (UNIT_BYTES - (length % UNIT_BYTES)) % UNIT_BYTES
    const start = this.#grow(padding)
    for (let at = start; at < this.#length; at++) this.#bytes[at] = 0
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
      this.#view = viewOf(larger)
    }
    this.#length = length
    return start
  }
}

/** The most that is kept to write into again. */
const ROOM_BYTES_MAX = 256 * 1024

/** What the last value was written into; undefined while one is being written. */
let spare: Buffer | undefined

/**
 * What `write` writes, at most `bytesMax` bytes. Long values are written into the same room one after another, since room
 * that grows with each of them would be what costs most. Throws XdrError as the writer does, and what `write` throws.
 */
export function written(bytesMax: number, write: (writer: XdrWriter) => void): Buffer {
  const writer = new XdrWriter(bytesMax, spare)
  spare = undefined
  try {
    write(writer)
    return Buffer.from(writer.take())
  } finally {
    if (writer.room.length <= ROOM_BYTES_MAX) spare = writer.room
  }
}

const viewOf = (bytes: Buffer): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

function checkUint(value: number): void {
  if (!Number.isInteger(value) || value < 0 || value > UINT_MAX) throw unwritable('no unsigned integer of 32 bits')
}

function unwritable(reason: string): XdrError {
  return new XdrError('unwritable', reason)
}
