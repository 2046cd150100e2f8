import type { Scheduling, SchedulerOps } from '../driver.ts'
import type { QemuDomain } from './domain.ts'
import type { Gate } from './gate.ts'
import type { Inventory } from './inventory.ts'
import { schedulerParameters, withParameters } from './scheduler-parameters.ts'
import { PLAIN, type Scheduler, threadsOf } from './scheduling.ts'

/** What a domain gets: as it runs, or else from its start. */
const sharesOf = (domain: QemuDomain): Promise<Scheduling> =>
  domain.wholly(async ({ running, definition }) => (running ?? definition).config.scheduling ?? PLAIN)

/** The group `scheduler`. */
export const schedulerOps = (inventory: Inventory, scheduler: Scheduler, gate: Gate): SchedulerOps => ({
  // As libvirt's driver of QEMU calls what control groups do.
  own: {
    name: 'posix',
    parameters: id => gate.pass(async () => schedulerParameters(await sharesOf(inventory.find(id)))),
    changed: (now = PLAIN, values) => withParameters(now, values),
  },
  set: (id, scheduling) =>
    gate.pass(() =>
      inventory.find(id).change(async ({ machine, definition, keep }) => {
        const threads = await threadsOf(machine)
        await scheduler.apply(id, threads, scheduling)
        try {
          await keep({ ...definition, config: { ...definition.config, scheduling: structuredClone(scheduling) } })
        } catch (error) {
          await scheduler.apply(id, threads, definition.config.scheduling ?? PLAIN)
          throw error
        }
      }),
    ),
})
