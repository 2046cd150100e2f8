import { existsSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { systemCode, writeAtomically } from './files.ts'
import type { DomainFiles } from './layout.ts'

/** What is read of the end of QEMU's log. */
const LOG_BYTES_MAX = 4_096

/** Keeps in mind that QEMU was ended by a signal: what a machine does with its processes when it goes down. */
export async function noteInterruption(files: DomainFiles): Promise<void> {
  await writeAtomically(files.interrupted, '')
}

/** It runs again, or its machine has not gone down. */
export async function forgetInterruption(files: DomainFiles): Promise<void> {
  await rm(files.interrupted, { force: true })
}

/**
 * Whether a domain had a QEMU when the machine went down. To be asked after that and before anything is cleared away:
 * its QEMU did not end by itself, or was ended by a signal.
 */
export async function wasInterrupted(files: DomainFiles): Promise<boolean> {
  if (existsSync(files.interrupted)) return true
  if (!existsSync(files.running)) return false
  // QEMU removes this file whenever it exits by its own decision, which a signal asks it for as well.
  return existsSync(files.pid) || (await tailOf(files.qemuLog)).includes('terminating on signal')
}

async function tailOf(path: string): Promise<string> {
  try {
    const file = await open(path, 'r')
    try {
      const start = Math.max(0, (await file.stat()).size - LOG_BYTES_MAX)
      const { buffer, bytesRead } = await file.read(Buffer.alloc(LOG_BYTES_MAX), 0, LOG_BYTES_MAX, start)
      return buffer.toString('latin1', 0, bytesRead)
    } finally {
      await file.close()
    }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return ''
    throw error
  }
}
