import type { Scheduling, StartupAction } from '../drivers/driver.ts'
import { DomainWithMemory } from './domain-memory.ts'
import { VIR_ERR_INVALID_ARG, VIR_ERR_NO_SUPPORT } from './error-numbers.ts'
import { checkFlags, type FunctionName } from './flag-check.ts'
import {
  AUTOSTART_ALWAYS,
  AUTOSTART_IF_WAS_RUNNING,
  AUTOSTART_NONE,
  VIR_DOMAIN_AFFECT_CONFIG,
  VIR_DOMAIN_AFFECT_LIVE,
  VIR_TYPED_PARAM_LLONG,
  VIR_TYPED_PARAM_STRING_OKAY,
  VIR_TYPED_PARAM_UINT,
  VIR_TYPED_PARAM_ULLONG,
} from './flags/index.ts'
import { impactOf, toldOf } from './impact.ts'
import { firstOf } from './room.ts'

/** A named value of a type, as libvirt's virTypedParameter. */
export interface TypedParameter {
  readonly field: string
  /** One of `VIR_TYPED_PARAM_`. */
  readonly type: number
  readonly value: bigint
}

/** The scheduler of a domain, and how many parameters it has. */
export interface SchedulerType {
  readonly type: string
  readonly nparams: number
}

const TYPES = { uint: VIR_TYPED_PARAM_UINT, llong: VIR_TYPED_PARAM_LLONG, ullong: VIR_TYPED_PARAM_ULLONG } as const
const SET = { known: VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG }
const GET = { known: VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG | VIR_TYPED_PARAM_STRING_OKAY }

const NUMBERS: Readonly<Record<StartupAction, number>> = {
  never: AUTOSTART_NONE,
  'if-was-running': AUTOSTART_IF_WAS_RUNNING,
  always: AUTOSTART_ALWAYS,
}
const ACTIONS: ReadonlyMap<number | boolean, StartupAction> = new Map<number | boolean, StartupAction>([
  [false, 'never'],
  [true, 'always'],
  [AUTOSTART_NONE, 'never'],
  [AUTOSTART_IF_WAS_RUNNING, 'if-was-running'],
  [AUTOSTART_ALWAYS, 'always'],
])

/** What a domain gets of the host's CPUs, and what becomes of it when the host starts. */
export class DomainWithScheduling extends DomainWithMemory {
  /** The name of the host's own scheduler, and how many parameters it has (virDomainGetSchedulerType). */
  async getSchedulerType(): Promise<SchedulerType> {
    return this.read('virDomainGetSchedulerType', async () => {
      const own = this.#own('virDomainGetSchedulerType')
      return { type: own.name, nparams: (await own.parameters(this.id)).length }
    })
  }

  /** The parameters of the host's own scheduler, in its own units; the first `nparams` of them (virDomainGetSchedulerParameters). */
  async getSchedulerParameters(nparams?: number): Promise<readonly TypedParameter[]> {
    return this.read('virDomainGetSchedulerParameters', () =>
      this.#parameters('virDomainGetSchedulerParameters', nparams),
    )
  }

  /** As `getSchedulerParameters`; the host has one set, which counts now and at the next start (virDomainGetSchedulerParametersFlags). */
  async getSchedulerParametersFlags(nparams?: number, flags = 0): Promise<readonly TypedParameter[]> {
    return this.read('virDomainGetSchedulerParametersFlags', async () => {
      checkFlags('virDomainGetSchedulerParametersFlags', flags, GET)
      toldOf(this.host, flags, await this.now())
      return this.#parameters('virDomainGetSchedulerParametersFlags', nparams)
    })
  }

  /** Changes parameters of the host's own scheduler, by their names (virDomainSetSchedulerParameters). */
  async setSchedulerParameters(params: readonly TypedParameter[]): Promise<void> {
    const name = 'virDomainSetSchedulerParameters'
    return this.change(name, () => this.#setParameters(name, params, 0))
  }

  /** As `setSchedulerParameters`; now, which counts at the next start too, or from then on (virDomainSetSchedulerParametersFlags). */
  async setSchedulerParametersFlags(params: readonly TypedParameter[], flags = 0): Promise<void> {
    const name = 'virDomainSetSchedulerParametersFlags'
    return this.change(name, async () => {
      checkFlags(name, flags, SET)
      await this.#setParameters(name, params, flags)
    })
  }

  /**
   * What becomes of it when the host starts: `AUTOSTART_NONE`, `AUTOSTART_IF_WAS_RUNNING` or `AUTOSTART_ALWAYS`
   * (virDomainGetAutostart).
   */
  async getAutostart(): Promise<number> {
    return this.read('virDomainGetAutostart', async () => {
      return NUMBERS[await this.host.group('virDomainGetAutostart', 'autostart').get(this.id)]
    })
  }

  /** Chooses that; `true` is `AUTOSTART_ALWAYS`, `false` is `AUTOSTART_NONE` (virDomainSetAutostart). */
  async setAutostart(autostart: boolean | number): Promise<void> {
    return this.change('virDomainSetAutostart', async () => {
      const action = ACTIONS.get(autostart)
      if (action === undefined) {
        throw this.host.error(VIR_ERR_INVALID_ARG, `autostart in virDomainSetAutostart is 0, 1 or 2, not ${autostart}`)
      }
      await this.host.group('virDomainSetAutostart', 'autostart').set(this.id, action)
    })
  }

  async #parameters(name: FunctionName, nparams: number | undefined): Promise<readonly TypedParameter[]> {
    const parameters = await this.#own(name).parameters(this.id)
    return firstOf(parameters, nparams, name).map(one => ({ field: one.name, type: TYPES[one.type], value: one.value }))
  }

  async #setParameters(name: FunctionName, params: readonly TypedParameter[], flags: number): Promise<void> {
    const own = this.#own(name)
    const scheduler = this.host.group(name, 'scheduler')
    const values = new Map(params.map(({ field, value }) => [field, value]))
    if (values.size < params.length) {
      throw this.host.error(VIR_ERR_INVALID_ARG, `a parameter occurs multiple times in ${name}`)
    }
    let live: Scheduling | undefined
    await this.amend((config, now) => {
      const { isLive } = impactOf(this.host, flags, now)
      const scheduling = own.changed(config.scheduling, values)
      if (!isLive) return { ...config, scheduling }
      live = scheduling
      return undefined
    })
    const wanted = live
    if (wanted !== undefined) await this.host.remembered.turns.run(this.id, () => scheduler.set(this.id, wanted))
  }

  #own(name: FunctionName) {
    const { own } = this.host.group(name, 'scheduler')
    if (own === undefined) throw this.host.error(VIR_ERR_NO_SUPPORT, name)
    return own
  }
}
