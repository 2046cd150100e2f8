import type { Buffer } from 'node:buffer'
import {
  type Agent,
  type ClientRequest,
  Agent as HttpAgent,
  type IncomingMessage,
  request as httpRequest,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { readBody } from './body.ts'
import { type Console, openConsole } from './console-socket.ts'
import { type Endpoint, parseEndpoint } from './endpoint.ts'
import { PinnedAgent } from './pinned-agent.ts'
import { explained, TransportError } from './transport-error.ts'

/** How the server at an https URL proves who it is. Without any of these, by a certificate that the system trusts. */
export interface TlsOptions {
  /** Certificates to trust, in PEM, in place of the system's. */
  readonly ca?: string
  /** SHA-256 of the one certificate to trust, in hexadecimal, colons or none. Nothing else of it is looked at then. */
  readonly fingerprint?: string
  /** False trusts any server. Passwords go to whoever answers. */
  readonly rejectUnauthorized?: boolean
}

/** The bounds of a connection. */
export interface TransportLimits {
  /** Until the answer is there in whole. */
  readonly timeoutMs: number
  /** Until a new connection stands. */
  readonly connectMs: number
  readonly answerBytes: number
  /** Connections to the server at once; further calls wait for one. */
  readonly connections: number
}

/** Five minutes, more than any call waits for a guest; an answer holds the fields of any number of objects one asks for. */
export const DEFAULT_TRANSPORT_LIMITS: TransportLimits = {
  timeoutMs: 300_000,
  connectMs: 10_000,
  answerBytes: 64 * 1024 * 1024,
  connections: 16,
}

/** One request. */
export interface SendOptions {
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
  /** Whether it may be sent again when a connection that was kept turns out to be closed: reading twice is harmless. */
  readonly repeatable: boolean
}

/** Posts calls to one server over connections that are kept between them. */
export class HttpTransport {
  readonly url: string
  readonly #endpoint: Endpoint
  readonly #agent: Agent
  readonly #limits: TransportLimits

  /** Throws TypeError where the URL or the fingerprint is none. */
  constructor(url: string, tls: TlsOptions, limits: Partial<TransportLimits>) {
    this.url = url
    this.#endpoint = parseEndpoint(url)
    this.#limits = { ...DEFAULT_TRANSPORT_LIMITS, ...limits }
    this.#agent = agentFor(this.#endpoint, tls, this.#limits.connections)
  }

  /** Posts a body and answers the other. Rejects with TransportError, or with the reason of `signal`. */
  async send(body: Buffer, options: SendOptions): Promise<Buffer> {
    options.signal?.throwIfAborted()
    const limit = new AbortController()
    const timer = setTimeout(() => limit.abort(), options.timeoutMs ?? this.#limits.timeoutMs)
    const signal = options.signal === undefined ? limit.signal : AbortSignal.any([limit.signal, options.signal])
    try {
      return await this.#attempt(body, signal, options.repeatable)
    } catch (error) {
      options.signal?.throwIfAborted()
      if (limit.signal.aborted) throw new TransportError('timeout', this.url, `${this.url} took too long to answer`)
      throw explained(this.url, error)
    } finally {
      clearTimeout(timer)
    }
  }

  /** Opens the console at a path of the server. Rejects with TransportError. */
  openConsole(path: string, session: string): Promise<Console> {
    const { url } = this
    const { connectMs } = this.#limits
    return openConsole({ url, endpoint: this.#endpoint, agent: this.#agent, path, session, connectMs })
  }

  /** Closes the connections. Calling it twice is harmless. */
  close(): void {
    this.#agent.destroy()
  }

  async #attempt(body: Buffer, signal: AbortSignal, repeatable: boolean): Promise<Buffer> {
    const request = this.#open(body.length, signal)
    try {
      return await this.#exchange(request, body)
    } catch (error) {
      const isStale = request.reusedSocket && isClosedConnection(error)
      if (!isStale || !repeatable || signal.aborted) throw error
      return await this.#exchange(this.#open(body.length, signal), body)
    }
  }

  #open(length: number, signal: AbortSignal): ClientRequest {
    const headers = { 'Content-Type': 'text/xml', 'Content-Length': length, Accept: 'text/xml' }
    const common = { method: 'POST', path: this.#endpoint.path, agent: this.#agent, headers, signal }
    if (this.#endpoint.kind === 'unix') {
      return httpRequest({ ...common, socketPath: this.#endpoint.socket, host: 'localhost' })
    }
    const { secure, host, port } = this.#endpoint
    return (secure ? httpsRequest : httpRequest)({ ...common, host, port })
  }

  async #exchange(request: ClientRequest, body: Buffer): Promise<Buffer> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request.once('response', resolve)
      request.on('error', reject) // Stays: an error that comes after the answer is the answer's as well.
      this.#boundConnecting(request)
      request.end(body)
    })
    return this.#read(response)
  }

  async #read(response: IncomingMessage): Promise<Buffer> {
    const { url } = this
    const { answerBytes } = this.#limits
    const body = await readBody(response, answerBytes)
    if (body === undefined) {
      throw new TransportError('too-large', url, `the answer of ${url} is larger than ${answerBytes} bytes`)
    }
    if (response.statusCode === 200) return body
    const said = excerpt(body)
    throw new TransportError('answer', url, `${url} answers HTTP ${response.statusCode}${said && `: ${said}`}`)
  }

  #boundConnecting(request: ClientRequest): void {
    const { connectMs } = this.#limits
    request.once('socket', socket => {
      if (!socket.connecting) return
      const why = `no connection to ${this.url} within ${connectMs / 1000} s`
      const timer = setTimeout(() => request.destroy(new TransportError('unreachable', this.url, why)), connectMs)
      const settle = () => clearTimeout(timer)
      socket.once('connect', settle).once('close', settle)
    })
  }
}

const isClosedConnection = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE')

function agentFor(endpoint: Endpoint, tls: TlsOptions, maxSockets: number): Agent {
  const options = { keepAlive: true, maxSockets }
  if (endpoint.kind === 'unix' || !endpoint.secure) return new HttpAgent(options)
  if (tls.fingerprint !== undefined) return new PinnedAgent(tls.fingerprint, options)
  const { ca, rejectUnauthorized = true } = tls
  return new HttpsAgent({ ...options, rejectUnauthorized, ...(ca === undefined ? {} : { ca }) })
}

const EXCERPT_LENGTH = 200

/** The first line of a text, without what could harm a terminal. */
function excerpt(body: Buffer): string {
  const [line = ''] = body.toString('utf8', 0, EXCERPT_LENGTH).split('\n')
  return line.replace(/\p{Cc}/gu, ' ').trim()
}
