import { type DiskImage, ImageError, type ImageSpec, type NewGuid } from './disk-image.ts'
import { ImageHandle, type Opening } from './image-handle.ts'
import { makeVhd, openVhd } from './vhd-image.ts'
import { isVhdx } from './vhdx-format.ts'
import { makeVhdx, openVhdx } from './vhdx-image.ts'

const START_BYTES = 8

/** Opens the image in a file, of either format. Rejects with ImageError where it is none, and as the system does. */
export async function openImage(file: string, opening: Exclude<Opening, 'new'>, newGuid: NewGuid): Promise<DiskImage> {
  const handle = await ImageHandle.open(file, opening)
  try {
    const bytes = await handle.bytes()
    if (bytes < START_BYTES) throw new ImageError('the file is too short for a virtual hard disk')
    const start = await handle.read(0, START_BYTES)
    return isVhdx(start) ? await openVhdx(handle, newGuid) : await openVhd(handle)
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** Makes an image in a file that is not there yet, and opens it. Rejects as the system does. */
export async function makeImage(file: string, spec: ImageSpec, newGuid: NewGuid): Promise<DiskImage> {
  const handle = await ImageHandle.open(file, 'new')
  try {
    if (spec.format === 'vhdx') await makeVhdx(handle, spec, newGuid)
    else await makeVhd(handle, spec)
    return spec.format === 'vhdx' ? await openVhdx(handle, newGuid) : await openVhd(handle)
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** Opens an image, works with it, and closes it. */
export async function withImage<T>(image: Promise<DiskImage>, work: (image: DiskImage) => Promise<T>): Promise<T> {
  const open = await image
  try {
    return await work(open)
  } finally {
    await open.close()
  }
}
