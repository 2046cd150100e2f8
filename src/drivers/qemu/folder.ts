import { chmod, mkdir, readdir, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { removeDumps } from './dump-files.ts'
import { isPartial, syncFolder, systemCode } from './files.ts'
import { forgetInterruption } from './interruption.ts'
import { type DomainFiles, dumpFolderOf, runtimeFiles } from './layout.ts'
import { isNicSocket } from './nics.ts'

/** Makes the folder of a domain, or makes sure that it is closed to others. */
export async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await chmod(folder, 0o700)
}

/** Removes what only a living QEMU has. For a domain whose QEMU is gone. */
export async function removeRuntimeFiles(files: DomainFiles): Promise<void> {
  const sockets = (await namesIn(files.folder)).filter(isNicSocket).map(name => join(files.folder, name))
  await Promise.all([...runtimeFiles(files), ...sockets].map(path => rm(path, { force: true })))
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}

/** Removes what dead processes left in the folder of a domain. For a domain that does not run. */
export async function removeStale(files: DomainFiles): Promise<void> {
  await removeRuntimeFiles(files)
  await forgetInterruption(files)
  const names = await readdir(files.folder)
  for (const name of names.filter(isPartial)) await rm(join(files.folder, name), { force: true })
}

/**
 * Forgets a domain that does not run: the definition first and durably, so that an interrupted removal cannot bring it
 * back; then all that the driver made. A foreign file, and with it the folder, stays.
 */
export async function removeFolder(files: DomainFiles): Promise<void> {
  await rm(files.definition, { force: true })
  await syncFolder(files.folder)
  await removeStale(files)
  await removeDumps(dumpFolderOf(files))
  const { folder: _folder, ...made } = files
  await Promise.all(Object.values(made).map(path => rm(path, { force: true, recursive: true })))
  try {
    await rmdir(files.folder)
  } catch (error) {
    if (systemCode(error) !== 'ENOTEMPTY') throw error
  }
}
