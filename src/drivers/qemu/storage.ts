import { lstatSync, unlinkSync } from 'node:fs'
import { access, constants, link, lstat, open, readdir, rmdir, stat, statfs } from 'node:fs/promises'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import {
  type CloneOps,
  DriverError,
  type OperationOptions,
  type Repository,
  type RepositoryConfig,
  type StorageOps,
  type Volume,
} from '../driver.ts'
import { cloneVolume } from './clone-volume.ts'
import { copyRepository } from './copy-repository.ts'
import { copyVolume } from './copy-volume.ts'
import { fileFacts } from './file-facts.ts'
import { makeFolders, syncFolder, systemCode } from './files.ts'
import type { Gate } from './gate.ts'
import { assertHoldsNoSnapshots } from './held-snapshots.ts'
import { FORMATS, formatOf } from './image-format.ts'
import { keyOf } from './images.ts'
import { imagesBelow } from './images-below.ts'
import { moveVolume } from './move-volume.ts'
import { assertClosed } from './open-images.ts'
import { openVolume } from './open-volume.ts'
import { defaultFolder, ownRepositories, rootOf } from './repositories.ts'
import { allocateVolume, resizeVolume, shrinkVolume } from './resize-volume.ts'
import type { Shortener } from './shorten.ts'
import type { StorageTools } from './storage-tools.ts'
import { usedBytes } from './used-bytes.ts'
import {
  assertFormat,
  assertFree,
  assertSize,
  assertVolumeName,
  inUse,
  locationOf,
  nameTaken,
  readImage,
  toSectors,
} from './volume.ts'
import { wipeVolume } from './wipe-volume.ts'

type NewVolume = Parameters<StorageOps['createVolume']>[1]

/** The group `storage`: images as files of a folder. */
export function storageOps(tools: StorageTools, shortener: Shortener, dataDir: string, gate: Gate): StorageOps {
  return {
    types: ['dir'],
    formats: FORMATS,
    repositories: () => gate.pass(() => ownRepositories(dataDir)),
    roots: () => gate.pass(async () => [await rootOf(dataDir)]),
    defaultLocation: name => defaultFolder(dataDir, name),
    openRepository: repository =>
      gate.pass(async () => {
        const opened = await openRepository(tools, folderOf(repository))
        shortener.later(folderOf(repository))
        return opened
      }),
    removeRepository: repository => gate.pass(() => removeFolder(folderOf(repository))),
    listVolumes: repository => gate.pass(() => listVolumes(folderOf(repository))),
    createVolume: (repository, volume, options) =>
      gate.pass(() => createVolume(tools, folderOf(repository), volume, options)),
    getVolume: location => gate.pass(async () => (await readImage(location)).volume),
    volumesBelow: location => gate.pass(() => imagesBelow(location)),
    resizeVolume: (location, virtualBytes) => gate.pass(() => resizeVolume(tools, location, virtualBytes)),
    shrinkVolume: (location, virtualBytes) => gate.pass(() => shrinkVolume(tools, location, virtualBytes)),
    allocateVolume: (location, bytes) => gate.pass(() => allocateVolume(tools, location, bytes)),
    fileFacts: location => gate.pass(() => fileFacts(location)),
    moveVolume: (location, repository, options) =>
      gate.pass(async () => {
        const moved = await moveVolume(tools, location, folderOf(repository), options)
        shortener.later(dirname(location))
        return moved
      }),
    copyVolume: (location, repository, copy, options) =>
      gate.pass(() => copyVolume(tools, location, { ...copy, folder: folderOf(repository) }, options)),
    deleteVolume: location =>
      gate.pass(async () => {
        await shortener.giveWay(dirname(location))
        await deleteVolume(tools, location)
        shortener.later(dirname(location))
      }),
    openVolume: (location, mode) => gate.pass(() => openVolume(tools, gate, location, mode)),
    wipeVolume: (location, options) => gate.pass(() => wipeVolume(tools, gate, location, options)),
  }
}

/** The group `clones`. */
export const cloneOps = (tools: StorageTools, gate: Gate): CloneOps => ({
  cloneVolume: (location, clone, options) => gate.pass(() => cloneVolume(tools, location, clone, options)),
  copyRepository: (repository, target, nameOf, options) =>
    gate.pass(() => copyRepository(tools, folderOf(repository), { folder: folderOf(target), nameOf }, options)),
})

const refused = (message: string, options?: ErrorOptions) => new DriverError('refused', message, options)

function folderOf({ type, location }: RepositoryConfig): string {
  if (type !== 'dir') throw refused(`repositories of type ${JSON.stringify(type)} are not known; dir is`)
  if (!isAbsolute(location) || location.includes('\0')) {
    throw refused(`${JSON.stringify(location)} is no absolute path of a folder`)
  }
  return location
}

