import type { IncomingHttpHeaders } from 'node:http'

/** The faces of the API that a listener can have by default: the draft of 2006, and the released API. */
export const DIALECTS = ['0.2', '1'] as const
export type Dialect = (typeof DIALECTS)[number]

/** What a listener is made of. */
export type Transport = 'http' | 'https' | 'unix'

/** One request, read to its end. */
export interface ApiRequest {
  readonly method: 'GET' | 'HEAD' | 'POST'
  /** What stands before `?`, as it was sent, percent signs included. */
  readonly path: string
  readonly query: URLSearchParams
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders
  /** Empty unless the method is POST. */
  readonly body: Buffer
  /** The listener's own; a path such as `/0.2` may choose another, which is for the handler to see. */
  readonly dialect: Dialect
  readonly transport: Transport
  /** The client's IP address; empty on a Unix socket. */
  readonly remoteAddress: string
  /** Aborted when the client goes away before it has its answer, and when the server stops without waiting longer. */
  readonly signal: AbortSignal
}

/** The answer. `Content-Length` and the headers that every answer has are the server's business. */
export interface ApiReply {
  readonly status: number
  readonly contentType: string
  readonly body: Buffer | string
  /** The answer to a program's POST, which no browser shows and nobody caches: it goes without the headers for those. */
  readonly isForProgram?: boolean
  /** Win over the server's own headers of the same name. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Answers a request. A rejection is a bug: the client gets 500 and an id under which the log has the error. */
export type Handle = (request: ApiRequest) => ApiReply | Promise<ApiReply>

/** Where the server tells what it does; a pino logger is one. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
