import { DriverError } from '../driver.ts'
import type { ImageKey } from './images.ts'

/** How the file of an image is open. */
export type OpenMode = 'read' | 'write'

/** How often each image is open to be read; 0 where it is open to be written. Files are this machine's, not a connection's. */
const open = new Map<ImageKey, number>()

/** Whether this process has the file of an image open for somebody who reads or writes it. */
export const isOpen = (image: ImageKey): boolean => open.has(image)

/** Throws as `bad-state` where the file of an image is being read or written. */
export function assertClosed(image: ImageKey, location: string): void {
  if (isOpen(image)) throw new DriverError('bad-state', `the file ${location} is being read or written`)
}

/** Notes that the file of an image is open, until what is answered is called. Throws as `bad-state`. */
export function noteOpen(image: ImageKey, location: string, mode: OpenMode): () => void {
  const readers = open.get(image) ?? 0
  if (mode === 'write' || readers === 0) assertClosed(image, location)
  open.set(image, mode === 'write' ? 0 : readers + 1)
  return () => {
    const left = (open.get(image) ?? 0) - 1
    if (left > 0) open.set(image, left)
    else open.delete(image)
  }
}
