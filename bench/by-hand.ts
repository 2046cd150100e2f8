/** Starting a guest through the API, and by hand with the very command line that the driver used. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Session } from '../test/support/client.ts'
import { qemuProcesses } from '../test/support/machine.ts'
import type { Server } from '../test/support/server.ts'

const LOOK_MS = 1
const FIRST_BYTE_MAX_MS = 60_000

/** The command line that the driver starts a VM with, which is halted before and after. Source: proc(5). */
export async function commandOf({ data }: Server, session: Session, vm: string): Promise<readonly string[]> {
  await session.ok('VM.start', vm, false)
  const [id] = await qemuProcesses(join(data, 'qemu', vm))
  const line = await readFile(`/proc/${id}/cmdline`, 'utf8')
  await session.ok('VM.hard_shutdown', vm)
  return line.split('\0').slice(0, -1)
}

/** Milliseconds from the call of VM.start to the guest's first serial byte; the VM is left running. */
export async function startThroughApi({ data }: Server, session: Session, vm: string): Promise<number> {
  const log = join(data, 'qemu', vm, 'serial.log')
  const before = await sizeOf(log)
  const begin = performance.now()
  const started = session.ok('VM.start', vm, false)
  const time = await firstByte(log, before, begin)
  await started
  return time
}

/** The same of a command line in a folder of its own, so that no socket or log of the driver's is in the way. */
export async function startByHand({ data }: Server, vm: string, command: readonly string[]): Promise<number> {
  const place = join(data, 'qemu', vm)
  const copy = join(data, '..', 'by-hand')
  await mkdir(copy, { recursive: true })
  const [program = '', ...args] = command.map(word => word.replaceAll(place, copy))
  const log = join(copy, 'serial.log')
  const before = await sizeOf(log)
  const begin = performance.now()
  // In a session of its own, as the driver's: the kernel shares out a busy machine among sessions first.
  const child = spawn(program, args, { stdio: 'ignore', cwd: copy, detached: true })
  const exited = once(child, 'exit')
  try {
    return await firstByte(log, before, begin)
  } finally {
    child.kill('SIGKILL')
    await exited
  }
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size
  } catch {
    return 0 // A log that is not there yet is empty.
  }
}

async function firstByte(file: string, before: number, begin: number): Promise<number> {
  while (performance.now() - begin < FIRST_BYTE_MAX_MS) {
    if ((await sizeOf(file)) > before) return performance.now() - begin
    await sleep(LOOK_MS)
  }
  throw new Error(`no byte in ${file} within ${FIRST_BYTE_MAX_MS} ms`)
}
