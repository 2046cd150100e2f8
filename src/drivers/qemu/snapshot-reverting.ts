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
  /** What to call a snapshot within each disk of what it is now; absent: there is nothing to go back to from half-way. */
  readonly undoId?: string
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

/** Disks could not be made again what they were: of these, a snapshot within each is all that is left of it. */
export class NotSetBackError extends DriverError {
  readonly disks: readonly string[]

  constructor(message: string, disks: readonly string[], cause: unknown) {
    super('refused', message, { cause })
    this.disks = disks
  }
}

/**
 * Ends what a domain is doing and makes it what it was: each step leads to the same however often it is done. Where a step
 * fails, its disks are made again what they were before by a snapshot within each, which is the caller's to delete; rejects
 * then, naming what has become of the domain, as NotSetBackError where that failed.
 */
export async function goBack(whole: WholeDomain, kept: KeptSnapshot, reverting: Reverting): Promise<void> {
  await whole.machine?.end()
  const { qemuImg, undoId, onProgress } = reverting
  const [safe, done]: [string[], string[]] = [[], []]
  try {
    for (const location of undoId === undefined ? [] : kept.disks) {
      await qemuImg.snapshot(location, 'create', undoId ?? '')
      safe.push(location)
    }
    for (const location of kept.disks) {
      done.push(location)
      await qemuImg.snapshot(location, 'apply', kept.id)
      onProgress?.(done.length / kept.disks.length)
    }
    await giveBack(whole, kept, reverting)
  } catch (error) {
    const { became, lost } = await setBack(whole, { safe, done, reverting })
    throw new NotSetBackError(`it could not go back: ${String(error)}; ${became}`, lost, error)
  }
}

/** What is known of a domain that did not go back: the disks that a snapshot of before is in, and those that may have changed. */
interface HalfWay {
  readonly safe: readonly string[]
  readonly done: readonly string[]
  readonly reverting: Reverting
}

/** What has become of a domain that did not go back, and which disks only a snapshot within them could make what they were. */
interface SetBack {
  readonly became: string
  readonly lost: readonly string[]
}

/** Makes disks what they were before. Memory of before is of no use with other disks. */
async function setBack(whole: WholeDomain, { safe, done, reverting }: HalfWay): Promise<SetBack> {
  const { qemuImg, undoId } = reverting
  const [failures, lost]: [string[], string[]] = [[], []]
  for (const location of done) {
    if (undoId === undefined || !safe.includes(location)) {
      failures.push(`${location} (what it was is not kept)`)
      continue
    }
    try {
      await qemuImg.snapshot(location, 'apply', undoId)
    } catch (error) {
      failures.push(`${location} (${String(error)}; what it was is its snapshot ${undoId})`)
      lost.push(location)
    }
  }
  await whole.keep(whole.definition).catch((error: unknown) => failures.push(`its definition (${String(error)})`))
  if (failures.length === 0) {
    const state = whole.suspension.saved === undefined ? 'halted' : 'suspended still'
    return { became: `the domain is ${state}, and its disks are as they were left`, lost }
  }
  if (whole.suspension.saved !== undefined) await whole.suspension.discard()
  const became = `the domain is halted, and what went back was not made what it was left as: ${failures.join(', ')}`
  return { became, lost }
}

async function giveBack(whole: WholeDomain, kept: KeptSnapshot, { files, domainFiles }: Reverting): Promise<void> {
  const { name, description } = whole.definition.config
  const called = (definition: Definition): Definition => ({
    ...definition,
    config: { ...definition.config, name, description },
  })
  await whole.keep(called(kept.definition))
  if (kept.memory !== null) {
    return whole.suspension.take({ ...kept.memory, definition: called(kept.memory.definition) }, files.memory)
  }
  await giveSmallStateBack(domainFiles, files)
  if (whole.suspension.saved !== undefined) await whole.suspension.discard()
}

const refused = (message: string) => new DriverError('refused', message)
