import type { Clock } from '../host/clock.ts'
import { WsmanFault } from './fault.ts'

/** The client is gone: nobody is left to answer. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone'
}

/** Waits. Rejects with ClientGone when the client does not. */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0) return Promise.resolve()
  const { promise, resolve } = Promise.withResolvers<void>()
  const planned = clock.after(ms, resolve)
  return untilGone(promise, signal).finally(() => planned.cancel())
}

/**
 * Does `work`, and rejects with the fault of a time-out when it has not ended after `ms`. What it does goes on all the
 * same, as on real hosts, where a call that WinRM gave up on still ends.
 */
export async function within<T>(clock: Clock, ms: number, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const planned = clock.after(ms, () => reject(new WsmanFault('timed-out')))
  return untilGone(Promise.race([work(), promise]), signal).finally(() => planned.cancel())
}

async function untilGone<T>(wanted: Promise<T>, signal: AbortSignal): Promise<T> {
  const gone = Promise.withResolvers<never>()
  const leave = (): void => gone.reject(new ClientGone())
  if (signal.aborted) leave()
  signal.addEventListener('abort', leave, { once: true })
  try {
    return await Promise.race([wanted, gone.promise])
  } finally {
    signal.removeEventListener('abort', leave)
  }
}
