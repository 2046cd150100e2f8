import type { MetricsOps } from '../driver.ts'
import { steadyCpuTimes } from './cpu-time.ts'
import type { Gate } from './gate.ts'
import type { Inventory } from './inventory.ts'
import { dirtyRate, diskErrors, measureCpus } from './measurement.ts'

/** The group `metrics`. */
export function metricsOps(inventory: Inventory, gate: Gate): MetricsOps {
  const cpuTimes = steadyCpuTimes()
  return {
    domain: id => gate.pass(() => inventory.find(id).measure()),
    vcpus: id => gate.pass(() => measureCpus(inventory.find(id))),
    diskErrors: id => gate.pass(() => diskErrors(inventory.find(id))),
    dirtyRate: id => gate.pass(() => dirtyRate(inventory.find(id))),
    cpus: () => gate.pass(cpuTimes),
  }
}
