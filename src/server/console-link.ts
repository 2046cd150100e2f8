import { type RawData, WebSocket } from 'ws'
import type { OpenConsole } from '../engine/terminals.ts'
import type { Limits } from './limits.ts'

/** Why a connection is closed. Source: RFC 6455, §7.4.1. */
const CLOSE = { normal: 1000, goingAway: 1001, unsupported: 1003, policy: 1008, failed: 1011 } as const
/** The most that a closing frame has room for. Source: RFC 6455, §5.5. */
const REASON_BYTES_MAX = 123
/** How often moving bytes is told as use of the session. */
const USE_EVERY_MS = 60_000

/** Moves bytes between a viewer and a console until one of them ends, neither faster than the other takes them. */
export class ConsoleLink {
  readonly #socket: WebSocket
  readonly #console: OpenConsole
  readonly #limits: Limits
  readonly #takesText: boolean
  readonly #pinging: NodeJS.Timeout
  /** Whether the viewer has been heard since it was asked. */
  #isAlive = true
  #usedMs = 0
  #isClosing = false

  constructor(socket: WebSocket, open: OpenConsole, takesText: boolean, limits: Limits) {
    this.#socket = socket
    this.#console = open
    this.#limits = limits
    this.#takesText = takesText
    this.#pinging = setInterval(() => this.#ping(), limits.consolePingMs)
    this.#listenToViewer()
    this.#listenToConsole()
  }

  /** The server stops. */
  goAway(): void {
    this.#close(CLOSE.goingAway, 'the server is stopping')
  }

  #listenToViewer(): void {
    const socket = this.#socket
    socket.on('message', (data, isBinary) => this.#type(data, isBinary))
    socket.on('pong', () => (this.#isAlive = true))
    socket.on('ping', data => {
      this.#isAlive = true
      // A viewer that asks and never reads is not answered for ever.
      if (socket.bufferedAmount < this.#limits.consoleUnsentBytes) socket.pong(data)
    })
    socket.on('error', () => undefined) // What is wrong, it is told by ws itself; then it closes.
    socket.once('close', () => {
      clearInterval(this.#pinging)
      this.#console.release()
    })
  }

  #listenToConsole(): void {
    const { stream, sessionEnded } = this.#console
    stream.on('data', (piece: Buffer) => this.#show(piece))
    stream.on('drain', () => this.#socket.resume())
    stream.once('end', () => this.#close(CLOSE.normal, 'the VM has halted'))
    stream.once('error', error => this.#close(CLOSE.failed, error.message))
    stream.once('close', () => this.#close(CLOSE.normal, 'the console has ended'))
    const end = () => this.#close(CLOSE.policy, 'the session has ended')
    if (sessionEnded.aborted) end()
    else sessionEnded.addEventListener('abort', end, { once: true })
  }

  #type(data: RawData, isBinary: boolean): void {
    this.#isAlive = true
    if (!isBinary && !this.#takesText) return this.#close(CLOSE.unsupported, 'the display takes binary messages only')
    if (this.#isClosing) return
    this.#use()
    if (!this.#console.stream.write(bytesOf(data))) this.#socket.pause()
  }

  #show(piece: Buffer): void {
    if (this.#isClosing) return
    this.#use()
    const { stream } = this.#console
    const { consoleUnsentBytes, consoleFrameBytes } = this.#limits
    for (let at = 0; at < piece.length; at += consoleFrameBytes) {
      this.#socket.send(piece.subarray(at, at + consoleFrameBytes), { binary: true }, () => {
        if (this.#socket.bufferedAmount < consoleUnsentBytes) stream.resume()
      })
    }
    if (this.#socket.bufferedAmount >= consoleUnsentBytes) stream.pause()
  }

  #use(): void {
    const now = performance.now()
    if (now - this.#usedMs < USE_EVERY_MS && this.#usedMs > 0) return
    this.#usedMs = now
    this.#console.use()
  }

  /** While the console takes nothing, the viewer is not listened to, so its silence says nothing. */
  #ping(): void {
    if (!this.#isAlive && !this.#socket.isPaused) return this.#socket.terminate()
    this.#isAlive = false
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping()
  }

  #close(code: number, reason: string): void {
    if (this.#isClosing) return
    this.#isClosing = true
    const { stream } = this.#console
    if (code !== CLOSE.normal) stream.pause()
    this.#socket.resume()
    this.#socket.close(
      code,
      Buffer.from(reason)
        .subarray(0, REASON_BYTES_MAX)
        .toString()
        .replace(/\u{fffd}+$/u, ''),
    )
    const timer = setTimeout(() => this.#socket.terminate(), this.#limits.consoleCloseMs)
    this.#socket.once('close', () => clearTimeout(timer))
  }
}

function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data)
  return Buffer.isBuffer(data) ? data : Buffer.from(data)
}
