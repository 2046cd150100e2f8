import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync, truncateSync } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { DriverError } from '../driver.ts'
import { CHILD_ENVIRONMENT } from './installation.ts'
import type { DomainFiles } from './layout.ts'
import type { Machine } from './machine.ts'
import { identify, killNow, type ProcessIdentity, waitUntilGone } from './process.ts'

/** How a QEMU is started. */
export interface Launch {
  readonly program: string
  readonly arguments: readonly string[]
  readonly files: DomainFiles
  readonly signal?: AbortSignal | undefined
  readonly toMachine: (process: ProcessIdentity) => Machine
}

/** How long QEMU may take from its start until it answers; long, for machines that are busy with other guests. */
const START_MS = 120_000
/** How long a killed QEMU may take to go. */
const KILL_MS = 20_000

/**
 * Starts QEMU and connects to it; meanwhile the guest executes. QEMU is in a session of its own and outlives us.
 * Resolves with undefined when the guest shut itself down before QEMU was reached. Rejects as `refused` with QEMU's own
 * words when it exits, as `unreachable` when it does not answer in time; it is gone by then.
 */
export async function launch({
  program,
  arguments: args,
  files,
  signal,
  toMachine,
}: Launch): Promise<Machine | undefined> {
  const child = spawnDetached(program, args, files)
  const over = new AbortController()
  child.once('exit', () => over.abort())
  const exited = once(child, 'exit').then(([code]) => code === 0)
  // A program that cannot be run has no exit; it is told of below, by its missing number.
  exited.catch(() => undefined)
  const process = child.pid === undefined ? undefined : identify(child.pid)
  if (process === undefined) {
    const isClean = await exited.catch((error: unknown) => Promise.reject(refusal(`cannot run ${program}`, error)))
    return ended(isClean, files)
  }

  const machine = toMachine(process)
  // Once QEMU has exited, whoever accepts on its socket is not the one that was started.
  const untilOver = AbortSignal.any([over.signal, ...(signal === undefined ? [] : [signal])])
  try {
    await machine.attach({ timeoutMs: START_MS, greetingMs: START_MS, signal: untilOver })
    return machine
  } catch (error) {
    machine.detach()
    if (identify(process.pid) === undefined) return ended(await exited, files)
    killNow(process)
    await waitUntilGone(process, KILL_MS)
    throw error
  }
}

const refusal = (message: string, cause: unknown) =>
  new DriverError('refused', `${message}: ${String(cause)}`, { cause })

async function ended(isClean: boolean, files: DomainFiles): Promise<undefined> {
  if (isClean) return undefined
  throw new DriverError('refused', `QEMU: ${await complaint(files.qemuLog)}`)
}

function spawnDetached(program: string, args: readonly string[], files: DomainFiles): ChildProcess {
  const { O_WRONLY, O_CREAT, O_TRUNC, O_APPEND } = constants
  // Appending, so that the log can be cut short while QEMU has it open.
  const log = openSync(files.qemuLog, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0o600)
  try {
    // QEMU would make it readable for all.
    closeSync(openSync(files.serialLog, 'a', 0o600))
    const child = spawn(program, args, {
      detached: true,
      stdio: ['ignore', log, log],
      cwd: '/',
      env: CHILD_ENVIRONMENT,
    })
    child.unref()
    return child
  } finally {
    closeSync(log)
  }
}

/** The most that is read of QEMU's log, and the most of it that an error shows. */
const LOG_BYTES_MAX = 8_192
const COMPLAINT_LENGTH_MAX = 500

/** What QEMU said last before it gave up: its first line that is no mere warning. */
export async function complaint(path: string): Promise<string> {
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(LOG_BYTES_MAX), 0, LOG_BYTES_MAX, 0)
    const lines = buffer
      .toString('utf8', 0, bytesRead)
      .split('\n')
      .map(line => line.replace(/^\S*qemu-system-\S+: /, '').trim())
    const line = lines.find(text => text !== '' && !text.startsWith('warning:')) ?? 'exited without a word'
    return line.slice(0, COMPLAINT_LENGTH_MAX)
  } finally {
    await file.close()
  }
}

/** A log of QEMU's own words longer than this is cut; only a guest that provokes complaints gets it there. */
const LOG_KEPT_BYTES_MAX = 1_048_576

/** Cuts the log of a living QEMU where it has grown too long. */
export async function trimQemuLog(path: string): Promise<void> {
  if ((await stat(path)).size > LOG_KEPT_BYTES_MAX) truncateSync(path)
}
