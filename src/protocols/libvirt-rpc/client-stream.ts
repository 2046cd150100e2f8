import type { RpcError } from './error.ts'
import { type Packet, PacketStatus, readError } from './packet.ts'
import { RpcStream, type StreamPiece, type StreamPort } from './stream.ts'

/** What a client's stream needs beside what every stream does. */
export interface ClientStreamPort extends Omit<StreamPort, 'onStall'> {
  /** Nothing more is to come for the stream. */
  readonly onClosed: () => void
}

/** A stream that a client opened. It ends with `finish` or `abort`, and with an error of the server's. */
export class RpcClientStream implements AsyncIterable<StreamPiece> {
  readonly #stream: RpcStream
  readonly #port: ClientStreamPort
  readonly #confirmed = Promise.withResolvers<void>()
  #closing: 'finish' | 'abort' | undefined

  constructor(port: ClientStreamPort) {
    this.#port = port
    this.#stream = new RpcStream({ ...port, onStall: error => this.#giveUp(error) })
    // Nobody may be waiting for the confirmation when the connection ends.
    this.#confirmed.promise.catch(() => undefined)
  }

  /** What the server sends, until it ends. Throws the server's RpcError, and RpcConnectionError when the connection ends. */
  [Symbol.asyncIterator](): AsyncGenerator<StreamPiece, void, undefined> {
    return this.#stream[Symbol.asyncIterator]()
  }

  /** Sends bytes; resolves when more may be sent. Rejects like reading does. */
  async write(bytes: Uint8Array): Promise<void> {
    await this.#stream.write(bytes)
  }

  /** Sends a hole instead of zeros. Rejects like reading does, and with RpcError where the call did not allow holes. */
  async writeHole(holeBytes: bigint): Promise<void> {
    await this.#stream.writeHole(holeBytes)
  }

  /**
   * Says that everything was sent, or that enough was read, and resolves when the server confirms that all is well.
   * Rejects with what went wrong. Calling it twice asks once.
   */
  async finish(): Promise<void> {
    this.#close('finish')
    await this.#confirmed.promise
  }

  /** Has the server undo or stop what the stream does, and resolves when it confirms that. Rejects with what went wrong. */
  async abort(): Promise<void> {
    this.#close('abort')
    await this.#confirmed.promise
  }

  /** Takes a packet of the stream. Throws XdrError for an error that is none, and RpcError for what breaks the stream. */
  receive(packet: Packet): void {
    if (packet.status === PacketStatus.more) return this.#stream.receive(packet)
    if (packet.status === PacketStatus.error) return this.fail(readError(packet.body))
    this.#stream.end()
    this.#confirmed.resolve()
    this.#port.onClosed()
  }

  /** Nothing more comes. */
  fail(error: Error): void {
    this.#stream.fail(error)
    this.#confirmed.reject(error)
    this.#port.onClosed()
  }

  #close(how: 'finish' | 'abort'): void {
    if (this.#closing !== undefined || !this.#stream.isOpen) return
    this.#closing = how
    this.#stream.discard()
    if (how === 'finish') this.#stream.sendFinish()
    else this.#stream.sendError()
  }

  /** The server still confirms; until then, what it sends is not kept. */
  #giveUp(error: RpcError): void {
    this.#confirmed.reject(error)
    if (this.#closing !== undefined) return
    this.#closing = 'abort'
    this.#stream.sendError()
  }
}
