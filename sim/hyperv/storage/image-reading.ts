import type { Host } from '../host/host.ts'
import { chainOf, demandFile, isInSavedState, isInUse, openEntry, parentEntry, shapeIn } from './chain.ts'
import type { ImageShape } from './disk-image.ts'
import { withImage } from './open-image.ts'
import { translated } from './trouble.ts'

/** What a host tells of an image. */
export interface ImageInfo {
  /** As it is spelled on the disk. */
  readonly path: string
  readonly shape: ImageShape
  readonly fileBytes: number
  /** Milliseconds since 1970. */
  readonly modifiedAt: number
  /** Where its parent was found, or was told to be; undefined where it has none. */
  readonly parentPath?: string
}

/** Reads what an image is like. Rejects with OperationError. */
export async function imageInfo(host: Host, path: string): Promise<ImageInfo> {
  const entry = demandFile(host, path, 'open')
  const shape = await shapeIn(host, entry, 'open')
  const { parent } = shape
  return {
    path: entry.path,
    shape,
    fileBytes: entry.bytes,
    modifiedAt: entry.modifiedAt,
    ...(parent === undefined ? {} : { parentPath: parentEntry(host, entry, parent)?.path ?? parent.path }),
  }
}

/** Whether somebody has an image open, and whether a saved machine needs it. Rejects with OperationError. */
export async function imageUse(
  host: Host,
  path: string,
): Promise<{ readonly isInUse: boolean; readonly isInSavedState: boolean }> {
  demandFile(host, path, 'open')
  return { isInUse: await isInUse(host, path), isInSavedState: await isInSavedState(host, path) }
}

/**
 * Holds an image and all that it is made of against the format, and against each other. Rejects with OperationError
 * where something is wrong.
 */
export async function validateImage(host: Host, path: string): Promise<void> {
  for (const { entry } of await chainOf(host, path, 'validate')) {
    await withImage(openEntry(host, entry, 'read', 'validate'), async image => {
      try {
        await image.verify()
      } catch (error) {
        throw translated(host, 'validate', entry.path, error)
      }
    })
  }
}
