import { forgetInterruption, noteInterruption } from './interruption.ts'
import type { DomainFiles } from './layout.ts'
import type { Machine } from './machine.ts'

/** A machine that goes down is down within this time. One that is not has ended a QEMU for another reason. */
const GOING_DOWN_MS = 600_000

/**
 * Keeps in mind where QEMU is ended by a signal, until it is clear that the machine does not go down; what an earlier
 * driver has kept in mind, the next forgets (`removeStale`).
 */
export function watchForSignals(machine: Machine, files: DomainFiles, warn: (message: string) => void): void {
  const tell = (error: unknown) => warn(`${files.interrupted} cannot be changed: ${String(error)}`)
  machine.listen(({ event, data: { reason } }) => {
    // Source: QEMU qapi/run-state.json, ShutdownCause.
    if (event !== 'SHUTDOWN' || reason !== 'host-signal') return
    noteInterruption(files).catch(tell)
    setTimeout(() => void forgetInterruption(files).catch(tell), GOING_DOWN_MS).unref()
  })
}
