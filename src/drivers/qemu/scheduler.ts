import type { SchedulerOps } from '../driver.ts'
import type { Gate } from './gate.ts'
import type { Inventory } from './inventory.ts'
import { PLAIN, type Scheduler, threadsOf } from './scheduling.ts'

/** The group `scheduler`. */
export const schedulerOps = (inventory: Inventory, scheduler: Scheduler, gate: Gate): SchedulerOps => ({
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
