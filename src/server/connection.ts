import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

import type { Limits } from './limits.ts'

/** A request and its answer to be. */
export class Exchange {
  readonly message: IncomingMessage
  readonly response: ServerResponse
  /** Resolves when those before it on the connection are answered; undefined when there are none. */
  readonly turn: Promise<void> | undefined
  readonly #over = Promise.withResolvers<void>()
  #controller: AbortController | undefined
  #isAbandoned = false

  constructor(message: IncomingMessage, response: ServerResponse, previous: Exchange | undefined) {
    this.message = message
    this.response = response
    this.turn = previous?.over
  }

  /** Resolves when the answer has gone out, or can no longer go out. */
  get over(): Promise<void> {
    return this.#over.promise
  }

  /** Whether the client went away before it was answered. */
  get isAbandoned(): boolean {
    return this.#isAbandoned
  }

  /** Made when first asked for: most requests are answered before anybody would listen to it. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#isAbandoned) this.#controller.abort()
    }
    return this.#controller.signal
  }

  finish(): void {
    this.#over.resolve()
  }

  abandon(): void {
    this.#isAbandoned = true
    this.#controller?.abort()
    this.#over.resolve()
  }
}

/** A client's connection, and what was asked on it and is not answered yet. */
export class Connection {
  readonly socket: Socket
  /** Empty on a Unix socket. */
  readonly remoteAddress: string
  readonly #limits: Limits
  /** Oldest first. */
  readonly #exchanges = new Set<Exchange>()
  #newest: Exchange | undefined
  #isBroken = false
  #isTakenOver = false
  #isLingering = false

  constructor(socket: Socket, limits: Limits) {
    this.socket = socket
    this.remoteAddress = socket.remoteAddress ?? ''
    this.#limits = limits
    socket.once('close', () => {
      for (const exchange of this.#exchanges) exchange.abandon()
      this.#exchanges.clear()
    })
  }

  get isIdle(): boolean {
    return this.#exchanges.size === 0 && !this.#isTakenOver
  }

  /** From now on no HTTP is spoken here. False, and the end of it, where an answer is still to be given. */
  takeOver(): boolean {
    if (!this.isIdle || this.#isLingering) this.socket.destroy()
    this.#isTakenOver = true
    return !this.socket.destroyed
  }

  /** Takes a request in; undefined when it is one too many, or comes after the end: then there is no answer. */
  begin(message: IncomingMessage, response: ServerResponse): Exchange | undefined {
    if (this.#isLingering || this.socket.destroyed) return undefined
    if (this.#exchanges.size >= this.#limits.pipelined) {
      this.socket.destroy()
      return undefined
    }
    const exchange = new Exchange(message, response, this.isIdle ? undefined : this.#newest)
    this.#exchanges.add(exchange)
    this.#newest = exchange
    response.once('close', () => {
      if (this.#exchanges.delete(exchange)) exchange.finish()
    })
    return exchange
  }

  /** Whether the connection must close after this answer: what the client sent behind it could not be understood. */
  endsWith(exchange: Exchange): boolean {
    return this.#isBroken && exchange === this.#newest
  }

  /**
   * What came in is no HTTP, or came too slowly. What was asked before is still answered. Returns what to refuse:
   * the request that is half in, the connection as such, or nothing.
   */
  breakOff(): Exchange | 'connection' | undefined {
    const wasBroken = this.#isBroken || this.#isLingering
    this.#isBroken = true
    if (wasBroken) return undefined
    const newest = this.isIdle ? undefined : this.#newest
    if (newest === undefined) return 'connection'
    return newest.message.complete || newest.response.headersSent ? undefined : newest
  }

  /**
   * From now on the connection, once its last answer is written, stays half open for a moment and throws away what
   * the client still sends. Closing it at once would make the kernel send a reset, and the client lose the answer.
   */
  linger(): void {
    this.#isLingering = true
    this.socket.destroySoon = () => this.endSoon() // What node:http calls after an answer with `Connection: close`.
  }

  /** Writes `last`, then ends as `linger` says. */
  endSoon(last = ''): void {
    this.#isLingering = true
    this.socket.end(last)
    const timer = setTimeout(() => this.socket.destroy(), this.#limits.lingerMs)
    this.socket.once('close', () => clearTimeout(timer))
  }
}
