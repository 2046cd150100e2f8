import { readdir, rm, rmdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Dump } from '../driver.ts'
import { isPartial, systemCode } from './files.ts'

/** Dumps that are kept of a domain. */
export const DUMPS_MAX = 3
/** The ending of a whole dump. */
export const ENDING = '.core'

/** Removes the dumps of a domain that is forgotten. A foreign file, and with it the folder, stays. */
export async function removeDumps(folder: string): Promise<void> {
  for (const name of await namesIn(folder)) {
    if (name.endsWith(ENDING) || isPartial(name)) await rm(join(folder, name), { force: true })
  }
  try {
    await rmdir(folder)
  } catch (error) {
    const code = systemCode(error)
    if (code !== 'ENOENT' && code !== 'ENOTEMPTY') throw error
  }
}

/** Keeps only the newest dumps. */
export async function dropOldest(folder: string): Promise<void> {
  const dumps = await listDumps(folder)
  for (const { location } of dumps.slice(0, Math.max(0, dumps.length - DUMPS_MAX))) await rm(location, { force: true })
}

/** The dumps in a folder, oldest first. */
export async function listDumps(folder: string): Promise<Dump[]> {
  const names = (await namesIn(folder)).filter(name => name.endsWith(ENDING)).toSorted()
  const locations = names.map(name => join(folder, name))
  return Promise.all(locations.map(async location => ({ location, bytes: (await stat(location)).size })))
}

/** The names in a folder; none where there is no folder. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}
