import { stat } from 'node:fs/promises'
import { DriverError, type OperationOptions } from '../driver.ts'
import type { Definition } from './definition.ts'
import { systemCode } from './files.ts'
import type { DomainFiles } from './layout.ts'
import type { QemuImg } from './qemu-img.ts'
import { holdsSnapshot } from './snapshot-disks.ts'
import { giveSmallStateBack, type SnapshotFiles } from './snapshot-files.ts'
import type { KeptSnapshot } from './snapshot-record.ts'
import type { WholeDomain } from './whole-domain.ts'

/** What a domain goes back with. */
export interface Reverting extends OperationOptions {
  readonly files: SnapshotFiles
  readonly domainFiles: DomainFiles
  readonly qemuImg: QemuImg
}

/** Rejects as `refused`, naming it, where something is missing of what was kept. */
export async function assertWhole({ id, disks, memory }: KeptSnapshot, files: SnapshotFiles): Promise<void> {
  for (const location of disks) {
    if (!(await holdsSnapshot(location, id))) throw refused(`${location} does not hold the snapshot any more`)
  }
  if (memory === null) return
  const bytes = await sizeOf(files.memory)
  if (bytes === memory.bytes) return
  const what = bytes === undefined ? 'is gone' : `has ${bytes} bytes and not ${memory.bytes}`
  throw refused(`the memory of the snapshot, ${files.memory}, ${what}`)
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Ends what a domain is doing and makes it what it was: each step leads to the same however often it is done. Rejects, naming
 * what has become of it, where a step fails.
 */
export async function goBack(whole: WholeDomain, kept: KeptSnapshot, reverting: Reverting): Promise<void> {
  await whole.machine?.end()
  const done: string[] = []
  try {
    if (whole.suspension.saved !== undefined) await whole.suspension.discard()
    for (const location of kept.disks) {
      await reverting.qemuImg.snapshot(location, 'apply', kept.id)
      done.push(location)
      reverting.onProgress?.(done.length / kept.disks.length)
    }
    await giveBack(whole, kept, reverting)
  } catch (error) {
    const disks = done.length === 0 ? 'its disks are as they were left' : `${done.join(', ')} went back`
    const message = `it could not go back: ${String(error)}; the domain is halted, and ${disks}`
    throw new DriverError('refused', message, { cause: error })
  }
}

async function giveBack(whole: WholeDomain, kept: KeptSnapshot, { files, domainFiles }: Reverting): Promise<void> {
  const { name, description } = whole.definition.config
  const called = (definition: Definition): Definition => ({
    ...definition,
    config: { ...definition.config, name, description },
  })
  await whole.keep(called(kept.definition))
  if (kept.memory === null) return giveSmallStateBack(domainFiles, files)
  await whole.suspension.take({ ...kept.memory, definition: called(kept.memory.definition) }, files.memory)
}

const refused = (message: string) => new DriverError('refused', message)
