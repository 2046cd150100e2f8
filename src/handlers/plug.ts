/** Plugging block devices and interfaces into VMs and pulling them out, also where the VM runs. */

import type { Context } from '../engine/context.ts'
import { LockBusy } from '../engine/locks.ts'
import { fail } from '../model/errors.ts'
import { VBD, VIF, VM } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import { checkDiskFree, diskConfig, nicConfig } from './device-config.ts'
import { blockDeviceName, checkVbd, interfaceName } from './device-rules.ts'
import { attachDisk, attachNic, connectNic, changeMedium, detachDisk, detachNic, machineOf } from './machine.ts'
import { provideNetwork } from './network-config.ts'
import { takeBack, type Undo } from './take-back.ts'

type VbdRecord = RecordOf<typeof VBD>
type VifRecord = RecordOf<typeof VIF>

/** Runs `body` alone with these VMs. */
function alone<R>(context: Context, vms: readonly string[], body: () => Promise<R>): Promise<R> {
  const [first, ...rest] = [...new Set(vms)].filter(vm => vm !== NULL_REF).sort()
  if (first === undefined) return body()
  return context.locks.hold(first, () => alone(context, rest, body))
}

/** How often a device may be found in another VM once its VMs were waited for. */
const MOVES_MAX = 20

/** Runs `body` alone with the VMs that a device has to do with, which may be others once these were waited for. */
async function aloneWithDevice<R>(
  context: Context,
  vmsOf: () => readonly string[],
  body: () => Promise<R>,
): Promise<R> {
  for (let moves = 0; moves < MOVES_MAX; moves++) {
    const vms = vmsOf()
    const isStill = () => vmsOf().every(vm => vms.includes(vm))
    const ended = await alone(context, vms, async () => (isStill() ? { value: await body() } : undefined))
    if (ended !== undefined) return ended.value
  }
  throw new LockBusy('a device')
}

const vbdRecord = ({ store }: Context, ref: string): VbdRecord => {
  const found = store.get(VBD, ref)
  if (found === undefined) throw fail('HANDLE_INVALID', { class: 'VBD', handle: ref })
  return found
}

const vifRecord = ({ store }: Context, ref: string): VifRecord => {
  const found = store.get(VIF, ref)
  if (found === undefined) throw fail('HANDLE_INVALID', { class: 'VIF', handle: ref })
  return found
}

/**
 * Changes a block device from what it is to what it is to be, first on the machines, then in the store; what was done
 * on the machines is taken back where a later step fails. Runs alone with the VMs that it touches, so that no caller may
 * hold one. Answers what makes it what it was.
 */
export async function changeVbd(context: Context, ref: string, values: VbdChange): Promise<Undo> {
  const vms = () => [vbdRecord(context, ref).VM, values.VM ?? NULL_REF]
  const before = await aloneWithDevice(context, vms, () => changeVbdAlone(context, ref, values))
  const old = {
    ...(values.VM !== undefined && { VM: before.VM }),
    ...(values.VDI !== undefined && { VDI: before.VDI }),
    // What it was fitted with on the way goes too.
    device: before.device,
    driver: before.driver,
  }
  return () => changeVbd(context, ref, old).then(() => undefined)
}

/** What a device belongs to and what it is connected with, as far as it is to change. */
type Pointers<R extends VbdRecord | VifRecord> = Partial<Pick<R, Extract<keyof R, 'VM' | 'VDI' | 'network'>>>

/** How a block device is to change; one that is put back is given what it was. */
type VbdChange = Pointers<VbdRecord> & Partial<Pick<VbdRecord, 'device' | 'driver'>>

