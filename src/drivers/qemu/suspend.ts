import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { DriverError, type OperationOptions } from '../driver.ts'
import { assertActive } from './active-images.ts'
import type { Definition } from './definition.ts'
import { isOrdinary } from './exit-keeper.ts'
import type { DomainFiles } from './layout.ts'
import type { Machine } from './machine.ts'
import { MemoryReceiver } from './memory-file.ts'
import { commitMemory, discardSuspension, forgetSuspension, type Saved, writeSuspension } from './saved.ts'

/** A domain to be suspended. */
export interface Suspend extends OperationOptions {
  readonly machine: Machine
  readonly files: DomainFiles
  /** What QEMU is made of. */
  readonly definition: Definition
  /** The guest is to go on meanwhile, where that can be. */
  readonly isLive: boolean
  /** Absent: the domain's own file, from which it is resumed. */
  readonly target?: SaveTarget
}

/** Where memory is written to. */
export interface SaveTarget {
  /** A file that is worth nothing until `commit`; undone, it is deleted. */
  readonly partial: string
  /** Where the memory begins in it. */
  readonly start: number
  /** Makes it count: a guest of this memory is there to be restored, and nobody may let this one go on. */
  readonly commit: (saved: Saved) => Promise<void>
}

/** Faster than any disk; QEMU's own default is made for networks. In bytes a second. */
const BANDWIDTH_MAX = 2 ** 40
/** How often a guest that goes on may have its memory looked through before it is stopped to come to an end. */
const LIVE_PASSES_MAX = 8
/** How often QEMU is asked how far it is. */
const POLL_MS = 20
/** How long QEMU may take to call a migration off. */
const CANCEL_MS = 15_000

/**
 * Writes the memory of a guest to its file; when this resolves, the guest stands still and is saved, and its QEMU is
 * there to be ended. A failure leaves no file, and the guest as it was.
 */
export async function suspend(options: Suspend): Promise<Saved> {
  const { machine, files, definition, signal, target = ownTarget(options) } = options
  if (signal?.aborted === true) throw aborted(signal)
  await assertActive(machine)
  const wasRunning = machine.state === 'running'
  const isLive = options.isLive && (await mayGoOn(machine))
  const { partial } = target
  await writeSuspension(files, { phase: 'saving', wasRunning, ...(partial !== files.memoryPartial && { partial }) })
  try {
    if (wasRunning && !isLive) await machine.command('stop')
    const saved = { definition, paused: !wasRunning, ...(await transfer({ ...options, isLive, wasRunning }, target)) }
    assertNotEnded(machine)
    await target.commit(saved)
    return saved
  } catch (error) {
    try {
      await undo(machine, files, { wasRunning, partial })
    } catch (failure) {
      const message = `${String(error)}; and it could not be taken back: ${String(failure)}`
      throw new DriverError('refused', message, { cause: error })
    }
    throw error
  }
}

/**
 * Whether QEMU notices all that the guest writes while its memory is being sent. Where QEMU translates the guest's code it
 * does not: after each pass some pages count as sent that change after that, and a guest that is given these back is
 * broken. QEMU 9.0 mends a cause of that; whether it is the last one is not known, so none is trusted.
 * Source: QEMU commit "physmem: Fix migration dirty bitmap coherency with TCG memory access"; seen with 7.2.
 */
const mayGoOn = (machine: Machine): Promise<boolean> => machine.execute('query-kvm')

const aborted = (signal: AbortSignal | undefined) =>
  new DriverError('refused', 'the suspension was aborted', { cause: signal?.reason })

/** A guest that ends while it is being saved has ended. */
function assertNotEnded(machine: Machine): void {
  if (machine.isEnding) throw new DriverError('bad-state', 'the guest ended while it was being saved')
}

const ownTarget = ({ files }: Suspend): SaveTarget => ({
  partial: files.memoryPartial,
  start: 0,
  commit: saved => commitMemory(files, saved),
})

/** A transfer that is called off at most until all is sent of a guest that does not go on then. */
interface Transfer extends Suspend {
  readonly wasRunning: boolean
}

/**
 * Writes the memory of a guest. What is aborted when QEMU has sent all of a guest that was paused is done all the same:
 * with its memory QEMU has given its images away, and takes them back only when the guest goes on.
 * Source: QEMU migration/migration.c, migration_completion; block.c, bdrv_inactivate_all.
 */
async function transfer(options: Transfer, { partial, start }: SaveTarget) {
  const { machine, files, isLive, wasRunning, signal, onProgress } = options
  const isCalledOff = async () => signal?.aborted === true && (wasRunning || (await callOff(machine)) !== 'completed')
  const receiver = await MemoryReceiver.listen(files.memorySocket)
  const over = new AbortController()
  const received = receiver.receive(partial, over.signal, start)
  let failure: unknown
  received.catch((error: unknown) => (failure = error))
  try {
    await machine.execute('migrate-set-parameters', { 'max-bandwidth': BANDWIDTH_MAX })
    await machine.execute('migrate', { uri: `unix:${files.memorySocket}` })
    let share = 0
    for (let isWhole = false; !isWhole; ) {
      await sleep(POLL_MS)
      if (await isCalledOff()) throw aborted(signal)
      if (failure !== undefined) throw failure
      assertNotEnded(machine)
      const { status, ram, errorDesc } = await machine.execute('query-migrate')
      if (status === 'failed' || status === 'cancelled') {
        throw new DriverError('refused', `QEMU cannot send the memory: ${errorDesc ?? status}`)
      }
      if (ram !== undefined && ram.total > 0) share = Math.max(share, 1 - ram.remaining / ram.total)
      onProgress?.(Math.min(share, 1))
      if (isLive && (ram?.passes ?? 0) > LIVE_PASSES_MAX && machine.state === 'running') await machine.command('stop')
      isWhole = status === 'completed'
    }
    const extent = await received
    if (signal?.aborted === true && wasRunning) throw aborted(signal)
    return extent
  } catch (error) {
    over.abort()
    await received.catch(() => undefined)
    throw error
  } finally {
    await receiver.close()
  }
}

/**
 * Takes a suspension back that has not come to its end: no file remains, and a guest that ran goes on, but not before
 * it is certain that what was written will never be restored.
 */
export async function undo(
  machine: Machine,
  files: DomainFiles,
  { wasRunning, partial }: { readonly wasRunning: boolean; readonly partial?: string },
): Promise<void> {
  try {
    await callOff(machine)
    await forgetSuspension(files)
    await goOn(machine, wasRunning)
  } catch (error) {
    // It is gone, or does not answer: the next look at it tells.
    if (!isOrdinary(error)) throw error
  } finally {
    await discardSuspension(files)
    if (partial !== undefined) await rm(partial, { force: true })
  }
}

/** One that has ended meanwhile is left to what its definition says of that. */
async function goOn(machine: Machine, wasRunning: boolean): Promise<void> {
  if (machine.isEnding || !wasRunning) return
  const { running: isRunning } = await machine.execute('query-status')
  if (!isRunning) await machine.command('cont')
}

/** Resolves with what has become of the migration. */
async function callOff(machine: Machine): Promise<string> {
  const deadline = performance.now() + CANCEL_MS
  for (;;) {
    const { status = 'none' } = await machine.execute('query-migrate')
    if (['none', 'completed', 'failed', 'cancelled'].includes(status)) return status
    if (performance.now() >= deadline) throw new DriverError('unreachable', 'QEMU does not call its migration off')
    await machine.execute('migrate_cancel')
    await sleep(POLL_MS)
  }
}
