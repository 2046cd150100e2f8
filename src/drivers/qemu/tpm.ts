import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readlinkSync } from 'node:fs'
import { mkdir, open, readFile, rm } from 'node:fs/promises'
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DriverError } from '../driver.ts'
import { systemCode } from './files.ts'
import { CHILD_ENVIRONMENT, findOptionalProgram } from './installation.ts'
import type { DomainFiles } from './layout.ts'
import { identify, killNow, waitUntilGone } from './process.ts'

/** How long the emulator may take until it listens, and to go when it is killed. */
const START_MS = 30_000
const KILL_MS = 10_000
const POLL_MS = 10
/** What an error shows of the emulator's own words. */
const COMPLAINT_LENGTH_MAX = 500

/** Whether there is an emulator of TPMs on this machine. */
export const canEmulateTpm = (): boolean => findOptionalProgram('swtpm') !== undefined

/**
 * Starts the emulator of a domain's TPM, swtpm. It outlives us, and ends by itself when QEMU lets go of its socket.
 * Resolves when it listens. Rejects as `refused` where it is missing or does not start.
 */
export async function startTpm(files: DomainFiles): Promise<void> {
  const program = findOptionalProgram('swtpm')
  if (program === undefined) {
    throw new DriverError(
      'refused',
      'a TPM needs swtpm, which is not on this machine; on Debian: apt-get install swtpm',
    )
  }
  await stopTpm(files)
  await mkdir(files.tpmState, { recursive: true, mode: 0o700 })
  const log = await open(files.tpmLog, 'w', 0o600)
  try {
    // Names within its folder, since its options have no way to say a comma.
    const [state, socket, pid] = [files.tpmState, files.tpmSocket, files.tpmPid].map(path => basename(path))
    const control = ['--ctrl', `type=unixio,path=${socket},mode=0600`, '--pid', `file=${pid}`, '--terminate']
    const args = ['socket', '--tpm2', '--tpmstate', `dir=${state},mode=0600`, ...control]
    const stdio = ['ignore' as const, log.fd, log.fd]
    const child = spawn(program, args, { detached: true, cwd: files.folder, stdio, env: CHILD_ENVIRONMENT })
    child.unref()
    child.on('error', () => undefined)
    await untilListening(files, child)
  } finally {
    await log.close()
  }
}

/** Ends an emulator that no QEMU has come to; harmless where there is none. */
export async function stopTpm(files: DomainFiles): Promise<void> {
  const pid = Number(await readFile(files.tpmPid, 'utf8').catch(nothingIfAbsent))
  const process = Number.isSafeInteger(pid) && pid > 0 ? identify(pid) : undefined
  // A number is given again: only what works in our folder is ours.
  if (process !== undefined && folderOf(pid) === files.folder) {
    killNow(process)
    await waitUntilGone(process, KILL_MS)
  }
  await Promise.all([files.tpmPid, files.tpmSocket].map(path => rm(path, { force: true })))
}

async function untilListening(files: DomainFiles, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + START_MS
  while (!(existsSync(files.tpmSocket) && existsSync(files.tpmPid))) {
    const isOver = child.exitCode !== null || child.signalCode !== null || child.pid === undefined
    if (isOver || performance.now() > deadline) {
      child.kill('SIGKILL')
      const words = (await readFile(files.tpmLog, 'utf8')).trim().slice(0, COMPLAINT_LENGTH_MAX)
      throw new DriverError('refused', `swtpm: ${words === '' ? 'does not start' : words}`)
    }
    await sleep(POLL_MS)
  }
}

function folderOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return undefined
  }
}

function nothingIfAbsent(error: unknown): string {
  if (systemCode(error) !== 'ENOENT') throw error
  return ''
}
