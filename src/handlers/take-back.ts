/** Taking back what was done before a later step failed. */

import { DriverError } from '../drivers/driver.ts'

/** Takes one step back. */
export type Undo = () => Promise<void>

/**
 * Takes steps back, the last first. Answers the error to throw: the cause, with what remains where a step cannot be
 * taken back.
 */
export async function takeBack(cause: unknown, undos: readonly Undo[]): Promise<unknown> {
  const remains: string[] = []
  for (const undo of undos.toReversed()) {
    try {
      await undo()
    } catch (error) {
      remains.push(messageOf(error))
    }
  }
  if (remains.length === 0) return cause
  const reason = `${messageOf(cause)}; what was done before could not be taken back: ${remains.join('; ')}`
  // Whatever the kind of the cause is: an error that says no more than which host is offline would not tell of it.
  return new DriverError('refused', reason, { cause })
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
