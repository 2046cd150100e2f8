import { RpcConnectionError } from './error.ts'

/** How long to wait, for what, and who may stop it. */
export interface Patience {
  readonly timeoutMs: number
  readonly what: string
  readonly signal?: AbortSignal | undefined
}

/** The promise's outcome, unless time runs out or the caller stops waiting first: RpcConnectionError. */
export async function within<T>(promise: Promise<T>, { timeoutMs, what, signal }: Patience): Promise<T> {
  const { promise: givenUp, reject } = Promise.withResolvers<never>()
  const abort = () => reject(new RpcConnectionError('aborted', `${what}: aborted`, { cause: signal?.reason }))
  const late = () => reject(new RpcConnectionError('time-out', `${what}: no answer within ${timeoutMs} ms`))
  const timer = setTimeout(late, timeoutMs)
  signal?.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([promise, givenUp])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
  }
}
