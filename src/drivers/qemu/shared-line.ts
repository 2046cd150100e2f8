import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { DriverError } from '../driver.ts'

/** What a viewer may leave unread before it is dropped: no viewer may stop the guest, nor fill our memory. */
export const UNREAD_BYTES_MAX = 1_048_576
/** Viewers of one line. */
export const VIEWERS_MAX = 1_024

type Written = (error?: Error | null) => void

/**
 * A serial port that many look at and type on. Each viewer sees what the guest prints from the moment it joined. It is
 * always read, for a guest waits for its serial port to take what it prints. What viewers write goes on in the order
 * in which they wrote; each waits until the line has taken it.
 */
export class SharedLine {
  readonly #socket: Socket
  readonly #viewers = new Set<Viewer>()
  /** By viewer, what it has written and the line has no room for yet: one piece each. */
  readonly #waiting = new Map<Viewer, { readonly piece: Buffer; readonly written: Written }>()
  readonly #whenClosed: () => void

  /** `whenClosed` is called when the line ends, before or after `close`; a viewer can no longer join then. */
  constructor(socket: Socket, whenClosed: () => void) {
    this.#socket = socket
    this.#whenClosed = whenClosed
    socket.on('data', piece => this.#spread(piece))
    socket.on('drain', () => this.#flush())
    socket.on('error', () => undefined) // And closes, which is what it means here.
    socket.once('close', () => this.close())
  }

  /** One more viewer. Throws as `refused` where there are too many. */
  join(): Duplex {
    if (this.#viewers.size >= VIEWERS_MAX)
      throw new DriverError('refused', `${VIEWERS_MAX} look at this console already`)
    const viewer = new Viewer(this)
    this.#viewers.add(viewer)
    if (this.#socket.destroyed) viewer.finish()
    return viewer
  }

  /** Ends the line and all viewers. Calling it twice is harmless. */
  close(): void {
    this.#socket.destroy()
    this.#flush()
    for (const viewer of this.#viewers) viewer.finish()
    this.#whenClosed()
  }

  leave(viewer: Viewer): void {
    this.#viewers.delete(viewer)
    this.#waiting.delete(viewer)
    if (this.#viewers.size === 0) this.close()
  }

  write(viewer: Viewer, piece: Buffer, written: Written): void {
    this.#waiting.set(viewer, { piece, written })
    this.#flush()
  }

  #spread(piece: Buffer): void {
    for (const viewer of this.#viewers) viewer.show(piece)
  }

  #flush(): void {
    for (const [viewer, { piece, written }] of this.#waiting) {
      if (this.#socket.writableNeedDrain && !this.#socket.destroyed) return
      this.#waiting.delete(viewer)
      // Of a guest that is gone, the viewer is told by the end of what it reads, with all that came before.
      if (!this.#socket.destroyed) this.#socket.write(piece)
      written()
    }
  }
}

/** One who looks at a line. */
class Viewer extends Duplex {
  readonly #line: SharedLine

  constructor(line: SharedLine) {
    super({ allowHalfOpen: false })
    this.#line = line
  }

  show(piece: Buffer): void {
    if (this.readableLength + piece.length > UNREAD_BYTES_MAX) {
      this.destroy(new DriverError('refused', `this viewer has left ${UNREAD_BYTES_MAX} bytes unread`))
    } else this.push(piece)
  }

  /** The guest is gone: what it printed last can still be read. */
  finish(): void {
    if (!this.readableEnded && !this.destroyed) this.push(null)
  }

  override _read(): void {}

  override _write(piece: Buffer, _encoding: BufferEncoding, written: Written): void {
    this.#line.write(this, piece, written)
  }

  override _final(done: Written): void {
    done()
    this.destroy()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#line.leave(this)
    done(error)
  }
}
