/** What the handlers of VMs share. */

import type { Context } from '../engine/context.ts'
import { fail } from '../model/errors.ts'
import { VM } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'

/** The record of a VM. */
export type VmRecord = RecordOf<typeof VM>

/** The VM as it is now. Throws HANDLE_INVALID where it is gone. */
export function vmRecord({ store }: Pick<Context, 'store'>, vm: string): VmRecord {
  const found = store.get(VM, vm)
  if (found === undefined) throw fail('HANDLE_INVALID', { class: 'VM', handle: vm })
  return found
}

/** Does something to a VM and reads back what the host says then, also where it failed half-way. */
export async function observed(context: Pick<Context, 'hosts'>, vm: string, act: () => Promise<void>): Promise<null> {
  try {
    await act()
  } finally {
    await context.hosts.observe(vm)
  }
  return null
}

/** Throws DRIVER_UNSUPPORTED, naming the driver of the VM's host. */
export function unsupported(context: Pick<Context, 'hosts'>, vm: string, operation: string): never {
  const { driver } = context.hosts.placementOf(vm)
  throw fail('DRIVER_UNSUPPORTED', { driver: driver.name, operation })
}
