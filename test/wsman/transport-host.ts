import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { TlsOptions } from 'node:tls'
import type { SealedMessage } from '../../src/protocols/wsman/auth-mechanism.ts'
import { isSealed, readSealed, type SealProtocol, writeSealed } from '../../src/protocols/wsman/multipart.ts'
import { NtlmAcceptor } from './ntlm-acceptor.ts'
import { bytes, type GssPeer, hex } from './ntlm-peer.ts'

export const PASSWORD = 'a password nobody sees'

/** The host's side of an authentication. */
export interface Acceptor {
  readonly isAccepted: boolean
  /** What to say to a token; undefined where nothing is left to say, or where the token is not accepted. */
  step(token: Buffer): Promise<Uint8Array | undefined>
  seal(message: Buffer): Promise<SealedMessage>
  unseal(message: SealedMessage): Promise<Uint8Array>
}

/** A request that got as far as an envelope. */
export interface Posted {
  readonly envelope: string
  readonly headers: IncomingMessage['headers']
  /** Which of the host's connections, counted from 0. */
  readonly connection: number
}

/** How a host answers: by `reply`, or by whatever else with the raw response. */
export interface Exchange {
  /** Sealed where the request was. */
  readonly reply: (envelope: string | Uint8Array, status?: number) => Promise<void>
  /** An answer sealed as the next one, not sent yet. */
  readonly seal: (envelope: string | Uint8Array) => Promise<{ contentType: string; body: Uint8Array }>
  readonly send: (status: number, contentType: string, body: Uint8Array | string) => void
  readonly response: ServerResponse
  readonly socket: Socket
}

export interface HostOptions {
  readonly scheme?: 'Negotiate' | 'Kerberos'
  /** Made for each connection; by default NTLM with PASSWORD. Null for a host that asks nobody. */
  readonly acceptor?: (() => Acceptor) | null
  /** The values of WWW-Authenticate. */
  readonly offers?: readonly string[]
  readonly answer?: (posted: Posted, exchange: Exchange) => Promise<void> | void
  /** Called for each request before anything else; true where it has taken care of it. */
  readonly intercept?: (request: IncomingMessage, response: ServerResponse) => boolean
  readonly tls?: TlsOptions
}

/** A host on loopback, as small as tests of connections need, that notes what it sees. */
export class FakeHost implements AsyncDisposable {
  readonly posted: Posted[] = []
  /** Bytes of the bodies that came with tokens. */
  readonly handshakes: number[] = []
  readonly acceptors: Acceptor[] = []
  readonly sockets: Socket[] = []
  readonly #options: HostOptions
  readonly #server: Server
  readonly #byPeer = new Map<Socket, Acceptor>()

  constructor(options: HostOptions = {}) {
    this.#options = options
    const handle = (request: IncomingMessage, response: ServerResponse) => {
      this.#handle(request, response).catch(() => request.socket.destroy())
    }
    this.#server = options.tls ? createTlsServer(options.tls, handle) : createServer(handle)
    this.#server.on(options.tls ? 'secureConnection' : 'connection', (socket: Socket) => {
      this.sockets.push(socket)
      socket.on('error', () => undefined)
    })
    this.#server.on('tlsClientError', () => undefined)
    this.#server.keepAliveTimeout = 60_000
  }

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await new Promise(resolve => this.#server.once('listening', resolve))
    return this
  }

  get port(): number {
    const address = this.#server.address()
    return isInfo(address) ? address.port : 0
  }

  get url(): string {
    return `${this.#options.tls ? 'https' : 'http'}://localhost:${this.port}/wsman`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise(resolve => this.#server.close(resolve))
    this.#server.closeAllConnections()
    for (const socket of this.sockets) socket.destroy()
    await closed
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#options.intercept?.(request, response) === true) return
    const body = await readAll(request)
    const { acceptor: make = () => ntlmAcceptor(PASSWORD), scheme = 'Negotiate' } = this.#options
    if (make === null) return this.#answer(request, response, { body, acceptor: undefined })
    let acceptor = this.#byPeer.get(request.socket)
    const [, name, token] = /^(\w+) (\S+)$/.exec(request.headers.authorization ?? '') ?? []
    if (name === scheme && token !== undefined) {
      this.handshakes.push(body.length)
      acceptor ??= make()
      this.#byPeer.set(request.socket, acceptor)
      this.acceptors.push(acceptor)
      return this.#step(response, acceptor, Buffer.from(token, 'base64'))
    }
    if (acceptor?.isAccepted !== true) return this.#refuse(response)
    return this.#answer(request, response, { body, acceptor })
  }

  async #step(response: ServerResponse, acceptor: Acceptor, token: Buffer): Promise<void> {
    const { scheme = 'Negotiate' } = this.#options
    const answer = await acceptor.step(token)
    const said = answer === undefined ? undefined : `${scheme} ${Buffer.from(answer).toString('base64')}`
    if (!acceptor.isAccepted && said === undefined) return this.#refuse(response)
    response.writeHead(acceptor.isAccepted ? 200 : 401, said === undefined ? {} : { 'WWW-Authenticate': said })
    response.end()
  }

  /** Windows ends the connection with a 401 that goes on with nothing. */
  #refuse(response: ServerResponse): void {
    const { offers = [this.#options.scheme ?? 'Negotiate'] } = this.#options
    response.writeHead(401, { 'WWW-Authenticate': [...offers], 'Content-Length': '0', Connection: 'close' })
    response.end()
  }

  async #answer(
    request: IncomingMessage,
    response: ServerResponse,
    { body, acceptor }: { body: Buffer; acceptor: Acceptor | undefined },
  ): Promise<void> {
    const type = request.headers['content-type'] ?? ''
    const sealer = isSealed(type) ? acceptor : undefined
    const envelope = sealer ? await sealer.unseal(readSealed(type, body)) : body
    const posted = {
      envelope: Buffer.from(envelope).toString(),
      headers: request.headers,
      connection: this.sockets.indexOf(request.socket),
    }
    this.posted.push(posted)
    const { answer = (_, exchange) => exchange.reply(`<Answer>${posted.envelope}</Answer>`) } = this.#options
    await answer(posted, exchangeOf(response, { sealer, protocol: protocolOf(type) }))
  }
}