async function changeVbdAlone(context: Context, ref: string, values: VbdChange): Promise<VbdRecord> {
  const { store } = context
  const before = vbdRecord(context, ref)
  const moved = { ...before, ...values }
  const isPlugged = values.driver === undefined && (before.VM !== moved.VM || before.VDI !== moved.VDI)
  const fitting = isPlugged ? await pluggable(context, moved) : moved
  const wanted = { ...fitting, device: blockDeviceName(store, fitting) }
  if (wanted.VM !== NULL_REF) checkVbd(store, wanted)
  const { device, driver } = wanted
  const changed = { ...values, device, driver, ...detached(before, wanted) }
  await move(context, [before.VM, wanted.VM], {
    act: () => switchDisk(context, before, wanted),
    keep: () => store.transact(transaction => transaction.patch(VBD, ref, changed)),
    undo: () => switchDisk(context, wanted, before),
  })
  return before
}

/** Emulated hardware (IDE) takes no disk while it runs: there a disk is a paravirtualised one, and its record says so. */
async function pluggable(context: Context, vbd: VbdRecord): Promise<VbdRecord> {
  const isPlugged = vbd.type === 'Disk' && (await machineOf(context, vbd.VM)) !== undefined
  return isPlugged ? { ...vbd, driver: 'paravirtualised' } : vbd
}

/** What comes to another VM is attached there once its host says so. */
const detached = (before: { readonly VM: string }, { VM: vm }: { readonly VM: string }) =>
  before.VM !== vm && { currently_attached: false }

/** Does a thing on the machine, then in the store; back on the machine where the store fails. */
async function move(
  { store, hosts }: Context,
  vms: readonly string[],
  { act, keep, undo }: { act: () => Promise<void>; keep: () => Promise<void>; undo: () => Promise<void> },
): Promise<void> {
  try {
    await act()
    await keep().catch(async (error: unknown) => {
      throw await takeBack(error, [undo])
    })
  } finally {
    // Of a Halted one its host knows nothing new.
    const changed = [...new Set(vms)].filter(vm => (store.get(VM, vm)?.power_state ?? 'Halted') !== 'Halted')
    for (const vm of changed) await hosts.observe(vm)
  }
}

async function switchDisk(context: Context, before: VbdRecord, wanted: VbdRecord): Promise<void> {
  const from = await machineOf(context, before.VM)
  if (before.VM === wanted.VM && before.type !== 'Disk') {
    if (before.VDI === wanted.VDI) return
    checkFree(context, wanted)
    const { location, format } = { location: '', format: 'raw' as const, ...diskConfig(context.store, wanted) }
    const medium = location === '' ? null : { location, format }
    return changeMedium(from, wanted.uuid, medium)
  }
  if (before.VM === wanted.VM && before.VDI === wanted.VDI) return
  const to = await machineOf(context, wanted.VM)
  const had = diskConfig(context.store, before)
  const gets = diskConfig(context.store, wanted)
  if (to !== undefined) checkFree(context, wanted)
  if (had !== undefined) await detachDisk(from, before.uuid)
  try {
    if (gets !== undefined) await attachDisk(to, gets)
  } catch (error) {
    throw await takeBack(error, had === undefined ? [] : [() => attachDisk(from, had)])
  }
}

function checkFree({ store, hosts }: Context, vbd: VbdRecord): void {
  checkDiskFree(store, vbd, other => hosts.isStarting(other), 'VBD.plug')
}

/** Stores a new block device and plugs it in where its VM runs. */
export function plugVbd(context: Context, values: VbdRecord): Promise<void> {
  return alone(context, [values.VM], async () => {
    const { store } = context
    const fitting = await pluggable(context, values)
    const vbd = { ...fitting, device: blockDeviceName(store, fitting) }
    checkVbd(store, vbd) // Once more: another may have come while the VM was waited for.
    const none = { ...vbd, VM: NULL_REF }
    await move(context, [vbd.VM], {
      act: () => switchDisk(context, none, vbd),
      keep: () => store.transact(transaction => transaction.insert(VBD, vbd)),
      undo: () => switchDisk(context, vbd, none),
    })
  })
}

