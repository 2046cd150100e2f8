import { spawn } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { DriverError } from '../../driver.ts'
import { CHILD_ENVIRONMENT } from '../installation.ts'
import { findByPidFile, identify, isAlive, killNow, type ProcessIdentity, waitUntilGone } from '../process.ts'
import { connectSwitch, type SwitchClient } from './client.ts'
import { PROTOCOL_VERSION } from './messages.ts'

/** The files of a switch. */
export interface SwitchFiles {
  /** The control socket. */
  readonly control: string
  readonly pid: string
  /** What the process had to say since its start; nothing, unless it failed. */
  readonly log: string
}

/** How long a switch may take from its start until it answers. */
const START_MS = 60_000
/** How long one that was found may take to greet. */
const GREETING_MS = 10_000
const KILL_MS = 20_000
const POLL_MS = 20

/**
 * Connects to the switch that runs, if one does and speaks as we do; undefined where none runs. One that does not answer
 * or is of another version is ended: guests are without one another until the next one is there.
 */
export async function findSwitch(files: SwitchFiles, onClose: () => void): Promise<SwitchClient | undefined> {
  const found = findByPidFile().get(files.pid)
  if (found === undefined) return undefined
  const client = await connectSwitch(files.control, onClose, GREETING_MS).catch(() => undefined)
  const greeting = await client?.greeting
  if (client !== undefined && greeting?.version === PROTOCOL_VERSION) return client
  client?.close()
  killNow(found)
  if (await waitUntilGone(found, KILL_MS)) return undefined
  throw new DriverError('unreachable', `the switch, process ${found.pid}, neither answers nor goes`)
}

/** Starts a switch and connects to it. None may be running. Rejects as `unreachable` where it does not come up. */
export async function startSwitch(files: SwitchFiles, onClose: () => void): Promise<SwitchClient> {
  const child = spawnSwitch(files)
  const deadline = performance.now() + START_MS
  while (performance.now() < deadline) {
    await sleep(POLL_MS)
    const isUp = isAlive(child)
    // Before it listens, nobody answers there, or one that has just died.
    const client = await connectSwitch(files.control, onClose, START_MS).catch(() => undefined)
    const greeting = await client?.greeting
    if (client !== undefined && greeting?.pid === child.pid) return client
    client?.close()
    if (!isUp) throw new DriverError('unreachable', `the switch has ended at once; see ${files.log}`)
  }
  killNow(child)
  throw new DriverError('unreachable', `the switch does not answer within ${START_MS} ms`)
}

function spawnSwitch(files: SwitchFiles): ProcessIdentity {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const program = fileURLToPath(new URL(`./main.${extension}`, import.meta.url))
  const { O_WRONLY, O_CREAT, O_TRUNC, O_APPEND } = constants
  const log = openSync(files.log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0o600)
  try {
    const child = spawn(process.execPath, [program, '-pidfile', files.pid, files.control], {
      detached: true,
      stdio: ['ignore', log, log],
      cwd: '/',
      env: CHILD_ENVIRONMENT,
    })
    child.unref()
    // A program that cannot be run is told of by its missing number.
    child.on('error', () => undefined)
    const identity = child.pid === undefined ? undefined : identify(child.pid)
    if (identity === undefined) throw new DriverError('unreachable', `cannot run ${process.execPath}`)
    return identity
  } finally {
    closeSync(log)
  }
}
