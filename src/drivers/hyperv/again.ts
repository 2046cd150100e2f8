import { TransportError, WsmanFault } from '../../protocols/wsman/index.ts'

/** How many lost answers in a row are put up with. */
export const LOST_MAX = 3

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

/** Calls what changes something until its answer arrives, or the change is there; of a call that may come twice. */
export async function untilDone(call: () => Promise<void>, isDone: () => Promise<boolean>): Promise<void> {
  for (let left = LOST_MAX; ; left--) {
    try {
      return await call()
    } catch (error) {
      if (!isLost(error)) throw error
      if (await isDone()) return
      if (left === 0) throw error
    }
  }
}
