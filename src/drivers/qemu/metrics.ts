import type { MetricsOps } from '../driver.ts'
import { cpuTimes } from './cpu-time.ts'
import type { Gate } from './gate.ts'
import type { Inventory } from './inventory.ts'

/** The group `metrics`. */
export const metricsOps = (inventory: Inventory, gate: Gate): MetricsOps => ({
  domain: id => gate.pass(() => inventory.find(id).measure()),
  cpus: () => gate.pass(cpuTimes),
})
