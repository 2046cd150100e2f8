import { setTimeout as sleep } from 'node:timers/promises'
import { TransportError } from './transport-error.ts'

/** How far a task is. */
export interface TaskProgress {
  /** 0 to 100; 100 only when it has ended. */
  readonly percent: number
  /** When the server expects it to end. */
  readonly eta: Date
}

/** How to wait for a task. */
export interface WaitOptions {
  /** Gives up waiting; the task goes on. */
  readonly signal?: AbortSignal
  /** Gives up waiting after this time; without it, after a day, which is how long a task is remembered. */
  readonly timeoutMs?: number
  /** Told after every look at the task. */
  readonly onProgress?: (progress: TaskProgress) => void
}

const WAIT_MS = 24 * 3_600_000
const POLL_FIRST_MS = 20
const POLL_LAST_MS = 1_000
const POLL_GROWTH = 1.5

/**
 * Looks until there is something, ever more seldom, from every 20 ms to every second. Rejects with the reason of the
 * signal, or TransportError `timeout`.
 */
export async function poll<T>(url: string, options: WaitOptions, look: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + (options.timeoutMs ?? WAIT_MS)
  for (let pauseMs = POLL_FIRST_MS; ; pauseMs = Math.min(POLL_LAST_MS, pauseMs * POLL_GROWTH)) {
    const found = await look()
    if (found !== undefined) return found
    const leftMs = deadline - performance.now()
    if (leftMs <= 0) throw new TransportError('timeout', url, `the task is still running at ${url}`)
    await pause(Math.min(pauseMs, leftMs), options.signal)
  }
}

/** `sleep` rejects with an error of its own around the reason. */
async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal })
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}
