import { WsmanFault } from '../../protocols/wsman/index.ts'
import type { Screenshot } from '../driver.ts'
import { untilAnswered } from './again.ts'
import type { ScreenBackEnd, Size } from './screen-back-end.ts'

/**
 * How many pixels are asked for at once: two bytes each, which become a third more in an envelope, and a host makes none
 * that is larger than the client takes.
 */
const PIXELS_MAX = 180_000
/** A host that gives less than this at once gives no pictures. */
const PIXELS_MIN = 2_048
/** What is asked for where a host tells of no screen: it scales whatever there is. */
const SIZE: Size = { width: 640, height: 480 }

/** Looks at machines, and learns how large a picture a host gives. */
export class Camera {
  readonly #screens: ScreenBackEnd
  #pixelsMax = PIXELS_MAX

  constructor(screens: ScreenBackEnd) {
    this.#screens = screens
  }

  async look(guid: string): Promise<Screenshot> {
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
