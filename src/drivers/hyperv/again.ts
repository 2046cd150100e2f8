import { setTimeout as pause } from 'node:timers/promises'
import { TransportError, WsmanFault } from '../../protocols/wsman/index.ts'

/** How many lost answers in a row are put up with. */
export const LOST_MAX = 3
/** How long a change is waited for that a host refuses to make a second time. */
const COMING_MS_MAX = 3_000
const COMING_PAUSE_MS = 100

/** Whether the connection broke before an answer came. */
const isCut = (error: unknown): boolean => error instanceof TransportError && error.kind === 'lost'

/** Whether an answer is missing, so that nobody knows what the host did: it was lost, or did not come in time. */
export function isLost(error: unknown): boolean {
  if (error instanceof WsmanFault) return error.kind === 'timed-out'
  return error instanceof TransportError && (error.kind === 'lost' || error.kind === 'timed-out')
}

/**
 * Calls what leads to the same however often it is called until its answer arrives: the client cannot know that it does. A
 * host that did not answer in time is asked once more only, for it may take as long again.
 */
export async function untilAnswered<T>(call: () => Promise<T>): Promise<T> {
  for (let left = LOST_MAX; ; left--) {
    try {
      return await call()
    } catch (error) {
      if (left <= 0 || !isLost(error)) throw error
      if (!isCut(error)) left = 1
    }
  }
}

/**
 * Calls what changes something until its answer arrives, or the change is there; of a call that may come twice. A host that
 * is still at what it was told first, or was done with it by the time it was told again, may refuse: what counts is whether
 * the change comes.
 */
export async function untilDone(call: () => Promise<void>, isDone: () => Promise<boolean>): Promise<void> {
  let wasLost = false
  for (let left = LOST_MAX; ; left--) {
    try {
      return await call()
    } catch (error) {
      if (isLost(error) ? await isDone() : wasLost && (await comes(isDone))) return
      if (!isLost(error) || left === 0) throw error
      wasLost = true
    }
  }
}

async function comes(isDone: () => Promise<boolean>): Promise<boolean> {
  for (const end = performance.now() + COMING_MS_MAX; ; await pause(COMING_PAUSE_MS)) {
    if (await isDone()) return true
    if (performance.now() > end) return false
  }
}
