import { Buffer } from 'node:buffer'
import { RpcConnectionError } from './error.ts'
import { HEADER_BYTES } from './limits.ts'

const LENGTH_BYTES = 4
const NOTHING = Buffer.alloc(0)

/**
 * Cuts a stream of bytes into packets. What it keeps is at most twice what was received and not yet given out,
 * whatever a length claims, and however small the pieces are that arrive.
 */
export class FrameReader {
  #bytes: Buffer = NOTHING
  #start = 0
  #end = 0
  /** Whether `#bytes` was made here, so that more may be written behind its end. */
  #isOwn = false
  /** How many bytes before the next packet are none of any. */
  #between = 0

  /** Whether a packet has begun and not ended. */
  get isPartial(): boolean {
    return this.#end > this.#start
  }

  /** Leaves out as many bytes as these before the next packet. */
  skip(bytes: number): void {
    this.#between += bytes
  }

  /** Takes what was received. */
  push(chunk: Buffer): void {
    if (!this.isPartial) {
      this.#bytes = chunk
      this.#start = 0
      this.#end = chunk.length
      this.#isOwn = false
      return
    }
    const kept = this.#end - this.#start
    if (!this.#isOwn || this.#bytes.length - this.#end < chunk.length) {
      const larger = Buffer.allocUnsafeSlow((kept + chunk.length) * 2)
      this.#bytes.copy(larger, 0, this.#start, this.#end)
      this.#bytes = larger
      this.#start = 0
      this.#end = kept
      this.#isOwn = true
    }
    // Never over what was given out: that lies before the start.
    chunk.copy(this.#bytes, this.#end)
    this.#end += chunk.length
  }

  /**
   * The next whole packet, its length word included, or undefined while there is none. Throws RpcConnectionError:
   * `garbage` for a length under that of a header, `limit` for one over `bytesMax`.
   */
  next(bytesMax: number): Buffer | undefined {
    const skipped = Math.min(this.#between, this.#end - this.#start)
    this.#between -= skipped
    this.#start += skipped
    const available = this.#end - this.#start
    if (available < LENGTH_BYTES) return undefined
    const length = this.#bytes.readUInt32BE(this.#start)
    if (length < HEADER_BYTES) throw new RpcConnectionError('garbage', `a packet of ${length} bytes is none`)
    if (length > bytesMax) {
      throw new RpcConnectionError('limit', `a packet of ${length} bytes where ${bytesMax} are allowed`)
    }
    if (available < length) return undefined
    const frame = this.#bytes.subarray(this.#start, this.#start + length)
    this.#start += length
    if (!this.isPartial) this.#bytes = NOTHING
    return frame
  }
}
