import { Socket } from 'node:net'

/** What is told when bytes can no longer be sent. */
type WriteFailure = (error: Error) => void

/**
 * A socket that reads to the end. QEMU closes its sockets when it exits, whatever it has still said on them; writing to
 * such a socket fails at once, and Node then throws away what could still be read. Here a failed write is only told of;
 * the end comes when everything is read.
 */
export class ReadingSocket extends Socket {
  readonly #onWriteFailure: WriteFailure

  /** `onWriteFailure` is told of each write that failed. Must not throw. */
  constructor(onWriteFailure: WriteFailure) {
    super()
    this.#onWriteFailure = onWriteFailure
  }

  /** Source: Node.js documentation, stream, "writable._write". */
  override _write(chunk: unknown, encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    super._write(chunk, encoding, this.#forgiving(callback))
  }

  /** Source: Node.js documentation, stream, "writable._writev". */
  override _writev(chunks: { chunk: unknown; encoding: BufferEncoding }[], callback: (error?: Error | null) => void) {
    super._writev?.(chunks, this.#forgiving(callback))
  }

  #forgiving(callback: (error?: Error | null) => void): (error?: Error | null) => void {
    return error => {
      if (error) this.#onWriteFailure(error)
      callback()
    }
  }
}
