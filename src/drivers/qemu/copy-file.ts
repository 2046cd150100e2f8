import { stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { OperationOptions } from '../driver.ts'
import { systemCode } from './files.ts'
import { runProgram } from './qemu-img.ts'

/** How long a copy may take. */
const COPY_MS = 6 * 3_600_000
/** How often it is told how far a copy is. */
const TELL_EVERY_MS = 200

/**
 * Copies a file, sparse as it is, to a name that nothing has; durable when it resolves. By `cp`, which keeps holes and
 * shares blocks where the file system can; Node's own copy does not keep them.
 */
export async function copyFile(from: string, to: string, { signal, onProgress }: OperationOptions = {}): Promise<void> {
  const over = new AbortController()
  const telling = onProgress === undefined ? undefined : tellHowFar(from, to, { onProgress, signal: over.signal })
  try {
    const copy = ['--sparse=always', '--reflink=auto', '--preserve=mode', '--', from, to]
    await runProgram('cp', copy, { signal, timeoutMs: COPY_MS })
    await runProgram('sync', ['--', to], { signal, timeoutMs: COPY_MS })
  } finally {
    over.abort()
    await telling
  }
}

interface Telling {
  readonly onProgress: (share: number) => void
  readonly signal: AbortSignal
}

/** By the blocks that both have: holes cost nothing. */
async function tellHowFar(from: string, to: string, { onProgress, signal }: Telling): Promise<void> {
  const whole = Math.max(1, await blocksOf(from))
  while (!signal.aborted) {
    onProgress(Math.min(1, (await blocksOf(to)) / whole))
    await sleep(TELL_EVERY_MS, undefined, { signal }).catch(() => undefined)
  }
}

async function blocksOf(path: string): Promise<number> {
  try {
    return (await stat(path)).blocks
  } catch (error) {
    // It is not there yet.
    if (systemCode(error) === 'ENOENT') return 0
    throw error
  }
}
