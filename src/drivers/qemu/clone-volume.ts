import { linkSync, renameSync, unlinkSync } from 'node:fs'
import { link } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { type CloneOps, DriverError, type OperationOptions, type Volume } from '../driver.ts'
import { assertActive } from './active-images.ts'
import { BASES_MAX, baseNamed, countBases, liveName, newBase } from './bases.ts'
import { freezeDisk } from './freeze.ts'
import { assertHoldsNoSnapshots } from './held-snapshots.ts'
import { syncFolder, systemCode } from './files.ts'
import type { QemuDomain } from './domain.ts'
import { assertClosed } from './open-images.ts'
import type { Base } from './qemu-img.ts'
import { assertNoOthers, type RunningImage, runningWith } from './running-image.ts'
import { makeRoom, tooDeep } from './shorten.ts'
import type { StorageTools } from './storage-tools.ts'
import {
  assertFree,
  assertVolumeName,
  assertWritable,
  type Image,
  isEmptyOverlay,
  locationOf,
  nameTaken,
  readImage,
  toSectors,
} from './volume.ts'

type Wanted = Parameters<CloneOps['cloneVolume']>[1]
type Outcome = { readonly original: Volume; readonly clone: Volume }

/**
 * Clones an image: its content becomes a base, and it and the clone become overlays over that. The steps, each of which
 * leaves the image with its content wherever the next does not follow (`heal.ts` cleans up behind them):
 * 1. both overlays, under hidden names; 2. the base, a second name of the image's file; 3. a guest that runs with the
 * image goes on in the overlay; 4. the first overlay takes the image's name, or, where the image was raw, one beside it;
 * 5. definitions name the overlay, and a raw image's name goes; 6. only now, when nobody writes to the base any more,
 * the clone gets its name.
 */
export async function cloneVolume(
  tools: StorageTools,
  location: string,
  wanted: Wanted,
  options: OperationOptions = {},
): Promise<Outcome> {
  assertVolumeName(wanted.name)
  const { key } = await readImage(location)
  assertHoldsNoSnapshots(tools.inventory, key, location)
  const folder = dirname(location)
  await makeRoom(tools, location, options)
  return tools.folders.inOrder(folder, async () => {
    const image = await readImage(location)
    assertClosed(image.key, location)
    const virtualBytes = sizeOf(image.volume, wanted)
    await assertFree(folder, wanted.name)
    const clone = locationOf(folder, wanted.name, 'qcow2')
    const base = await sharedBase(tools, image)
    if (base === undefined && (await countBases(image.volume, image.backing)) >= BASES_MAX) throw tooDeep(location)
    return tools.folders.partials.with(folder, async partial => {
      if (base !== undefined) {
        await tools.qemuImg.createOverlay(partial, virtualBytes, base, options)
      }
      const original =
        base === undefined ? await freeze(tools, image, { partial, virtualBytes, options }) : image.volume.location
      nameIt(partial, clone)
      await syncFolder(folder)
      return { original: (await readImage(original)).volume, clone: (await readImage(clone)).volume }
    })
  })
}

function sizeOf(volume: Volume, { virtualBytes = volume.virtualBytes }: Wanted): number {
  assertWritable(volume, 'cloned; it can be shared as it is')
  if (!Number.isSafeInteger(virtualBytes)) throw refused(`${virtualBytes} bytes cannot be the size of a volume`)
  if (virtualBytes >= volume.virtualBytes) return toSectors(virtualBytes)
  throw refused(`a clone of ${volume.location} cannot be smaller than its ${volume.virtualBytes} bytes`)
}

const refused = (message: string) => new DriverError('refused', message)

function nameIt(partial: string, location: string): void {
  try {
    linkSync(partial, location)
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw nameTaken(location, { cause: error })
    throw error
  }
}

/** The base of an image that has not been written to since the base was made: it does for one more. */
async function sharedBase({ inventory }: StorageTools, { volume, key, backing }: Image): Promise<Base | undefined> {
  const base = baseNamed(backing)
  if (base === undefined || inventory.isInUse(key)) return undefined
  return (await isEmptyOverlay(volume.location)) ? base : undefined
}

interface CloneInWork {
  readonly partial: string
  readonly virtualBytes: number
  readonly options: OperationOptions
}

/** Makes the content of an image a base, over which `partial` becomes an overlay. Gives the image's location then. */
async function freeze(tools: StorageTools, image: Image, { partial, virtualBytes, options }: CloneInWork) {
  const { qemuImg, folders } = tools
  const { location, format } = image.volume
  const folder = dirname(location)
  const base = newBase(format)
  const basePath = join(folder, base.name)
  return folders.partials.with(folder, async first => {
    const overlays = [
      qemuImg.createOverlay(first, toSectors(image.volume.virtualBytes), base, options),
      qemuImg.createOverlay(partial, virtualBytes, base, options),
    ]
    // Where one fails, the other would still make its file when that has been cleaned up.
    await Promise.allSettled(overlays)
    await Promise.all(overlays)
    await link(location, basePath)
    try {
      return await putAbove(tools, { image, base, overlay: first })
    } catch (error) {
      await folders.mend(folder)
      throw error
    }
  })
}

/** Puts an overlay in the place of an image that has become its base: on disk, in guests, in definitions. */
async function putAbove(tools: StorageTools, { image, base, overlay }: Placing): Promise<string> {
  const { location, format, name } = image.volume
  const folder = dirname(location)
  const place = format === 'qcow2' ? location : locationOf(folder, name, 'qcow2')
  const { inventory } = tools
  const concerned = inventory.all().filter(domain => domain.images.uses(image.key) || domain.images.names(image.key))
  return inventory.holding(concerned, async () => {
    const running = await runningWith(concerned, image)
    assertNoOthers(inventory.users(image.key), running)
    assertHoldsNoSnapshots(inventory, image.key, location)
    for (const { machine } of running) await assertActive(machine)
    if (running.length > 0) await freezeDisks(running, { image, base, overlay })
    if (place === location) renameSync(overlay, place)
    else nameIt(overlay, place)
    if (place !== location) await forsake(tools, { image, place, domains: concerned, running })
    await syncFolder(folder)
    return place
  })
}

interface Placing {
  readonly image: Image
  readonly base: Base
  readonly overlay: string
}

/** Lets guests go on in the overlay, by a name of its own, which it keeps as long as they run. */
async function freezeDisks(running: readonly RunningImage[], { image, base, overlay }: Placing): Promise<void> {
  const { location, format } = image.volume
  const folder = dirname(location)
  const live = join(folder, liveName(base))
  nameIt(overlay, live)
  // Before a guest writes to it: a name that a power failure takes back would take the guest's data along.
  await syncFolder(folder)
  const below = image.backing === undefined ? undefined : resolve(folder, image.backing)
  for (const each of running) await freezeDisk(each, { overlay: live, base: join(folder, base.name), format, below })
}

interface Conversion {
  readonly image: Image
  readonly place: string
  readonly domains: readonly QemuDomain[]
  readonly running: readonly RunningImage[]
}

/** Lets definitions name the overlay, and gives up the raw image's name: from the last question on in one go. */
async function forsake({ inventory }: StorageTools, { image, place, domains, running }: Conversion): Promise<void> {
  const overlay = (await readImage(place)).key
  try {
    for (const domain of domains) await domain.relocate(image.key, place)
    assertNoOthers(inventory.users(image.key), running)
    unlinkSync(image.volume.location)
  } catch (error) {
    // A guest that writes to the overlay already has no way back.
    if (running.length === 0) for (const domain of domains) await domain.relocate(overlay, image.volume.location)
    throw error
  }
}
