import { DriverError, type OperationOptions, type SuspensionOps } from '../driver.ts'
import type { Gate } from './gate.ts'
import type { Inventory } from './inventory.ts'
import { type BringBackOptions, ownSource } from './memory-source.ts'
import { savedFileOps } from './saved-files.ts'
import { machineOf, madeOf, type WholeDomain } from './whole-domain.ts'

/** The group `suspension`. */
export const suspensionOps = (inventory: Inventory, gate: Gate): SuspensionOps => ({
  suspend: (id, options) => gate.pass(() => inventory.find(id).wholly(whole => suspend(whole, options))),
  resume: (id, options) => gate.pass(() => inventory.find(id).wholly(whole => resume(whole, options))),
  files: savedFileOps(inventory, gate),
})

/** Running or paused → suspended. A failure leaves it as it was, and no file. */
async function suspend(
  whole: WholeDomain,
  options: OperationOptions & { readonly live?: boolean } = {},
): Promise<void> {
  await whole.suspension.suspend(machineOf(whole, 'running', 'paused'), madeOf(whole), options)
}

/** Suspended → running, or paused. A failure leaves it suspended, and no QEMU. */
export async function resume(whole: WholeDomain, options: BringBackOptions = {}): Promise<void> {
  const { suspension, summary } = whole
  if (suspension.saved === undefined) {
    throw new DriverError('bad-state', `domain ${summary.id} is ${summary.state}, not suspended`)
  }
  await whole.bringBack(ownSource(suspension, suspension.saved), options)
}
