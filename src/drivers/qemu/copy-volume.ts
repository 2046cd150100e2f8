import { type BigIntStats, lstatSync } from 'node:fs'
import { link } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DriverError, type ImageFormat, type OperationOptions, type Volume, type VolumeEnding } from '../driver.ts'
import { syncFolder, systemCode } from './files.ts'
import { assertClosed } from './open-images.ts'
import type { StorageTools } from './storage-tools.ts'
import {
  assertFormat,
  assertFree,
  assertSize,
  assertVolumeName,
  type Image,
  inUse,
  locationOf,
  nameTaken,
  readImage,
  toSectors,
} from './volume.ts'

/** What a copy is to be, and where. */
export interface CopyPlan {
  readonly folder: string
  readonly name: string
  readonly format?: ImageFormat
  readonly virtualBytes?: number
  readonly preallocation?: 'metadata'
  readonly ending?: VolumeEnding
}

/** Copies what an image shows to a new one; see `StorageOps.copyVolume`. */
export async function copyVolume(
  tools: StorageTools,
  location: string,
  { folder, name, format, virtualBytes, preallocation, ending }: CopyPlan,
  options: OperationOptions = {},
): Promise<Volume> {
  const { qemuImg, folders } = tools
  assertVolumeName(name)
  const image = await readImage(location)
  const to = { format: format ?? image.volume.format, virtualBytes: bytesOf(image.volume, virtualBytes) }
  assertFormat(to.format)
  if (to.format === 'raw' && preallocation !== undefined) throw refused('a raw image has no metadata to preallocate')
  assertUnwritten(tools, image)
  if (options.signal?.aborted === true) throw refused(`the copy of ${location} was aborted`)
  await assertFree(folder, name)
  const place = locationOf(folder, name, to.format, ending)
  const before = lookAt(location)
  await folders.partials.with(folder, async partial => {
    await qemuImg.convert(
      { path: location, format: image.volume.format },
      { path: partial, format: to.format },
      { ...options, preallocation },
    )
    if (to.virtualBytes > image.volume.virtualBytes) {
      await qemuImg.resize(partial, to.format, to.virtualBytes, { preallocation })
    }
    await folders.inOrder(folder, async () => {
      await assertFree(folder, name)
      assertUnwritten(tools, image)
      if (hasChanged(before, lookAt(location))) {
        throw new DriverError('bad-state', `${location} changed while it was copied`)
      }
      await nameIt(partial, place, name)
    })
  })
  await syncFolder(dirname(place))
  return (await readImage(place)).volume
}

const refused = (message: string) => new DriverError('refused', message)

function bytesOf(volume: Volume, virtualBytes: number | undefined): number {
  if (virtualBytes === undefined) return volume.virtualBytes
  assertSize(virtualBytes)
  if (virtualBytes >= volume.virtualBytes) return toSectors(virtualBytes)
  throw refused(`a copy of ${volume.location} cannot be smaller than its ${volume.virtualBytes} bytes`)
}

/** One that only reads it does not mind; one that is suspended goes on writing when it is resumed. */
function assertUnwritten({ inventory }: StorageTools, { key, volume }: Image): void {
  assertClosed(key, volume.location)
  for (const { images, isRunning } of inventory.users(key)) {
    if (!isRunning || images.writes(key)) throw inUse(volume.location)
  }
}

const lookAt = (location: string): BigIntStats => lstatSync(location, { bigint: true })

const hasChanged = (before: BigIntStats, after: BigIntStats): boolean =>
  before.ino !== after.ino || before.mtimeNs !== after.mtimeNs || before.size !== after.size

async function nameIt(partial: string, place: string, name: string): Promise<void> {
  try {
    await link(partial, place)
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw nameTaken(name, { cause: error })
    throw error
  }
}
