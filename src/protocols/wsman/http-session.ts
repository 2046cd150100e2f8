import type { AuthMechanism } from './auth-mechanism.ts'
import { AuthError } from './auth-error.ts'
import { findOffer, readOffers } from './auth-challenge.ts'
import { type AuthScheme, requestHeaders, schemesOf } from './auth.ts'
import type { HttpConnection, HttpReply } from './http-connection.ts'
import type { Patience } from './http-patience.ts'
import { asTransportError, checkStatus, clearReply, refusal } from './http-status.ts'
import { sealEnvelope, unsealEnvelope } from './sealing.ts'
import type { WsmanTarget } from './target.ts'
import type { TransportReply } from './transport.ts'

/** As many tokens as are sent for one authentication; NTLM in SPNEGO takes two. */
const TOKENS_MAX = 8
const HEADERS = { 'Content-Type': 'application/soap+xml;charset=UTF-8', 'User-Agent': 'Polyvisor' } as const
const NOTHING = new Uint8Array(0)

/** A connection on which the host knows who we are. */
export interface HttpSession {
  /** Whether another envelope may be tried. */
  readonly isOpen: boolean
  /**
   * Posts an envelope. Undefined where the host asks once more who we are, without having looked at it.
   * Rejects with TransportError and is closed then.
   */
  post(envelope: Uint8Array, patience: Patience): Promise<TransportReply | undefined>
  /** Calling it twice is harmless. */
  close(): void
}

/** What a session is made of. */
export interface SessionParts {
  readonly target: WsmanTarget
  readonly connection: HttpConnection
}

/**
 * Makes us known on a connection, by requests that are empty. Each way to authenticate is tried on a connection of its
 * own, for hosts end the one on which they have declined. Rejects with TransportError and leaves none open then.
 */
export async function openSession(
  target: WsmanTarget,
  connect: () => Promise<HttpConnection>,
  patience: Patience,
): Promise<HttpSession> {
  const schemes = schemesOf(target)
  if (schemes.length === 0) return openUnasked({ target, connection: await connect() }, patience)
  for (const [index, scheme] of schemes.entries()) {
    const parts = { target, connection: await connect() }
    const session = await authenticate(parts, scheme, schemes[index + 1], patience)
    if (session !== undefined) return session
  }
  throw asTransportError(new AuthError('refused', 'there is no way to be known'), target, false)
}

/** Posts without saying who we are, which only Identify may, and closes the connection. */
export async function postAnonymously(
  { target, connection }: SessionParts,
  envelope: Uint8Array,
  patience: Patience,
): Promise<TransportReply> {
  try {
    const headers = { ...HEADERS, WSMANIDENTIFY: 'unauthenticated' }
    const reply = await connection.post({ headers, body: envelope }, patience)
    if (reply.status === 401) throw refusal(target, reply)
    return clearReply(target, reply)
  } finally {
    connection.close()
  }
}

/** Says who we are with each request, or leaves it to the certificate of the connection. */
async function openUnasked(parts: SessionParts, patience: Patience): Promise<HttpSession> {
  try {
    const asked = requestHeaders(parts.target)
    return new ClearSession(parts, await patience.wait(asked, { wasSent: false, dismiss: () => undefined }))
  } catch (error) {
    parts.connection.close()
    throw asTransportError(error, parts.target, false)
  }
}

/** A way to authenticate, and what has come of it. */
interface Agreed {
  readonly scheme: AuthScheme
  readonly mechanism: AuthMechanism
}

/**
 * Undefined where the host does not offer this way, but the next one. The connection is closed then, and where it
 * rejects.
 */
async function authenticate(
  parts: SessionParts,
  scheme: AuthScheme,
  next: AuthScheme | undefined,
  patience: Patience,
): Promise<HttpSession | undefined> {
  const { target, connection } = parts
  try {
    const mechanism = scheme.start(connection.channelBinding)
    const declined = await talk(parts, { scheme, mechanism }, patience)
    if (declined === undefined) return sessionOf(parts, { scheme, mechanism })
    mechanism.dispose()
    const offers = readOffers(declined.challenges)
    const isNextBetter = next !== undefined && findOffer(offers, next.name) !== undefined
    if (findOffer(offers, scheme.name) !== undefined || !isNextBetter) throw refusal(target, declined)
  } catch (error) {
    connection.close()
    throw asTransportError(error, target, false)
  }
  connection.close()
  return undefined
}

