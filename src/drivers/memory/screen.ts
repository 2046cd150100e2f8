import type { Guest } from './guest.ts'

/** A colour of 8 bits for each of red, green and blue. */
export type Colour = readonly [number, number, number]

/** A part of a screen, in pixels. */
export interface Area {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

const WIDTH = 160
const HEIGHT = 120
const FRAME_MS = 100
const BAR_PIXELS = 8
const SHADES = 256

/** What the display of a guest shows: a field of colours, and a bar that moves over it while the guest runs. */
export class Screen {
  readonly width = WIDTH
  readonly height = HEIGHT
  readonly #guest: Guest

  constructor(guest: Guest) {
    this.#guest = guest
  }

  /** A number that changes when the picture does. */
  get frame(): number {
    return Math.floor(this.#guest.lifeMs / FRAME_MS)
  }

  colour(x: number, y: number): Colour {
    const distance = (x - this.frame) % WIDTH
    if ((distance + WIDTH) % WIDTH < BAR_PIXELS) return [SHADES - 1, SHADES - 1, SHADES - 1]
    return [Math.floor((x * SHADES) / WIDTH), Math.floor((y * SHADES) / HEIGHT), SHADES / 2]
  }

  /** What of `area` lies on the screen. */
  clip({ x, y, width, height }: Area): Area {
    return {
      x: Math.min(x, WIDTH),
      y: Math.min(y, HEIGHT),
      width: Math.max(0, Math.min(width, WIDTH - x)),
      height: Math.max(0, Math.min(height, HEIGHT - y)),
    }
  }
}
