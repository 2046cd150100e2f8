import type { SuspensionOps } from '../driver.ts'
import type { Gate } from './gate.ts'
import type { Inventory } from './inventory.ts'

/** The group `suspension`. */
export const suspensionOps = (inventory: Inventory, gate: Gate): SuspensionOps => ({
  suspend: (id, options) => gate.pass(() => inventory.find(id).suspend(options)),
  resume: (id, options) => gate.pass(() => inventory.find(id).resume(options)),
})
