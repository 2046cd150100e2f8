import type { IncomingMessage, ServerResponse } from 'node:http'

import { type Admission, offersOf } from './authentication.ts'
import { type BodyFailure, IncomingBody } from './body.ts'
import type { Connection } from './connection.ts'
import { carryOut, carryOutIdentify, type Incoming } from './envelope.ts'
import type { Front } from './front.ts'
import { IDENTIFY_BYTES_MAX } from './identify.ts'
import type { FrontLimits } from './limits.ts'
import { challenge, emptyReply, headersOf, PAGE, rawReply, refusal, type Reply } from './reply.ts'

/** A request on its connection. */
interface Asked {
  readonly connection: Connection
  readonly message: IncomingMessage
  readonly response: ServerResponse
  readonly signal: AbortSignal
  /** Whether the client waits for `100 Continue` before it sends its body. */
  readonly isExpecting: boolean
}

/** Takes a request from its headers to its answer; those of one connection after each other. Never rejects. */
export async function serve(front: Front, asked: Omit<Asked, 'signal'>): Promise<void> {
  const { connection, response } = asked
  const exchange = connection.begin(response)
  if (exchange === undefined) return
  try {
    await exchange.turn
    if (connection.isEnding) return
    const reply = await answer(front, { ...asked, signal: exchange.signal })
    if (reply === 'lost') connection.socket.destroy()
    else send(front, asked, reply)
  } catch (error) {
    front.onFailure(error)
    if (response.headersSent) connection.socket.destroy()
    else send(front, asked, emptyReply(500, { isLast: true }))
  }
}

/** Refuses what the HTTP parser gave up on, unless an answer is still to be given. */
export function refuseBroken(connection: Connection, code: string | undefined): void {
  const isTimeout = code === 'ERR_HTTP_REQUEST_TIMEOUT' // HTTP.sys says nothing then.
  if (isTimeout || !connection.isIdle || !connection.socket.writable) connection.socket.destroy()
  else connection.endSoon(rawReply(code === 'HPE_HEADER_OVERFLOW' ? PAGE.tooLong : PAGE.badRequest))
}

async function answer(front: Front, asked: Asked): Promise<Reply | 'lost'> {
  if (asked.signal.aborted) return 'lost'
  const wrong = findWrong(asked.message, front.limits)
  if (wrong !== undefined) return wrong
  const admission = asked.connection.authentication.admit(asked.message.headers.authorization)
  switch (admission.kind) {
    case 'granted':
      return withBody(front, asked, front.limits.bodyBytes, body => {
        return carryOut(front, incomingOf(asked, body), admission, asked.connection.authentication)
      })
    case 'challenge':
      return throwAway(front, asked, challenge(admission.answer))
    default:
      return answerUnknown(front, asked, admission)
  }
}

/** Nobody knows who asks: an Identify is answered nevertheless, where the client says that it is one. */
function answerUnknown(front: Front, asked: Asked, { kind }: Admission): Promise<Reply | 'lost'> {
  const { headers } = asked.message
  const isIdentify = kind === 'anonymous' && String(headers['wsmanidentify']).toLowerCase() === 'unauthenticated'
  if (!isIdentify) return throwAway(front, asked, refusal(offersOf(front.authority)))
  return withBody(front, asked, IDENTIFY_BYTES_MAX, body => carryOutIdentify(front, incomingOf(asked, body)))
}

/** What is wrong with a request before it matters who sends it. */
function findWrong(message: IncomingMessage, limits: FrontLimits): Reply | undefined {
  const { headers, method = '', url = '' } = message
  if (message.httpVersionMajor !== 1) return PAGE.badVersion
  if (message.httpVersion === '1.1' && headers.host === undefined) return PAGE.badHost
  if (!/^(https?:\/\/[^/]*)?\/wsman\/?(\?|$)/i.test(url)) return PAGE.notFound
  if (method !== 'POST') return emptyReply(405, { first: ['Allow', 'POST'], isLast: true })
  const length = headers['content-length']
  if (length === undefined && headers['transfer-encoding'] === undefined) return PAGE.lengthRequired
  return Number(length ?? 0) > limits.bodyBytes ? TOO_LARGE : undefined
}

const TOO_LARGE = emptyReply(413, { isLast: true })

async function withBody(
  front: Front,
  asked: Asked,
  bytesMax: number,
  use: (body: Buffer) => Promise<Reply | 'lost'>,
): Promise<Reply | 'lost'> {
  if (asked.isExpecting) asked.response.writeContinue()
  const incoming = new IncomingBody(asked.message, bytesMax, front.held)
  try {
    const body = await incoming.whole
    return Buffer.isBuffer(body) ? await use(body) : replyTo(body)
  } finally {
    incoming.release()
  }
}

/** Reads the body into nothing, so that the client gets to read the answer. */
async function throwAway(front: Front, asked: Asked, reply: Reply): Promise<Reply | 'lost'> {
  if (asked.isExpecting && reply.isLast) return reply
  if (asked.isExpecting) asked.response.writeContinue()
  const body = await new IncomingBody(asked.message, front.limits.bodyBytes, undefined).whole
  return Buffer.isBuffer(body) ? reply : replyTo(body)
}

function replyTo(failure: BodyFailure): Reply | 'lost' {
  if (failure === 'gone') return 'lost'
  return failure === 'large' ? TOO_LARGE : PAGE.unavailable
}

function incomingOf({ message, signal }: Asked, body: Buffer): Incoming {
  return { body, contentType: message.headers['content-type'], rawHeaders: message.rawHeaders, signal }
}

function send(front: Front, { connection, message, response }: Omit<Asked, 'signal'>, reply: Reply): void {
  if (connection.socket.destroyed) return
  const isUnread = !message.complete
  const isLast = reply.isLast || isUnread || !response.shouldKeepAlive
  response.sendDate = false
  response.removeHeader('Connection') // HTTP.sys says nothing of a connection that stays.
  response.writeHead(reply.status, reply.reason, headersOf(reply, isLast))
  if (isLast) connection.giveLast()
  if (isUnread) connection.linger()
  response.end(reply.body) // Headers and body in one go: Node holds back the first until it has the second.
  if (connection.socket.writableLength === 0) return
  const timer = setTimeout(() => connection.socket.destroy(), front.limits.replyMs)
  response.once('close', () => clearTimeout(timer))
}
