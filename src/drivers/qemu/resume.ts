import { open } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { DriverError, type OperationOptions } from '../driver.ts'
import type { DomainFiles } from './layout.ts'
import type { Machine } from './machine.ts'
import { feedMemory, type MemoryExtent } from './memory-file.ts'
import type { Saved } from './saved.ts'

/** A machine that waits for its memory, and where that is. */
export interface Restore extends OperationOptions {
  readonly machine: Machine
  readonly files: DomainFiles
  readonly saved: Saved
}

/** How long QEMU may take to make a machine of what it has read. */
const LOAD_MS = 60_000
const POLL_MS = 10

/** Gives a machine its saved memory; it is paused when this resolves. Rejects where either will not do. */
export async function restore(options: Restore): Promise<void> {
  const { machine, files, saved, signal } = options
  await machine.execute('migrate-incoming', { uri: `unix:${files.memorySocket}` })
  const extent = await feed(options)
  if (extent.bytes !== saved.bytes || extent.crc32 !== saved.crc32) {
    throw new DriverError('refused', `the saved memory, ${files.memory}, is not what was written`)
  }
  await untilLoaded(machine, signal)
}

async function feed({ files, saved, signal, onProgress }: Restore): Promise<MemoryExtent> {
  const file = await open(files.memory, 'r')
  try {
    return await feedMemory(file, files.memorySocket, {
      ...(signal && { signal }),
      onBytes: bytes => onProgress?.(Math.min(1, bytes / saved.bytes)),
    })
  } finally {
    await file.close()
  }
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
