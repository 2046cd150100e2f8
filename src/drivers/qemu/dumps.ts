import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Dump, type DumpOps, DriverError, type OperationOptions } from '../driver.ts'
import { assertWritable } from './caller-file.ts'
import { dropOldest, ENDING, listDumps, namesIn } from './dump-files.ts'
import { isPartial, partialPath, syncFolder } from './files.ts'
import type { Gate } from './gate.ts'
import type { Inventory } from './inventory.ts'
import type { Machine } from './machine.ts'

/** How often QEMU is asked how far it is. */
const POLL_MS = 50
/** How long QEMU may take to write all memory. */
const WRITE_MS = 6 * 3_600_000

/** The group `dumps`. */
export const dumpOps = (inventory: Inventory, gate: Gate): DumpOps => ({
  dump: (id, options = {}) =>
    gate.pass(() => {
      const domain = inventory.find(id)
      const { location } = options
      if (location !== undefined) assertWritable(inventory, location)
      const run = (machine: Machine) =>
        location === undefined ? dump(machine, domain.dumpFolder, options) : dumpTo(machine, location, options)
      return domain.change(({ machine }) => run(machine), ['paused', 'crashed'])
    }),
  list: id => gate.pass(() => listDumps(inventory.find(id).dumpFolder)),
})

async function dump(machine: Machine, folder: string, options: OperationOptions): Promise<Dump> {
  assertWanted(options)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  // What a killed connection has left.
  for (const name of (await namesIn(folder)).filter(isPartial)) await rm(join(folder, name), { force: true })
  // By such names, the oldest comes first.
  const location = join(folder, `${new Date().toISOString().replaceAll(':', '-')}${ENDING}`)
  const made = await dumpTo(machine, location, options)
  await dropOldest(folder)
  return made
}

/** Written under another name and renamed when it is whole. */
async function dumpTo(machine: Machine, location: string, options: OperationOptions): Promise<Dump> {
  assertWanted(options)
  const partial = partialPath(location)
  try {
    await write(machine, partial, options)
    await rename(partial, location)
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
  await syncFolder(dirname(location))
  return { location, bytes: (await stat(location)).size }
}

function assertWanted({ signal }: OperationOptions): void {
  if (signal?.aborted === true) throw aborted(signal)
}

const aborted = (signal: AbortSignal) => new DriverError('refused', 'the dump was aborted', { cause: signal.reason })

/** QEMU cannot be told to stop: a dump that nobody wants any more is written to its end, and then thrown away. */
async function write(machine: Machine, path: string, { signal, onProgress }: OperationOptions): Promise<void> {
  // QEMU would make a file that we may not write to.
  const file = await open(path, 'wx', 0o600)
  try {
    let failure: string | undefined
    const unlisten = machine.listen(({ event, data }) => {
      if (event === 'DUMP_COMPLETED' && 'error' in data) failure = String(data['error'])
    })
    try {
      await machine.execute('dump-guest-memory', { paging: false, protocol: `file:${path}`, detach: true })
      await untilWritten(machine, onProgress)
    } finally {
      unlisten()
    }
    if (failure !== undefined) throw new DriverError('refused', `QEMU cannot write the dump: ${failure}`)
    assertWanted({ ...(signal && { signal }) })
    await file.sync()
  } finally {
    await file.close()
  }
}

async function untilWritten(machine: Machine, onProgress: OperationOptions['onProgress']): Promise<void> {
  const deadline = performance.now() + WRITE_MS
  for (;;) {
    const { status, completed, total } = await machine.execute('query-dump')
    if (total > 0) onProgress?.(Math.min(1, completed / total))
    if (status === 'completed') return
    if (status === 'failed') throw new DriverError('refused', `QEMU cannot write the dump; its log may say why`)
    if (performance.now() >= deadline) throw new DriverError('unreachable', `no dump after ${WRITE_MS} ms`)
    await sleep(POLL_MS)
  }
}
