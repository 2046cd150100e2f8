import { DriverError, type SuspensionOps } from '../drivers/driver.ts'
import { DomainWithJobs } from './domain-jobs.ts'
import { isBadState } from './domain-object.ts'
import { VIR_ERR_NO_SUPPORT } from './error-numbers.ts'
import { checkFlags, type FlagsOf, type FunctionName, has } from './flag-check.ts'
import {
  VIR_DOMAIN_DESTROY_GRACEFUL,
  VIR_DOMAIN_DESTROY_REMOVE_LOGS,
  VIR_DOMAIN_REBOOT_ACPI_POWER_BTN,
  VIR_DOMAIN_REBOOT_GUEST_AGENT,
  VIR_DOMAIN_REBOOT_INITCTL,
  VIR_DOMAIN_REBOOT_PARAVIRT,
  VIR_DOMAIN_REBOOT_SIGNAL,
  VIR_DOMAIN_SAVE_BYPASS_CACHE,
  VIR_DOMAIN_SAVE_RESET_NVRAM,
  VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN,
  VIR_DOMAIN_SHUTDOWN_GUEST_AGENT,
  VIR_DOMAIN_SHUTDOWN_INITCTL,
  VIR_DOMAIN_SHUTDOWN_PARAVIRT,
  VIR_DOMAIN_SHUTDOWN_SIGNAL,
  VIR_DOMAIN_START_AUTODESTROY,
  VIR_DOMAIN_START_BYPASS_CACHE,
  VIR_DOMAIN_START_FORCE_BOOT,
  VIR_DOMAIN_START_PAUSED,
  VIR_DOMAIN_START_RESET_NVRAM,
} from './flags/index.ts'
import { stateByFlags } from './saved-files.ts'
import { startDomain } from './starting.ts'

const START: FlagsOf = {
  known: VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_AUTODESTROY | VIR_DOMAIN_START_FORCE_BOOT,
  refused: { VIR_DOMAIN_START_BYPASS_CACHE, VIR_DOMAIN_START_RESET_NVRAM },
}
const SHUTDOWN_WAYS = {
  VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN,
  VIR_DOMAIN_SHUTDOWN_GUEST_AGENT,
  VIR_DOMAIN_SHUTDOWN_INITCTL,
  VIR_DOMAIN_SHUTDOWN_SIGNAL,
  VIR_DOMAIN_SHUTDOWN_PARAVIRT,
}
const REBOOT_WAYS = {
  VIR_DOMAIN_REBOOT_ACPI_POWER_BTN,
  VIR_DOMAIN_REBOOT_GUEST_AGENT,
  VIR_DOMAIN_REBOOT_INITCTL,
  VIR_DOMAIN_REBOOT_SIGNAL,
  VIR_DOMAIN_REBOOT_PARAVIRT,
}
/** The same number of a shutdown and a reboot. */
const AGENT_WAY = VIR_DOMAIN_SHUTDOWN_GUEST_AGENT & VIR_DOMAIN_REBOOT_GUEST_AGENT
const SAVE_REFUSED = { VIR_DOMAIN_SAVE_BYPASS_CACHE, VIR_DOMAIN_SAVE_RESET_NVRAM }

