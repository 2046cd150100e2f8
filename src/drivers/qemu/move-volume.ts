import { type BigIntStats, lstatSync, unlinkSync } from 'node:fs'
import { link, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { DriverError, type OperationOptions, type Volume } from '../driver.ts'
import { copyFile } from './copy-file.ts'
import { syncFolder, systemCode } from './files.ts'
import { assertHoldsNoSnapshots } from './held-snapshots.ts'
import { keysOf } from './images.ts'
import type { Inventory } from './inventory.ts'
import { assertClosed } from './open-images.ts'
import type { StorageTools } from './storage-tools.ts'
import { assertFree, type Image, inUse, nameTaken, readImage } from './volume.ts'

/**
 * Moves an image to another folder under the name of its file; see `StorageOps.moveVolume`. Within a file system the
 * file gets its second name before it loses the first; elsewhere it is copied, sparse as it is. An overlay leaves its
 * bases to others, and arrives complete.
 */
export async function moveVolume(
  tools: StorageTools,
  location: string,
  folder: string,
  options: OperationOptions = {},
): Promise<Volume> {
  const { folders, inventory } = tools
  // Whatever an earlier clone left half-done is mended first.
  await readImage(location)
  await folders.inOrder(dirname(location), async () => undefined)
  const image = await readImage(location)
  assertUnused(inventory, location)
  if (options.signal?.aborted === true) throw new DriverError('refused', `the move of ${location} was aborted`)
  const target = join(folder, basename(location))
  if (target === location) return image.volume
  await assertFree(folder, image.volume.name)
  const before = lookAt(location)
  await folders.partials.with(folder, async partial => {
    await linkOrCopy(tools, image, partial, options)
    await folders.inOrder(folder, () => nameIt(partial, target, image.volume.name))
  })
  await folders.inOrder(dirname(location), async () => {
    await giveUp(inventory, location, { target, before })
    await syncFolder(folder)
    await syncFolder(dirname(location))
    if (image.backing !== undefined) await folders.mend(dirname(location))
  })
  return (await readImage(target)).volume
}

function assertUnused(inventory: Inventory, location: string): void {
  for (const key of keysOf([location])) {
    assertClosed(key, location)
    if (inventory.isInUse(key)) throw inUse(location)
    assertHoldsNoSnapshots(inventory, key, location)
  }
}

const lookAt = (location: string): BigIntStats => lstatSync(location, { bigint: true })

const hasChanged = (before: BigIntStats, after: BigIntStats): boolean =>
  before.ino !== after.ino || before.mtimeNs !== after.mtimeNs || before.size !== after.size

async function linkOrCopy(
  { qemuImg }: StorageTools,
  { volume: { location }, backing }: Image,
  partial: string,
  options: OperationOptions,
): Promise<void> {
  if (backing !== undefined) return qemuImg.flatten(location, partial, options)
  try {
    await link(location, partial)
  } catch (error) {
    // From one file system to another.
    if (systemCode(error) !== 'EXDEV') throw error
    await copyFile(location, partial, options)
  }
}

async function nameIt(partial: string, target: string, name: string): Promise<void> {
  await assertFree(dirname(target), name)
  try {
    await link(partial, target)
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw nameTaken(basename(target), { cause: error })
    throw error
  }
}

interface Arrival {
  readonly target: string
  readonly before: BigIntStats
}

/** Deletes what was moved, or what arrived if it changed meanwhile. */
async function giveUp(inventory: Inventory, location: string, { target, before }: Arrival): Promise<void> {
  try {
    // From the last question to the deletion in one go: no start can come in between.
    assertUnused(inventory, location)
    if (hasChanged(before, lookAt(location))) {
      throw new DriverError('bad-state', `${location} changed while it was moved`)
    }
    unlinkSync(location)
  } catch (error) {
    await rm(target, { force: true })
    throw error
  }
}
