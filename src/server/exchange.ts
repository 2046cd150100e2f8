import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'

import { ClientGone, type HeldBodies, isBodyUnread, readBody } from './body.ts'
import type { Connection, Exchange } from './connection.ts'
import type { Limits } from './limits.ts'
import { readHead, Refusal, refusalOfParser, tooBusy } from './refusal.ts'
import { headersOf, rawReply, refusalReply, textReply } from './reply.ts'
import type { ApiReply, ApiRequest, Handle, Log } from './request.ts'
import { type Origin, WholeRequest } from './whole-request.ts'

/** What all exchanges of a server share. */
export interface Shared {
  readonly handle: Handle
  readonly log: Log
  readonly limits: Limits
  readonly heldBodies: HeldBodies
  /** Requests that `handle` is at work on. */
  handled: number
  isClosing: boolean
}

const NO_BODY = Buffer.alloc(0)

/** Takes a request from its headers to its answer. Never rejects. */
export async function serve(
  shared: Shared,
  origin: Origin,
  connection: Connection,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const exchange = connection.begin(message, response)
  if (exchange === undefined) return
  try {
    const reply = await answer(shared, origin, connection, exchange)
    if (!exchange.isAbandoned) send(shared, connection, exchange, reply)
  } catch (error) {
    if (error instanceof ClientGone || exchange.isAbandoned) return
    const reply = error instanceof Refusal ? refusalReply(error) : failureReply(shared.log, error)
    if (response.headersSent) connection.socket.destroy()
    else send(shared, connection, exchange, reply)
  }
}

async function answer(shared: Shared, origin: Origin, connection: Connection, exchange: Exchange): Promise<ApiReply> {
  const { message } = exchange
  const head = readHead(message, shared.limits)
  const incoming = head.method === 'POST' ? readBody(message, shared.limits, shared.heldBodies) : undefined
  try {
    const body = incoming === undefined ? NO_BODY : await incoming.whole
    if (exchange.turn !== undefined) await exchange.turn
    if (exchange.isAbandoned) throw new ClientGone()
    const reply = handleWithin(shared, new WholeRequest(head, body, origin, connection, exchange))
    return reply instanceof Promise ? await reply : reply
  } finally {
    incoming?.release()
  }
}

/** What is answered at once counts for nothing; promises cost more than a small call, so there are none then. */
function handleWithin(shared: Shared, request: ApiRequest): ApiReply | Promise<ApiReply> {
  if (shared.isClosing) throw tooBusy('The server is stopping.')
  if (shared.handled >= shared.limits.handled) throw tooBusy('Too many requests at once; try again.')
  const reply = shared.handle(request)
  if (!(reply instanceof Promise)) return reply
  shared.handled++
  return reply.finally(() => {
    shared.handled--
  })
}

function failureReply(log: Log, error: unknown): ApiReply {
  const id = randomUUID()
  log.error({ id, err: error }, 'a request failed for a reason that is not the client’s')
  return textReply(500, `Internal error ${id}; the log says more under this id.`)
}

function send(shared: Shared, connection: Connection, exchange: Exchange, reply: ApiReply): void {
  const { message, response } = exchange
  const headers = headersOf(reply)
  const isUnread = isBodyUnread(message)
  if (shared.isClosing || isUnread || connection.endsWith(exchange)) headers.push('Connection', 'close')
  response.writeHead(reply.status, headers)
  if (isUnread) connection.linger()
  endWith(response, reply.body)
  if (connection.socket.writableLength > 0) boundReply(connection, exchange, shared.limits.replyMs)
}

/** Text of nothing but ASCII is written as Latin-1, which are the same bytes and cost less to make. */
function endWith(response: ServerResponse, body: Buffer | string): void {
  if (typeof body === 'string' && Buffer.byteLength(body) === body.length) response.end(body, 'latin1')
  else response.end(body)
}

/** Cuts off a client that does not take its answer. */
function boundReply(connection: Connection, exchange: Exchange, replyMs: number): void {
  const timer = setTimeout(() => connection.socket.destroy(), replyMs)
  exchange.response.once('close', () => clearTimeout(timer))
}

/** Whether a client that waits for `100 Continue` is to send its body: not where its headers tell that it is refused. */
export function mayContinue(shared: Shared, message: IncomingMessage): boolean {
  try {
    readHead(message, shared.limits)
    return true
  } catch (error) {
    if (error instanceof Refusal) return false // And `serve` will say why.
    throw error
  }
}

/** Refuses what the HTTP parser gave up on, or what took too long to come in. */
export function refuseBroken(shared: Shared, connection: Connection, code: string | undefined): void {
  const refusal = refusalOfParser(code)
  if (refusal === undefined || !connection.socket.writable) {
    connection.socket.destroy()
    return
  }
  const target = connection.breakOff()
  if (target === 'connection') connection.endSoon(rawReply(refusalReply(refusal)))
  else if (target !== undefined) send(shared, connection, target, refusalReply(refusal))
}
