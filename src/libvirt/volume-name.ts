import type { ImageFormat, VolumeEnding } from '../drivers/driver.ts'
import type { VolumeDescription } from './xml/storage-volume.ts'

/** Which formats the endings of files stand for. */
const ENDINGS: Readonly<Record<string, ImageFormat>> = {
  vhd: 'vhd',
  vhdx: 'vhdx',
  qcow2: 'qcow2',
  raw: 'raw',
  img: 'raw',
}

/**
 * What a driver is to call an image that is described, and its format. libvirt's name is that of the file, ending and
 * all; a driver gives files the ending of their format itself. `raw` on a host that has no raw images is whatever it
 * makes first: it is what libvirt's tools ask for where they know of no other, and such a host cannot be meant by it.
 */
export function volumeNamed(
  { name, format: wanted }: Pick<VolumeDescription, 'name' | 'format'>,
  formats: readonly ImageFormat[],
): { readonly name: string; readonly format: ImageFormat; readonly ending?: VolumeEnding } {
  const [, stem = name, ending = ''] = /^(.+)\.([^.]*)$/.exec(name) ?? []
  const said = Object.hasOwn(ENDINGS, ending.toLowerCase()) ? ENDINGS[ending.toLowerCase()] : undefined
  const [first = 'raw'] = formats
  const isHere = (format: ImageFormat) => format !== 'raw' || formats.includes('raw')
  const format = [wanted, said].find(candidate => candidate !== undefined && isHere(candidate)) ?? first
  if (said !== format) return { name, format }
  return { name: stem, format, ...(ending.toLowerCase() === 'img' && { ending: '.img' }) }
}
