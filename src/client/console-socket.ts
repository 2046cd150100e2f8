import { Agent } from 'node:http'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Endpoint } from './endpoint.ts'
import { readBody } from './body.ts'
import { explained, TransportError } from './transport-error.ts'

/** A console of a VM. */
export interface Console {
  /** What the guest shows, and what is typed: bytes both ways. Destroying it leaves. */
  readonly stream: Duplex
  /** Why it ended, in the server's words; empty where the connection broke. */
  readonly ended: Promise<string>
}

/** How a console is reached. */
export interface ConsoleTarget {
  readonly url: string
  readonly endpoint: Endpoint
  readonly agent: Agent
  /** As `VM.list_consoles` answers it. */
  readonly path: string
  readonly session: string
  readonly connectMs: number
}

/** The most that one message of a server may hold. */
const FRAME_BYTES_MAX = 1024 * 1024
const REFUSAL_BYTES_MAX = 4096

/** Opens a console. Rejects with TransportError, with the server's sentence where it refuses. */
export async function openConsole(target: ConsoleTarget): Promise<Console> {
  const { WebSocket, createWebSocketStream } = await import('ws')
  const socket = new WebSocket(addressOf(target), 'binary', {
    agent: target.endpoint.kind === 'unix' ? new SocketAgent(target.endpoint.socket) : target.agent,
    headers: { Authorization: `Bearer ${target.session}` },
    handshakeTimeout: target.connectMs,
    maxPayload: FRAME_BYTES_MAX,
    perMessageDeflate: false,
  })
  const { promise: ended, resolve: end } = Promise.withResolvers<string>()
  socket.once('close', (_code, reason) => end(reason.toString()))
  const stream = createWebSocketStream(socket)
  stream.on('error', () => undefined) // `ended` tells of it.
  stream.once('end', () => stream.destroy()) // What ws makes stays open for writing.
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', error => reject(explained(target.url, error)))
    socket.once('unexpected-response', (request, response) => {
      void readBody(response, REFUSAL_BYTES_MAX)
        .catch(() => undefined)
        .then(body => {
          request.destroy()
          const said = (body?.toString() ?? '').replace(/\p{Cc}+/gu, ' ').trim()
          reject(new TransportError('answer', target.url, said === '' ? `HTTP ${response.statusCode}` : said))
        })
    })
  })
  return { stream, ended }
}

/** The URLs that ws has for Unix sockets take not every path. */
class SocketAgent extends Agent {
  readonly #path: string

  constructor(path: string) {
    super()
    this.#path = path
  }

  override createConnection(): Duplex {
    return connect(this.#path)
  }
}

function addressOf({ endpoint, path }: ConsoleTarget): string {
  if (endpoint.kind === 'unix') return `ws://localhost${path}`
  const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host
  return `${endpoint.secure ? 'wss' : 'ws'}://${host}:${endpoint.port}${path}`
}