/** Pulls a block device out and forgets it. */
export function unplugVbd(context: Context, ref: string): Promise<void> {
  return aloneWithDevice(
    context,
    () => [vbdRecord(context, ref).VM],
    () => {
      const vbd = vbdRecord(context, ref)
      const none = { ...vbd, VM: NULL_REF }
      return move(context, [vbd.VM], {
        act: () => switchDisk(context, vbd, none),
        keep: () => context.store.transact(transaction => transaction.remove(VBD, ref)),
        undo: () => switchDisk(context, none, vbd),
      })
    },
  )
}

/** Changes an interface as `changeVbd` changes a block device. */
export async function changeVif(context: Context, ref: string, values: Pointers<VifRecord>): Promise<Undo> {
  const vms = () => [vifRecord(context, ref).VM, values.VM ?? NULL_REF]
  const before = await aloneWithDevice(context, vms, () => changeVifAlone(context, ref, values))
  const old = {
    ...(values.VM !== undefined && { VM: before.VM }),
    ...(values.network !== undefined && { network: before.network }),
  }
  return () => changeVif(context, ref, old).then(() => undefined)
}

async function changeVifAlone(context: Context, ref: string, values: Pointers<VifRecord>): Promise<VifRecord> {
  const { store } = context
  const before = vifRecord(context, ref)
  const moved = { ...before, ...values }
  const wanted = { ...moved, device: interfaceName(store, moved) }
  const changed = { ...values, device: wanted.device, ...detached(before, wanted) }
  await move(context, [before.VM, wanted.VM], {
    act: () => switchNic(context, before, wanted),
    keep: () => store.transact(transaction => transaction.patch(VIF, ref, changed)),
    undo: () => switchNic(context, wanted, before),
  })
  return before
}

async function switchNic(context: Context, before: VifRecord, wanted: VifRecord): Promise<void> {
  if (before.VM === wanted.VM && before.network === wanted.network) return
  const from = await machineOf(context, before.VM)
  const to = await machineOf(context, wanted.VM)
  if (to !== undefined && wanted.network !== NULL_REF) await provideNetwork(context, wanted.VM, wanted.network)
  if (before.VM === wanted.VM) {
    const network = wanted.network === NULL_REF ? null : wanted.network
    return connectNic(from, wanted.uuid, network)
  }
  await detachNic(from, before.uuid)
  try {
    await attachNic(to, nicConfig(wanted))
  } catch (error) {
    throw await takeBack(error, [() => attachNic(from, nicConfig(before))])
  }
}

/** Stores a new interface and plugs it in where its VM runs. */
export function plugVif(context: Context, values: VifRecord): Promise<void> {
  return alone(context, [values.VM], async () => {
    const { store } = context
    const vif = { ...values, device: interfaceName(store, values) }
    const none = { ...vif, VM: NULL_REF }
    await move(context, [vif.VM], {
      act: () => switchNic(context, none, vif),
      keep: () => store.transact(transaction => transaction.insert(VIF, vif)),
      undo: () => switchNic(context, vif, none),
    })
  })
}

/** Pulls an interface out and forgets it. */
export function unplugVif(context: Context, ref: string): Promise<void> {
  return aloneWithDevice(
    context,
    () => [vifRecord(context, ref).VM],
    () => {
      const vif = vifRecord(context, ref)
      const none = { ...vif, VM: NULL_REF }
      return move(context, [vif.VM], {
        act: () => switchNic(context, vif, none),
        keep: () => context.store.transact(transaction => transaction.remove(VIF, ref)),
        undo: () => switchNic(context, none, vif),
      })
    },
  )
}

/**
 * Sets which devices belong to a VM, an image, a network: those that are left out go, those that are new come. Where one
 * cannot, all are again where they were. `put` answers what undoes it.
 */
export async function relate(
  before: readonly string[],
  wanted: readonly string[],
  put: (ref: string, isIn: boolean) => Promise<Undo>,
): Promise<void> {
  const undos: Undo[] = []
  try {
    for (const ref of before) if (!wanted.includes(ref)) undos.push(await put(ref, false))
    for (const ref of wanted) if (!before.includes(ref)) undos.push(await put(ref, true))
  } catch (error) {
    throw await takeBack(error, undos)
  }
}
