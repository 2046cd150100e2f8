import { inspect } from 'node:util'
import {
  type Domain as DriverDomain,
  type DomainConfig,
  type DomainId,
  DriverError,
  type DomainState,
} from '../drivers/driver.ts'
import { VIR_ERR_NO_DOMAIN, VIR_ERR_OPERATION_INVALID } from './error-numbers.ts'
import type { FunctionName } from './flag-check.ts'
import { glimpsesOf } from './glimpses.ts'
import { isActiveState } from './remembered.ts'
import type { Host } from './host.ts'
import type { Step } from './state-refusals.ts'
import { uuidBytes } from './uuid.ts'

/** A domain, as it was found: what its functions stand on. */
export class DomainObject {
  protected readonly host: Host
  protected readonly id: DomainId
  readonly #name: string

  constructor(host: Host, { id, name }: Pick<DriverDomain, 'id' | 'name'>) {
    this.host = host
    this.id = id
    this.#name = name
  }

  /** The name it had when it was found (virDomainGetName). */
  getName(): string {
    return this.#name
  }

  /** Its UUID in 16 octets (virDomainGetUUID). */
  getUUID(): Uint8Array {
    return uuidBytes(this.id)
  }

  /** Its UUID in lower case with hyphens (virDomainGetUUIDString). */
  getUUIDString(): string {
    return this.id
  }

  /**
   * The number that it has while it is active, the same on every connection of this process to its host; -1 of one that
   * was not active when somebody looked last (virDomainGetID).
   */
  getID(): number {
    return this.host.remembered.numberOf(this.id)
  }

  /** As it is shown where objects are. */
  [inspect.custom](): string {
    return `${this.constructor.name} { '${this.#name}', ${this.id} }`
  }

  protected read<T>(name: FunctionName, run: () => Promise<T>): Promise<T> {
    return this.host.read(name, VIR_ERR_NO_DOMAIN, run)
  }

  protected change<T>(name: FunctionName, run: () => Promise<T>): Promise<T> {
    return this.host.change(name, VIR_ERR_NO_DOMAIN, run, this.id)
  }

  /** What it is doing. */
  protected now(): Promise<DriverDomain> {
    return this.host.domain(this.id)
  }

  /** Its state, for a function that tells it: what a list that was just asked for has told, else what the host says. */
  protected async state(name: FunctionName): Promise<DomainState> {
    return (await this.glimpse(name)).state
  }

  /** As `state`, with all that is told of the domain. */
  protected async glimpse(name: FunctionName): Promise<DriverDomain> {
    return (await glimpsesOf(this.host).domain(name, this.id)) ?? (await this.now())
  }

  /** Asks the host for what only a domain that is active can do; of one that is not, libvirt's own words are thrown. */
  protected active<T>(ask: () => Promise<T>): Promise<T> {
    return this.#unless(state => !isActiveState(state), 'domain is not running', ask)
  }

  /** Refuses a step to a domain in this state as libvirt's driver of the host does, where it does. */
  protected assertFit(step: Step, state: DomainState, cause?: unknown): void {
    const refusal = this.host.profile.refusals[step](state)
    if (refusal !== undefined) throw this.host.error(refusal.code, refusal.text(this.#name), cause)
  }

  /** Asks the host for a step; one that it refuses for the state of the domain is refused in the words of libvirt's driver. */
  protected async step<T>(step: Step, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      if (isBadState(error)) this.assertFit(step, (await this.now()).state, error)
      throw error
    }
  }

  /** Only after a refusal the state is asked for, so that nothing is asked twice where all is well. */
  async #unless<T>(isWrong: (state: DomainState) => boolean, problem: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      if (!isBadState(error) || !isWrong((await this.now()).state)) throw error
      throw this.host.error(VIR_ERR_OPERATION_INVALID, problem, error)
    }
  }

  /** Its definition. */
  protected config(): Promise<DomainConfig> {
    return this.host.seeing(this.id, () => this.host.driver.domains.config(this.id))
  }

  /** What it is made of now: what it runs with where it is active, which may be told already, and else its definition. */
  protected async living(
    { state }: Pick<DriverDomain, 'state'>,
    defined: DomainConfig,
    told?: DomainConfig,
  ): Promise<DomainConfig> {
    const { domains } = this.host.driver
    if (!isActiveState(state)) return defined
    const living = told ?? (await this.host.seeing(this.id, async () => domains.living?.(this.id)))
    if (living === undefined) return defined
    const { annotations: _, exits: __, ...now } = living
    // These count at once.
    const { name, description, annotations, exits } = defined
    return { ...now, name, description, ...(annotations && { annotations }), ...(exits && { exits }) }
  }

  /** Changes its definition, as `Host.amend` does. */
  protected amend(
    change: (config: DomainConfig, now: DriverDomain) => DomainConfig | undefined,
  ): Promise<DomainConfig | undefined> {
    return this.host.amend(this.id, change)
  }
}

/** Whether the host says no for what the domain is doing. */
export const isBadState = (error: unknown): boolean => error instanceof DriverError && error.kind === 'bad-state'
