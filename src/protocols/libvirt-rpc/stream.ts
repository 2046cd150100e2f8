import type { Buffer } from 'node:buffer'
import { XdrError } from '../../wire/xdr/error.ts'
import { readAll } from '../../wire/xdr/types.ts'
import type { XdrWriter } from '../../wire/xdr/writer.ts'
import type { RpcError } from './error.ts'
import { STREAM_PIECE_BYTES_MAX, STREAM_STALL_MS, STREAM_WINDOW_BYTES, STREAM_WINDOW_PIECES } from './limits.ts'
import { encodePacket, type Packet, PacketStatus, PacketType, streamHole, writeError } from './packet.ts'
import { brokenStream } from './refusals.ts'
import { REMOTE_PROGRAM, REMOTE_VERSION } from './table/index.ts'

/** So many bytes that are zero and were not sent. */
export interface StreamHole {
  readonly holeBytes: bigint
}

/** What comes out of a stream, in order. Holes come only where both sides agreed on them when it was opened. */
export type StreamPiece = Uint8Array | StreamHole

/** What a stream needs of its connection. */
export interface StreamPort {
  readonly procedure: number
  readonly serial: number
  /** Whether holes were agreed on. */
  readonly isSparse: boolean
  readonly stallMs?: number
  readonly send: (packet: Buffer) => void
  readonly drained: () => Promise<void>
  readonly hold: (by: object) => void
  readonly release: (by: object) => void
  /** Nobody read the stream for too long; it has been failed, and the peer is to be told. */
  readonly onStall: (error: RpcError) => void
}

/**
 * One stream of bytes over a connection, in both directions. It is read with `for await`, by one reader. While nobody
 * reads, so much is kept (STREAM_WINDOW_BYTES), then nothing more is read of the whole connection: the protocol cannot
 * hold one stream up alone. Whoever reads must therefore not wait for an answer on the same connection meanwhile. After
 * STREAM_STALL_MS the stream is given up.
 */
export class RpcStream implements AsyncIterable<StreamPiece> {
  readonly #port: StreamPort
  readonly #pieces: StreamPiece[] = []
  #bytes = 0
  #hasEnded = false
  #isUnwanted = false
  #error: Error | undefined
  #arrival: PromiseWithResolvers<void> | undefined
  #stallTimer: NodeJS.Timeout | undefined

  constructor(port: StreamPort) {
    this.#port = port
  }

  /** Whether what is written still goes anywhere: the stream neither failed nor was it closed. */
  get isOpen(): boolean {
    return this.#error === undefined
  }

