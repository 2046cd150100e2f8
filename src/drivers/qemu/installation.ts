import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { DriverError } from '../driver.ts'

/** What of QEMU is on this machine. */
export interface Installation {
  /** Absolute path of the emulator. */
  readonly qemu: string
  /** Absolute path of the tool for images. */
  readonly qemuImg: string
  /** Such as `7.2.22`. */
  readonly version: string
  /** The versioned name that `pc` stands for in this QEMU, such as `pc-i440fx-7.2`. */
  readonly machine: string
}

const run = promisify(execFile)
const RUN_OPTIONS = { timeout: 20_000, maxBuffer: 1_048_576 } as const

/**
 * What QEMU and its tools see of our environment: no secret of ours, and messages in English.
 */
export const CHILD_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: process.env['PATH'] ?? '/usr/bin:/bin',
  LC_ALL: 'C',
  // What local time is, where that was not left to the machine.
  ...(process.env['TZ'] !== undefined && { TZ: process.env['TZ'] }),
}

/** Looks for QEMU. Rejects as `unreachable`, naming what to install, where it is missing or does not work. */
export async function findInstallation(): Promise<Installation> {
  const [qemu, qemuImg] = [findProgram('qemu-system-x86_64'), findProgram('qemu-img')]
  try {
    const [versionText, machineText] = await Promise.all([ask(qemu, '--version'), ask(qemu, '-machine', 'help')])
    const version = /version (\d+(?:\.\d+)+)/.exec(versionText)?.[1]
    const machine = /^pc\s.*\(alias of (\S+)\)/m.exec(machineText)?.[1]
    if (version === undefined || machine === undefined) {
      throw new DriverError('unreachable', `${qemu} names no version or no machine of type pc`)
    }
    return { qemu, qemuImg, version, machine }
  } catch (error) {
    if (error instanceof DriverError) throw error
    throw new DriverError('unreachable', `${qemu} does not work: ${String(error)}`, { cause: error })
  }
}

async function ask(program: string, ...commandArguments: string[]): Promise<string> {
  const { stdout } = await run(program, commandArguments, { ...RUN_OPTIONS, env: CHILD_ENVIRONMENT })
  return stdout
}

/** The absolute path of a program that only some domains need; undefined where it is not on this machine. */
export function findOptionalProgram(name: string): string | undefined {
  const folders = (CHILD_ENVIRONMENT['PATH'] ?? '').split(':').filter(folder => folder.startsWith('/'))
  return folders.map(folder => join(folder, name)).find(isExecutable)
}

function findProgram(name: string): string {
  const path = findOptionalProgram(name)
  if (path !== undefined) return path
  throw new DriverError(
    'unreachable',
    `${name} is not on this machine; on Debian: apt-get install qemu-system-x86 qemu-utils`,
  )
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    // Not there or not ours to run: the search goes on.
    return false
  }
}
