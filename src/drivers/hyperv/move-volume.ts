import { DriverError, type OperationOptions, type Volume } from '../driver.ts'
import { untilDone } from './again.ts'
import { assertChildless, assertUnused, sayIfInUse, useOf } from './image-use.ts'
import { assertGoing, discard, lockOf, make } from './new-volume.ts'
import type { NewImage, StorageBackEnd } from './storage-back-end.ts'
import type { StorageParts } from './storage-parts.ts'
import { takeBack } from './undo.ts'
import { assertFree, type Found, findVolume } from './volumes.ts'
import { baseOf, demandPath, driveOf, folderOf, isSamePath, pathIn, pathKey } from './windows-path.ts'

/**
 * Moves an image to another folder under the name of its file; see `StorageOps.moveVolume`. Within a drive it gets
 * another path; to another one it is copied, and deleted when that is done.
 */
export async function moveVolume(
  parts: StorageParts,
  location: string,
  folder: string,
  options: OperationOptions = {},
): Promise<Volume> {
  const { storage, locks } = parts
  const to = demandPath(folder)
  const found = await findVolume(storage, location)
  const from = found.volume.location
  if (isSamePath(folderOf(from), to)) return found.volume
  const target = pathIn(to, baseOf(from))
  return locks.run(lockOf(target), async () => {
    const [use, isThere] = await Promise.all([
      useOf(storage, parts.machines, found),
      storage.hasFolder(to),
      assertFree(storage, demandPath(target)),
    ])
    if (!isThere) throw new DriverError('refused', `the host has no folder ${to}`)
    assertUnused(use, location)
    assertChildless(use, location)
    assertGoing(options, `the move of ${location}`)
    const isNear = pathKey(driveOf(from)) === pathKey(driveOf(to))
    await (isNear ? renameFile(storage, from, target) : copyOver(parts, found, target, options))
    return tellMoved(storage, found, target)
  })
}

/** Where a host does not tell of what it has just moved, the volume is at its new place what it was at the old one. */
async function tellMoved(storage: StorageBackEnd, found: Found, target: string): Promise<Volume> {
  try {
    return (await findVolume(storage, target, async () => found.attachments)).volume
  } catch {
    return { ...found.volume, location: target }
  }
}

function renameFile(storage: StorageBackEnd, from: string, target: string): Promise<void> {
  const hasMoved = async () => {
    const [before, after] = await Promise.all([storage.file(from), storage.file(target)])
    return before === undefined && after !== undefined
  }
  return sayIfInUse(storage, from, () => untilDone(() => storage.moveFile(from, target), hasMoved))
}

async function copyOver(parts: StorageParts, found: Found, target: string, options: OperationOptions): Promise<void> {
  const { storage } = parts
  const { location, format, virtualBytes } = found.volume
  if (format === 'raw' || found.facts === undefined) return copyMedium(storage, location, target, options)
  if (format === 'qcow2' || found.facts.kind === 'differencing') {
    throw new DriverError('refused', `${location} holds the changes of ${found.facts.parent}, and stays on its drive`)
  }
  const copy: NewImage = { path: target, format, kind: found.facts.kind, id: crypto.randomUUID() }
  const convert = () => storage.convertImage(location, copy, options)
  await make(parts, copy, virtualBytes, () => sayIfInUse(storage, location, convert), options)
  await giveUp(storage, location, () => discard(parts, copy, true), target)
}

async function copyMedium(storage: StorageBackEnd, from: string, target: string, options: OperationOptions) {
  const undo = async () => {
    if ((await storage.file(target)) !== undefined) await storage.deleteFile(target)
  }
  try {
    await storage.copyFile(from, target, options)
  } catch (error) {
    await takeBack(undo, error, `${target} may be there, half-made`)
    throw error
  }
  await giveUp(storage, from, undo, target)
}

/** Deletes what was copied; where that fails, the copy. */
async function giveUp(storage: StorageBackEnd, from: string, undo: () => Promise<void>, target: string): Promise<void> {
  try {
    await deleteFile(storage, from)
  } catch (error) {
    await takeBack(undo, error, `${target} remains beside it`)
    throw error
  }
}

/** Deletes a file whose answer may be lost. */
export function deleteFile(storage: StorageBackEnd, path: string): Promise<void> {
  return untilDone(
    () => storage.deleteFile(path),
    async () => (await storage.file(path)) === undefined,
  )
}
