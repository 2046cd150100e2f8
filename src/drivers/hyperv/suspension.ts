import type { SuspensionOps } from '../driver.ts'
import type { Gate } from './gate.ts'
import type { Power } from './power.ts'

/** Saved states: Hyper-V writes the memory of a machine to a file beside its definition while the guest stands still. */
export function suspensionOps(power: Power, gate: Gate): SuspensionOps {
  return {
    suspend: (id, options) => gate.pass(() => power.suspend(id, options)),
    resume: (id, options) => gate.pass(() => power.resume(id, options)),
  }
}
