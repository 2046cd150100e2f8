import type { FileHandle } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { DriverError, type OperationOptions } from '../driver.ts'
import { complaint } from './launch.ts'
import type { DomainFiles } from './layout.ts'
import type { Machine } from './machine.ts'
import { feedMemory, type MemoryExtent } from './memory-file.ts'
import { waitUntilGone } from './process.ts'

/** A machine that waits for its memory, and where that is. */
export interface Restore extends OperationOptions {
  readonly machine: Machine
  readonly files: DomainFiles
  readonly saved: MemoryExtent
  /** The file that holds it, from `start` on; its name is for errors. */
  readonly from: { readonly file: FileHandle; readonly start: number; readonly name: string }
}

/** How long a QEMU that cannot read its memory may take to exit. */
const EXIT_MS = 2_000
/** How long QEMU may take to make a machine of what it has read. */
const LOAD_MS = 60_000
const POLL_MS = 10

/** Gives a machine its saved memory; it is paused when this resolves. Rejects where either will not do. */
export async function restore(options: Restore): Promise<void> {
  const { machine, files } = options
  try {
    await load(options)
  } catch (error) {
    // Where QEMU cannot read it, QEMU exits and breaks the connection; its own words say more than that.
    const isOurs = error instanceof DriverError && error.kind !== 'bad-state'
    if (isOurs || !(await waitUntilGone(machine.process, EXIT_MS))) throw error
    throw new DriverError('refused', `QEMU: ${await complaint(files.qemuLog)}`, { cause: error })
  }
}

async function load(options: Restore): Promise<void> {
  const { machine, files, saved, from, signal } = options
  await machine.execute('migrate-incoming', { uri: `unix:${files.memorySocket}` })
  const extent = await feed(options)
  if (extent.bytes !== saved.bytes || extent.crc32 !== saved.crc32) {
    throw new DriverError('refused', `the saved memory, ${from.name}, is not what was written`)
  }
  await untilLoaded(machine, signal)
}

function feed({ files, saved, from, signal, onProgress }: Restore): Promise<MemoryExtent> {
  return feedMemory(from.file, files.memorySocket, {
    ...(signal && { signal }),
    start: from.start,
    onBytes: bytes => onProgress?.(Math.min(1, bytes / saved.bytes)),
  })
}

async function untilLoaded(machine: Machine, signal: AbortSignal | undefined): Promise<void> {
  const deadline = performance.now() + LOAD_MS
  for (;;) {
    const { status, errorDesc } = await machine.execute('query-migrate')
    if (status === 'completed') break
    if (status === 'failed') throw new DriverError('refused', `QEMU cannot load the memory: ${errorDesc ?? status}`)
    if (signal?.aborted === true) throw new DriverError('refused', 'the resume was aborted', { cause: signal.reason })
    if (performance.now() >= deadline) throw new DriverError('unreachable', `no machine after ${LOAD_MS} ms`)
    await sleep(POLL_MS)
  }
  await machine.refresh()
}
