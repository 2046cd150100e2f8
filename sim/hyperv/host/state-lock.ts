import { open, readFile, rm } from 'node:fs/promises'
import { StateError } from './persistence.ts'

/** One for a lock that nobody holds any more, one for the next. */
const TRIES = 2

/**
 * Keeps other hosts off a state file, by a file beside it with the number of this process. One that a dead process left is
 * taken over. Rejects with StateError where a living one holds it; what it resolves to lets go.
 */
export async function lockState(path: string): Promise<() => Promise<void>> {
  const lock = `${path}.lock`
  for (let trial = 0; trial < TRIES; trial++) {
    if (await take(lock)) return () => rm(lock, { force: true })
    const holder = await holderOf(lock)
    if (holder !== undefined && isAlive(holder)) {
      throw new StateError(`${path} is in use by process ${holder}; end that host first, or take another file.`)
    }
    await rm(lock, { force: true })
  }
  throw new StateError(`${path} cannot be locked: somebody else takes ${lock} at the same time.`)
}

async function take(lock: string): Promise<boolean> {
  try {
    const file = await open(lock, 'wx', 0o600)
    await file.writeFile(String(process.pid))
    await file.close()
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw new StateError(`${lock} cannot be made.`, { cause: error })
  }
}

/** Undefined where the file is gone again, or says nothing. */
async function holderOf(lock: string): Promise<number | undefined> {
  const text = await readFile(lock, 'utf8').catch(() => '')
  return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined
}

/** Source: kill(2): signal 0 asks whether there is a process; EPERM says that there is one of somebody else. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
