import { open } from 'node:fs/promises'
import { constants } from 'node:fs'
import { type DiskConfig, type DomainConfig, DriverError } from '../driver.ts'
import { assertActive } from './active-images.ts'
import { nodeIn } from './block-nodes.ts'
import type { Definition } from './definition.ts'
import { systemCode } from './files.ts'
import { keysOf } from './images.ts'
import type { Machine } from './machine.ts'
import { type InnerSnapshot, readInnerSnapshots } from './qcow2-snapshots.ts'
import type { QemuImg } from './qemu-img.ts'
import { inspect } from './volume.ts'

/** The QEMU that may have an image open, and what it is made of. */
export interface Holder {
  readonly machine: Machine | undefined
  readonly madeOf: Definition
}

/**
 * The disks of which a snapshot keeps what they show: those that the guest may write to. Throws as `refused`, naming it,
 * where one is not of the only format that keeps snapshots.
 */
export function keptDisks({ disks }: DomainConfig): DiskConfig[] {
  const kept = disks.filter(({ kind = 'disk', readOnly, location }) => !readOnly && kind !== 'cdrom' && location !== '')
  for (const { device, format, location } of kept) {
    if (format === 'qcow2') continue
    throw refused(
      `disk ${device}, ${location}, is ${format} and cannot be kept in a snapshot; make it read-only or qcow2`,
    )
  }
  return kept
}

/** Rejects as `refused`, naming it, where the image of a disk cannot hold a snapshot. */
export async function assertKeepable({ device, location }: DiskConfig): Promise<void> {
  try {
    await inspect(location, 'qcow2')
  } catch (error) {
    if (!(error instanceof DriverError)) throw error
    throw refused(`disk ${device} cannot be kept in a snapshot: ${error.message}`, error)
  }
}

/** Whether an image holds a snapshot. Rejects as `refused` where the image cannot be read; one that is gone holds none. */
export async function holdsSnapshot(location: string, id: string): Promise<boolean> {
  const snapshots = await snapshotsIn(location)
  return snapshots.some(({ name }) => name === id)
}

async function snapshotsIn(location: string): Promise<InnerSnapshot[]> {
  try {
    const { header } = await inspect(location, 'qcow2')
    if (header === undefined || header.snapshots === 0) return []
    const file = await open(location, constants.O_RDONLY | constants.O_NOFOLLOW)
    try {
      return await readInnerSnapshots(file)
    } finally {
      await file.close()
    }
  } catch (error) {
    const isGone = error instanceof DriverError && error.kind === 'not-found'
    if (isGone || systemCode(error) === 'ENOENT') return []
    throw error
  }
}

/** Forgets what an image holds of a snapshot; harmless where that is nothing. By the QEMU that has it open where one does. */
export async function dropFrom(
  location: string,
  id: string,
  holder: Holder | undefined,
  qemuImg: QemuImg,
): Promise<void> {
  if (!(await holdsSnapshot(location, id))) return
  const node = holder && (await nodeOf(location, holder))
  if (node === undefined) return qemuImg.snapshot(location, 'delete', id)
  await assertActive(node.machine)
  await node.machine.execute('blockdev-snapshot-delete-internal-sync', { device: node.name, name: id }, LONG)
}

/** How long QEMU may take to change what an image says of its blocks. */
const LONG = { timeoutMs: 600_000 }

/** The node by which a living QEMU has an image open; undefined where it has not. */
async function nodeOf(location: string, { machine, madeOf }: Holder) {
  if (machine === undefined) return undefined
  const wanted = keysOf([location])
  for (const disk of madeOf.config.disks) {
    if (disk.location === '' || ![...keysOf([disk.location])].some(key => wanted.has(key))) continue
    const name = await nodeIn(machine, disk.id)
    if (name !== null) return { machine, name }
  }
  return undefined
}

const refused = (message: string, cause?: unknown) => new DriverError('refused', message, { cause })
