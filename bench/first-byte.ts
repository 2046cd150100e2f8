/**
 * From VM.start to the guest's first serial byte, against the very command line that the driver used, run by hand.
 * The two take turns, so that what else the machine does weighs on both.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile, rm, mkdtemp, mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ApiClient, type Session } from '../test/support/client.ts'
import { bootableVm, bootImages, endGuests, qemuProcesses } from '../test/support/machine.ts'
import { ADMIN, type Server, startServer } from '../test/support/server.ts'
import { median } from './measure.ts'

const RUNS = 15
const AIM = 1.15
const LOOK_MS = 1
const FIRST_BYTE_MAX_MS = 30_000

const folder = await mkdtemp(join(tmpdir(), 'polyvisor-bench-'))
const server = await startServer({ data: join(folder, 'data'), hosts: ['qemu:///system'] })
const client = new ApiClient(server.http)
try {
  const session = await client.login(ADMIN.name, ADMIN.password)
  const [vdi = ''] = await bootImages(session, join(folder, 'images'), 1)
  const vm = await bootableVm(session, 'bench', vdi)
  const command = await commandOf(session, vm)
  const [ours, byHand]: [number[], number[]] = [[], []]
  for (let run = 0; run < RUNS; run++) {
    ours.push(await startThroughApi(session, vm))
    byHand.push(await startByHand(server, vm, command))
  }
  const row = { bench: 'start-to-first-byte', ours_ms: median(ours), reference_ms: median(byHand) }
  process.stdout.write(`${JSON.stringify({ ...row, ratio: row.ours_ms / row.reference_ms, aim: AIM })}\n`)
} finally {
  client.close()
  await server.stop()
  await endGuests(folder)
  await rm(folder, { recursive: true, force: true })
}

function serialLog(of: Server, vm: string): string {
  return join(of.data, 'qemu', vm, 'serial.log')
}

/** The command line of the running guest. Source: proc(5). */
async function commandOf(session: Session, vm: string): Promise<readonly string[]> {
  await session.ok('VM.start', vm, false)
  const [id] = await qemuProcesses(join(server.data, 'qemu', vm))
  const line = await readFile(`/proc/${id}/cmdline`, 'utf8')
  await session.ok('VM.hard_shutdown', vm)
  return line.split('\0').slice(0, -1)
}

async function startThroughApi(session: Session, vm: string): Promise<number> {
  const before = await sizeOf(serialLog(server, vm))
  const begin = performance.now()
  const started = session.ok('VM.start', vm, false)
  const time = await firstByte(serialLog(server, vm), before, begin)
  await started
  await session.ok('VM.hard_shutdown', vm)
  return time
}

/** The same command line in a folder of its own, so that no socket or log of the driver's is in the way. */
async function startByHand(of: Server, vm: string, command: readonly string[]): Promise<number> {
  const place = join(of.data, 'qemu', vm)
  const copy = join(folder, 'by-hand')
  await mkdir(copy, { recursive: true })
  const [program = '', ...args] = command.map(word => word.replaceAll(place, copy))
  const before = await sizeOf(join(copy, 'serial.log'))
  const begin = performance.now()
  const child = spawn(program, args, { stdio: 'ignore', cwd: copy })
  const time = await firstByte(join(copy, 'serial.log'), before, begin)
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
  return time
}

async function sizeOf(file: string): Promise<number> {
  try {
    const handle = await open(file)
    const { size } = await handle.stat()
    await handle.close()
    return size
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
