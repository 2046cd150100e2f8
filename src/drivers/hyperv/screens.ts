import { DriverError, type ScreenOps } from '../driver.ts'
import { Camera } from './camera.ts'
import type { Directory } from './directory.ts'
import type { Gate } from './gate.ts'
import { pressHeld } from './key-presses.ts'
import type { Locks } from './locks.ts'
import type { ScreenBackEnd } from './screen-back-end.ts'
import { assertState } from './states.ts'
import { virtualKeysOf } from './virtual-keys.ts'

/** What the group needs of a connection. */
export interface ScreenParts {
  readonly screens: ScreenBackEnd
  readonly directory: Directory
  readonly locks: Locks
}

/** How many keys are held at once. */
const KEYS_MAX = 16
/** The longest that they are held. */
const HOLD_MS_MAX = 60_000

/** Pictures are as large as the screen, or as large as fits into one answer of the host. */
export function screenOps(parts: ScreenParts, gate: Gate): ScreenOps {
  const { screens, directory, locks } = parts
  const camera = new Camera(screens)
  return {
    screenshot: id =>
      gate.pass(async () => {
        const entry = await directory.get(id)
        assertState(entry, 'look at', ['running', 'paused'])
        return camera.look(entry.machine.guid)
      }),

    pressKeys(id, keys, holdMs) {
      const wanted = [...keys]
      return gate.pass(() =>
        locks.run(id, async () => {
          const entry = await directory.get(id)
          assertState(entry, 'press keys of', ['running'])
          const codes = virtualKeysOf(wanted)
          assertHoldable(wanted.length, holdMs)
          const keyboard = await screens.keyboard(entry.machine.guid)
          if (keyboard === undefined) throw new DriverError('refused', `${entry.machine.name} has no keyboard now`)
          await pressHeld(keyboard, codes, holdMs)
        }),
      )
    },
  }
}

function assertHoldable(count: number, holdMs: number): void {
  if (count > KEYS_MAX) throw new DriverError('refused', `no more than ${KEYS_MAX} keys are held at once`)
  if (holdMs >= 0 && holdMs <= HOLD_MS_MAX) return
  throw new DriverError('refused', `keys are held from 0 to ${HOLD_MS_MAX} ms, not ${holdMs}`)
}
