import { open, rm, stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { QmpError } from '../../protocols/qmp/error.ts'
import { DriverError, type OperationOptions } from '../driver.ts'
import { assertActive } from './active-images.ts'
import { nodeIn } from './block-nodes.ts'
import type { DiskConfig } from '../driver.ts'
import { systemCode } from './files.ts'
import type { Machine } from './machine.ts'
import { type MemoryExtent, newMeasure } from './memory-file.ts'
import { readInnerSnapshots, readState } from './qcow2-snapshots.ts'
import type { QemuImg } from './qemu-img.ts'
import type { SnapshotFiles } from './snapshot-files.ts'

/** What a living guest is to be kept of. */
export interface LivingSnapshot extends OperationOptions {
  readonly id: string
  readonly machine: Machine
  readonly disks: readonly DiskConfig[]
  readonly files: SnapshotFiles
  readonly memoryBytes: number
  readonly qemuImg: QemuImg
}

/** The block node of the image that the memory goes to, and the job that writes it: one at a time in each QEMU. */
const NODE = 'snapshot-state'
const JOB = 'snapshot'
/** The image needs no room for a disk. */
const DISK_BYTES = 65_536
/** How long QEMU may take to write all memory. It answers nobody meanwhile. */
const SAVE_MS = 6 * 3_600_000
/** How often it is looked how far it is. */
const LOOK_EVERY_MS = 100
/** What of the work is the first half: QEMU's own. */
const SAVE_SHARE = 0.5

/**
 * Keeps disks and memory of a guest, as they are at one moment: QEMU stops it, writes all of it, and lets it go on. What it
 * writes is taken out of its image then, and becomes a file as that of a suspended guest is. A failure may leave a part of
 * it, for the caller to remove.
 * Source: QEMU qapi/migration.json, snapshot-save.
 */
export async function saveLiving(snapshot: LivingSnapshot): Promise<MemoryExtent> {
  const { id, machine, disks, files, qemuImg } = snapshot
  await assertActive(machine)
  const nodes = await Promise.all(disks.map(disk => nodeOf(machine, disk)))
  await qemuImg.create(files.state, DISK_BYTES)
  await machine.execute('blockdev-add', {
    driver: 'qcow2',
    'node-name': NODE,
    file: { driver: 'file', filename: files.state },
  })
  try {
    await save(snapshot, { 'job-id': JOB, tag: id, vmstate: NODE, devices: [...nodes, NODE] })
  } finally {
    await machine.execute('blockdev-del', { 'node-name': NODE })
  }
  const extent = await takeOut(snapshot)
  await rm(files.state)
  return extent
}

/** Takes away what a QEMU was left with by somebody who was killed while it saved its guest. */
export async function forgetSaving(machine: Machine): Promise<void> {
  const jobs = await machine.execute('query-jobs')
  if (jobs.some(job => job.id === JOB)) await machine.execute('job-dismiss', { id: JOB })
  const nodes = await machine.execute('query-named-block-nodes', { flat: true })
  if (nodes.some(node => node.name === NODE)) await machine.execute('blockdev-del', { 'node-name': NODE })
}

async function nodeOf(machine: Machine, { id, device }: DiskConfig): Promise<string> {
  const node = await nodeIn(machine, id)
  if (node === null) throw new DriverError('refused', `disk ${device} has no image in the machine`)
  return node
}

interface SaveArguments {
  readonly 'job-id': string
  readonly tag: string
  readonly vmstate: string
  readonly devices: readonly string[]
}

async function save(snapshot: LivingSnapshot, savingArguments: SaveArguments): Promise<void> {
  const { machine } = snapshot
  const over = new AbortController()
  const telling = tellHowFar(snapshot, over.signal)
  try {
    await machine.execute('snapshot-save', savingArguments, { timeoutMs: SAVE_MS })
    const deadline = performance.now() + SAVE_MS
    for (;;) {
      const job = (await machine.execute('query-jobs', {}, { timeoutMs: SAVE_MS })).find(({ id }) => id === JOB)
      if (job?.status === 'concluded') {
        await machine.execute('job-dismiss', { id: JOB })
        if (job.error === undefined) return
        throw new QmpError('snapshot-save', 'GenericError', job.error)
      }
      if (job === undefined || performance.now() >= deadline) {
        throw new DriverError('unreachable', 'QEMU does not say whether it has kept its guest')
      }
      await sleep(LOOK_EVERY_MS)
    }
  } finally {
    over.abort()
    await telling
  }
}

/** By how long the image has become: memory that holds nothing takes no room, so it is never further than this. */
async function tellHowFar({ files, memoryBytes, onProgress }: LivingSnapshot, signal: AbortSignal): Promise<void> {
  if (onProgress === undefined) return
  while (!signal.aborted) {
    onProgress(SAVE_SHARE * Math.min(1, (await sizeOf(files.state)) / memoryBytes))
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined)
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 0
    throw error
  }
}

/** Makes a file of the memory; durable when it resolves. */
async function takeOut({ id, files, signal, onProgress }: LivingSnapshot): Promise<MemoryExtent> {
  const image = await open(files.state, 'r')
  try {
    const snapshot = (await readInnerSnapshots(image)).find(({ name }) => name === id)
    if (snapshot === undefined || snapshot.stateBytes === 0) {
      throw new DriverError('refused', 'QEMU has written no memory')
    }
    const { measure, extent } = newMeasure(bytes =>
      onProgress?.(SAVE_SHARE + (1 - SAVE_SHARE) * Math.min(1, bytes / snapshot.stateBytes)),
    )
    const target = await open(files.memory, 'wx', 0o600)
    try {
      const options = signal === undefined ? {} : { signal }
      await pipeline(readState(image, snapshot), measure, target.createWriteStream({ flush: true }), options)
    } catch (error) {
      if (signal?.aborted !== true) throw error
      throw new DriverError('refused', 'the snapshot was aborted', { cause: signal.reason })
    } finally {
      await target.close()
    }
    return extent()
  } finally {
    await image.close()
  }
}
