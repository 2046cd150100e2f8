import { DriverError, type Screenshot } from '../driver.ts'

/** The longest that the text before the pixels may be. */
const HEAD_BYTES_MAX = 32

/**
 * Reads a picture as QEMU writes it. Throws DriverError as `refused` where it is none, or one that was cut off.
 * Source: Netpbm, ppm(5); QEMU ui/console.c, ppm_save: `P6`, width and height, 255, a byte for each colour of a pixel.
 */
export function parsePpm(file: Uint8Array): Screenshot {
  const head = Buffer.from(file.subarray(0, HEAD_BYTES_MAX)).toString('latin1')
  const [text, width, height] = /^P6\n([1-9]\d{0,4}) ([1-9]\d{0,4})\n255\n/.exec(head)?.map(String) ?? []
  if (text === undefined) throw new DriverError('refused', 'QEMU has written no picture')
  const size = { width: Number(width), height: Number(height) }
  const pixels = file.subarray(text.length)
  const due = size.width * size.height * 3
  if (pixels.length !== due) {
    throw new DriverError('refused', `QEMU has written ${pixels.length} bytes of a picture that has ${due}`)
  }
  return { ...size, pixels }
}