function exchangeOf(
  response: ServerResponse,
  { sealer, protocol }: { sealer: Acceptor | undefined; protocol: SealProtocol },
): Exchange {
  const seal = async (envelope: string | Uint8Array) => {
    if (sealer === undefined) return { contentType: 'application/soap+xml;charset=UTF-8', body: Buffer.from(envelope) }
    const sealed = await sealer.seal(Buffer.from(envelope))
    return writeSealed(protocol, sealed.data.length, sealed)
  }
  const send = (status: number, contentType: string, body: Uint8Array | string) => {
    response.writeHead(status, { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(body) })
    response.end(body)
  }
  const reply = async (envelope: string | Uint8Array, status = 200) => {
    const { contentType, body } = await seal(envelope)
    send(status, contentType, body)
  }
  const { socket } = response
  if (socket === null) throw new Error('the response has no socket')
  return { reply, seal, send, response, socket }
}

function protocolOf(type: string): SealProtocol {
  return type.includes('Kerberos')
    ? 'application/HTTP-Kerberos-session-encrypted'
    : 'application/HTTP-SPNEGO-session-encrypted'
}

/** NTLM as it is, with one password for everybody. */
export function ntlmAcceptor(password: string): Acceptor & { readonly ntlm: NtlmAcceptor } {
  const ntlm = new NtlmAcceptor(password)
  return {
    ntlm,
    get isAccepted() {
      return ntlm.isAccepted
    },
    async step(token) {
      if (token.readUInt32LE(8) === 1) return ntlm.challenge
      ntlm.accept(token)
      return undefined
    },
    seal: async message => ntlm.seal(message),
    unseal: async message => ntlm.unseal(message),
  }
}

/** What GSSAPI accepts, in a process of its own that is started already. */
export function gssAcceptor(peer: GssPeer): Acceptor {
  let isAccepted = false
  return {
    get isAccepted() {
      return isAccepted
    },
    async step(token) {
      try {
        const answer = await peer.ask('accept', { token: hex(token) })
        isAccepted = answer.isComplete ?? false
        return answer.token === null || answer.token === undefined ? undefined : bytes(answer.token)
      } catch {
        return undefined
      }
    },
    async seal(message) {
      const { header, data, message: whole = '' } = await peer.ask('wrap_any', { message: hex(message) })
      if (header !== undefined) return { signature: bytes(header), data: bytes(data ?? '') }
      return { signature: bytes(whole.slice(0, 32)), data: bytes(whole.slice(32)) }
    },
    async unseal({ signature, data }) {
      return Buffer.from(await peer.unwrap({ signature, data }))
    },
  }
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece)
  return Buffer.concat(pieces)
}

function isInfo(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === 'object' && address !== null
}
