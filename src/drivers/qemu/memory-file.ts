import { type FileHandle, open, rm } from 'node:fs/promises'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { once } from 'node:events'
import { pipeline } from 'node:stream/promises'
import { crc32 } from 'node:zlib'
import { DriverError } from '../driver.ts'

/** What a file with a guest's memory holds; QEMU itself would not notice a byte that has changed. */
export interface MemoryExtent {
  readonly bytes: number
  readonly crc32: number
}

/** How long nothing may move while memory is written or read. */
const STALL_MS = 60_000

/** A place where QEMU can send its memory to. */
export class MemoryReceiver {
  readonly #server: Server
  readonly #connected = Promise.withResolvers<Socket>()
  readonly #path: string

  private constructor(path: string) {
    this.#path = path
    this.#server = createServer({ pauseOnConnect: true }, socket => this.#connected.resolve(socket))
    this.#server.maxConnections = 1
    this.#connected.promise.catch(() => undefined)
  }

  /** Listens on a Unix socket. */
  static async listen(path: string): Promise<MemoryReceiver> {
    await rm(path, { force: true })
    const receiver = new MemoryReceiver(path)
    receiver.#server.listen(path)
    await once(receiver.#server, 'listening')
    return receiver
  }

  /**
   * Writes what QEMU sends to a new file of mode 0600, from `start` on, durably. Rejects where that fails; the file is the
   * caller's.
   */
  async receive(file: string, signal: AbortSignal, start = 0): Promise<MemoryExtent> {
    const abort = () => this.#connected.reject(new DriverError('refused', 'nothing more is wanted'))
    signal.addEventListener('abort', abort, { once: true })
    const handle = await open(file, 'wx', 0o600)
    try {
      if (signal.aborted) abort()
      const socket = await this.#connected.promise
      const { measure, extent } = newMeasure()
      await pipeline(withoutStalls(socket), measure, handle.createWriteStream({ flush: true, start }), { signal })
      return extent()
    } finally {
      signal.removeEventListener('abort', abort)
      await handle.close()
    }
  }

  /** Calling it twice is harmless. */
  async close(): Promise<void> {
    this.#connected.reject(new DriverError('refused', 'nothing more is wanted'))
    this.#connected.promise.then(
      socket => socket.destroy(),
      () => undefined,
    )
    this.#server.close()
    await rm(this.#path, { force: true })
  }
}

/** Feeds a file with memory, which it holds from `start` on, to a QEMU that listens at `path`. Resolves with what it held. */
export async function feedMemory(
  file: FileHandle,
  path: string,
  options: { readonly signal?: AbortSignal; readonly onBytes: (bytes: number) => void; readonly start?: number },
): Promise<MemoryExtent> {
  const { measure, extent } = newMeasure(options.onBytes)
  // Half-open, for QEMU hangs up as soon as it has all: a socket that then ended by itself would leave the pipeline,
  // which is to end it, waiting for ever.
  const socket = withoutStalls(createConnection({ path, allowHalfOpen: true }))
  socket.resume()
  const source = file.createReadStream({ autoClose: false, start: options.start ?? 0, highWaterMark: PIECE_BYTES })
  try {
    await pipeline(source, measure, socket, options.signal ? { signal: options.signal } : {})
  } finally {
    socket.destroy()
  }
  return extent()
}

const PIECE_BYTES = 262_144

function withoutStalls(socket: Socket): Socket {
  // The pipeline hears of errors while it runs; one that comes after it has ended, such as of a QEMU that was killed, means
  // nothing any more, and must not be nobody's.
  socket.on('error', () => undefined)
  socket.setTimeout(STALL_MS, () => socket.destroy(new DriverError('unreachable', `QEMU is still for ${STALL_MS} ms`)))
  return socket
}

/** A stage of a pipeline that measures what passes it. */
export function newMeasure(onBytes: (bytes: number) => void = () => undefined) {
  let [bytes, sum] = [0, 0]
  const extent = (): MemoryExtent => ({ bytes, crc32: sum })
  const measure = async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const piece of source) {
      sum = crc32(piece, sum)
      bytes += piece.length
      yield piece
      onBytes(bytes)
    }
  }
  return { measure, extent }
}
