import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemCode } from './files.ts'

/** A process that cannot be taken for another: a number is given again, but not with the same time of start. */
export interface ProcessIdentity {
  readonly pid: number
  /** In clock ticks since the machine was started. */
  readonly startedTicks: string
}

/** A QEMU found on this machine. */
export interface FoundProcess extends ProcessIdentity {
  readonly arguments: readonly string[]
}

/** The process of this number, undefined where there is none or only what is left of one. */
export function identify(pid: number): ProcessIdentity | undefined {
  const status = readStatus(pid)
  return status === undefined || status.isDead ? undefined : { pid, startedTicks: status.startedTicks }
}

/** Whether the process lives; a zombie does not. */
export function isAlive({ pid, startedTicks }: ProcessIdentity): boolean {
  return identify(pid)?.startedTicks === startedTicks
}

/** Waits until the process is gone with all that it held. Resolves with whether that came about in time. */
export async function waitUntilGone(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  const POLL_MS_MAX = 50
  const deadline = performance.now() + timeoutMs
  for (let pollMs = 1; isAlive(identity); pollMs = Math.min(pollMs * 2, POLL_MS_MAX)) {
    if (performance.now() >= deadline) return false
    await sleep(pollMs)
  }
  return true
}

/** Kills the process at once; harmless where it is gone. */
export function killNow(identity: ProcessIdentity): void {
  if (!isAlive(identity)) return
  try {
    process.kill(identity.pid, 'SIGKILL')
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error
  }
}

/**
 * The living processes that were given `-pidfile` with a path, by that path. The command line of a process is there
 * before QEMU has written anything, so that one whose start was interrupted is found too.
 */
export function findByPidFile(): Map<string, FoundProcess> {
  const found = new Map<string, FoundProcess>()
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!Number.isSafeInteger(pid)) continue
    const commandLine = argumentsOf(pid)
    const option = commandLine.indexOf('-pidfile')
    const path = commandLine[option + 1]
    if (option < 0 || path === undefined) continue
    const identity = identify(pid)
    if (identity !== undefined) found.set(path, { ...identity, arguments: commandLine })
  }
  return found
}

/** The command line of a process; empty where it is gone. */
export function argumentsOf(pid: number): string[] {
  return readProc(pid, 'cmdline')?.split('\0') ?? []
}

interface ProcessStatus {
  readonly isDead: boolean
  readonly startedTicks: string
}

/** Source: proc(5), /proc/PID/stat: 3 state, 20 num_threads, 22 starttime. */
function readStatus(pid: number): ProcessStatus | undefined {
  const line = readProc(pid, 'stat')
  if (line === undefined) return undefined
  // The second field, the name in parentheses, may hold blanks and parentheses itself.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
  const [state, threads, startedTicks] = [fields[0], fields[17], fields[19]]
  if (state === undefined || startedTicks === undefined) return undefined
  // While other threads live, files and locks are still held, though the first thread is a zombie already.
  return { isDead: (state === 'Z' || state === 'X') && Number(threads) <= 1, startedTicks }
}

/** Undefined where the process is gone. */
function readProc(pid: number, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8')
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES') return undefined
    throw error
  }
}
