import { DriverError, type ScreenOps, type Screenshot } from '../driver.ts'
import type { Connection } from './connection.ts'
import type { Guest } from './guest.ts'
import type { MemoryHost } from './host.ts'
import { guestOf } from './life.ts'
import { Screen } from './screen.ts'

/** How many keys are held at once. */
const KEYS_MAX = 16
const HOLD_MS_MAX = 60_000

/** Codes of Linux's input events. Source: linux/input-event-codes.h. */
const KEY = { leftCtrl: 29, rightCtrl: 97, leftAlt: 56, rightAlt: 100, delete: 111, power: 116 } as const
/** From KEY_ESC to KEY_F12, and from KEY_KPENTER to KEY_COMPOSE: what a keyboard with 105 keys has, and a power key. */
const RANGES = [
  [1, 88],
  [96, 127],
] as const

/** The screens and keyboards of a memory host. */
export function screenOps(host: MemoryHost, connection: Connection): ScreenOps {
  return {
    screenshot: id =>
      connection.call('screens.screenshot', () =>
        pictureOf(guestOf(host.domain(id), 'look at', ['running', 'paused'])),
      ),

    pressKeys(id, keys, holdMs) {
      const pressed = [...keys]
      const effect = () => {
        const guest = guestOf(host.domain(id), 'press keys of', ['running'])
        assertKeys(pressed, holdMs)
        press(guest, new Set(pressed))
      }
      return connection.call('screens.pressKeys', effect, { takesMs: isHoldable(holdMs) ? holdMs : 0 })
    },
  }
}

function pictureOf(guest: Guest): Screenshot {
  const screen = new Screen(guest)
  const { width, height } = screen
  const pixels = new Uint8Array(width * height * 3)
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 3) pixels.set(screen.colour(x, y), at)
  }
  return { width, height, pixels }
}

const isHoldable = (holdMs: number): boolean => holdMs >= 0 && holdMs <= HOLD_MS_MAX

function assertKeys(keys: readonly number[], holdMs: number): void {
  const missing = keys.find(
    key => !RANGES.some(([first, last]) => Number.isInteger(key) && key >= first && key <= last),
  )
  if (missing !== undefined) throw new DriverError('refused', `the guest has no key ${missing}`)
  if (keys.length > KEYS_MAX) throw new DriverError('refused', `no more than ${KEYS_MAX} keys are held at once`)
  if (!isHoldable(holdMs)) {
    throw new DriverError('refused', `keys are held from 0 to ${HOLD_MS_MAX} ms, not ${holdMs}`)
  }
}

/** Guests obey the power key, and Ctrl, Alt and Delete together; all else they ignore. */
function press(guest: Guest, keys: ReadonlySet<number>): void {
  if (keys.has(KEY.power)) guest.requestShutdown()
  const isCtrl = keys.has(KEY.leftCtrl) || keys.has(KEY.rightCtrl)
  const isAlt = keys.has(KEY.leftAlt) || keys.has(KEY.rightAlt)
  if (isCtrl && isAlt && keys.has(KEY.delete)) guest.type('r')
}
