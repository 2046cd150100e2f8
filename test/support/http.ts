import {
  Agent as PlainAgent,
  type ClientRequest,
  type IncomingMessage,
  request as plainRequest,
  type RequestOptions,
} from 'node:http'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'

/** Where a server listens. */
export type Endpoint =
  | { readonly transport: 'http' | 'https'; readonly host: string; readonly port: number }
  | { readonly transport: 'unix'; readonly socketPath: string }

/** An answer over HTTP. */
export interface Reply {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

const ANSWER_MS = 30_000

/** An HTTP client of one endpoint that keeps its connections; to be closed. */
export class HttpClient {
  readonly #endpoint: Endpoint
  readonly #agent: PlainAgent

  constructor(endpoint: Endpoint, connectionsMax = 1) {
    this.#endpoint = endpoint
    const options = { keepAlive: true, maxSockets: connectionsMax }
    // The certificate is the server's own; that it is one is for the tests of the listeners.
    this.#agent =
      endpoint.transport === 'https' ? new TlsAgent({ ...options, rejectUnauthorized: false }) : new PlainAgent(options)
  }

  /** Posts a body and reads the answer, which may come before the body is taken. */
  post(body: string | Uint8Array, path = '/', headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
    const bytes = Buffer.from(body)
    const length = { 'Content-Type': 'text/xml', 'Content-Length': String(bytes.length) }
    return this.exchange(
      { method: 'POST', path, headers: { ...length, ...headers } },
      request => void request.end(bytes),
    )
  }

  /** Sends a request whose body `write` writes, and reads the answer. Rejects where there is none. */
  exchange(options: RequestOptions, write: (request: ClientRequest) => void): Promise<Reply> {
    const target = { ...this.#endpoint, ...options, agent: this.#agent, timeout: ANSWER_MS }
    const request = this.#endpoint.transport === 'https' ? tlsRequest(target) : plainRequest(target)
    const { promise, resolve, reject } = Promise.withResolvers<Reply>()
    let answered = false
    request.once('response', response => {
      answered = true
      readReply(response).then(resolve, reject)
    })
    request.on('error', error => {
      if (!answered) reject(error) // After the answer, a refused body may well break off.
    })
    request.once('timeout', () => request.destroy(new Error(`no answer within ${ANSWER_MS} ms`)))
    write(request)
    return promise
  }

  close(): void {
    this.#agent.destroy()
  }
}

async function readReply(response: IncomingMessage): Promise<Reply> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(Buffer.from(chunk))
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString('utf8') }
}
