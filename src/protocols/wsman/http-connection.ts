import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Patience } from './http-patience.ts'
import { bindingOf } from './tls.ts'
import { TransportError } from './transport.ts'

/** Headers beyond this are not read; tokens of Kerberos with many groups have some 16 KB. */
const HEADER_BYTES_MAX = 65_536

/** Where requests go, and how much of an answer is read. */
export interface HttpEndpoint {
  readonly url: URL
  readonly replyBytesMax: number
}

/** A request; the path and the method are always the same. */
export interface HttpRequest {
  readonly headers: Readonly<Record<string, string>>
  /** Empty where only headers are exchanged: then nothing that the host could carry out is sent. */
  readonly body: Uint8Array
}

/** An answer, read to its end. */
export interface HttpReply {
  readonly status: number
  readonly statusText: string
  readonly contentType: string
  /** The values of all `WWW-Authenticate` headers. */
  readonly challenges: readonly string[]
  readonly body: Buffer
}

/**
 * One TCP or TLS connection that requests go over one after the other, and over no other: authentication by NTLM and
 * Kerberos belongs to the connection. Once it has ended it stays so.
 */
export class HttpConnection {
  readonly #endpoint: HttpEndpoint
  readonly #socket: Socket
  readonly #agent: Agent
  #isOpen = true

  /** Takes over a socket that is connected. */
  constructor(endpoint: HttpEndpoint, socket: Socket) {
    this.#endpoint = endpoint
    this.#socket = socket
    this.#agent = new OneSocketAgent(socket)
    const end = () => this.close()
    socket.once('end', end)
    socket.once('close', end)
    // An error is also told to the request it hits; without one, nobody else listens.
    socket.on('error', end)
  }

  /** Whether another request may be tried. A host may still have closed it unseen. */
  get isOpen(): boolean {
    return this.#isOpen && !this.#socket.destroyed
  }

  /** What binds an authentication to its TLS channel; undefined without TLS. Throws AuthError. */
  get channelBinding(): Uint8Array | undefined {
    return bindingOf(this.#socket)
  }

  /** Posts and reads the whole answer, whatever its status. Rejects with TransportError and is closed then. */
  async post(sent: HttpRequest, patience: Patience): Promise<HttpReply> {
    patience.check(false)
    if (!this.isOpen) throw this.#lost('the host had closed it', false)
    const wasSent = sent.body.length > 0
    const { promise, resolve, reject } = Promise.withResolvers<HttpReply>()
    let isDone = false
    const outgoing = this.#begin(sent)
    const fail = (error: TransportError) => {
      // A request is also closed, as all end, when it was answered.
      if (isDone) return
      isDone = true
      this.close()
      outgoing.destroy()
      reject(error)
    }
    const succeed = (reply: HttpReply) => {
      isDone = true
      if (!outgoing.shouldKeepAlive) this.#isOpen = false
      resolve(reply)
    }
    const stopWaiting = patience.onEnd(() => fail(patience.error(wasSent)))
    outgoing.on('error', error => fail(this.#describe(error, wasSent)))
    outgoing.on('close', () => fail(this.#lost('the host closed it', wasSent)))
    outgoing.on('response', response => this.#read(response, { wasSent, succeed, fail }))
    outgoing.end(sent.body)
    return promise.finally(stopWaiting)
  }

  /** Ends it; a request under way is rejected as `lost`. Calling it twice is harmless. */
  close(): void {
    this.#isOpen = false
    this.#agent.destroy()
    this.#socket.destroy()
  }

  #begin({ headers, body }: HttpRequest): ClientRequest {
    const { url } = this.#endpoint
    return request({
      agent: this.#agent,
      method: 'POST',
      host: url.hostname,
      port: url.port,
      path: `${url.pathname}${url.search}`,
      maxHeaderSize: HEADER_BYTES_MAX,
      headers: { Host: url.host, ...headers, 'Content-Length': String(body.length), Connection: 'Keep-Alive' },
    })
  }

  #read(response: IncomingMessage, outcome: Outcome): void {
    const { replyBytesMax } = this.#endpoint
    const pieces: Buffer[] = []
    let bytes = 0
    response.on('data', (piece: Buffer) => {
      bytes += piece.length
      if (bytes <= replyBytesMax) pieces.push(piece)
      else outcome.fail(this.#garbage(`an answer of more than ${replyBytesMax} bytes`, outcome.wasSent))
    })
    response.on('error', error => outcome.fail(this.#describe(error, outcome.wasSent)))
    response.on('end', () => {
      if (!response.complete) return
      outcome.succeed({
        status: response.statusCode ?? 0,
        statusText: response.statusMessage ?? '',
        contentType: response.headers['content-type'] ?? '',
        challenges: response.headersDistinct['www-authenticate'] ?? [],
        body: Buffer.concat(pieces, bytes),
      })
    })
  }

  #describe(error: Error, wasSent: boolean): TransportError {
    const code = 'code' in error ? String(error.code) : ''
    // The HTTP parser's errors all begin so. Source: Node.js documentation, errors, "HPE_*".
    if (!code.startsWith('HPE_')) return this.#lost(error.message, wasSent, error)
    return this.#garbage('what is no HTTP', wasSent, error)
  }

  #lost(why: string, wasSent: boolean, cause?: unknown): TransportError {
    return new TransportError('lost', `lost the connection to ${this.#endpoint.url.host}: ${why}`, { wasSent, cause })
  }

  #garbage(what: string, wasSent: boolean, cause?: unknown): TransportError {
    return new TransportError('garbage', `${this.#endpoint.url.host} sends ${what}`, { wasSent, cause })
  }
}

interface Outcome {
  readonly wasSent: boolean
  readonly succeed: (reply: HttpReply) => void
  readonly fail: (error: TransportError) => void
}

/** Gives out one socket, and no new one when that has ended. */
class OneSocketAgent extends Agent {
  readonly #socket: Socket
  #isGiven = false

  constructor(socket: Socket) {
    super({ keepAlive: true, maxSockets: 1 })
    this.#socket = socket
  }

  override createConnection(_: unknown, give?: (error: Error, socket: Duplex) => void): Duplex | undefined {
    // Told, and not thrown: Node asks also when a socket has closed, where nobody can catch anything.
    if (this.#isGiven) {
      give?.(new Error('it has ended'), this.#socket)
      return undefined
    }
    this.#isGiven = true
    return this.#socket
  }
}
