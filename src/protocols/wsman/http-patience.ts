import { type PostOptions, TransportError, type TransportErrorKind } from './transport.ts'

/** The longest time that a timer keeps; longer ones would ring at once. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1

/** Why waiting has ended: the reason of a patience's signal. */
class GivenUp extends Error {
  override readonly name = 'GivenUp'
  readonly kind: Extract<TransportErrorKind, 'timed-out' | 'aborted' | 'closed'>

  constructor(kind: GivenUp['kind'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}

/** How long a post waits: until its time is up, its caller aborts it, or the transport closes. */
export class Patience implements Disposable {
  readonly #controller = new AbortController()
  readonly #timer: NodeJS.Timeout
  readonly #listening: readonly (readonly [AbortSignal, () => void])[]

  constructor(what: string, { timeoutMs, signal }: Pick<PostOptions, 'timeoutMs' | 'signal'>, closing: AbortSignal) {
    this.#timer = setTimeout(
      () => this.#end(new GivenUp('timed-out', `${what}: no answer within ${Math.round(timeoutMs)} ms`)),
      Math.min(Math.max(timeoutMs, 0), TIMEOUT_MS_MAX),
    )
    const closed = () => this.#end(new GivenUp('closed', `${what}: the connections were closed`))
    const aborted = () => this.#end(new GivenUp('aborted', `${what}: aborted`, { cause: signal?.reason }))
    this.#listening = [[closing, closed], ...(signal ? ([[signal, aborted]] as const) : [])]
    for (const [source, listener] of this.#listening) {
      if (source.aborted) listener()
      else source.addEventListener('abort', listener, { once: true })
    }
  }

  /** Throws TransportError where the end has come. `wasSent`: whether the host may have been told what to do. */
  check(wasSent: boolean): void {
    if (this.#controller.signal.aborted) throw this.error(wasSent)
  }

  /** The promise's outcome, unless the end comes first: then TransportError, and `dismiss` is called. */
  async wait<T>(promise: Promise<T>, { wasSent, dismiss }: { wasSent: boolean; dismiss: () => void }): Promise<T> {
    const { promise: end, reject } = Promise.withResolvers<never>()
    const stop = this.onEnd(() => {
      dismiss()
      reject(this.error(wasSent))
    })
    promise.catch(() => undefined)
    end.catch(() => undefined)
    try {
      return await Promise.race([promise, end])
    } finally {
      stop()
    }
  }

  /** Calls back once the end comes, or at once where it has come. Answers with what takes that back. */
  onEnd(listener: () => void): () => void {
    const { signal } = this.#controller
    if (signal.aborted) listener()
    else signal.addEventListener('abort', listener, { once: true })
    return () => signal.removeEventListener('abort', listener)
  }

  /** Why it has ended, for a request that the host may have carried out or not. */
  error(wasSent: boolean): TransportError {
    const { reason } = this.#controller.signal
    if (!(reason instanceof GivenUp)) return new TransportError('aborted', 'given up', { wasSent, cause: reason })
    return new TransportError(reason.kind, reason.message, { wasSent, cause: reason.cause })
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    for (const [source, listener] of this.#listening) source.removeEventListener('abort', listener)
  }

  #end(reason: GivenUp): void {
    this.#controller.abort(reason)
  }
}
