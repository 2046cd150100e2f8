import { lstat, opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { DriverError } from '../driver.ts'
import { isOfRepository } from './bases.ts'
import { systemCode } from './files.ts'
import { type ImageKey, keyOf } from './images.ts'
import { STAT_BLOCK_BYTES } from './volume.ts'

/** Files of one folder that are looked at. */
const FILES_MAX = 1_000_000
/** Files that are looked at together. */
const AT_ONCE_MAX = 32

/** What the files of a repository take: images, the hidden ones that they share, those in work; each once, by any name. */
export async function usedBytes(folder: string): Promise<number> {
  const names: string[] = []
  for await (const { name } of await opendir(folder)) {
    if (names.length >= FILES_MAX) throw new DriverError('refused', `${folder} has more than ${FILES_MAX} files`)
    if (isOfRepository(name)) names.push(name)
  }
  const bytes = new Map<ImageKey, number>()
  for (let first = 0; first < names.length; first += AT_ONCE_MAX) {
    const looks = names.slice(first, first + AT_ONCE_MAX).map(name => lookAt(join(folder, name)))
    for (const stats of await Promise.all(looks)) {
      if (stats?.isFile() === true) bytes.set(keyOf(stats), stats.blocks * STAT_BLOCK_BYTES)
    }
  }
  return [...bytes.values()].reduce((sum, each) => sum + each, 0)
}

async function lookAt(path: string) {
  try {
    return await lstat(path)
  } catch (error) {
    // It went away just now.
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
