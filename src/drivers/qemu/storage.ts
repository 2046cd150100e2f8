import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { lstatSync, unlinkSync } from 'node:fs'
import { access, constants, link, mkdir, open, readdir, rm, stat, statfs, truncate } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'
import { promisify } from 'node:util'
import {
  DriverError,
  type ImageFormat,
  type OperationOptions,
  type Repository,
  type RepositoryConfig,
  type StorageOps,
  type Volume,
} from '../driver.ts'
import { syncFolder, systemCode } from './files.ts'
import type { Gate } from './gate.ts'
import { keyOf } from './images.ts'
import { CHILD_ENVIRONMENT, type Installation } from './installation.ts'
import type { Inventory } from './inventory.ts'
import { moveVolume } from './move-volume.ts'
import { assertFree, assertVolumeName, formatOf, inUse, locationOf, nameTaken, readImage } from './volume.ts'

/** How long `qemu-img` may take; it writes little for a sparse image. */
const QEMU_IMG_MS = 120_000
/** Sizes are rounded up to this: guests see sectors. */
const SECTOR_BYTES = 512

type NewVolume = Parameters<StorageOps['createVolume']>[1]

/** The group `storage`: images as files of a folder. */
export function storageOps(inventory: Inventory, { qemuImg }: Installation, dataDir: string, gate: Gate): StorageOps {
  const tools: Tools = { qemuImg: runner(qemuImg), inventory }
  return {
    types: ['dir'],
    // Encoded, so that no name leads out of the folder.
    defaultLocation: name => join(dataDir, 'sr', encodeURIComponent(name).replace(/^\./, '%2E')),
    openRepository: repository => gate.pass(() => openRepository(repository)),
    listVolumes: repository => gate.pass(() => listVolumes(repository)),
    createVolume: (repository, volume, options) => gate.pass(() => createVolume(tools, repository, volume, options)),
    getVolume: location => gate.pass(async () => (await readImage(location)).volume),
    resizeVolume: (location, virtualBytes) => gate.pass(() => resizeVolume(tools, location, virtualBytes)),
    moveVolume: (location, repository, options) =>
      gate.pass(() => moveVolume(inventory, location, folderOf(repository), options?.signal)),
    deleteVolume: location => gate.pass(() => deleteVolume(tools, location)),
  }
}

interface Tools {
  readonly qemuImg: (commandArguments: readonly string[], signal?: AbortSignal) => Promise<void>
  readonly inventory: Inventory
}

const refused = (message: string, options?: ErrorOptions) => new DriverError('refused', message, options)

function folderOf({ type, location }: RepositoryConfig): string {
  if (type !== 'dir') throw refused(`repositories of type ${JSON.stringify(type)} are not known; dir is`)
  if (!isAbsolute(location) || location.includes('\0')) {
    throw refused(`${JSON.stringify(location)} is no absolute path of a folder`)
  }
  return location
}

async function openRepository(repository: RepositoryConfig): Promise<Repository> {
  const folder = folderOf(repository)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  if (!(await stat(folder)).isDirectory()) throw refused(`${folder} is no folder`)
  await access(folder, constants.R_OK | constants.W_OK | constants.X_OK)
  const { bsize, blocks, bfree } = await statfs(folder)
  return { capacityBytes: blocks * bsize, usedBytes: (blocks - bfree) * bsize }
}

/** Volumes of a long list that are looked at together. */
const AT_ONCE_MAX = 32

async function listVolumes(repository: RepositoryConfig): Promise<Volume[]> {
  const folder = folderOf(repository)
  const locations = (await readdir(folder)).toSorted().map(name => join(folder, name))
  const images = locations.filter(location => formatOf(location) !== undefined)
  const volumes: Volume[] = []
  for (let first = 0; first < images.length; first += AT_ONCE_MAX) {
    const looks = images.slice(first, first + AT_ONCE_MAX).map(readIfImage)
    volumes.push(...(await Promise.all(looks)).filter(volume => volume !== undefined))
  }
  return volumes
}

/** A file that only looks like an image by its name, or goes away just now, is no volume of the list. */
async function readIfImage(location: string): Promise<Volume | undefined> {
  try {
    return (await readImage(location)).volume
  } catch (error) {
    if (error instanceof DriverError) return undefined
    throw error
  }
}

/** Made under a hidden name and linked to its own when it is whole: nobody sees, and no failure leaves, half an image. */
async function createVolume(
  tools: Tools,
  repository: RepositoryConfig,
  { name, format, virtualBytes }: NewVolume,
  { signal }: OperationOptions = {},
): Promise<Volume> {
  const folder = folderOf(repository)
  assertVolumeName(name)
  assertSize(virtualBytes)
  if (signal?.aborted === true) throw refused(`the creation of ${name} was aborted`)
  await assertFree(folder, name)
  const partial = join(folder, `.${randomUUID()}.partial`)
  const location = locationOf(folder, name, format)
  try {
    await createImage(tools, partial, format, toSectors(virtualBytes), signal)
    await link(partial, location)
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw nameTaken(name, { cause: error })
    throw error
  } finally {
    await rm(partial, { force: true })
  }
  await syncFolder(folder)
  return (await readImage(location)).volume
}

function assertSize(virtualBytes: number): void {
  if (Number.isSafeInteger(virtualBytes) && virtualBytes > 0) return
  throw refused(`${virtualBytes} bytes cannot be the size of a volume`)
}

const toSectors = (bytes: number): number => Math.ceil(bytes / SECTOR_BYTES) * SECTOR_BYTES

async function createImage(
  { qemuImg }: Tools,
  path: string,
  format: ImageFormat,
  bytes: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    if (format === 'raw') await file.truncate(bytes)
    else await qemuImg(['create', '-q', '-f', format, path, `${bytes}`], signal)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function resizeVolume(tools: Tools, location: string, virtualBytes: number): Promise<Volume> {
  assertSize(virtualBytes)
  const { volume, key } = await readImage(location)
  if (tools.inventory.isInUse(key)) throw inUse(location)
  const bytes = toSectors(virtualBytes)
  if (bytes < volume.virtualBytes) throw refused(`${location} has ${volume.virtualBytes} bytes and cannot shrink`)
  if (bytes > volume.virtualBytes) {
    if (volume.format === 'raw') await truncate(location, bytes)
    else await tools.qemuImg(['resize', '-q', '-f', volume.format, location, `${bytes}`])
  }
  return (await readImage(location)).volume
}

async function deleteVolume({ inventory }: Tools, location: string): Promise<void> {
  await readImage(location)
  // From the question to the deletion in one go: no start can come in between.
  const stats = lstatSync(location, { throwIfNoEntry: false })
  if (stats === undefined) throw new DriverError('not-found', `no volume ${location}`)
  if (inventory.isInUse(keyOf(stats))) throw inUse(location)
  unlinkSync(location)
  await syncFolder(dirname(location))
}

const execute = promisify(execFile)

/** Runs `qemu-img`; what it complains of becomes the refusal. */
function runner(program: string): Tools['qemuImg'] {
  return async (commandArguments, signal) => {
    const options = { env: CHILD_ENVIRONMENT, timeout: QEMU_IMG_MS, ...(signal && { signal }) }
    try {
      await execute(program, commandArguments, options)
    } catch (error) {
      const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : ''
      throw refused(`qemu-img: ${stderr === '' ? String(error) : stderr}`, { cause: error })
    }
  }
}
