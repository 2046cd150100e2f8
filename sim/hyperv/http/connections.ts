import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

import { Authentication } from './authentication.ts'
import type { Certificates } from './certificates.ts'
import { Connection } from './connection.ts'
import type { Front } from './front.ts'

/** The connections of a listener. */
export class Connections {
  readonly #front: Front
  readonly #certificates: Certificates
  /** Oldest first, as the system accepts them, so with TLS before the handshake; and what is spoken on them. */
  readonly #accepted = new Map<Socket, Connection | undefined>()
  /** As HTTP is spoken on them, so with TLS the decrypted ones. */
  readonly #connections = new Map<Duplex, Connection>()

  constructor(front: Front, certificates: Certificates) {
    this.#front = front
    this.#certificates = certificates
  }

  get count(): number {
    return this.#accepted.size
  }

  find(socket: Duplex): Connection | undefined {
    return this.#connections.get(socket)
  }

  /** Counts a connection; where it is one too many, cuts one off. */
  accept(socket: Socket): void {
    if (this.#accepted.size >= this.#front.limits.connections && !this.#cutOldestUnknown()) {
      socket.destroy()
      return
    }
    this.#accepted.set(socket, undefined)
    socket.once('close', () => this.#accepted.delete(socket))
  }

  /** From now on HTTP is spoken on `socket`, which is the accepted one or lies on top of it. */
  open(socket: Socket): void {
    if (socket.destroyed) return
    const { authority, limits } = this.#front
    const authentication = new Authentication(authority, () => this.#certificates.find(socket))
    const connection = new Connection(socket, authentication, limits)
    this.#connections.set(socket, connection)
    socket.once('close', () => this.#connections.delete(socket))
    const below = this.#belowOf(socket)
    if (below !== undefined) this.#accepted.set(below, connection)
  }

  destroyAll(): void {
    for (const socket of this.#accepted.keys()) socket.destroy()
  }

  /** A client that has not logged on may have to give way to one that might. False where all have. */
  #cutOldestUnknown(): boolean {
    for (const [socket, connection] of this.#accepted) {
      if (connection?.authentication.hasLoggedOn === true) continue
      this.#accepted.delete(socket)
      socket.destroy()
      return true
    }
    return false
  }

  /** With TLS, the one of the same peer. */
  #belowOf(socket: Socket): Socket | undefined {
    if (this.#accepted.has(socket)) return socket
    for (const accepted of this.#accepted.keys()) {
      if (accepted.remotePort === socket.remotePort && accepted.remoteAddress === socket.remoteAddress) return accepted
    }
    return undefined
  }
}
