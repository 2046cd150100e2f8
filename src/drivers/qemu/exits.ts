import type { ExitActions } from '../driver.ts'
import type { Exit } from './run-state.ts'

/** What becomes of a domain whose definition says nothing about it. */
export const DEFAULT_EXITS: ExitActions = { shutdown: 'halt', reboot: 'restart', suspend: 'halt', crash: 'halt' }

/**
 * What QEMU does by itself when the guest ends.
 * Source: QEMU qapi/run-state.json, RebootAction, ShutdownAction, PanicAction.
 */
export interface QemuActions {
  readonly reboot: 'reset' | 'shutdown'
  readonly shutdown: 'poweroff' | 'pause'
  readonly panic: 'pause' | 'shutdown'
}

/**
 * What QEMU is to do so that each exit leads where the definition says. It cannot start a guest again that has shut
 * down, and knows no difference between that and a guest that has saved itself: then it stands still (`pause`), also
 * while nobody is connected, until `ExitKeeper` decides.
 */
export function actionsOf({ shutdown, reboot, suspend, crash }: ExitActions = DEFAULT_EXITS): QemuActions {
  return {
    reboot: reboot === 'restart' ? 'reset' : 'shutdown',
    shutdown: shutdown === 'halt' && suspend === 'halt' ? 'poweroff' : 'pause',
    panic: crash === 'halt' ? 'shutdown' : 'pause',
  }
}

/** The trace event by which QEMU's log tells a guest that has switched itself off from one that has reset itself. */
export const SHUTDOWN_TRACE = 'qemu_system_shutdown_request'

/** Driver-made restarts of a guest that ends again and again: so many in so long a time. */
export const RESTARTS_MAX = 5
export const RESTARTS_WITHIN_MS = 60_000

/** Counts restarts, so that a guest that ends as soon as it is up does not keep the host busy for ever. */
export class RestartBudget {
  #times: readonly number[] = []

  /** Whether there may be another restart, at this time of a clock that never goes back; if so it counts. */
  allows(nowMs: number): boolean {
    const recent = this.#times.filter(time => nowMs - time < RESTARTS_WITHIN_MS)
    const isAllowed = recent.length < RESTARTS_MAX
    this.#times = isAllowed ? [...recent, nowMs] : recent
    return isAllowed
  }
}

/** What is to become of a guest that has ended. */
export const actionOn = (exit: Exit, exits: ExitActions = DEFAULT_EXITS): 'halt' | 'restart' | 'hold' => exits[exit]
