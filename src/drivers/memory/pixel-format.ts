import type { Colour } from './screen.ts'

/** How pixels are written: the 16 bytes that RFB says it with. Source: RFC 6143, §7.4. */
export interface PixelFormat {
  readonly bytesPerPixel: 1 | 2 | 4
  readonly isBigEndian: boolean
  /** For red, green and blue: the largest value, and how far left it is. */
  readonly channels: readonly (readonly [max: number, shift: number])[]
}

export const PIXEL_FORMAT_BYTES = 16
const BITS_MAX = 32
const SHADE_MAX = 255

/** 32 bits for each pixel, blue first. */
export const PLAIN_FORMAT: PixelFormat = {
  bytesPerPixel: 4,
  isBigEndian: false,
  channels: [
    [SHADE_MAX, 16],
    [SHADE_MAX, 8],
    [SHADE_MAX, 0],
  ],
}

export function encodeFormat({ bytesPerPixel, isBigEndian, channels }: PixelFormat): Buffer {
  const bytes = Buffer.alloc(PIXEL_FORMAT_BYTES)
  bytes.set([bytesPerPixel * 8, 24, Number(isBigEndian), 1])
  for (const [index, [max, shift]] of channels.entries()) {
    bytes.writeUInt16BE(max, 4 + 2 * index)
    bytes.writeUInt8(shift, 10 + index)
  }
  return bytes
}

/** `null` for a format that no pixel can be written in, or that goes through a map of colours. */
export function decodeFormat(bytes: Buffer): PixelFormat | null {
  const bits = bytes.readUInt8(0)
  const channels = [0, 1, 2].map(index => [bytes.readUInt16BE(4 + 2 * index), bytes.readUInt8(10 + index)] as const)
  const isTrueColour = bytes.readUInt8(3) !== 0
  if ((bits !== 8 && bits !== 16 && bits !== BITS_MAX) || !isTrueColour) return null
  if (channels.some(([max, shift]) => shift >= bits || max * 2 ** shift >= 2 ** bits)) return null
  const bytesPerPixel = bits === 8 ? 1 : bits === 16 ? 2 : 4
  return { bytesPerPixel, isBigEndian: bytes.readUInt8(2) !== 0, channels }
}

/** Writes one pixel and says where the next one goes. */
export function writePixel(format: PixelFormat, colour: Colour, to: Buffer, offset: number): number {
  let value = 0
  for (const [index, [max, shift]] of format.channels.entries()) {
    value += Math.round(((colour[index] ?? 0) * max) / SHADE_MAX) * 2 ** shift
  }
  const { bytesPerPixel, isBigEndian } = format
  return isBigEndian ? to.writeUIntBE(value, offset, bytesPerPixel) : to.writeUIntLE(value, offset, bytesPerPixel)
}
