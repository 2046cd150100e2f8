import { TransportError } from '../../protocols/wsman/index.ts'

/** How many lost answers in a row are put up with. */
const LOST_MAX = 3

/** Whether an answer was lost, so that nobody knows what the host did. */
export const isLost = (error: unknown): boolean => error instanceof TransportError && error.kind === 'lost'

/** Calls what leads to the same however often it is called until its answer arrives: the client cannot know that it does. */
export async function untilAnswered<T>(call: () => Promise<T>): Promise<T> {
  for (let left = LOST_MAX; ; left--) {
    try {
      return await call()
    } catch (error) {
      if (left === 0 || !isLost(error)) throw error
    }
  }
}
