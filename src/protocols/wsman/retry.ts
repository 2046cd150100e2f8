import { setTimeout as pause } from 'node:timers/promises'
import { WsmanFault } from './fault.ts'
import { RETRIES_MAX, RETRY_PAUSE_MS, RETRY_PAUSE_MS_MAX } from './limits.ts'
import { TransportError } from './transport.ts'

/**
 * What sending a request a second time can do. `read`: nothing, it only reads. `pull`: an answer that was lost cannot be
 * had again, since the enumeration has moved on. `once`: the host may do twice what it was told.
 */
export type Safety = 'read' | 'pull' | 'once'

/** How patiently requests are repeated. */
export interface RetryPolicy {
  /** How often a request is sent again at most; RETRIES_MAX where nothing is said. */
  readonly retries?: number
  /** The pause before the first repetition; each one after that doubles it, up to RETRY_PAUSE_MS_MAX. */
  readonly pauseMs?: number
}

/**
 * Runs `attempt` until it comes to an end that repeating cannot change: a request that did not reach the host is sent
 * again; one whose connection broke before the answer, only if it reads; one that the host was too busy for, unless it
 * must not be done twice.
 */
export async function repeat<T>(
  safety: Safety,
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
  attempt: () => Promise<T>,
): Promise<T> {
  const { retries = RETRIES_MAX } = policy
  for (let retry = 0; ; retry++) {
    try {
      return await attempt()
    } catch (error) {
      if (retry >= retries || !mayRepeat(error, safety)) throw error
    }
    await pauseBefore(retry, policy, signal)
  }
}

/** Whether the connection broke, so that what was asked for is as unknown as before. */
export function isLost(error: unknown): boolean {
  return error instanceof TransportError && error.kind === 'lost'
}

/** Waits before the repetition of this number. Half of the pause is chance, lest many clients come back at once. */
export async function pauseBefore(retry: number, policy: RetryPolicy, signal: AbortSignal | undefined): Promise<void> {
  const longest = Math.min((policy.pauseMs ?? RETRY_PAUSE_MS) * 2 ** retry, RETRY_PAUSE_MS_MAX)
  try {
    await pause((longest * (1 + Math.random())) / 2, undefined, signal && { signal })
  } catch (error) {
    throw new TransportError('aborted', 'aborted while waiting to ask again', { wasSent: false, cause: error })
  }
}

function mayRepeat(error: unknown, safety: Safety): boolean {
  if (error instanceof WsmanFault) return error.kind === 'quota' && safety !== 'once'
  if (!(error instanceof TransportError) || error.kind !== 'lost') return false
  return !error.wasSent || safety === 'read'
}
