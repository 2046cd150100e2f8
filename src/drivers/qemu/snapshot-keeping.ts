import { type DiskConfig, DriverError, type OperationOptions } from '../driver.ts'
import type { DomainFiles } from './layout.ts'
import type { QemuImg } from './qemu-img.ts'
import { assertWhole, type Saved } from './saved.ts'
import {
  keepMemory,
  keepSmallState,
  makeSnapshotFolder,
  type SnapshotFiles,
  syncSnapshotFolder,
} from './snapshot-files.ts'
import { saveLiving } from './snapshot-memory.ts'
import { madeOf, type WholeDomain } from './whole-domain.ts'

/** What a snapshot is made with. */
export interface Keeping extends OperationOptions {
  readonly id: string
  readonly disks: readonly DiskConfig[]
  readonly files: SnapshotFiles
  readonly domainFiles: DomainFiles
  readonly qemuImg: QemuImg
}

/** Keeps disks and memory, each in its place; gives what is to be known of the memory. A failure may leave a part of it. */
export async function keepAll(whole: WholeDomain, keeping: Keeping): Promise<Saved | null> {
  const { machine, suspension } = whole
  const { disks, files, domainFiles } = keeping
  await makeSnapshotFolder(domainFiles, files)
  if (machine !== undefined) {
    const definition = madeOf(whole)
    const paused = machine.state === 'paused'
    const { memoryBytes } = definition.config
    const extent = await saveLiving({ ...keeping, machine, memoryBytes })
    await syncSnapshotFolder(files)
    return { definition, paused, ...extent }
  }
  await keepDisks(disks, keeping)
  const { saved = null } = suspension
  if (saved === null) await keepSmallState(domainFiles, files)
  else {
    await assertWhole(domainFiles, saved)
    await keepMemory(domainFiles, files)
  }
  await syncSnapshotFolder(files)
  return saved
}

async function keepDisks(disks: readonly DiskConfig[], { id, qemuImg, onProgress, signal }: Keeping): Promise<void> {
  const locations = [...new Set(disks.map(({ location }) => location))]
  for (const [index, location] of locations.entries()) {
    if (signal?.aborted === true) throw new DriverError('refused', 'the snapshot was aborted', { cause: signal.reason })
    await qemuImg.snapshot(location, 'create', id)
    onProgress?.((index + 1) / locations.length)
  }
}
