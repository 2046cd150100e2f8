import { RpcConnectionError, RpcError } from './error.ts'
import { type Packet, PacketStatus } from './packet.ts'
import { brokenStream } from './refusals.ts'
import { RpcStream, type StreamPort } from './stream.ts'

/**
 * What serves a stream: it reads, writes, or both, and is over when it returns; what it throws, the client is told. The
 * signal is aborted when the stream is over, however it ended: the client has finished or aborted it, or is gone.
 */
export type StreamBody = (stream: RpcStream, signal: AbortSignal) => Promise<void>

/** What a server's stream needs beside what every stream does. */
export interface ServerStreamPort extends Omit<StreamPort, 'onStall'> {
  /** Whether the client may read: it is told where the end is. */
  readonly isRead: boolean
  /** What the client is told of an error that the body throws. */
  readonly describe: (error: unknown) => RpcError
  /** Nothing more is to come for the stream. */
  readonly onClosed: () => void
}

/**
 * A stream that a client opened, as the server sees it. Source: libvirt 9.0, src/remote/remote_daemon_stream.c: who
 * reads gets an empty packet at the end and then asks to finish; who writes asks to finish; who aborts is confirmed.
 */
export class ServerStream {
  readonly #port: ServerStreamPort
  readonly #stream: RpcStream
  readonly #abort = new AbortController()
  #isFinishing = false
  #isServed = false

  constructor(port: ServerStreamPort) {
    this.#port = port
    this.#stream = new RpcStream({ ...port, onStall: error => this.#break(error) })
  }

  /** Runs what serves the stream. Never rejects. */
  async serve(body: StreamBody): Promise<void> {
    try {
      await body(this.#stream, this.#abort.signal)
    } catch (error) {
      if (this.#stream.isOpen) this.#break(this.#port.describe(error))
      return
    }
    if (!this.#stream.isOpen) return
    this.#isServed = true
    this.#stream.discard()
    if (this.#isFinishing) this.#confirm()
    else if (this.#port.isRead) this.#stream.sendEnd()
  }

  /** Takes a packet of the stream; what breaks the rules, breaks the stream. */
  receive(packet: Packet): void {
    try {
      this.#understand(packet)
    } catch (error) {
      if (!(error instanceof RpcError)) throw error
      this.#break(error)
    }
  }

  /** The connection ended. */
  fail(error: RpcConnectionError): void {
    this.#stop(error)
  }

  #understand(packet: Packet): void {
    switch (packet.status) {
      case PacketStatus.more:
        return this.#stream.receive(packet)
      case PacketStatus.ok:
        return this.#finish()
      case PacketStatus.error:
        return this.#confirm(new RpcConnectionError('aborted', 'the client aborted the stream'))
      default:
        throw brokenStream(`stream aborted with unexpected status ${packet.status}`)
    }
  }

  /** What was written is confirmed once it has been dealt with. Who only reads has read enough. */
  #finish(): void {
    this.#isFinishing = true
    this.#stream.end()
    if (this.#isServed || this.#port.isRead) this.#confirm()
  }

  #confirm(error = new RpcConnectionError('closed', 'the client finished the stream')): void {
    this.#stream.sendFinish()
    this.#stop(error)
  }

  #break(error: RpcError): void {
    this.#stream.sendError(error)
    this.#stop(error)
  }

  #stop(error: Error): void {
    this.#stream.fail(error)
    this.#abort.abort(error)
    this.#port.onClosed()
  }
}
