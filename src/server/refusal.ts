import type { IncomingMessage } from 'node:http'

import type { Limits } from './limits.ts'
import type { ApiRequest } from './request.ts'

/** A request that the server itself says no to, and what the client is told. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.status = status
    this.headers = headers
  }
}

/** What a request is about, from its first line. */
export interface Head {
  readonly method: ApiRequest['method']
  readonly path: string
  /** Behind the question mark. */
  readonly query: string
}

const METHODS = ['GET', 'HEAD', 'POST'] as const
const ALLOW = METHODS.join(', ')

/** Reads first line and headers, and throws a Refusal for what they say: before any of the body is read. */
export function readHead(message: IncomingMessage, limits: Limits): Head {
  const method = METHODS.find(known => known === message.method)
  if (method === undefined) throw new Refusal(405, `Use ${ALLOW}.`, { Allow: ALLOW })
  const { expect } = message.headers
  if (expect !== undefined && !/^100-continue$/i.test(expect))
    throw new Refusal(417, 'Expect nothing but 100-continue.')
  if (method === 'POST') checkBodyHeaders(message, limits)
  return { method, ...targetOf(message.url ?? '') }
}

function checkBodyHeaders({ headers }: IncomingMessage, limits: Limits): void {
  const announced = Number(headers['content-length'] ?? 0) // The HTTP parser lets nothing but digits pass.
  if (announced > limits.bodyBytes) throw bodyTooLarge(limits)
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') {
    throw new Refusal(415, 'Send the body without Content-Encoding.')
  }
}

/** Source: RFC 9112 §3.2: a path, or a whole URL as proxies send it. */
function targetOf(target: string): Pick<Head, 'path' | 'query'> {
  if (target.startsWith('/')) {
    const mark = target.indexOf('?')
    return mark < 0 ? { path: target, query: '' } : { path: target.slice(0, mark), query: target.slice(mark + 1) }
  }
  const url = URL.parse(target)
  if (url === null) throw new Refusal(400, 'The request target is neither a path nor a URL.')
  return { path: url.pathname, query: url.search.slice(1) }
}

/** The refusal of a body over the limit of one body. */
export const bodyTooLarge = (limits: Limits): Refusal =>
  new Refusal(413, `A request body may have ${limits.bodyBytes} bytes at most.`)

/** The refusal of a request that there is no room for now. */
export const tooBusy = (message: string): Refusal => new Refusal(503, message, { 'Retry-After': '1' })

/**
 * The refusal that a failure of the HTTP parser deserves; undefined where the connection itself failed.
 * Source: the codes of llhttp, as node:http passes them on.
 */
export function refusalOfParser(code = ''): Refusal | undefined {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new Refusal(408, 'The request came in too slowly.')
  if (code === 'HPE_HEADER_OVERFLOW') return new Refusal(431, 'The request line and headers are too long.')
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return new Refusal(413, 'The chunk extensions are too long.')
  return code.startsWith('HPE_') ? new Refusal(400, 'This is not HTTP/1.1.') : undefined
}
