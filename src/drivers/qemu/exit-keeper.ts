import { truncateSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { QmpConnectionError, QmpError } from '../../protocols/qmp/error.ts'
import { DriverError, type ExitActions } from '../driver.ts'
import { actionOn, actionsOf, RESTARTS_MAX, RESTARTS_WITHIN_MS, RestartBudget, SHUTDOWN_TRACE } from './exits.ts'
import type { Machine } from './machine.ts'
import type { Exit } from './run-state.ts'

/**
 * SeaBIOS resets the machine itself when it comes up after a reset. Were QEMU told at once that a reset is the end, it
 * would take that for one of the guest's; so it is told this much later.
 */
export const REBOOT_HALTS_AFTER_MS = 5_000

/** What the keeper has to do with besides the machine. */
export interface ExitKeeperOptions {
  readonly qemuLog: string
  /** What the definition says now. */
  readonly exits: () => ExitActions | undefined
  /** The guest was found to have ended while nobody looked. */
  readonly found: (exit: Exit) => void
  /** The guest that has ended was started again. */
  readonly restarted: () => void
  readonly warn: (message: string) => void
}

/**
 * Sees to it that what follows when the guest ends is what the definition says. QEMU does most of it itself
 * (`actionsOf`); where it stands still instead, the decision is made here.
 */
export class ExitKeeper {
  readonly #options: ExitKeeperOptions
  readonly #budget = new RestartBudget()
  #rebootTimer: NodeJS.Timeout | undefined

  constructor(options: ExitKeeperOptions) {
    this.#options = options
  }

  /** Tells QEMU what the definition says now. Rejects as `Machine.execute` does. */
  async apply(machine: Machine): Promise<void> {
    const { reboot, ...others } = actionsOf(this.#options.exits())
    const isLater = reboot === 'shutdown' && this.#rebootTimer !== undefined
    await machine.execute('set-action', isLater ? others : { ...others, reboot })
  }

  /** Tells a living machine what the definition says now; one that cannot be reached is told when it can. */
  async follow(machine: Machine | undefined): Promise<void> {
    try {
      if (machine?.isReached === true) await this.apply(machine)
    } catch (error) {
      if (!isOrdinary(error)) throw error
      if (!isGone(error)) this.#options.warn(`its new exits do not count yet: ${error.message}`)
    }
  }

  /** Takes over a machine that was found: tells it what counts now, and decides where it stands still. */
  async takeOver(machine: Machine): Promise<void> {
    // It may have been reset a moment ago.
    this.#haltOnRebootLater(machine)
    await this.apply(machine)
    await this.settle(machine)
  }

  /** Decides where the guest has ended and QEMU stands still; else does nothing. `told` is how it ended, where known. */
  async settle(machine: Machine, told?: Exit): Promise<void> {
    const { status, running: isRunning } = await machine.execute('query-status')
    const exit = told ?? (await this.#findExit(machine, status))
    // It goes on already where somebody has decided before.
    if (exit === undefined || isRunning) return
    if (told === undefined) this.#options.found(exit)
    const action = actionOn(exit, this.#options.exits())
    if (action === 'restart' && this.#budget.allows(performance.now())) {
      await this.restart(machine)
      return this.#options.restarted()
    }
    if (action === 'restart') {
      const often = `${RESTARTS_MAX} times within ${RESTARTS_WITHIN_MS / 1000} s`
      this.#options.warn(`its guest ended (${exit}) and was started again ${often}; now it stays as it is`)
    }
    if (exit === 'crash' && action !== 'halt') await machine.stayEnded()
    else await machine.end()
  }

  /** Resets the machine and lets it run, whatever state it is in, unless it `stays` stopped. Rejects as `Machine.execute` does. */
  async restart(machine: Machine, { stays = false }: { readonly stays?: boolean } = {}): Promise<void> {
    // A machine for which a reset is the end would end now.
    await machine.execute('set-action', { reboot: 'reset' })
    this.#haltOnRebootLater(machine)
    await machine.execute('system_reset')
    // What it says of earlier ends counts no more.
    truncateSync(this.#options.qemuLog)
    const { running: isRunning } = await machine.execute('query-status')
    if (!isRunning && !stays) await machine.execute('cont')
    await machine.refresh()
  }

  /** Lets go. */
  stop(): void {
    clearTimeout(this.#rebootTimer)
    this.#rebootTimer = undefined
  }

  #haltOnRebootLater(machine: Machine): void {
    this.stop()
    if (actionsOf(this.#options.exits()).reboot !== 'shutdown') return
    this.#rebootTimer = setTimeout(() => {
      this.#rebootTimer = undefined
      this.apply(machine).catch((error: unknown) => {
        if (!isOrdinary(error)) throw error
        if (!isGone(error)) this.#options.warn(`QEMU could not be told what a reset means: ${error.message}`)
      })
    }, REBOOT_HALTS_AFTER_MS)
    this.#rebootTimer.unref()
  }

  async #findExit(machine: Machine, status: string): Promise<Exit | undefined> {
    if (status === 'guest-panicked') return 'crash'
    if (status !== 'shutdown') return undefined
    if ((await readSleepType(machine)) === SLEEP_TYPE_S4) return 'suspend'
    if (this.#options.exits()?.reboot !== 'halt') return 'shutdown'
    const log = await readFile(this.#options.qemuLog, 'utf8')
    return log.includes(`${SHUTDOWN_TRACE} reason=`) ? 'shutdown' : 'reboot'
  }
}

/** Whether an error is the machine's answer, or its silence, and no fault of ours. */
export const isOrdinary = (error: unknown): error is Error =>
  error instanceof DriverError || error instanceof QmpError || error instanceof QmpConnectionError

/** Whether an error means that QEMU has ended. */
export const isGone = (error: unknown): boolean => error instanceof DriverError && error.kind === 'bad-state'

/** Where SeaBIOS puts PM1_CNT, the register by which a guest sleeps. Source: SeaBIOS src/config.h, PORT_ACPI_PM_BASE. */
const PM1_CONTROL_PORT = 0x604
/** What a guest writes there for S4. Source: QEMU hw/acpi/piix4.c, property `s4_val`; ACPI 4.8.3.2.1, SLP_TYPx. */
const SLEEP_TYPE_S4 = 2

/** The last kind of sleep that the guest asked for; QEMU keeps it until the machine is reset. */
async function readSleepType(machine: Machine): Promise<number> {
  const command = `i /hx 0x${PM1_CONTROL_PORT.toString(16)}`
  const answer = await machine.execute('human-monitor-command', { 'command-line': command })
  const value = /= 0x([0-9a-f]{1,4})\b/i.exec(answer)?.[1]
  if (value === undefined) throw new DriverError('refused', `QEMU answers ${JSON.stringify(answer)} to ${command}`)
  return (Number.parseInt(value, 16) >> 10) & 0x7
}
