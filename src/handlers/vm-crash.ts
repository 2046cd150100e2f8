/** What becomes of a VM whose guest has crashed and is held by its host: `actions/after_crash`. */

import { DriverError } from '../drivers/driver.ts'
import type { Context, Services } from '../engine/context.ts'
import { VIF, VM } from '../model/index.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import { randomMac } from './mac.ts'
import { copyVm } from './vm-clone.ts'
import { start } from './vm-life.ts'
import { observed, vmRecord } from './vm-record.ts'

/** A guest that crashes again and again is held at last, for whoever comes to look. */
const RESTARTS_MAX = 5
const RESTARTS_MS = 600_000
/** How many crashed VMs may be kept of one that is copied and crashes again. */
const COPIES_MAX = 3

/** What the treatment of crashes tells an operator. */
export interface CrashLog {
  warn(details: object, message: string): void
}

/** Treats crashed VMs, each once at a time; what it answers is told of one with every reading of it. */
export function crashTreatment(services: Services, log: CrashLog): (vm: string) => void {
  const underWay = new Set<string>()
  const restarts = new Map<string, readonly number[]>()
  return vm => {
    if (underWay.has(vm)) return
    underWay.add(vm)
    const context = backgroundContext(services)
    services.locks
      .hold(vm, () => treat(context, vm, log, () => mayRestart(restarts, vm)))
      // No longer with the lock of the crashed one: whoever holds the copy may be waiting for it.
      .then(async copy => {
        if (copy !== undefined) await services.locks.hold(copy, () => startCopy(context, copy))
      })
      .catch((error: unknown) => log.warn({ vm, error: String(error) }, 'a crashed VM is left as it is'))
      .finally(() => underWay.delete(vm))
  }
}

const backgroundContext = (services: Services): Context => ({
  ...services,
  caller: { user: NULL_REF, session: '', administrator: false, address: 'local' },
  task: { ref: '', signal: new AbortController().signal, progress: () => undefined },
})

/** Whether it has not been restarted too often of late; counts this time. */
function mayRestart(restarts: Map<string, readonly number[]>, vm: string): boolean {
  const now = performance.now()
  for (const [other, times] of restarts) if (times.every(at => now - at >= RESTARTS_MS)) restarts.delete(other)
  const recent = (restarts.get(vm) ?? []).filter(at => now - at < RESTARTS_MS)
  restarts.set(vm, [...recent, now].slice(-RESTARTS_MAX))
  return recent.length < RESTARTS_MAX
}

/** Answers the copy that takes its place, if one does; it is still to be started. */
async function treat(
  context: Context,
  vm: string,
  log: CrashLog,
  mayStart: () => boolean,
): Promise<string | undefined> {
  const { hosts } = context
  const { driver, id } = hosts.placementOf(vm)
  if ((await driver.domains.get(id)).state !== 'crashed') return undefined
  const { actions_after_crash: action } = vmRecord(context, vm)
  if (action === 'preserve') return undefined
  if (action !== 'destroy' && action !== 'coredump_and_destroy' && !mayStart()) {
    log.warn({ vm }, 'a VM that crashes again and again is left crashed')
    return undefined
  }
  if (action === 'rename_restart') return renameAndCopy(context, vm, log)
  if (action === 'coredump_and_destroy' || action === 'coredump_and_restart') {
    // Without the dump nothing would tell of the crash: then it is kept.
    if (driver.dumps === undefined) throw new DriverError('refused', `the driver ${driver.name} cannot dump memory`)
    const { location, bytes } = await driver.dumps.dump(id)
    log.warn({ vm, location, bytes }, 'a VM crashed; its memory was dumped')
  }
  const isEnd = action === 'destroy' || action === 'coredump_and_destroy'
  await observed(context, vm, () => (isEnd ? driver.domains.powerOff(id) : driver.domains.reset(id)))
  return undefined
}

/** The crashed VM stays for whoever looks for the cause; a copy with its name, disks and addresses takes its place. */
async function renameAndCopy(context: Context, vm: string, log: CrashLog): Promise<string | undefined> {
  const { name_label, crash_copies, VIFs } = vmRecord(context, vm)
  if (crash_copies >= COPIES_MAX) {
    log.warn({ vm }, `a VM that crashed is left as it is: ${COPIES_MAX} of its predecessors crashed before`)
    return undefined
  }
  const copy = await copyVm(context, vm, {
    values: { name_label, crash_copies: crash_copies + 1n },
    macOf: ({ MAC }) => MAC,
    and(transaction) {
      transaction.patch(VM, vm, { name_label: `${name_label} (crashed)`, actions_after_crash: 'preserve' })
      for (const vif of VIFs) transaction.patch(VIF, vif, { MAC: randomMac() })
    },
    operation: 'rename_restart',
  })
  log.warn({ vm, copy }, 'a VM crashed; it was renamed, and a copy takes its place')
  return copy
}

/** Unless somebody has been faster. */
async function startCopy(context: Context, copy: string): Promise<void> {
  if (context.store.get(VM, copy)?.power_state === 'Halted') await start(context, copy, false)
}
