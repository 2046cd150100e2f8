import type { IncomingMessage } from 'node:http'
import { WebSocketServer } from 'ws'
import { LOCAL_ADDRESS } from '../engine/sessions.ts'
import { ConsoleRefusal, type ConsoleRefusalKind, type OpenConsoleOf } from '../engine/terminals.ts'
import type { Connection } from './connection.ts'
import { ConsoleLink } from './console-link.ts'
import type { Limits } from './limits.ts'
import { readHead, Refusal, tooBusy } from './refusal.ts'
import { rawReply, refusalReply } from './reply.ts'
import type { Log, Transport } from './request.ts'

/** What a console's bytes are called among the subprotocols, and what a session that goes with them begins with. */
const BINARY = 'binary'
const SESSION_PROTOCOL = 'session.'

const STATUS: Readonly<Record<ConsoleRefusalKind, number>> = { session: 401, absent: 404, halted: 409, failed: 502 }

/**
 * The consoles of VMs, as WebSockets at `/console/VM/serial` and `/console/VM/vnc`. The session is shown as
 * `Authorization: Bearer SESSION`, as the subprotocol `session.SESSION` beside `binary` (browsers can set no header),
 * or as `?session_id=SESSION`.
 */
export class Consoles {
  readonly #open: OpenConsoleOf | undefined
  readonly #limits: Limits
  readonly #log: Log
  readonly #sockets: WebSocketServer
  readonly #links = new Set<ConsoleLink>()
  /** Consoles that are open or being opened, by VM. */
  readonly #counts = new Map<string, number>()
  #isClosing = false

  constructor(open: OpenConsoleOf | undefined, limits: Limits, log: Log) {
    this.#open = open
    this.#limits = limits
    this.#log = log
    this.#sockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      autoPong: false,
      maxPayload: limits.consoleFrameBytes,
      handleProtocols: offered => (offered.has(BINARY) ? BINARY : false),
    })
  }

  /** Takes a request for a WebSocket from its headers to its end. Never rejects. */
  async upgrade(message: IncomingMessage, connection: Connection, head: Buffer, transport: Transport): Promise<void> {
    const { socket } = connection
    socket.on('error', () => socket.destroy()) // From now on node:http cares no more for it.
    // Those who ask for more while they wait for answers would get them mixed up.
    if (!connection.takeOver()) return
    try {
      await this.#answer(message, connection, head, transport)
    } catch (error) {
      if (!(error instanceof Refusal)) this.#log.error({ err: error }, 'a console could not be opened')
      const refusal = error instanceof Refusal ? error : new Refusal(500, 'Internal error.')
      if (socket.writable) connection.endSoon(rawReply(refusalReply(refusal)))
    }
  }

  /** Tells every viewer that the server stops; no more are let in. */
  close(): void {
    this.#isClosing = true
    for (const link of this.#links) link.goAway()
  }

  async #answer(message: IncomingMessage, connection: Connection, head: Buffer, transport: Transport): Promise<void> {
    const { socket } = connection
    const { path, query } = readHead(message, this.#limits)
    const [, vm, kind] = /^\/console\/([^/]+)\/([^/]+)$/.exec(path) ?? []
    if (vm === undefined || kind === undefined || this.#open === undefined) {
      throw new Refusal(404, 'There is no WebSocket here.')
    }
    checkHandshake(message)
    const address = transport === 'unix' ? LOCAL_ADDRESS : connection.remoteAddress
    const release = this.#reserve(vm)
    socket.once('close', release)
    const opened = await this.#open({ secret: secretOf(message, query), address, vm, kind }).catch((error: unknown) => {
      release()
      throw error instanceof ConsoleRefusal ? refusalOf(error) : error
    })
    if (socket.destroyed || this.#isClosing) {
      opened.release()
      release()
      if (this.#isClosing) throw tooBusy('The server is stopping.')
      return
    }
    socket.once('close', () => opened.release())
    this.#sockets.handleUpgrade(message, socket, head, webSocket => {
      const link = new ConsoleLink(webSocket, opened, kind === 'serial', this.#limits)
      this.#links.add(link)
      webSocket.once('close', () => this.#links.delete(link))
    })
  }

  /** Makes sure that there is room for one more, and keeps it until the returned function is called. */
  #reserve(vm: string): () => void {
    const count = this.#counts.get(vm) ?? 0
    const total = [...this.#counts.values()].reduce((sum, one) => sum + one, 0)
    if (this.#isClosing) throw tooBusy('The server is stopping.')
    if (total >= this.#limits.consoles) throw tooBusy('Too many consoles are open; try again.')
    if (count >= this.#limits.consolesPerVm) {
      throw new Refusal(429, 'Too many look at this VM; try again.', { 'Retry-After': '1' })
    }
    this.#counts.set(vm, count + 1)
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      const rest = (this.#counts.get(vm) ?? 1) - 1
      if (rest === 0) this.#counts.delete(vm)
      else this.#counts.set(vm, rest)
    }
  }
}

/** Source: RFC 6455, §4.2.1. */
function checkHandshake({ method, headers }: IncomingMessage): void {
  if (method !== 'GET') throw new Refusal(405, 'Use GET.', { Allow: 'GET' })
  if (headers['sec-websocket-version'] !== '13') {
    throw new Refusal(426, 'Speak WebSocket version 13.', { 'Sec-WebSocket-Version': '13', Upgrade: 'websocket' })
  }
  if (!/^[+/0-9a-z]{22}==$/i.test(headers['sec-websocket-key'] ?? ''))
    throw new Refusal(400, 'Sec-WebSocket-Key is wrong.')
}

/** The session that a request shows; empty where it shows none. */
function secretOf({ headers }: IncomingMessage, query: string): string {
  const [, bearer] = /^bearer +(\S+) *$/i.exec(headers.authorization ?? '') ?? []
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map(name => name.trim())
  const named = offered.find(name => name.startsWith(SESSION_PROTOCOL))?.slice(SESSION_PROTOCOL.length)
  return bearer ?? named ?? new URLSearchParams(query).get('session_id') ?? ''
}

function refusalOf({ kind, message }: ConsoleRefusal): Refusal {
  return new Refusal(STATUS[kind], message, kind === 'session' ? { 'WWW-Authenticate': 'Bearer' } : {})
}