  /** What came, until the peer ends the stream. Throws what the stream failed with. Who stops early wants nothing more. */
  async *[Symbol.asyncIterator](): AsyncGenerator<StreamPiece, void, undefined> {
    try {
      for (;;) {
        const piece = this.#shift()
        if (piece !== undefined) yield piece
        else if (this.#error !== undefined) throw this.#error
        else if (this.#hasEnded) return
        else await this.#next()
      }
    } finally {
      this.discard()
    }
  }

  /** Sends bytes; resolves when more may be sent. Rejects with what the stream failed with. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let start = 0; start < bytes.length; start += STREAM_PIECE_BYTES_MAX) {
      if (this.#error !== undefined) throw this.#error
      const piece = bytes.subarray(start, start + STREAM_PIECE_BYTES_MAX)
      this.#send(PacketType.stream, PacketStatus.more, writer => writer.raw(piece))
      await this.#port.drained()
    }
    if (this.#error !== undefined) throw this.#error
  }

  /** Sends a hole instead of zeros. Rejects with RpcError where holes were not agreed on when the stream was opened. */
  async writeHole(holeBytes: bigint): Promise<void> {
    if (this.#error !== undefined) throw this.#error
    if (!this.#port.isSparse) throw brokenStream('the stream was not opened for holes')
    this.#send(PacketType.hole, PacketStatus.more, writer => streamHole.write(writer, { length: holeBytes, flags: 0 }))
    await this.#port.drained()
  }

  /** Keeps nothing more of what comes. */
  discard(): void {
    this.#isUnwanted = true
    this.#pieces.length = 0
    this.#bytes = 0
    this.#relax()
  }

  /** Says that nothing more follows from this side. For the connection. */
  sendEnd(): void {
    this.#send(PacketType.stream, PacketStatus.more)
  }

  /** Says that the stream is finished, or confirms that the peer said so. For the connection. */
  sendFinish(): void {
    this.#send(PacketType.stream, PacketStatus.ok)
  }

  /** Breaks the stream off, with the error where the peer is a client. For the connection. */
  sendError(error?: RpcError): void {
    const body = error && ((writer: XdrWriter) => writeError(writer, error))
    this.#send(PacketType.stream, PacketStatus.error, body)
  }

  /** Takes data or a hole from the peer; nothing in it ends the direction. For the connection. */
  receive({ type, body }: Packet): void {
    if (this.#error !== undefined) return
    if (type === PacketType.hole) this.#push({ holeBytes: this.#readHole(body) })
    else if (body.length > 0) this.#push(body)
    else this.end()
  }

  /** The peer sends nothing more. For the connection. */
  end(): void {
    this.#hasEnded = true
    this.#arrival?.resolve()
  }

  /** Nothing goes either way any more; the reader gets this instead of what it has not read. For the connection. */
  fail(error: Error): void {
    if (this.#error !== undefined) return
    this.#error = error
    this.discard()
    this.#arrival?.resolve()
  }

  #readHole(body: Buffer): bigint {
    if (!this.#port.isSparse) throw brokenStream('Unexpected stream hole')
    try {
      const { length } = readAll(streamHole, body)
      if (length > 0n) return length
    } catch (error) {
      if (!(error instanceof XdrError)) throw error
    }
    throw brokenStream('Malformed stream hole packet')
  }

  #push(piece: StreamPiece): void {
    if (this.#isUnwanted || this.#hasEnded) return
    this.#pieces.push(piece)
    this.#bytes += bytesOf(piece)
    this.#arrival?.resolve()
    if (this.#bytes > STREAM_WINDOW_BYTES || this.#pieces.length > STREAM_WINDOW_PIECES) this.#tense()
  }

  #shift(): StreamPiece | undefined {
    const piece = this.#pieces.shift()
    if (piece === undefined) return undefined
    this.#bytes -= bytesOf(piece)
    if (this.#bytes <= STREAM_WINDOW_BYTES / 2 && this.#pieces.length <= STREAM_WINDOW_PIECES / 2) this.#relax()
    else if (this.#stallTimer !== undefined) this.#stallTimer.refresh()
    return piece
  }

  async #next(): Promise<void> {
    this.#arrival = Promise.withResolvers()
    await this.#arrival.promise
    this.#arrival = undefined
  }

  #tense(): void {
    if (this.#stallTimer !== undefined) return
    this.#port.hold(this)
    const stallMs = this.#port.stallMs ?? STREAM_STALL_MS
    const giveUp = () => {
      const error = brokenStream(`nobody took what the stream holds for ${stallMs} ms`)
      this.fail(error)
      this.#port.onStall(error)
    }
    this.#stallTimer = setTimeout(giveUp, stallMs).unref()
  }

  #relax(): void {
    if (this.#stallTimer === undefined) return
    clearTimeout(this.#stallTimer)
    this.#stallTimer = undefined
    this.#port.release(this)
  }

  #send(type: number, status: number, writeBody?: (writer: XdrWriter) => void): void {
    const { procedure, serial } = this.#port
    const header = { program: REMOTE_PROGRAM, version: REMOTE_VERSION, procedure, type, serial, status }
    this.#port.send(encodePacket(header, writeBody))
  }
}

const bytesOf = (piece: StreamPiece): number => (piece instanceof Uint8Array ? piece.length : 0)
