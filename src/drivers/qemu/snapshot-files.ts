import { cp, link, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { syncFolder, systemCode } from './files.ts'
import type { DomainFiles } from './layout.ts'
import { runProgram } from './qemu-img.ts'

/**
 * What is kept of a snapshot beside its disks, in a folder of its own: `memory`, that of its guest, as a suspended one's is
 * (`memory-file.ts`); `state.qcow2`, into which QEMU writes that first; and of one without memory the state of its TPM and how
 * its guest had set its clock, which memory has in it.
 */
export interface SnapshotFiles {
  readonly folder: string
  readonly memory: string
  readonly state: string
  readonly tpmState: string
  readonly clock: string
}

/** Where the files of a snapshot are. */
export function snapshotFilesOf({ snapshotFolder }: DomainFiles, id: string): SnapshotFiles {
  const folder = join(snapshotFolder, id)
  return {
    folder,
    memory: join(folder, 'memory'),
    state: join(folder, 'state.qcow2'),
    tpmState: join(folder, 'tpm'),
    clock: join(folder, 'clock.json'),
  }
}

/** Makes the folder for the files of a snapshot. */
export async function makeSnapshotFolder({ snapshotFolder }: DomainFiles, { folder }: SnapshotFiles): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await syncFolder(snapshotFolder)
}

/** Makes what was written there durable. */
export const syncSnapshotFolder = ({ folder }: SnapshotFiles): Promise<void> => syncFolder(folder)

/** Removes the files of a snapshot. */
export const removeSnapshotFiles = ({ folder }: SnapshotFiles): Promise<void> =>
  rm(folder, { force: true, recursive: true })

/** Keeps the memory of a suspended domain, which nobody writes to any more: one file, by two names. */
export const keepMemory = ({ memory }: DomainFiles, kept: SnapshotFiles): Promise<void> => link(memory, kept.memory)

/** Keeps what else a halted machine does not forget. */
export async function keepSmallState(files: DomainFiles, kept: SnapshotFiles): Promise<void> {
  await copyIfThere(files.tpmState, kept.tpmState)
  await copyIfThere(files.clock, kept.clock)
}

/** Gives a halted machine back what `keepSmallState` has kept, and nothing where there was nothing. */
export async function giveSmallStateBack(files: DomainFiles, kept: SnapshotFiles): Promise<void> {
  for (const path of [files.tpmState, files.clock]) await rm(path, { force: true, recursive: true })
  await copyIfThere(kept.tpmState, files.tpmState)
  await copyIfThere(kept.clock, files.clock)
  await syncFolder(files.folder)
}

async function copyIfThere(from: string, to: string): Promise<void> {
  try {
    await cp(from, to, { recursive: true })
    // It may be a folder, and what lies in it is known to others only.
    await runProgram('sync', ['--file-system', '--', to], {})
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
}
