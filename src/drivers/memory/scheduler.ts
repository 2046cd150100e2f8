import { DriverError, type Scheduling, type SchedulerOps } from '../driver.ts'
import type { Connection } from './connection.ts'
import { assertCpus } from './demands.ts'
import type { MemoryHost } from './host.ts'
import { activeOf } from './life.ts'

/** The scheduler of a memory host. A cap shows in the metrics; weight and affinity are kept, nobody competes. */
export function schedulerOps(host: MemoryHost, connection: Connection): SchedulerOps {
  return {
    set: (id, scheduling) =>
      connection.call('scheduler.set', () => {
        const domain = host.domain(id)
        const machine = activeOf(domain, 'schedule', ['running', 'paused', 'crashed'])
        assertScheduling(host, scheduling)
        const kept = structuredClone(scheduling)
        machine.change({ ...machine.config, scheduling: kept })
        domain.config = { ...domain.config, scheduling: kept }
        host.emit(id, 'changed')
      }),
  }
}

const WEIGHT_MAX = 65_535

/** Demands shares that a host can give, and CPUs that this one has. */
function assertScheduling(host: MemoryHost, { weight, capPercent, affinity }: Scheduling): void {
  if (!(Number.isSafeInteger(weight) && weight >= 1 && weight <= WEIGHT_MAX)) {
    throw new DriverError('refused', `a weight is from 1 to ${WEIGHT_MAX}, not ${weight}`)
  }
  if (capPercent !== null && !(capPercent > 0)) {
    throw new DriverError('refused', `a cap leaves more than nothing, not ${capPercent} percent`)
  }
  assertCpus(host, affinity)
}
