import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { type BigIntStats, lstatSync, unlinkSync } from 'node:fs'
import { link, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { DriverError, type Volume } from '../driver.ts'
import { syncFolder, systemCode } from './files.ts'
import { keysOf } from './images.ts'
import { CHILD_ENVIRONMENT } from './installation.ts'
import type { Inventory } from './inventory.ts'
import { assertFree, inUse, nameTaken, readImage } from './volume.ts'

/** How long a copy to another file system may take. */
const COPY_MS = 6 * 3_600_000

/**
 * Moves an image to another folder under the name of its file; see `StorageOps.moveVolume`. Within a file system the
 * file gets its second name before it loses the first; elsewhere it is copied, sparse as it is.
 */
export async function moveVolume(
  inventory: Inventory,
  location: string,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<Volume> {
  const { volume } = await readImage(location)
  assertUnused(inventory, location)
  if (signal?.aborted === true) throw new DriverError('refused', `the move of ${location} was aborted`)
  const target = join(folder, basename(location))
  if (target === location) return volume
  await assertFree(folder, volume.name)
  const before = lookAt(location)
  await linkOrCopy(location, target, signal)
  try {
    // From the last question to the deletion in one go: no start can come in between.
    assertUnused(inventory, location)
    if (hasChanged(before, lookAt(location)))
      throw new DriverError('bad-state', `${location} changed while it was moved`)
    unlinkSync(location)
  } catch (error) {
    await rm(target, { force: true })
    throw error
  }
  await syncFolder(folder)
  await syncFolder(dirname(location))
  return (await readImage(target)).volume
}

function assertUnused(inventory: Inventory, location: string): void {
  for (const key of keysOf([location])) if (inventory.isInUse(key)) throw inUse(location)
}

const lookAt = (location: string): BigIntStats => lstatSync(location, { bigint: true })

const hasChanged = (before: BigIntStats, after: BigIntStats): boolean =>
  before.ino !== after.ino || before.mtimeNs !== after.mtimeNs || before.size !== after.size

async function linkOrCopy(location: string, target: string, signal: AbortSignal | undefined): Promise<void> {
  const partial = join(dirname(target), `.${randomUUID()}.partial`)
  try {
    const isLinked = await tryToLink(location, partial)
    if (!isLinked) await copy(location, partial, signal)
    await link(partial, target)
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw nameTaken(basename(target), { cause: error })
    throw error
  } finally {
    await rm(partial, { force: true })
  }
}

/** Whether that went; not from one file system to another. */
async function tryToLink(location: string, target: string): Promise<boolean> {
  try {
    await link(location, target)
    return true
  } catch (error) {
    if (systemCode(error) === 'EXDEV') return false
    throw error
  }
}

const execute = promisify(execFile)

/** By `cp`, which keeps holes and shares blocks where the file system can; Node's own copy does not keep them. */
async function copy(location: string, target: string, signal: AbortSignal | undefined): Promise<void> {
  const options = { env: CHILD_ENVIRONMENT, timeout: COPY_MS, ...(signal && { signal }) }
  try {
    await execute('cp', ['--sparse=always', '--reflink=auto', '--preserve=mode', '--', location, target], options)
    await execute('sync', ['--', target], options)
  } catch (error) {
    throw new DriverError('refused', `the copy of ${location} failed: ${String(error)}`, { cause: error })
  }
}
