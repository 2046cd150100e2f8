import { type DomainConfig, DriverError } from '../driver.ts'
import type { Definition } from './definition.ts'
import { isGone, isOrdinary } from './exit-keeper.ts'
import type { Machine } from './machine.ts'
import { type Scheduler, threadsOf } from './scheduling.ts'
import { nicName } from './slots.ts'

/** Whether the guest must not execute anything before `setUp` has been done. */
export const isHeldForSetUp = ({ config }: Definition): boolean => config.scheduling !== undefined

/**
 * What is left to be done when QEMU has been started with a definition. Rejects where that cannot be; what the machine
 * is to become of then is the caller's to decide. A guest that has ended by then has no need of it.
 */
export async function setUp(machine: Machine, { config }: Definition, scheduler: Scheduler): Promise<void> {
  try {
    if (config.scheduling !== undefined) {
      await scheduler.apply(config.id, await threadsOf(machine), config.scheduling)
    }
    const { memoryBytes, memoryTargetBytes = memoryBytes } = config
    if (memoryTargetBytes < memoryBytes) await machine.execute('balloon', { value: memoryTargetBytes })
    for (const { id, network } of config.nics ?? []) {
      if (network === null) await machine.execute('set_link', { name: nicName(id), up: false })
    }
  } catch (error) {
    if (!(error instanceof DriverError && error.kind === 'bad-state')) throw error
  }
}

/** Gives a machine that was found running its share of the CPUs again; without one it runs all the same. */
export async function takeUpShare(
  machine: Machine,
  { id, scheduling }: DomainConfig,
  scheduler: Scheduler,
  warn: (message: string) => void,
): Promise<void> {
  if (scheduling === undefined) return
  try {
    await scheduler.apply(id, await threadsOf(machine), scheduling)
  } catch (error) {
    if (!isOrdinary(error) || isGone(error)) throw error
    warn(`domain ${id} runs without its scheduling: ${error.message}`)
  }
}
