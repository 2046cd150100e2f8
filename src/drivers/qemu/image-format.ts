import { parse } from 'node:path'
import type { ImageFormat } from '../driver.ts'

/**
 * What the ending of a file says of its format. Raw images are never probed: what a guest writes to its disk must not
 * make another format of it.
 */
const BY_ENDING: Readonly<Record<string, ImageFormat>> = {
  '.qcow2': 'qcow2',
  '.raw': 'raw',
  '.img': 'raw',
  '.iso': 'raw',
}
/** The formats that images are made in. */
export const FORMATS: readonly ImageFormat[] = ['qcow2', 'raw']
/** Files of this ending are images of CDs: nobody writes to them. */
export const CD_ENDING = '.iso'

/** The format that a file's ending stands for; undefined for a file that is no image, or hidden. */
export function formatOf(location: string): ImageFormat | undefined {
  const { base, ext } = parse(location)
  return base.startsWith('.') ? undefined : BY_ENDING[ext]
}

/** The endings of images. */
export const ENDINGS = Object.keys(BY_ENDING)
