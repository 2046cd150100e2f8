import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

import type { Authentication } from './authentication.ts'

/** A request that came in, and its answer to be. */
export interface Exchange {
  /** Resolves when those before it on the connection are answered. */
  readonly turn: Promise<void>
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal
}

/** A client's connection: who speaks on it, and what was asked and is not answered yet. */
export class Connection {
  /** As HTTP is spoken on it: with TLS the decrypted one. */
  readonly socket: Socket
  readonly authentication: Authentication
  readonly #gone = new AbortController()
  readonly #pipelined: number
  readonly #lingerMs: number
  #newest: Promise<void> = Promise.resolve()
  #open = 0
  #isLingering = false
  #isEnding = false

  constructor(
    socket: Socket,
    authentication: Authentication,
    bounds: { readonly pipelined: number; readonly lingerMs: number },
  ) {
    this.socket = socket
    this.authentication = authentication
    this.#pipelined = bounds.pipelined
    this.#lingerMs = bounds.lingerMs
    socket.once('close', () => {
      this.#gone.abort()
      authentication.end()
    })
  }

  get isIdle(): boolean {
    return this.#open === 0
  }

  /** Whether the last answer has been given: what was sent behind its request is not looked at. */
  get isEnding(): boolean {
    return this.#isEnding
  }

  /** From now on nothing is answered any more. */
  giveLast(): void {
    this.#isEnding = true
  }

  /** Takes a request in; undefined when it is one too many or comes after the last answer: then there is no answer. */
  begin(response: ServerResponse): Exchange | undefined {
    if (this.#isEnding || this.#isLingering || this.socket.destroyed) return undefined
    if (this.#open >= this.#pipelined) {
      this.socket.destroy()
      return undefined
    }
    const turn = this.#newest
    const over = Promise.withResolvers<void>()
    this.#newest = over.promise
    this.#open++
    response.once('close', () => {
      this.#open--
      over.resolve()
    })
    return { turn, signal: this.#gone.signal }
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
  endSoon(last: Uint8Array = new Uint8Array()): void {
    this.#isLingering = true
    this.socket.end(last)
    const timer = setTimeout(() => this.socket.destroy(), this.#lingerMs)
    this.socket.once('close', () => clearTimeout(timer))
  }
}
