import type { RequestListener, Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

import { Connection } from './connection.ts'
import type { Consoles } from './consoles.ts'
import { mayContinue, refuseBroken, serve, type Shared } from './exchange.ts'
import type { Origin } from './whole-request.ts'

/** The connections of all listeners. */
export class Connections {
  readonly #shared: Shared
  /** As the system accepts them, so with TLS before the handshake. */
  readonly #sockets = new Set<Socket>()
  /** As HTTP is spoken on them, so with TLS the decrypted ones. */
  readonly #connections = new Map<Duplex, Connection>()
  readonly #consoles: Consoles
  #isFull = false

  constructor(shared: Shared, consoles: Consoles) {
    this.#shared = shared
    this.#consoles = consoles
  }

  /** Takes care of what `server` accepts from now on. */
  attach(server: Server, origin: Origin): void {
    const shared = this.#shared
    server.prependListener('connection', socket => {
      if (!this.admits(socket)) socket.destroy()
    })
    server.prependListener(origin.transport === 'https' ? 'secureConnection' : 'connection', socket =>
      this.#connect(socket),
    )
    const take: RequestListener = (message, response) => {
      const connection = this.#connections.get(message.socket)
      if (connection !== undefined) void serve(shared, origin, connection, message, response)
    }
    server.on('request', take)
    server.on('checkContinue', (message, response) => {
      if (mayContinue(shared, message)) response.writeContinue()
      take(message, response)
    })
    server.on('checkExpectation', take)
    server.on('upgrade', (message, socket, head) => {
      const connection = this.#connections.get(socket)
      if (connection === undefined) socket.destroy()
      else void this.#consoles.upgrade(message, connection, head, origin.transport)
    })
    server.on('clientError', (error, socket) => {
      const connection = this.#connections.get(socket)
      if (connection === undefined) socket.destroy()
      else refuseBroken(shared, connection, 'code' in error ? String(error.code) : undefined)
    })
  }

  /** Counts a connection, whatever is spoken on it. False for one too many, which is not counted, and to be closed. */
  admits(socket: Socket): boolean {
    const { limits, log } = this.#shared
    if (this.#sockets.size >= limits.connections) {
      if (!this.#isFull) log.warn({ connections: limits.connections }, 'too many connections; closing new ones')
      this.#isFull = true
      return false
    }
    this.#isFull = false
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    return true
  }

  /** Closes what nothing is asked on. */
  closeIdle(): void {
    for (const { isIdle, socket } of this.#connections.values()) if (isIdle) socket.destroy()
    // With TLS, a client that has not said a word yet; one that is shaking hands is closed when it has done so.
    for (const socket of this.#sockets) if (socket.bytesRead === 0) socket.destroy()
  }

  destroyAll(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  #connect(socket: Socket): void {
    if (this.#shared.isClosing) socket.destroy()
    if (socket.destroyed) return
    this.#connections.set(socket, new Connection(socket, this.#shared.limits))
    socket.once('close', () => this.#connections.delete(socket))
  }
}
