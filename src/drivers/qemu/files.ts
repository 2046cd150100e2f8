import { randomUUID } from 'node:crypto'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** The ending of a file that is being written. One that a killed process left is worth nothing. */
const PARTIAL_ENDING = '.partial'

/**
 * Writes a file of mode 0600 so that it holds either the old text or the new, whenever the power fails; durable when
 * it resolves.
 */
export async function writeAtomically(path: string, text: string): Promise<void> {
  const partial = partialPath(path)
  try {
    const file = await open(partial, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(partial, path)
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
  await syncFolder(dirname(path))
}

/** Where a file goes that is worth nothing to whoever comes after this process. No other process writes there. */
export const partialPath = (path: string): string => `${path}.${randomUUID()}${PARTIAL_ENDING}`

/** Makes the names in a folder durable: of files renamed into it, and of files deleted. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Whether a file of this name is what was interrupted left: a `partialPath`. */
export const isPartial = (name: string): boolean => name.endsWith(PARTIAL_ENDING)

/** The code of a system error such as `ENOENT`; undefined for anything else. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** Makes a folder of a repository where there is none, and those above it. Gives the first that it made. */
export async function makeFolders(folder: string): Promise<string | undefined> {
  try {
    return await mkdir(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    // Node says so of a file system that is read-only, too; asked for the one folder it tells the truth.
    if (systemCode(error) === 'ENOENT') await mkdir(folder, { mode: 0o700 })
    throw error
  }
}
