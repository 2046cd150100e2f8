import { readdir, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { HostRepository, StorageRoot } from '../driver.ts'
import { systemCode } from './files.ts'

/** The folder below the data directory that images go to unless told otherwise. */
export const repositoriesFolder = (dataDir: string): string => join(dataDir, 'sr')

/** Where a repository of this name goes. Encoded, so that no name leads out of the folder. */
export const defaultFolder = (dataDir: string, name: string): string =>
  join(repositoriesFolder(dataDir), encodeURIComponent(name).replace(/^\./, '%2E'))

/** The repositories that lie where images go unless told otherwise. */
export async function ownRepositories(dataDir: string): Promise<HostRepository[]> {
  const folder = repositoriesFolder(dataDir)
  const entries = await readdir(folder, { withFileTypes: true }).catch(noneIfGone)
  const folders = entries.filter(entry => entry.isDirectory())
  return folders.map(({ name }) => ({ type: 'dir', location: join(folder, name), name: decoded(name) }))
}

function noneIfGone(error: unknown): [] {
  if (systemCode(error) !== 'ENOENT') throw error
  return []
}

/** Others may have made a folder by a name that nobody encoded. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch (error) {
    if (error instanceof URIError) return name
    throw error
  }
}

/** The file system that a folder is on. */
export async function rootOf(folder: string): Promise<StorageRoot> {
  const { bsize, blocks, bavail } = await statfs(folder)
  return { location: await mountPointOf(folder), capacityBytes: blocks * bsize, freeBytes: bavail * bsize }
}

async function mountPointOf(folder: string): Promise<string> {
  const { dev } = await stat(folder)
  let place = folder
  while (dirname(place) !== place && (await stat(dirname(place))).dev === dev) place = dirname(place)
  return place
}
