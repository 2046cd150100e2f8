import { DriverError, type Scheduling, type SchedulerOps } from '../driver.ts'
import type { Connection } from './connection.ts'
import { assertCpus } from './demands.ts'
import type { MemoryHost } from './host.ts'
import { activeOf } from './life.ts'

/** What a domain gets that says nothing about it. */
const EVERYBODYS: Scheduling = { weight: 256, capPercent: null, affinity: null }

/**
 * The scheduler of a memory host; of its own it has a weight, and a cap in percent, 0 for none. A cap shows in the metrics; weight and
 * affinity are kept, nobody competes.
 */
export function schedulerOps(host: MemoryHost, connection: Connection): SchedulerOps {
  return {
    own: {
      name: 'memory',
      parameters: id =>
        connection.call('scheduler.own', () => {
          const domain = host.domain(id)
          const { weight, capPercent } = (domain.active?.config ?? domain.config).scheduling ?? EVERYBODYS
          return [
            { name: 'weight', type: 'uint', value: BigInt(weight) },
            { name: 'cap', type: 'uint', value: BigInt(Math.round(capPercent ?? 0)) },
          ]
        }),
      changed,
    },
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

/** A cap of 0 is none. */
function changed(now: Scheduling = EVERYBODYS, values: ReadonlyMap<string, bigint>): Scheduling {
  const unknown = [...values.keys()].find(name => name !== 'weight' && name !== 'cap')
  if (unknown !== undefined) throw new DriverError('refused', `the scheduler memory has no parameter ${unknown}`)
  const [weight, cap] = [values.get('weight'), values.get('cap')]
  const scheduling = {
    weight: Number(weight ?? now.weight),
    capPercent: cap === undefined ? now.capPercent : Number(cap) || null,
    affinity: now.affinity,
  }
  assertShares(scheduling)
  return scheduling
}

const WEIGHT_MAX = 65_535

/** Demands shares that a host can give, and CPUs that this one has. */
function assertScheduling(host: MemoryHost, scheduling: Scheduling): void {
  assertShares(scheduling)
  assertCpus(host, scheduling.affinity)
}

function assertShares({ weight, capPercent }: Scheduling): void {
  if (!(Number.isSafeInteger(weight) && weight >= 1 && weight <= WEIGHT_MAX)) {
    throw new DriverError('refused', `a weight is from 1 to ${WEIGHT_MAX}, not ${weight}`)
  }
  if (capPercent !== null && !(capPercent > 0)) {
    throw new DriverError('refused', `a cap leaves more than nothing, not ${capPercent} percent`)
  }
}
