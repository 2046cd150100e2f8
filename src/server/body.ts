import type { IncomingMessage } from 'node:http'

import type { Limits } from './limits.ts'
import { bodyTooLarge, type Refusal, tooBusy } from './refusal.ts'

/** The client went away before its request was whole; nobody is left to be answered. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone'
}

/** How many bytes of bodies the server holds at this moment, over all connections. */
export interface HeldBodies {
  bytes: number
}

/** A body on its way in. */
export interface IncomingBody {
  /** Rejects with Refusal or ClientGone. */
  readonly whole: Promise<Buffer>
  /** Takes its bytes off those held; to be called once it is no longer needed, however it ended. */
  release(): void
}

/** Whether a body was announced that has not come in whole. */
export function isBodyUnread(request: IncomingMessage): boolean {
  if (request.complete) return false
  const length = request.headers['content-length']
  return (length !== undefined && Number(length) > 0) || request.headers['transfer-encoding'] !== undefined
}

/** Reads the body, counting its bytes as they come, against the limit of one body and of all. */
export function readBody(request: IncomingMessage, limits: Limits, held: HeldBodies): IncomingBody {
  const chunks: Buffer[] = []
  let bytes = 0
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const take = (chunk: Buffer) => {
    bytes += chunk.length
    held.bytes += chunk.length
    chunks.push(chunk)
    if (bytes > limits.bodyBytes) refuse(bodyTooLarge(limits))
    else if (held.bytes > limits.bodiesBytes) refuse(tooBusy('Too much is being sent at once; try again.'))
  }
  const refuse = (refusal: Refusal) => {
    request.off('data', take)
    request.resume() // What still comes is thrown away.
    reject(refusal)
  }
  request.on('data', take)
  request.once('end', () => resolve(joined(chunks, bytes)))
  request.once('error', () => reject(new ClientGone()))
  request.once('close', () => {
    if (!request.complete) reject(new ClientGone())
  })
  const release = () => {
    held.bytes -= bytes
    bytes = 0
    chunks.length = 0
  }
  return { whole: promise, release }
}

function joined(chunks: readonly Buffer[], bytes: number): Buffer {
  const [first] = chunks
  return first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks, bytes)
}
