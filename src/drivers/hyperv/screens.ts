import { WsmanFault } from '../../protocols/wsman/index.ts'
import { DriverError, type ScreenOps, type Screenshot } from '../driver.ts'
import { untilAnswered } from './again.ts'
import type { Directory, Entry } from './directory.ts'
import type { Gate } from './gate.ts'
import { pressHeld } from './key-presses.ts'
import type { Locks } from './locks.ts'
import type { ScreenBackEnd, Size } from './screen-back-end.ts'
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

/**
 * How many pixels are asked for at once: two bytes each, which become three quarters more in an envelope, of which a host
 * makes no larger ones than the client takes.
 */
const PIXELS_MAX = 180_000
/** A host that gives less than this at once gives no pictures. */
const PIXELS_MIN = 2_048
/** What is asked for where a host tells of no screen: it scales whatever there is. */
const SIZE: Size = { width: 640, height: 480 }

/** Pictures are as large as the screen, or as large as fits into one answer of the host. */
export function screenOps(parts: ScreenParts, gate: Gate): ScreenOps {
  const { screens, directory, locks } = parts
  const camera = new Camera(screens)
  return {
    screenshot: id =>
      gate.pass(async () => {
        const entry = await directory.get(id)
        assertState(entry, 'look at', ['running', 'paused'])
        return camera.look(entry)
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

/** Looks at machines, and learns how large a picture a host gives. */
class Camera {
  readonly #screens: ScreenBackEnd
  #pixelsMax = PIXELS_MAX

  constructor(screens: ScreenBackEnd) {
    this.#screens = screens
  }

  async look({ machine: { guid } }: Entry): Promise<Screenshot> {
    const size = (await this.#screens.screenSize(guid)) ?? SIZE
    for (;;) {
      const scaled = fitting(size, this.#pixelsMax)
      try {
        const picture = await untilAnswered(() => this.#screens.picture(guid, scaled))
        return { ...scaled, pixels: toRgb(picture) }
      } catch (error) {
        if (!isTooLarge(error) || this.#pixelsMax <= PIXELS_MIN) throw error
        this.#pixelsMax = Math.floor(this.#pixelsMax / 2)
      }
    }
  }
}

const isTooLarge = (error: unknown): boolean => error instanceof WsmanFault && error.kind === 'too-large'

/** A size with no more pixels than `pixelsMax`, and the same aspect. */
function fitting({ width, height }: Size, pixelsMax: number): Size {
  const scale = Math.min(1, Math.sqrt(pixelsMax / (width * height)))
  return { width: Math.max(1, Math.floor(width * scale)), height: Math.max(1, Math.floor(height * scale)) }
}

/** A byte for each of red, green and blue, of five, six and five bits; the brightest is the brightest still. */
function toRgb(picture: Uint8Array): Uint8Array {
  const view = new DataView(picture.buffer, picture.byteOffset, picture.byteLength)
  const pixels = new Uint8Array((picture.byteLength / 2) * 3)
  for (let from = 0, to = 0; from < picture.byteLength; from += 2, to += 3) {
    const pixel = view.getUint16(from, true)
    const [red, green, blue] = [pixel >> 11, (pixel >> 5) & 0x3f, pixel & 0x1f]
    pixels[to] = (red << 3) | (red >> 2)
    pixels[to + 1] = (green << 2) | (green >> 4)
    pixels[to + 2] = (blue << 3) | (blue >> 2)
  }
  return pixels
}

function assertHoldable(count: number, holdMs: number): void {
  if (count > KEYS_MAX) throw new DriverError('refused', `no more than ${KEYS_MAX} keys are held at once`)
  if (holdMs >= 0 && holdMs <= HOLD_MS_MAX) return
  throw new DriverError('refused', `keys are held from 0 to ${HOLD_MS_MAX} ms, not ${holdMs}`)
}
