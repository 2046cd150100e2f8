import { createConnection, type Socket } from 'node:net'
import { FRAME_BYTES_MIN, FrameError, FrameSplitter, lengthOf } from './frames.ts'
import { type Guard, type Guarded, guardOf } from './guard.ts'
import type { PortCounters, PortWish } from './messages.ts'

/** What waits for a guest that does not read: beyond either, frames are dropped, as on any cable. */
const QUEUE_BYTES_MAX = 1_048_576
const QUEUE_FRAMES_MAX = 1_024
/** How soon a socket that does not answer is tried again; from the first to the last, doubling. */
const RETRY_MS_MIN = 20
const RETRY_MS_MAX = 1_000

/** What a port does with a frame that its peer has sent. */
export type OnFrame = (port: Port, frame: Buffer) => void

/**
 * A port of the switch: the end of a cable whose other end is a QEMU, which listens. It goes on connecting until it is
 * closed, so that either side may be started again.
 */
export class Port {
  readonly id: string
  readonly path: string
  /** The network it is plugged into; null for none. */
  segment: string | null
  /** Whether what lies behind it is the outside. */
  isOutside = false
  /** What may be passed on to the peer; undefined where everything may. */
  #guard: Guard | undefined
  readonly #onFrame: OnFrame
  #socket: Socket | undefined
  #isConnected = false
  #isClosed = false
  #retryMs = RETRY_MS_MIN
  #retryTimer: NodeJS.Timeout | undefined
  #lostAtMs: number | undefined = performance.now()
  #queuedFrames = 0
  #isCorked = false
  readonly #counters: { -readonly [Name in Exclude<keyof PortCounters, 'id'>]-?: number }

  constructor({ id, path, segment, guarded, ...before }: PortWish, onFrame: OnFrame) {
    const { receivedBytes, sentBytes, receivedPackets = 0, sentPackets = 0 } = before
    const { droppedPackets = 0, brokenPackets = 0 } = before
    this.id = id
    this.path = path
    this.segment = segment
    this.#counters = { receivedBytes, receivedPackets, sentBytes, sentPackets, droppedPackets, brokenPackets }
    this.#onFrame = onFrame
    this.guard(guarded)
    this.#connect()
  }

  get isConnected(): boolean {
    return this.#isConnected
  }

  /** Since when nobody is there, by `performance.now()`; undefined while somebody is. */
  get lostAtMs(): number | undefined {
    return this.#lostAtMs
  }

  get counters(): PortCounters {
    return { id: this.id, ...this.#counters }
  }

  guard(guarded: Guarded | undefined): void {
    this.#guard = guarded && guardOf(guarded)
  }

  /** Passes a frame on to the peer; drops and counts it where the peer is away or too slow, or may not have it. */
  send(frame: Buffer): void {
    const socket = this.#socket
    const isFull = this.#queuedFrames >= QUEUE_FRAMES_MAX || (socket?.writableLength ?? 0) >= QUEUE_BYTES_MAX
    if (socket === undefined || !this.#isConnected || isFull || this.#guard?.(frame) === false) {
      this.#counters.droppedPackets++
      return
    }
    this.#counters.receivedPackets++
    this.#counters.receivedBytes += lengthOf(frame)
    this.#queuedFrames++
    this.#cork(socket)
    socket.write(frame, () => {
      if (socket === this.#socket) this.#queuedFrames--
    })
  }

  /** Tries at once to reach the peer, if it was away: whoever asks has just started it. */
  hurry(): void {
    this.#retryMs = RETRY_MS_MIN
    if (this.#socket !== undefined || this.#isClosed) return
    clearTimeout(this.#retryTimer)
    this.#connect()
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#retryTimer)
    this.#socket?.destroy()
  }

  /** Frames that come together are written together: one system call instead of many. */
  #cork(socket: Socket): void {
    if (this.#isCorked) return
    this.#isCorked = true
    socket.cork()
    process.nextTick(() => {
      this.#isCorked = false
      socket.uncork()
    })
  }

  #connect(): void {
    const socket = createConnection({ path: this.path })
    const frames = new FrameSplitter()
    this.#socket = socket
    this.#queuedFrames = 0
    socket.on('connect', () => {
      this.#isConnected = true
      this.#lostAtMs = undefined
      this.#retryMs = RETRY_MS_MIN
    })
    socket.on('data', chunk => this.#receive(chunk, frames))
    // What went wrong shows in `close`, which follows, and all that can be done is to try again.
    socket.on('error', () => undefined)
    socket.on('close', () => this.#lost())
  }

  #receive(chunk: Buffer, frames: FrameSplitter): void {
    try {
      for (const frame of frames.push(chunk)) this.#take(frame)
    } catch (error) {
      if (!(error instanceof FrameError)) throw error
      // Where the next frame begins cannot be known any more; on a new connection it can.
      this.#socket?.destroy()
    }
  }

  #take(frame: Buffer): void {
    this.#counters.sentPackets++
    this.#counters.sentBytes += lengthOf(frame)
    if (lengthOf(frame) >= FRAME_BYTES_MIN) return this.#onFrame(this, frame)
    this.#counters.droppedPackets++
    this.#counters.brokenPackets++
  }

  #lost(): void {
    this.#isConnected = false
    this.#socket = undefined
    this.#lostAtMs ??= performance.now()
    if (this.#isClosed) return
    this.#retryTimer = setTimeout(() => this.#connect(), this.#retryMs)
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_MAX)
  }
}
