import { STATUS_CODES } from 'node:http'

import type { Refusal } from './refusal.ts'
import type { ApiReply } from './request.ts'

/**
 * Answers are for the client that asked: not for caches, not for browsers to guess a type for, not to run scripts or
 * stand in frames. A page of ours that wants more says so in its own headers.
 */
const STANDARD_HEADERS = [
  ['Cache-Control', 'no-store'],
  ['X-Content-Type-Options', 'nosniff'],
  ['Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'"],
] as const
const STANDARD_LINES: readonly string[] = STANDARD_HEADERS.flat()

/** A reply of one sentence. */
export const textReply = (status: number, sentence: string): ApiReply => ({
  status,
  contentType: 'text/plain; charset=utf-8',
  body: `${sentence}\n`,
})

/** What a refused client is told. */
export const refusalReply = (refusal: Refusal): ApiReply => ({
  ...textReply(refusal.status, refusal.message),
  headers: refusal.headers,
})

/** The headers of a reply, names and values by turns. */
export function headersOf({ body, contentType, isForProgram = false, headers: own }: ApiReply): string[] {
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length
  const headers = ['Content-Type', contentType, 'Content-Length', String(length)]
  if (own === undefined) return isForProgram ? headers : headers.concat(STANDARD_LINES)
  const ownNames = new Set<string>()
  for (const [name, value] of Object.entries(own)) {
    headers.push(name, value)
    ownNames.add(name.toLowerCase())
  }
  for (const [name, value] of STANDARD_HEADERS) {
    if (!ownNames.has(name.toLowerCase())) headers.push(name, value)
  }
  return headers
}

/** A closing reply as bytes, for a client whose request did not get far enough to have a response. */
export function rawReply(reply: ApiReply): string {
  const lines = [`HTTP/1.1 ${reply.status} ${STATUS_CODES[reply.status]}`, 'Connection: close']
  const headers = headersOf(reply)
  for (let at = 0; at + 1 < headers.length; at += 2) lines.push(`${headers[at]}: ${headers[at + 1]}`)
  return `${lines.join('\r\n')}\r\n\r\n${String(reply.body)}`
}