function sessionOf(parts: SessionParts, agreed: Agreed): HttpSession {
  if (parts.target.url.startsWith('http:')) return new SealedSession(parts, agreed)
  // TLS encrypts already, and the host knows the connection.
  agreed.mechanism.dispose()
  return new ClearSession(parts, undefined)
}

/** Exchanges tokens until the host knows us: then undefined; or until it declines: then its answer. */
async function talk(
  { target, connection }: SessionParts,
  { scheme, mechanism }: Agreed,
  patience: Patience,
): Promise<HttpReply | undefined> {
  const step = <T>(work: Promise<T>) => patience.wait(work, { wasSent: false, dismiss: () => mechanism.dispose() })
  try {
    let token = await step(mechanism.begin())
    for (let sent = 0; sent < TOKENS_MAX; sent++) {
      const headers = { ...HEADERS, Authorization: `${scheme.name} ${Buffer.from(token).toString('base64')}` }
      const reply = await connection.post({ headers, body: NOTHING }, patience)
      if (reply.status !== 401) checkStatus(target, reply)
      const answer = findOffer(readOffers(reply.challenges), scheme.name)?.token
      const next = answer === undefined || mechanism.isComplete ? undefined : await step(mechanism.next(answer))
      if (next !== undefined) token = next
      else if (reply.status === 401) return reply
      else if (mechanism.isComplete) return undefined
      else throw new AuthError('refused', unasked(reply))
    }
    throw new AuthError('malformed', `the host asks for more than ${TOKENS_MAX} tokens`)
  } catch (error) {
    mechanism.dispose()
    throw error
  }
}

/** One that serves everybody, or one that fails at the token, such as at the length of a ticket with many groups. */
function unasked({ status, statusText }: HttpReply): string {
  if (status === 200) return 'the host does not ask who we are, so that nothing can be encrypted'
  return `the host answers ${status} ${statusText} where it should ask who we are`
}

/** Envelopes as they are: over TLS, or where the operator allows it. */
class ClearSession implements HttpSession {
  readonly #parts: SessionParts
  readonly #authorization: Readonly<Record<string, string>> | undefined

  /** Without `authorization` the host knows the connection. */
  constructor(parts: SessionParts, authorization: Readonly<Record<string, string>> | undefined) {
    this.#parts = parts
    this.#authorization = authorization
  }

  get isOpen(): boolean {
    return this.#parts.connection.isOpen
  }

  async post(envelope: Uint8Array, patience: Patience): Promise<TransportReply | undefined> {
    const { target, connection } = this.#parts
    const headers = { ...HEADERS, ...this.#authorization }
    const reply = await connection.post({ headers, body: envelope }, patience)
    try {
      // What was refused with the same words once is refused again.
      if (reply.status === 401 && this.#authorization !== undefined) throw refusal(target, reply)
      return reply.status === 401 ? undefined : clearReply(target, reply)
    } catch (error) {
      this.close()
      throw error
    }
  }

  close(): void {
    this.#parts.connection.close()
  }
}

/** Envelopes sealed with the keys of the connection. */
class SealedSession implements HttpSession {
  readonly #parts: SessionParts
  readonly #agreed: Agreed

  constructor(parts: SessionParts, agreed: Agreed) {
    this.#parts = parts
    this.#agreed = agreed
  }

  get isOpen(): boolean {
    return this.#parts.connection.isOpen
  }

  async post(envelope: Uint8Array, patience: Patience): Promise<TransportReply | undefined> {
    const { target, connection } = this.#parts
    const { mechanism, scheme } = this.#agreed
    const progress = { wasSent: false, dismiss: () => this.close() }
    try {
      const { contentType, body } = await patience.wait(sealEnvelope(mechanism, scheme.protocol, envelope), progress)
      const reply = await connection.post({ headers: { ...HEADERS, 'Content-Type': contentType }, body }, patience)
      if (reply.status === 401) return undefined
      checkStatus(target, reply)
      progress.wasSent = true
      return { status: reply.status, body: await patience.wait(unsealEnvelope(mechanism, reply), progress) }
    } catch (error) {
      // The streams of both sides have to keep in step; after anything unforeseen they may not be.
      this.close()
      throw asTransportError(error, target, progress.wasSent)
    }
  }

  close(): void {
    this.#agreed.mechanism.dispose()
    this.#parts.connection.close()
  }
}
