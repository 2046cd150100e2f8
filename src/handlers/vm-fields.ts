/** Fields of a VM that take effect at once where it runs. */

import { DriverError } from '../drivers/driver.ts'
import type { Context } from '../engine/context.ts'
import { fail } from '../model/errors.ts'
import { VM } from '../model/index.ts'
import { diskConfigs } from './device-config.ts'
import { memoryTarget } from './domain-config.ts'
import { rebalance } from './memory.ts'
import { schedulingOf } from './scheduling.ts'
import { redefine } from './vm-life.ts'
import { takeBack } from './take-back.ts'
import { unsupported, vmRecord, type VmRecord } from './vm-record.ts'

type Values = Partial<VmRecord>

const hasMachine = ({ power_state }: VmRecord): boolean => power_state === 'Running' || power_state === 'Paused'

/** Stores values, then does what they ask for; stores what was before where that fails, and does what that asks for. */
async function set(context: Context, vm: string, values: Values, act: () => Promise<unknown>): Promise<void> {
  const { store } = context
  const before = vmRecord(context, vm)
  await store.transact(transaction => transaction.patch(VM, vm, values))
  try {
    await act()
  } catch (error) {
    const names = new Set(Object.keys(values))
    const old: Values = Object.fromEntries(Object.entries(before).filter(([name]) => names.has(name)))
    const restore = () => store.transact(transaction => transaction.patch(VM, vm, old))
    // Where only the answer was lost, the host goes by the new value already.
    const again = () => act().then(() => undefined)
    throw await takeBack(error, error instanceof DriverError ? [again, restore] : [restore])
  }
}

/** `memory/dynamic_*`: a VM that runs is given what it is entitled to now, by its balloon. */
export function setMemory(context: Context, vm: string, values: Values): Promise<void> {
  return set(context, vm, values, async () => {
    const current = vmRecord(context, vm)
    if (!hasMachine(current)) return
    const { hosts } = context
    const { devices } = hosts.placementOf(vm).driver
    if (devices === undefined) unsupported(context, vm, 'devices')
    await hosts.setMemoryTarget(vm, devices, Number(memoryTarget(current)))
    await rebalance(context, vm)
  })
}

/** `VCPUs/policy` and `VCPUs/params`. What a VM that does not run is given is looked at when it starts. */
export function setScheduling(context: Context, vm: string, values: Values): Promise<void> {
  return set(context, vm, values, async () => {
    const { VCPUs_policy, VCPUs_params, ...current } = vmRecord(context, vm)
    if (current.power_state !== 'Running' && current.power_state !== 'Paused') return
    const scheduling = schedulingOf(VCPUs_policy, VCPUs_params)
    const { driver, id } = context.hosts.placementOf(vm)
    if (driver.scheduler === undefined) unsupported(context, vm, 'scheduler')
    await driver.scheduler.set(id, scheduling)
    await redefine(context, vm)
  })
}

/** `actions/after_*`: the host is told at once, for the guest may end at any time. */
export function setAction(context: Context, vm: string, values: Values): Promise<void> {
  return set(context, vm, values, () => redefine(context, vm))
}

/** `bios/cdrom`: another medium for the drive that it gave the machine; a machine without one gets it at its next start. */
export function setMedium(context: Context, vm: string, bios_cdrom: string): Promise<void> {
  return set(context, vm, { bios_cdrom }, async () => {
    const current = vmRecord(context, vm)
    if (!hasMachine(current)) return
    const { driver, id } = context.hosts.placementOf(vm)
    const drive = diskConfigs(context, current).find(disk => disk.id === vm)
    const medium = drive === undefined ? null : ({ location: drive.location, format: 'raw' } as const)
    try {
      await driver.devices?.changeMedium(id, vm, medium)
    } catch (error) {
      if (!(error instanceof DriverError && error.kind === 'not-found')) throw error
    }
  })
}

/** What runs or is suspended cannot become a template, which never does. */
export async function setTemplate({ store }: Context, vm: string, is_a_template: boolean): Promise<void> {
  const { power_state } = vmRecord({ store }, vm)
  if (is_a_template && power_state !== 'Halted') {
    throw fail('VM_BAD_POWER_STATE', { vm, expected: 'Halted', actual: power_state })
  }
  await store.transact(transaction => transaction.patch(VM, vm, { is_a_template }))
}
