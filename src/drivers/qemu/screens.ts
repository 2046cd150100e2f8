import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { QmpError } from '../../protocols/qmp/error.ts'
import { DriverError, type ScreenOps, type Screenshot } from '../driver.ts'
import { partialPath } from './files.ts'
import type { Gate } from './gate.ts'
import type { Inventory } from './inventory.ts'
import { keyNamesOf } from './key-codes.ts'
import { filesOf } from './layout.ts'
import type { Machine } from './machine.ts'
import { parsePpm } from './ppm.ts'
import { machineOf } from './whole-domain.ts'

/** How many keys are held at once. */
const KEYS_MAX = 16
const HOLD_MS_MAX = 60_000
/** How long QEMU holds keys where nothing else is said. Source: QEMU ui/input.c, kbd_default_delay_ms. */
const HOLD_MS_LEAST = 10
/** The largest picture that is read: more than any display of a guest has. */
const PICTURE_BYTES_MAX = 134_217_728

/** What the group works with. */
export interface ScreenParts {
  readonly root: string
  readonly inventory: Inventory
  /** Aborted when the driver is closed. */
  readonly closed: AbortSignal
}

/** The group `screens`. Looking and pressing keep nobody waiting, and wait for nobody. */
export const screenOps = ({ root, inventory, closed }: ScreenParts, gate: Gate): ScreenOps => ({
  screenshot: id =>
    gate.pass(async () => {
      const machine = machineOf(inventory.find(id), 'running', 'paused')
      return look(machine, join(filesOf(root, id).folder, 'screen'))
    }),
  pressKeys(id, keys, holdMs) {
    const wanted = [...keys]
    return gate.pass(async () => {
      const machine = machineOf(inventory.find(id), 'running')
      await press(machine, keyNamesOf(wanted), holdMs, closed)
    })
  },
})

/** QEMU writes the picture to a file that nobody else may read, and that is gone whatever follows. */
async function look(machine: Machine, place: string): Promise<Screenshot> {
  const path = partialPath(place)
  // QEMU would make one that all may read.
  await (await open(path, 'wx', 0o600)).close()
  try {
    await machine.execute('screendump', { filename: path })
    return parsePpm(await readPicture(path))
  } catch (error) {
    if (!(error instanceof QmpError)) throw error
    throw new DriverError('refused', `QEMU shows nothing: ${error.message}`, { cause: error })
  } finally {
    await rm(path, { force: true })
  }
}

async function readPicture(path: string): Promise<Uint8Array> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    if (size > PICTURE_BYTES_MAX) {
      throw new DriverError('refused', `the picture has ${size} bytes; at most ${PICTURE_BYTES_MAX} are read`)
    }
    return await file.readFile()
  } finally {
    await file.close()
  }
}

/**
 * QEMU presses one key after another, and lets go of them the last first, with `holdMs` between any two of these; it
 * lets go though nobody be there any more who has asked for it. This resolves when it has.
 */
async function press(machine: Machine, names: readonly string[], holdMs: number, closed: AbortSignal): Promise<void> {
  if (names.length > KEYS_MAX) throw new DriverError('refused', `no more than ${KEYS_MAX} keys are held at once`)
  if (!(holdMs >= 0 && holdMs <= HOLD_MS_MAX)) {
    throw new DriverError('refused', `keys are held from 0 to ${HOLD_MS_MAX} ms, not ${holdMs}`)
  }
  if (names.length === 0) return
  const stepMs = Math.ceil(Math.max(holdMs, HOLD_MS_LEAST))
  const keys = names.map(name => ({ type: 'qcode', data: name }) as const)
  await machine.execute('send-key', { keys, 'hold-time': stepMs })
  await sleep(2 * names.length * stepMs, undefined, { signal: closed, ref: false }).catch(() => undefined)
}
