import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Mood, writeBootImage } from '../guests/boot-sector.ts'
import type { Session } from './client.ts'
import { asString, asStruct } from './value.ts'

const LOOK_MS = 50
const WAIT_MS = 60_000

/** Waits until `look` answers something; a failed test after a minute. */
export async function until<R>(what: string, look: () => Promise<R | undefined>): Promise<R> {
  const deadline = Date.now() + WAIT_MS
  for (;;) {
    const seen = await look()
    if (seen !== undefined) return seen
    if (Date.now() > deadline) throw new Error(`waited ${WAIT_MS} ms for ${what}`)
    await sleep(LOOK_MS)
  }
}

/** A folder of bootable images, told to the server as a repository; answers the references of its images. */
export async function bootImages(
  session: Session,
  folder: string,
  count: number,
  mood?: Mood,
): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true })
  for (let number = 0; number < count; number++) await writeBootImage(join(folder, `boot-${number}.raw`), mood)
  const sr = await session.text('SR.create', { type: 'dir', location: folder, name_label: 'bootable' })
  return session.list('SR.get_VDIs', sr)
}

/** A VM of 16 MiB that boots from an image. */
export async function bootableVm(session: Session, name: string, vdi: string): Promise<string> {
  const vm = await session.text('VM.create', { name_label: name, memory_static_max: String(16 * 1_048_576) })
  await session.ok('VBD.create', { VM: vm, VDI: vdi, device: 'hda' })
  return vm
}

/** What the guest has printed by now, read through the API. */
export async function serialOutput(session: Session, vm: string): Promise<string> {
  let output = ''
  for (let next = '0'; ; ) {
    const chunk = asStruct(await session.ok('VM.read_serial', vm, next))
    if (chunk['data'] === '') return output
    output += asString(chunk['data'])
    next = asString(chunk['next'])
  }
}

/** Waits until the guest has printed a text since a position in its output. */
export async function printed(session: Session, vm: string, text: string, from = 0): Promise<string> {
  return until(`the guest to print ${text}`, async () => {
    const output = await serialOutput(session, vm)
    return output.slice(from).includes(text) ? output : undefined
  })
}

/** Waits until the VM has a power state. */
export async function reached(session: Session, vm: string, state: string): Promise<void> {
  await until(`${vm} to be ${state}`, async () =>
    (await session.text('VM.get_power_state', vm)) === state ? true : undefined,
  )
}

/** The QEMU processes that run guests for a data directory, by id. */
export async function qemuProcesses(data: string): Promise<readonly number[]> {
  return processes(data, line => line.includes('\0-uuid\0'))
}

/** The switch between the guests of a data directory and the uplinks of its networks, by id. */
export async function networkProcesses(data: string): Promise<readonly number[]> {
  return processes(data, line => line.includes('/qemu/net/') && !line.includes('\0-uuid\0'))
}

/** Source: proc(5). */
async function processes(data: string, isWanted: (line: string) => boolean): Promise<readonly number[]> {
  const ids = (await readdir('/proc')).filter(name => /^\d+$/.test(name))
  const commands = await Promise.all(
    ids.map(async id => [Number(id), await readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')] as const),
  )
  return commands
    .filter(([, line]) => line.includes('\0-pidfile\0'))
    .flatMap(([id, line]) => (line.includes(`${data}/`) && isWanted(line) ? id : []))
}

/**
 * Ends the guests that a test left behind, and what their networks are made of; resolves when they are gone, and write
 * nothing any more. No server may be there.
 */
export async function endGuests(data: string): Promise<void> {
  const left = async () => [...(await qemuProcesses(data)), ...(await networkProcesses(data))]
  for (const id of await left()) {
    try {
      process.kill(id, 'SIGKILL')
    } catch (error) {
      // It has just ended by itself.
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
    }
  }
  await until('the guests to be gone', async () => ((await left()).length === 0 ? true : undefined))
}
