import { setTimeout as sleep } from 'node:timers/promises'
import type { QmpEvent } from '../../protocols/qmp/commands.ts'
import { QmpError } from '../../protocols/qmp/error.ts'
import { DriverError } from '../driver.ts'
import type { Machine } from './machine.ts'

/** How long a guest may take to let go of a device; longer than the five seconds after which QEMU asks it again. */
export const UNPLUG_MS = 8_000

/** How long QEMU may take to take a device apart that the guest has let go of. */
const GOING_MS = 1_000

/** Ends the waiting for devices that were refused to go and may yet go, by their names. */
const late = new WeakMap<Machine, Map<string, () => void>>()

/**
 * Takes a device from the machine. Resolves when the guest has let go of it. Rejects as `refused` when it does not in
 * time; as nothing can take the request back, `onLate` is called if the guest lets go after all. A guest that did so
 * while no server was there to hear it has no such device any more; then there is nothing left to wait for.
 * Source: QEMU qapi/qdev.json, device_del.
 */
export async function unplug(machine: Machine, device: string, onLate: () => void): Promise<void> {
  lateOf(machine).get(device)?.()
  const gone = Promise.withResolvers<true>()
  const stopListening = machine.listen(event => {
    if (isDeletionOf(event, device)) gone.resolve(true)
  })
  const timer = new AbortController()
  try {
    await machine.execute('device_del', { id: device })
    const timeUp = sleep(UNPLUG_MS, false as const, { signal: timer.signal }).catch(() => false as const)
    if (await Promise.race([gone.promise, timeUp])) return
  } catch (error) {
    if (!(error instanceof QmpError && error.class === 'DeviceNotFound')) throw error
    // If the guest has only just let go, QEMU is still taking the device apart, and says when it has.
    await Promise.race([gone.promise, sleep(GOING_MS, undefined, { signal: timer.signal })])
    return
  } finally {
    timer.abort()
    stopListening()
  }
  waitOn(machine, device, onLate)
  throw new DriverError('refused', `the guest has not let go of the device within ${UNPLUG_MS / 1000} s, and keeps it`)
}

function waitOn(machine: Machine, device: string, onLate: () => void): void {
  const waiting = lateOf(machine)
  const stop = machine.listen(event => {
    if (!isDeletionOf(event, device)) return
    waiting.get(device)?.()
    onLate()
  })
  waiting.set(device, () => {
    waiting.delete(device)
    stop()
  })
}

function lateOf(machine: Machine): Map<string, () => void> {
  const waiting = late.get(machine) ?? new Map<string, () => void>()
  late.set(machine, waiting)
  return waiting
}

const isDeletionOf = ({ event, data }: QmpEvent, device: string): boolean =>
  event === 'DEVICE_DELETED' && data['device'] === device
