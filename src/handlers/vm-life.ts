/** Starting VMs and ending their runs: figure 1.1 of the draft. */

import { DriverError } from '../drivers/driver.ts'
import type { Context, Services } from '../engine/context.ts'
import { fail } from '../model/errors.ts'
import { host_, host_cpu, VM } from '../model/index.ts'
import { ApiError } from '../model/kernel/error.ts'
import { checkDisksFree } from './device-config.ts'
import { checkBootable, domainConfig } from './domain-config.ts'
import { giveWay, makeRoom, rebalance } from './memory.ts'
import { provideNetworks } from './network-config.ts'
import { followDisks } from './placement.ts'
import { takeBack } from './take-back.ts'
import { observed, unsupported, vmRecord, type VmRecord } from './vm-record.ts'

/** Halted → Running or Paused. A cancelled task takes the start back. */
export async function start(context: Context, vm: string, paused: boolean): Promise<void> {
  if (vmRecord(context, vm).is_a_template) throw fail('VM_IS_TEMPLATE', { vm })
  await followDisks(context, vm)
  checkHostEnabled(context, vm)
  await boot(context, vm, paused, context.task.signal)
}

function checkHostEnabled({ store, hosts }: Context, vm: string): void {
  const host = hosts.hostFor(vmRecord({ store }, vm))
  if (store.get(host_, host)?.enabled === false) throw fail('HOST_DISABLED', { host })
}

/** Throws what keeps a VM from starting by its own description, and where its disks are in use elsewhere. */
function checkStartable(context: Context, vm: VmRecord): void {
  const { store, hosts } = context
  checkBootable(vm)
  domainConfig(context, vm)
  checkFeatures(context, vm)
  checkDisksFree(store, vm, other => hosts.isStarting(other))
}

/** Source: Xen Management API rev 0.2, §2.6.1, VCPUs/features/required. */
function checkFeatures({ store, hosts }: Context, vm: VmRecord): void {
  const host = hosts.hostFor(vm)
  const [cpu] = (store.get(host_, host)?.host_CPUs ?? []).flatMap(ref => store.get(host_cpu, ref) ?? [])
  const missing = vm.VCPUs_features_required.filter(feature => cpu?.features.includes(feature) === false)
  if (missing.length === 0) return
  const reason = `its CPUs lack ${missing.join(', ')}`
  throw fail('VM_INCOMPATIBLE_WITH_THIS_HOST', { vm: vm.uuid, host, reason })
}

/** Starts a VM; an aborted `signal` takes the start back. */
async function boot(context: Context, vm: string, paused: boolean, signal?: AbortSignal): Promise<void> {
  const { hosts, task } = context
  checkStartable(context, vmRecord(context, vm))
  await inRoom(context, vm, async () => {
    await place(context, vm)
    const { driver, id } = hosts.placementOf(vm)
    const target = await makeRoom(context, vm)
    await provideNetworks(context, vm)
    await observed(context, vm, async () => {
      const config = domainConfig(context, vmRecord(context, vm))
      const isLess = target < BigInt(config.memoryBytes)
      await hosts.define(vm, { ...config, ...(isLess && { memoryTargetBytes: Number(target) }) })
      await driver.domains.start(id, { paused, onProgress: task.progress, ...(signal && { signal }) })
    })
  })
}

/** Runs `body`, which starts the VM and makes room for it; where it fails, the others get back what they gave way. */
async function inRoom(context: Context, vm: string, body: () => Promise<void>): Promise<void> {
  try {
    await context.hosts.whileStarting(vm, body)
  } catch (error) {
    await giveWay(context, vm)
    throw error
  }
}

/** Gives a VM that has no host yet its host, and the name it will have there. */
async function place(context: Context, vm: string): Promise<void> {
  const { store, hosts } = context
  const current = vmRecord(context, vm)
  const host = hosts.hostFor(current)
  if (current.affinity === host && current.domain !== '') return
  await store.transact(transaction => transaction.patch(VM, vm, { affinity: host, domain: current.uuid }))
}

/** Running → Paused. */
export function pause(context: Context, vm: string): Promise<null> {
  const { driver, id } = context.hosts.placementOf(vm)
  return observed(context, vm, () => driver.domains.pause(id))
}

/** Paused → Running. */
export function unpause(context: Context, vm: string): Promise<null> {
  const { driver, id } = context.hosts.placementOf(vm)
  return observed(context, vm, () => driver.domains.unpause(id))
}

/** Running → Halted, or Running again where `actions/after_shutdown` says so: the host sees to that. */
export async function cleanShutdown(context: Context, vm: string): Promise<void> {
  // What would keep it from starting again is found out before it is shut down.
  if (vmRecord(context, vm).actions_after_shutdown === 'restart') checkStartable(context, vmRecord(context, vm))
  await askToShutDown(context, vm)
  await giveWay(context, vm)
}

/** The guest shuts down; then it starts with what it is described as now, unless `actions/after_reboot` says no. */
export async function cleanReboot(context: Context, vm: string): Promise<void> {
  const { hosts } = context
  const current = vmRecord(context, vm)
  const { actions_after_reboot: action } = current
  if (action === 'restart') checkStartable(context, current)
  const config = domainConfig(context, current)
  // Were it the host that restarts it, it would come back as what it was.
  const exits = config.exits && ({ ...config.exits, shutdown: 'halt' } as const)
  try {
    if (current.actions_after_shutdown === 'restart')
      await hosts.defineForNow(vm, { ...config, ...(exits && { exits }) })
    await askToShutDown(context, vm)
  } catch (error) {
    throw await takeBack(error, [() => hosts.define(vm, config)])
  }
  if (action === 'restart') await boot(context, vm, false)
  else await giveWay(context, vm)
}

