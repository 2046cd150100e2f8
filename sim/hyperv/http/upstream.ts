import { once } from 'node:events'
import { Agent as PlainAgent, type IncomingMessage, request as plainRequest } from 'node:http'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

import { splitUser } from './accounts.ts'
import { serverEndPoint } from './channel-bindings.ts'
import { SOAP } from './charset.ts'
import { readSealed, sealedType, writeSealed } from './multipart.ts'
import { NtlmInitiator } from './ntlm/initiator.ts'
import type { NtlmSealing } from './ntlm/ntlm-sealing.ts'

/** A real host, and as whom to log on to it. */
export interface Target {
  /** `http://host:5985/wsman` or `https://host:5986/wsman`. */
  readonly url: URL
  readonly user: string
  readonly password: string
  /** Negotiate is NTLM here, sealed where there is no TLS: what a host takes by default. */
  readonly scheme: 'basic' | 'negotiate'
  /** The authority of its certificate, in PEM; the system's if not given. */
  readonly ca?: string
  /** Takes any certificate. */
  readonly isUnverified?: boolean
}

/** What the host answered, in the clear. */
export interface UpstreamReply {
  readonly status: number
  /** Names and values in turn, as the host sent them. */
  readonly rawHeaders: readonly string[]
  readonly wasSealed: boolean
  readonly body: Buffer
}

const ANSWER_MS = 300_000
const ANSWER_BYTES_MAX = 16 * 1024 * 1024
const CLEAR = `${SOAP};charset=UTF-8`
const EMPTY = Buffer.alloc(0)
const ANONYMOUS = { WSMANIDENTIFY: 'unauthenticated' } as const

interface Answer {
  readonly message: IncomingMessage
  readonly body: Buffer
  readonly socket: Socket
}

type Headers = Readonly<Record<string, string>>

/** One connection to a real host, one request after the other. Rejects with a sentence that holds no secret. */
export class Upstream {
  readonly #target: Target
  readonly #agent: PlainAgent
  /** For what nobody is to have logged on over. */
  readonly #anonymous: PlainAgent
  #session: { readonly socket: Socket; readonly sealing: NtlmSealing } | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(target: Target) {
    this.#target = target
    const { url, ca, isUnverified = false } = target
    const trust = { rejectUnauthorized: !isUnverified, ...(ca === undefined ? {} : { ca }) }
    const agentOf = (keepAlive: boolean) => {
      const options = { keepAlive, maxSockets: 1 }
      return url.protocol === 'https:' ? new TlsAgent({ ...options, ...trust }) : new PlainAgent(options)
    }
    this.#agent = agentOf(true)
    this.#anonymous = agentOf(false)
  }

  /** Sends an envelope; without credentials where `isAnonymous`, which a host allows for Identify alone. */
  post(envelope: Uint8Array, isAnonymous: boolean): Promise<UpstreamReply> {
    const reply = this.#last.then(() => this.#postNext(Buffer.from(envelope), isAnonymous))
    this.#last = reply.catch(() => undefined)
    return reply
  }

  close(): void {
    this.#agent.destroy()
    this.#anonymous.destroy()
  }

  async #postNext(envelope: Buffer, isAnonymous: boolean): Promise<UpstreamReply> {
    if (isAnonymous) return clearReply(await this.#send(envelope, CLEAR, ANONYMOUS, this.#anonymous))
    if (this.#target.scheme === 'basic') return clearReply(await this.#send(envelope, CLEAR, this.#basic()))
    const { socket, sealing } = await this.#logOn()
    if (socket instanceof TLSSocket) return clearReply(await this.#send(envelope, CLEAR, {}))
    const body = writeSealed({ protocol: 'SPNEGO', charset: 'UTF-8', sealed: sealing.seal(envelope) })
    const answer = await this.#send(body, sealedType('SPNEGO'), {})
    if (answer.socket !== socket) throw new Error('the host has ended the connection in between')
    const sealed = readSealed(answer.body)?.sealed
    return sealed === undefined
      ? clearReply(answer)
      : { ...clearReply(answer), wasSealed: true, body: sealing.unseal(sealed) }
  }

  #basic(): Headers {
    const { user, password } = this.#target
    return { Authorization: `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}` }
  }

  async #logOn(): Promise<{ readonly socket: Socket; readonly sealing: NtlmSealing }> {
    if (this.#session !== undefined && !this.#session.socket.destroyed) return this.#session
    const { user, password } = this.#target
    const initiator = new NtlmInitiator({ ...splitUser(user), password })
    const asked = await this.#send(EMPTY, CLEAR, negotiate(initiator.negotiate()))
    const challenge = /^Negotiate\s+(\S+)$/i.exec(asked.message.headers['www-authenticate'] ?? '')?.[1]
    if (challenge === undefined) throw new Error('the host does not take NTLM under Negotiate')
    const { token, sealing } = initiator.authenticate(Buffer.from(challenge, 'base64'), bindingsOf(asked.socket))
    const granted = await this.#send(EMPTY, CLEAR, negotiate(token))
    if (granted.message.statusCode === 401) throw new Error('the host does not accept user and password')
    if (granted.socket !== asked.socket) throw new Error('the host has ended the connection in between')
    this.#session = { socket: granted.socket, sealing }
    return this.#session
  }

  async #send(body: Buffer, contentType: string, headers: Headers, agent = this.#agent): Promise<Answer> {
    const { url } = this.#target
    const request = url.protocol === 'https:' ? tlsRequest : plainRequest
    const length = { 'Content-Type': contentType, 'Content-Length': String(body.length) }
    const signal = AbortSignal.timeout(ANSWER_MS)
    const outgoing = request(url, { method: 'POST', agent, headers: { ...length, ...headers }, signal })
    outgoing.on('error', () => undefined) // Of the answer's own failures, reading it tells.
    outgoing.end(body)
    const [message]: IncomingMessage[] = await once(outgoing, 'response')
    if (message === undefined) throw new Error('no answer')
    const { socket } = message // Node takes it away once the answer is read.
    return { message, body: await readAnswer(message), socket }
  }
}

async function readAnswer(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of message) {
    const piece = Buffer.from(chunk)
    bytes += piece.length
    if (bytes > ANSWER_BYTES_MAX) throw new Error(`an answer of more than ${ANSWER_BYTES_MAX} bytes`)
    chunks.push(piece)
  }
  return Buffer.concat(chunks)
}

function clearReply({ message, body }: Answer): UpstreamReply {
  return { status: message.statusCode ?? 0, rawHeaders: message.rawHeaders, wasSealed: false, body }
}

function negotiate(token: Buffer): Headers {
  return { Authorization: `Negotiate ${token.toString('base64')}` }
}

function bindingsOf(socket: Socket): Buffer | undefined {
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined
  return certificate && serverEndPoint(certificate.raw)
}
