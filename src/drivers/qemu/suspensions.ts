import { DriverError, type OperationOptions, type SuspensionOps } from '../driver.ts'
import type { Gate } from './gate.ts'
import type { Inventory } from './inventory.ts'
import { assertDefinable } from './definition.ts'
import { type BringBackOptions, ownSource } from './memory-source.ts'
import { withConfig } from './save-target.ts'
import type { Saved } from './saved.ts'
import { savedFileOps } from './saved-files.ts'
import { machineOf, madeOf, type WholeDomain } from './whole-domain.ts'

/** The group `suspension`. */
export const suspensionOps = (inventory: Inventory, gate: Gate): SuspensionOps => ({
  suspend: (id, options) => gate.pass(() => inventory.find(id).wholly(whole => suspend(whole, options))),
  resume: (id, options) => gate.pass(() => inventory.find(id).wholly(whole => resume(whole, options))),
  saved: id =>
    gate.pass(() =>
      inventory.find(id).wholly(async whole => {
        const { definition, paused } = savedOf(whole)
        return { config: structuredClone(definition.config), paused }
      }),
    ),
  changeSaved: (id, { config, paused }) =>
    gate.pass(() =>
      inventory.find(id).wholly(async whole => {
        const saved = savedOf(whole)
        if (config !== undefined) assertDefinable(config)
        const definition =
          config === undefined ? saved.definition : withConfig(saved.definition, structuredClone(config))
        await whole.suspension.change({ ...saved, definition, paused: paused ?? saved.paused })
      }),
    ),
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
  await whole.bringBack(ownSource(whole.suspension, savedOf(whole)), options)
}

/** What a domain is resumed from. Throws as `bad-state` unless it is suspended. */
function savedOf({ suspension: { saved }, summary: { id, state } }: WholeDomain): Saved {
  if (saved === undefined) throw new DriverError('bad-state', `domain ${id} is ${state}, not suspended`)
  return saved
}