async function openRepository({ folders }: StorageTools, folder: string): Promise<Repository> {
  await makeFolders(folder)
  if (!(await stat(folder)).isDirectory()) throw refused(`${folder} is no folder`)
  await access(folder, constants.R_OK | constants.W_OK | constants.X_OK)
  await folders.inOrder(folder, async () => undefined)
  const { bsize, blocks, bavail } = await statfs(folder)
  return { capacityBytes: blocks * bsize, usedBytes: await usedBytes(folder), freeBytes: bavail * bsize }
}

async function removeFolder(folder: string): Promise<void> {
  try {
    await rmdir(folder)
  } catch (error) {
    if (systemCode(error) === 'ENOTEMPTY') throw refused(`the folder ${folder} is not empty`, { cause: error })
    throw error
  }
}

/** Volumes of a long list that are looked at together. */
const AT_ONCE_MAX = 32

async function listVolumes(folder: string): Promise<Volume[]> {
  const locations = (await readdir(folder)).toSorted().map(name => join(folder, name))
  const images = locations.filter(location => formatOf(location) !== undefined)
  const volumes: Volume[] = []
  for (let first = 0; first < images.length; first += AT_ONCE_MAX) {
    const looks = images.slice(first, first + AT_ONCE_MAX).map(readIfImage)
    volumes.push(...(await Promise.all(looks)).filter(volume => volume !== undefined))
  }
  return volumes
}

/** Whether what an image names below itself is a file of its own folder, by its own name and not by a link. */
async function isBeside(location: string, backing: string): Promise<boolean> {
  const folder = dirname(location)
  const below = resolve(folder, backing)
  if (/^[a-z][\w+.-]*:/i.test(backing) || dirname(below) !== folder) return false
  return (await lstat(below).catch(ifGone))?.isSymbolicLink() !== true
}

function ifGone(error: unknown): undefined {
  if (systemCode(error) !== 'ENOENT') throw error
}

/**
 * A file that only looks like an image by its name, or goes away just now, is no volume of the list. Nor is one that
 * builds on a file elsewhere: whoever may put a file into the folder could have any file of the host read by it.
 */
async function readIfImage(location: string): Promise<Volume | undefined> {
  try {
    const { volume, backing } = await readImage(location)
    if (backing !== undefined && !(await isBeside(location, backing))) return undefined
    return volume
  } catch (error) {
    if (error instanceof DriverError) return undefined
    throw error
  }
}

/** Made under a hidden name and linked to its own when it is whole: nobody sees, and no failure leaves, half an image. */
async function createVolume(
  { qemuImg, folders }: StorageTools,
  folder: string,
  { name, format, virtualBytes, preallocation, ending }: NewVolume,
  options: OperationOptions = {},
): Promise<Volume> {
  assertVolumeName(name)
  assertFormat(format)
  if (format === 'raw' && preallocation !== undefined) throw refused('a raw image has no metadata to preallocate')
  assertSize(virtualBytes)
  if (options.signal?.aborted === true) throw refused(`the creation of ${name} was aborted`)
  await assertFree(folder, name)
  const location = locationOf(folder, name, format, ending)
  await folders.partials.with(folder, async partial => {
    if (format === 'raw') await createRaw(partial, toSectors(virtualBytes))
    else await qemuImg.create(partial, toSectors(virtualBytes), { ...options, preallocation })
    await folders.inOrder(folder, () => nameIt(partial, folder, { name, location }))
  })
  await syncFolder(folder)
  return (await readImage(location)).volume
}

async function nameIt(partial: string, folder: string, { name, location }: Pick<Volume, 'name' | 'location'>) {
  await assertFree(folder, name)
  try {
    await link(partial, location)
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw nameTaken(name, { cause: error })
    throw error
  }
}

async function createRaw(path: string, bytes: number): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.truncate(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function deleteVolume({ folders, inventory }: StorageTools, location: string): Promise<void> {
  await readImage(location)
  const folder = dirname(location)
  await folders.inOrder(folder, async () => {
    const { backing } = await readImage(location)
    // From the question to the deletion in one go: no start can come in between.
    const stats = lstatSync(location, { throwIfNoEntry: false })
    if (stats === undefined) throw new DriverError('not-found', `no volume ${location}`)
    assertClosed(keyOf(stats), location)
    if (inventory.isInUse(keyOf(stats))) throw inUse(location)
    assertHoldsNoSnapshots(inventory, keyOf(stats), location)
    unlinkSync(location)
    await syncFolder(folder)
    if (backing !== undefined) await folders.mend(folder)
  })
}
