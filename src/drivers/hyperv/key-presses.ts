import { setTimeout as pause } from 'node:timers/promises'
import { DriverError } from '../driver.ts'
import { isLost, untilAnswered } from './again.ts'
import type { Keyboard } from './screen-back-end.ts'

/**
 * Presses keys, one after another, holds them, and lets go of all. Whatever fails, what was pressed is let go of, or the
 * error names it.
 */
export async function pressHeld(keyboard: Keyboard, keys: readonly number[], holdMs: number): Promise<void> {
  const pressed: number[] = []
  let failure: unknown
  try {
    for (const key of keys) {
      // Before it is known to be: a press whose answer does not come may be one.
      pressed.push(key)
      await press(keyboard, key)
    }
    if (pressed.length > 0) await pause(holdMs)
  } catch (error) {
    failure = error
  }
  const { held, cause } = await releaseAll(keyboard, pressed)
  if (held.length > 0) {
    throw new DriverError('refused', `keys remain pressed (${held.join(', ')}): ${textOf(failure ?? cause)}`, {
      cause: failure ?? cause,
    })
  }
  if (failure !== undefined) throw failure
}

/** Pressed twice, a key is typed twice: where the answer is lost, it is looked at. */
async function press(keyboard: Keyboard, key: number): Promise<void> {
  try {
    await keyboard.press(key)
  } catch (error) {
    if (!isLost(error)) throw error
    if (!(await untilAnswered(() => keyboard.isPressed(key)))) await keyboard.press(key)
  }
}

/** Lets go of keys, the last first; gives those that it could not let go of. */
async function releaseAll(keyboard: Keyboard, keys: readonly number[]) {
  const held: number[] = []
  let cause: unknown
  for (const key of keys.toReversed()) {
    try {
      await untilAnswered(() => keyboard.release(key))
    } catch (error) {
      held.push(key)
      cause = error
    }
  }
  return { held, cause }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
