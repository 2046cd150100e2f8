import type { WsmanAnswer } from '../wsman/exchange.ts'
import type { FrontRequest, ListenOptions } from './options.ts'
import { Recording, type RecordedExchange, recordMessage } from './recording.ts'
import { type Listening, listen } from './server.ts'
import { type Target, Upstream } from './upstream.ts'

/** A proxy to a real host, and where it writes what passes. */
export interface RecordOptions {
  readonly target: Target
  /** Exchanges are added to it. */
  readonly file: string
  /** Who may use the proxy, and how: it is a host of its own to its clients. */
  readonly listen: Omit<ListenOptions, 'service'>
}

const IDENTIFY = Buffer.from(
  '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body>' +
    '<i:Identify xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"/></s:Body></s:Envelope>',
)

/**
 * Listens as the simulated host does, and hands every envelope on to a real one, byte for byte; sealing and logons end
 * on both sides, so that what is recorded is in the clear. Rejects where the host cannot be logged on to.
 */
export async function record({ target, file, listen: options }: RecordOptions): Promise<Listening> {
  const upstream = new Upstream(target)
  const recording = await Recording.open(file)
  try {
    const { status } = await upstream.post(IDENTIFY, false)
    if (status !== 200) throw new Error(`the host answers an Identify with ${status}`)
    const relay = new Relay(upstream, recording, options.onFailure ?? (() => undefined))
    const listening = await listen({ ...options, service: request => relay.pass(request) })
    return {
      url: listening.url,
      port: listening.port,
      get load() {
        return listening.load
      },
      close: () => closeAll(listening, upstream, recording),
    }
  } catch (error) {
    upstream.close()
    await recording.close()
    throw error
  }
}

async function closeAll(listening: Listening, upstream: Upstream, recording: Recording): Promise<void> {
  await listening.close()
  upstream.close()
  await recording.close()
}

/** Passes envelopes on. What cannot be passed on, or not be written down, is cut off. */
class Relay {
  readonly #upstream: Upstream
  readonly #recording: Recording
  readonly #onFailure: (error: unknown) => void

  constructor(upstream: Upstream, recording: Recording, onFailure: (error: unknown) => void) {
    this.#upstream = upstream
    this.#recording = recording
    this.#onFailure = onFailure
  }

  /** Never rejects. */
  async pass(request: FrontRequest): Promise<WsmanAnswer> {
    const began = Date.now()
    const asked = {
      at: new Date(began).toISOString(),
      user: request.user ?? null,
      request: recordMessage(request.rawHeaders, request.envelope, request.isSealed),
    }
    try {
      const { answer, ...response } = await this.#ask(request)
      await this.#recording.write({ ...asked, elapsedMs: Date.now() - began, ...response })
      return answer
    } catch (error) {
      this.#onFailure(error)
      return 'lost'
    }
  }

  async #ask(request: FrontRequest): Promise<Pick<RecordedExchange, 'response' | 'failure'> & { answer: WsmanAnswer }> {
    try {
      const reply = await this.#upstream.post(request.envelope, request.user === undefined)
      const response = { status: reply.status, ...recordMessage(reply.rawHeaders, reply.body, reply.wasSealed) }
      return { response, answer: { status: reply.status, envelope: reply.body } }
    } catch (error) {
      this.#onFailure(error)
      return { failure: error instanceof Error ? error.message : 'the host did not answer', answer: 'lost' }
    }
  }
}
