import { type Request, type RequestSettings, writeIdentify, writeRequest } from './envelope.ts'
import { WsmanFault } from './fault.ts'
import { CimError, WsmanReplyError } from './error.ts'
import { type Identity, readIdentity } from './identify.ts'
import { ANSWER_MARGIN_MS, OPERATION_TIMEOUT_MS_MAX } from './limits.ts'
import { type RetryPolicy, repeat, type Safety } from './retry.ts'
import { type Transport, TransportError } from './transport.ts'

/** What every call of a client may be told. */
export interface CallOptions {
  /** How long each exchange with the host may take; the host itself is told to give up shortly before. */
  readonly timeoutMs?: number
  /** Rejects the call with a TransportError of kind `aborted`. The host may still do what it was told. */
  readonly signal?: AbortSignal
  /** The WMI namespace, in place of the client's own. */
  readonly namespace?: string
  /** Hints to the provider of the class. */
  readonly options?: Readonly<Record<string, string>>
}

/** What the requests of one client have in common. */
export interface RequestDefaults extends Omit<RequestSettings, 'to' | 'operationTimeoutMs'> {
  readonly timeoutMs: number
  readonly retry: RetryPolicy
  readonly newMessageId: () => string
}

/** A request that is not sent yet. */
export type Draft = Omit<Request, 'messageId' | 'options'>

/** Sends requests over a transport, again where that is safe, and keeps account of what nobody waits for. */
export class Requests {
  readonly #transport: Transport
  readonly #defaults: RequestDefaults
  /** Enumerations that are being let go. Each of them ends in time, and none rejects. */
  readonly #farewells = new Set<Promise<void>>()

  constructor(transport: Transport, defaults: RequestDefaults) {
    this.#transport = transport
    this.#defaults = defaults
  }

  get retry(): RetryPolicy {
    return this.#defaults.retry
  }

  /**
   * Sends a request and reads the answer to it. Rejects with what `read` throws, and with TransportError where no answer
   * came; with either only after it was repeated as often as is safe and allowed.
   */
  async send<T>(
    draft: Draft,
    safety: Safety,
    options: CallOptions,
    read: (answer: Uint8Array, messageId: string) => T,
  ): Promise<T> {
    const operationTimeoutMs = Math.min(this.#timeoutMs(options), OPERATION_TIMEOUT_MS_MAX)
    const settings = { ...this.#defaults, to: this.#transport.url, operationTimeoutMs }
    return repeat(safety, this.#defaults.retry, options.signal, async () => {
      const messageId = this.#defaults.newMessageId()
      const envelope = writeRequest(settings, {
        ...draft,
        ...(options.options && { options: options.options }),
        messageId,
      })
      return read(await this.#post(envelope, options), messageId)
    })
  }

  /** Asks who answers, without credentials where that is wanted. Rejects as `send` does. */
  async identify(options: CallOptions & { readonly isAnonymous?: boolean }): Promise<Identity> {
    const { signal, isAnonymous = false } = options
    return repeat('read', this.#defaults.retry, signal, async () =>
      readIdentity(await this.#post(writeIdentify(), options, isAnonymous)),
    )
  }

  async #post(envelope: Uint8Array, options: CallOptions, isAnonymous = false): Promise<Uint8Array> {
    const { signal } = options
    const patience = { timeoutMs: this.#timeoutMs(options) + ANSWER_MARGIN_MS, ...(signal && { signal }) }
    const { body } = await this.#transport.post(envelope, isAnonymous ? { ...patience, isAnonymous } : patience)
    return body
  }

  /** Hosts take no duration of zero, and a timer that is given none rings at once. */
  #timeoutMs({ timeoutMs = this.#defaults.timeoutMs }: CallOptions): number {
    if (!(timeoutMs >= 1)) throw new CimError(`a time-out of ${timeoutMs} ms`)
    return timeoutMs
  }

  /** Keeps account of a farewell, whose refusal or silence changes nothing: what is let go of expires anyway. */
  remember(farewell: Promise<void>): Promise<void> {
    const settled = farewell.catch(ignoreRefusal).finally(() => this.#farewells.delete(settled))
    this.#farewells.add(settled)
    return settled
  }

  /** Waits until nothing is being let go any more. */
  async settle(): Promise<void> {
    await Promise.all(this.#farewells)
  }

  close(): void {
    this.#transport.close()
  }
}

function ignoreRefusal(error: unknown): void {
  if (error instanceof WsmanFault || error instanceof TransportError || error instanceof WsmanReplyError) return
  throw error
}
