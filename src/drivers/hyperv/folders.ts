import {
  DriverError,
  type HostRepository,
  type Repository,
  type RepositoryConfig,
  type StorageRoot,
} from '../driver.ts'
import { untilDone } from './again.ts'
import type { HostFolders } from './host-facts.ts'
import type { StorageBackEnd } from './storage-back-end.ts'
import { formatOf } from './volumes.ts'
import { baseOf, demandPath, driveOf, folderOf, isFileName, parsePath, pathIn, pathKey } from './windows-path.ts'

/** The only type of repositories here: folders of the host. */
export const FOLDER_TYPE = 'dir'

/** Images, those that snapshots make among them. */
const IMAGE = /\.(?:a?vhdx?|vhds|iso|vfd)$/i

/** The folder of a repository, as Windows prints it. Throws DriverError, `refused`, for what is none. */
export function folderIn({ type, location }: RepositoryConfig): string {
  if (type === FOLDER_TYPE) return demandPath(location)
  throw new DriverError('refused', `repositories of type ${JSON.stringify(type)} are not known; ${FOLDER_TYPE} is`)
}

/**
 * Where a repository of this name goes: below the host's default folder. Encoded so that no name leads out of it, Windows
 * takes it, and two that differ in case alone are two.
 */
export function placeOf(defaultFolder: string, name: string): string {
  const encode = (byte: number): string => `%${byte.toString(16).padStart(2, '0')}`
  const bytes = [...Buffer.from(name)]
  const plain = bytes.map(byte => {
    const character = String.fromCharCode(byte)
    return /[a-z0-9 _-]/.test(character) ? character : encode(byte)
  })
  const encoded = plain.join('')
  // A name such as `con` is a device's.
  const isPlain = isFileName(encoded) || bytes.length === 0
  return pathIn(defaultFolder, isPlain ? encoded || '%' : bytes.map(encode).join(''))
}

/** Makes a folder usable, and tells what is in it. Rejects as `refused` where it is not there and cannot be made. */
export async function openFolder(storage: StorageBackEnd, folder: string, { own }: HostFolders): Promise<Repository> {
  const [isThere, files, drives] = await Promise.all([
    storage.hasFolder(folder),
    storage.files(folder),
    storage.drives(),
  ])
  const drive = drives.find(({ name }) => pathKey(name) === pathKey(driveOf(folder)))
  if (drive === undefined) throw new DriverError('refused', `the host has no fixed drive ${driveOf(folder)}`)
  if (!isThere) await makeFolder(storage, folder, own)
  const usedBytes = files.filter(({ path }) => IMAGE.test(path)).reduce((sum, { bytes }) => sum + bytes, 0)
  return { capacityBytes: drive.capacityBytes, usedBytes: Math.min(usedBytes, drive.capacityBytes) }
}

/** The default folder, and the folders in which images of machines and of their snapshots lie. */
export async function ownRepositories(storage: StorageBackEnd, defaultFolder: string): Promise<HostRepository[]> {
  const folders = new Map([[pathKey(defaultFolder), defaultFolder]])
  for (const { path } of await storage.attachments()) {
    const plain = parsePath(path)
    if (plain === undefined || formatOf(plain) === undefined) continue
    const folder = folderOf(plain)
    if (!folders.has(pathKey(folder))) folders.set(pathKey(folder), folder)
  }
  const locations = [...folders.values()]
  const nameless = (location: string) => (baseOf(location) === '' ? location : baseOf(location))
  return locations.map(location => {
    const name = nameless(location)
    const isTaken = locations.some(other => other !== location && pathKey(nameless(other)) === pathKey(name))
    return { type: FOLDER_TYPE, location, name: isTaken ? location : name }
  })
}

/** The fixed drives of the host. */
export async function rootsOf(storage: StorageBackEnd): Promise<StorageRoot[]> {
  return (await storage.drives()).map(({ name, ...room }) => ({ location: `${name}\\`, ...room }))
}

/** Folders that are looked into for one that is empty. */
const MODELS_MAX = 32

/**
 * Makes a folder, and those that it is in. WMI has no method for that, but one that copies folders: an empty one is
 * copied. Source: Microsoft Learn, "CopyEx method of the Win32_Directory class".
 */
async function makeFolder(storage: StorageBackEnd, folder: string, own: string): Promise<void> {
  const missing = [folder]
  let parent = folderOf(folder)
  for (; !(await storage.hasFolder(parent)); parent = folderOf(parent)) {
    if (parent === folderOf(parent)) throw new DriverError('refused', `the host has no drive ${parent}`)
    missing.unshift(parent)
  }
  const model = await emptyFolder(storage, [own, parent])
  if (model === undefined) {
    throw new DriverError(
      'refused',
      `there is no folder ${folder}, and none that is empty to make it from: make it on the host`,
    )
  }
  for (const step of missing) {
    const isThere = () => storage.hasFolder(step)
    await untilDone(() => storage.copyFolder(model, step), isThere)
    if (!(await isThere())) throw new DriverError('refused', `the host did not make the folder ${step}: make it there`)
  }
}

/** A folder with nothing in it, among those of Hyper-V itself and those beside the wanted one. */
async function emptyFolder(storage: StorageBackEnd, within: readonly string[]): Promise<string | undefined> {
  const lists = await Promise.all(within.map(folder => storage.folders(folder)))
  const candidates = lists.flat().slice(0, MODELS_MAX)
  const found = await Promise.all(
    candidates.map(async path => {
      const [files, folders] = await Promise.all([storage.files(path), storage.folders(path)])
      return files.length === 0 && folders.length === 0 ? path : undefined
    }),
  )
  return found.find(path => path !== undefined)
}