/** Starting and stopping a domain. */
export class DomainWithPower extends DomainWithJobs {
  /** Starts it, from what was saved of it where something was (virDomainCreate). */
  async create(): Promise<void> {
    return this.change('virDomainCreate', () => this.#start(0))
  }

  /** As `create`, with `VIR_DOMAIN_START_` flags (virDomainCreateWithFlags). */
  async createWithFlags(flags = 0): Promise<void> {
    return this.change('virDomainCreateWithFlags', async () => {
      checkFlags('virDomainCreateWithFlags', flags, START)
      return this.#start(flags)
    })
  }

  /** Pauses it; it stays in memory (virDomainSuspend). */
  async suspend(): Promise<void> {
    return this.change('virDomainSuspend', async () => {
      try {
        await this.step('suspend', () => this.host.driver.domains.pause(this.id))
      } catch (error) {
        if (!this.host.profile.pausesAgain || !isBadState(error) || (await this.now()).state !== 'paused') throw error
      }
    })
  }

  /** Lets it go on (virDomainResume). */
  async resume(): Promise<void> {
    return this.change('virDomainResume', () => this.step('resume', () => this.host.driver.domains.unpause(this.id)))
  }

  /** Asks its guest to shut down, and does not wait until it has (virDomainShutdown). */
  async shutdown(): Promise<void> {
    return this.change('virDomainShutdown', () => this.#requestShutdown())
  }

  /**
   * As `shutdown`; flags may demand the way in which the host asks, and no other: its own, or an agent in the guest where the
   * host can ask one. With both, its own counts where no agent answers (virDomainShutdownFlags).
   */
  async shutdownFlags(flags = 0): Promise<void> {
    return this.change('virDomainShutdownFlags', async () => {
      const own = this.host.profile.shutdownWay
      checkFlags('virDomainShutdownFlags', flags, this.#waysOf(SHUTDOWN_WAYS, own))
      if (!has(flags, VIR_DOMAIN_SHUTDOWN_GUEST_AGENT)) return this.#requestShutdown()
      try {
        await this.#requestShutdown(() => this.#askAgent('virDomainShutdownFlags', 'power-off'))
      } catch (error) {
        if (!has(flags, own) || !(error instanceof DriverError && error.guest !== undefined)) throw error
        await this.#requestShutdown()
      }
    })
  }

  /**
   * Restarts it, as libvirt's driver of Hyper-V does: whatever the guest is doing. With `VIR_DOMAIN_REBOOT_GUEST_AGENT` an
   * agent in the guest is asked to do it, where the host can ask one (virDomainReboot).
   */
  async reboot(flags = 0): Promise<void> {
    return this.change('virDomainReboot', async () => {
      checkFlags('virDomainReboot', flags, this.#waysOf(REBOOT_WAYS, 0))
      if (!has(flags, VIR_DOMAIN_REBOOT_GUEST_AGENT)) return this.#reset('reboot')
      await this.step('reboot', () => this.#askAgent('virDomainReboot', 'reboot'))
    })
  }

  /** Presses its reset button (virDomainReset). */
  async reset(flags = 0): Promise<void> {
    return this.change('virDomainReset', async () => {
      checkFlags('virDomainReset', flags, {})
      await this.#reset('reset')
    })
  }

  /** Cuts its power (virDomainDestroy). */
  async destroy(): Promise<void> {
    return this.change('virDomainDestroy', () => this.#cutPower())
  }

  /** As `destroy`, with `VIR_DOMAIN_DESTROY_` flags (virDomainDestroyFlags). */
  async destroyFlags(flags = 0): Promise<void> {
    return this.change('virDomainDestroyFlags', async () => {
      const isGentle = this.host.profile.destroysGently
      const refused = { VIR_DOMAIN_DESTROY_REMOVE_LOGS, ...(!isGentle && { VIR_DOMAIN_DESTROY_GRACEFUL }) }
      checkFlags('virDomainDestroyFlags', flags, { known: isGentle ? VIR_DOMAIN_DESTROY_GRACEFUL : 0, refused })
      await this.#cutPower()
    })
  }

  /**
   * Puts it to disk with its memory; `create` brings it back, paused if it was that, or as `VIR_DOMAIN_SAVE_RUNNING` or
   * `VIR_DOMAIN_SAVE_PAUSED` say (virDomainManagedSave).
   */
  async managedSave(flags = 0): Promise<void> {
    return this.change('virDomainManagedSave', async () => {
      const wish = stateByFlags('virDomainManagedSave', flags, SAVE_REFUSED)
      const suspension = this.host.group('virDomainManagedSave', 'suspension')
      const { state } = await this.now()
      const isPaused = state === 'paused'
      const suspend = () => suspension.suspend(this.id)
      await this.step('managedSave', () => this.host.past.deeds.whileDoing(this.id, 'saved', suspend))
      this.host.seen(this.id, { state: 'suspended' })
      if (suspension.changeSaved === undefined) this.#rememberPaused(wish.paused ?? isPaused)
      else if (wish.paused !== undefined) await suspension.changeSaved(this.id, { paused: wish.paused })
    })
  }

  /** Throws away what was saved of it (virDomainManagedSaveRemove). */
  async managedSaveRemove(flags = 0): Promise<void> {
    return this.change('virDomainManagedSaveRemove', async () => {
      checkFlags('virDomainManagedSaveRemove', flags, {})
      const { state } = await this.now()
      this.assertFit('managedSaveRemove', state)
      if (state === 'suspended') await this.#discard()
    })
  }

  /** Whether something was saved of it (virDomainHasManagedSaveImage). */
  async hasManagedSaveImage(flags = 0): Promise<boolean> {
    return this.read('virDomainHasManagedSaveImage', async () => {
      checkFlags('virDomainHasManagedSaveImage', flags, {})
      return (await this.state('virDomainHasManagedSaveImage')) === 'suspended'
    })
  }

  /** Which of these ways the host has: its own, and that by an agent in the guest where it can ask one. */
  #waysOf(ways: Readonly<Record<string, number>>, own: number): FlagsOf {
    const { guest } = this.host.driver
    const known = own | (guest?.requestEnd === undefined ? 0 : AGENT_WAY)
    return { known, refused: Object.fromEntries(Object.entries(ways).filter(([, way]) => !has(known, way))) }
  }

  #askAgent(name: FunctionName, ending: 'power-off' | 'reboot'): Promise<void> {
    const { requestEnd } = this.host.group(name, 'guest')
    if (requestEnd === undefined) throw this.host.error(VIR_ERR_NO_SUPPORT, name)
    return requestEnd(this.id, ending)
  }

  async #requestShutdown(ask = () => this.host.driver.domains.requestShutdown(this.id)): Promise<void> {
    await this.step('shutdown', ask)
    this.host.past.reasons.asked(this.id)
  }

  /** Hosts reset domains in states in which libvirt's drivers do not. */
  async #reset(step: 'reboot' | 'reset'): Promise<void> {
    const { state } = await this.now()
    this.assertFit(step, state)
    // Source: libvirt, where one that is paused stays so, but where the test driver reboots it.
    const keepsPaused = step === 'reset' || this.host.profile.pausesAgain
    await this.step(step, () => this.host.driver.domains.reset(this.id, { keepsPaused }))
  }

  async #start(flags: number): Promise<void> {
    const { state } = await this.now()
    this.assertFit('create', state)
    let paused = has(flags, VIR_DOMAIN_START_PAUSED)
    if (state === 'suspended' && !has(flags, VIR_DOMAIN_START_FORCE_BOOT)) {
      const suspension = this.host.group('virDomainCreate', 'suspension')
      paused ||= await this.#isSavedPaused(suspension)
      await this.step('create', () => suspension.resume(this.id, { paused }))
    } else {
      if (state === 'suspended') await this.#discard()
      await this.step('create', () => startDomain(this.host, this.id, { paused }))
    }
    this.host.seen(this.id, { state: paused ? 'paused' : 'running' })
    if (has(flags, VIR_DOMAIN_START_AUTODESTROY)) this.host.ending.set(this.id, 'destroy')
  }

  /** Keeps whether it is paused when it comes back, where its host does not. */
  #rememberPaused(paused: boolean): void {
    if (paused) this.host.remembered.savedPaused.add(this.id)
  }

  async #isSavedPaused({ saved }: SuspensionOps): Promise<boolean> {
    return saved === undefined ? this.host.remembered.savedPaused.has(this.id) : (await saved(this.id)).paused
  }

  /** What was saved is kept: libvirt's `destroy` is for what is in memory. */
  async #cutPower(): Promise<void> {
    const { state } = await this.now()
    this.assertFit('destroy', state)
    await this.step('destroy', () => this.#discard())
  }

  async #discard(): Promise<void> {
    await this.host.driver.domains.powerOff(this.id)
    this.host.seen(this.id, { state: 'halted' })
  }
}
