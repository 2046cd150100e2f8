import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ConnectionOptions } from 'node:tls'
import { HttpConnection } from './http-connection.ts'
import { openSocket } from './http-open.ts'
import { Patience } from './http-patience.ts'
import { type HttpSession, openSession, postAnonymously } from './http-session.ts'
import { HttpSlots } from './http-slots.ts'
import { asTransportError } from './http-status.ts'
import { REPLY_BYTES_MAX } from './limits.ts'
import { checkTarget, type WsmanTarget } from './target.ts'
import { readTlsOptions } from './tls.ts'
import { type PostOptions, type Transport, TransportError, type TransportReply } from './transport.ts'

/** Connections at once to a host. Server 2008 R2 takes 25 from all its clients together. */
export const CONNECTIONS_MAX = 4
/** Posts that wait for a connection. */
export const POSTS_WAITING_MAX = 256
/** How long a connection is kept without use. Windows closes its own after 120 s, and must not be the first to. */
export const IDLE_MS = 90_000
/** How often an envelope is posted that the host answers by asking who we are. */
const ATTEMPTS_MAX = 2

/**
 * A transport over HTTP or HTTPS with authenticated connections that are kept. Nothing is opened before the first post.
 * Throws TargetError where the target is none.
 */
export function httpTransport(target: WsmanTarget): Transport {
  return new HttpTransport(checkTarget(target))
}

/** What a post waits with. */
interface Waiting {
  readonly patience: Patience
  /** The last refusal when the post came. */
  readonly refusal: TransportError | undefined
}

class HttpTransport implements Transport {
  readonly url: string
  readonly #target: WsmanTarget
  readonly #slots: HttpSlots
  readonly #closing = new AbortController()
  /** Sessions that are not in use, the one used last last, and when each is closed. */
  readonly #idle = new Map<HttpSession, NodeJS.Timeout>()
  #tls: Promise<ConnectionOptions> | undefined
  /** How the host refused us the last time. */
  #refusal: TransportError | undefined

  constructor(target: WsmanTarget) {
    this.#target = target
    this.url = target.url
    this.#slots = new HttpSlots(target.connectionsMax ?? CONNECTIONS_MAX, POSTS_WAITING_MAX)
  }

  async post(envelope: Uint8Array, options: PostOptions): Promise<TransportReply> {
    using patience = new Patience(new URL(this.url).host, options, this.#closing.signal)
    patience.check(false)
    const refusal = this.#refusal
    const give = await this.#slots.take(patience)
    try {
      if (options.isAnonymous !== true) return await this.#postKnown(envelope, { patience, refusal })
      const parts = { target: this.#target, connection: await this.#connect(patience) }
      return await postAnonymously(parts, envelope, patience)
    } finally {
      give()
    }
  }

  close(): void {
    this.#closing.abort()
    for (const session of this.#idle.keys()) this.#drop(session)
  }

  async #postKnown(envelope: Uint8Array, waiting: Waiting): Promise<TransportReply> {
    const { patience } = waiting
    let session = await this.#reuse()
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      session ??= await this.#open(waiting)
      const reply = await session.post(envelope, patience)
      if (reply !== undefined) {
        this.#keep(session)
        return reply
      }
      // The host has forgotten who we are, or never wanted to know: once more from the beginning.
      session.close()
      session = undefined
    }
    const text = `${new URL(this.url).host} knows who we are and refuses what we send (status 401)`
    throw new TransportError('refused', text, { wasSent: false })
  }

  /** Whoever waited while the host refused us is refused too, and does not try the same: hosts lock accounts soon. */
  async #open({ patience, refusal }: Waiting): Promise<HttpSession> {
    const latest = this.#refusal
    if (latest !== undefined && latest !== refusal) {
      throw new TransportError('refused', latest.message, { wasSent: false, cause: latest })
    }
    try {
      return await openSession(this.#target, () => this.#connect(patience), patience)
    } catch (error) {
      if (error instanceof TransportError && error.kind === 'refused') this.#refusal = error
      throw error
    }
  }

  async #connect(patience: Patience): Promise<HttpConnection> {
    const url = new URL(this.url)
    const replyBytesMax = this.#target.replyBytesMax ?? REPLY_BYTES_MAX
    const tls = url.protocol === 'https:' ? await this.#readTls(patience) : undefined
    return new HttpConnection({ url, replyBytesMax }, await openSocket(url, tls, patience))
  }

  /** Read once; but a file that was missing may be there the next time. */
  async #readTls(patience: Patience): Promise<ConnectionOptions> {
    this.#tls ??= readTlsOptions(this.#target)
    try {
      return await patience.wait(this.#tls, { wasSent: false, dismiss: () => undefined })
    } catch (error) {
      this.#tls = undefined
      throw asTransportError(error, this.#target, false)
    }
  }

  /** The session used last, so that those that are not needed grow old. */
  async #reuse(): Promise<HttpSession | undefined> {
    if (this.#idle.size === 0) return undefined
    // The end of a connection may have come already and only wait to be looked at.
    await nextTurn()
    for (const session of [...this.#idle.keys()].toReversed()) {
      clearTimeout(this.#idle.get(session))
      this.#idle.delete(session)
      if (session.isOpen) return session
      session.close()
    }
    return undefined
  }

  #keep(session: HttpSession): void {
    if (!session.isOpen || this.#closing.signal.aborted) return session.close()
    // What is only kept must not keep the process alive.
    this.#idle.set(session, setTimeout(() => this.#drop(session), IDLE_MS).unref())
  }

  #drop(session: HttpSession): void {
    clearTimeout(this.#idle.get(session))
    this.#idle.delete(session)
    session.close()
  }
}