/** The guest is asked, and while it takes its time the VM is ShuttingDown; one that does not obey goes on running. */
async function askToShutDown(context: Context, vm: string): Promise<void> {
  const { hosts, task } = context
  const { driver, id } = hosts.placementOf(vm)
  let hasObeyed = false
  const end = hosts.listen(vm, kind => {
    hasObeyed ||= kind === 'guest-shutdown'
  })
  hosts.setShuttingDown(vm, true)
  // A caller who has gone away changes nothing: the guest has been asked, and is on its way.
  const isCancelled = () => task.ref !== '' && task.signal.aborted
  try {
    await driver.domains.requestShutdown(id)
    const { shutdownMs } = hosts
    const isDown = await hosts.waitFor(vm, state => state === 'Halted' || hasObeyed || isCancelled(), shutdownMs)
    if (isCancelled()) throw fail('TASK_CANCELLED', { task: task.ref })
    if (!isDown) throw fail('VM_SHUTDOWN_TIMEOUT', { vm, timeout: String(shutdownMs / 1000) })
  } finally {
    end()
    hosts.setShuttingDown(vm, false)
    await hosts.observe(vm)
  }
}

/** Running, Paused or Suspended → Halted; what ran then starts again where `actions/after_shutdown` says so. */
export async function hardShutdown(context: Context, vm: string): Promise<void> {
  const { hosts } = context
  const { actions_after_shutdown: action, power_state } = vmRecord(context, vm)
  const isToRestart = action === 'restart' && power_state !== 'Suspended'
  if (isToRestart) checkStartable(context, vmRecord(context, vm))
  const { driver, id } = hosts.placementOf(vm)
  await observed(context, vm, () => driver.domains.powerOff(id))
  if (isToRestart) await boot(context, vm, false)
  else await giveWay(context, vm)
}

/** Running or Paused → Running, or Halted where `actions/after_reboot` says so. */
export async function hardReboot(context: Context, vm: string): Promise<void> {
  const { driver, id } = context.hosts.placementOf(vm)
  if (vmRecord(context, vm).actions_after_reboot === 'restart') {
    await observed(context, vm, () => driver.domains.reset(id))
    return
  }
  await observed(context, vm, () => driver.domains.powerOff(id))
  await giveWay(context, vm)
}

/** Running or Paused → Suspended, the guest's memory on the host's disk. */
export async function suspend(context: Context, vm: string, live: boolean): Promise<void> {
  const { driver, id } = context.hosts.placementOf(vm)
  const { suspension } = driver
  if (suspension === undefined) return unsupported(context, vm, 'VM.suspend')
  const { signal, progress } = context.task
  await observed(context, vm, () => suspension.suspend(id, { live, signal, onProgress: progress }))
  await giveWay(context, vm)
}

/** Suspended → Running or Paused, going on where it was. */
export async function resume(context: Context, vm: string, paused: boolean): Promise<void> {
  const { hosts, task } = context
  const { driver, id } = hosts.placementOf(vm)
  const { suspension } = driver
  if (suspension === undefined) return unsupported(context, vm, 'VM.resume')
  checkHostEnabled(context, vm)
  checkDisksFree(context.store, vmRecord(context, vm), other => hosts.isStarting(other))
  await inRoom(context, vm, async () => {
    await makeRoom(context, vm)
    await provideNetworks(context, vm)
    const options = { paused, signal: task.signal, onProgress: task.progress }
    await observed(context, vm, () => suspension.resume(id, options))
  })
  await rebalance(context, vm) // It has come back with what it had when it went.
}

/** Tells the host of a change that counts at once where the VM runs (`exits`), and else from its next start. */
export async function redefine(context: Context, vm: string): Promise<void> {
  const current = vmRecord(context, vm)
  if (current.domain === '' || current.power_state === 'Halted') return
  try {
    await context.hosts.define(vm, domainConfig(context, current))
  } catch (error) {
    // One that has just gone is told at its next start.
    if (!(error instanceof DriverError && error.kind === 'not-found')) throw error
  }
}

/**
 * Tells hosts again what follows when guests shut down, where they were told otherwise for the moment of a reboot during
 * which the server ended (`cleanReboot`). A host that does not take it now is told at the next start.
 */
export async function retellActions(parts: Pick<Services, 'store' | 'hosts' | 'paths'>): Promise<void> {
  const { store, hosts } = parts
  const live = new Set(hosts.connected().map(({ host }) => host))
  for (const vm of store.findBy(VM, 'actions_after_shutdown', 'restart')) {
    const current = store.get(VM, vm)
    if (current === undefined || current.resident_on === '' || !live.has(current.affinity)) continue
    const { driver, id } = hosts.placementOf(vm)
    try {
      const { exits } = await driver.domains.config(id)
      if (exits?.shutdown === 'halt') await hosts.define(vm, domainConfig(parts, current))
    } catch (error) {
      if (!(error instanceof DriverError || error instanceof ApiError)) throw error
    }
  }
}
