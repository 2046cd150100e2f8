import type { Domain, DomainState as DriverState } from '../drivers/driver.ts'
import { DomainObject } from './domain-object.ts'
import { checkFlags } from './flag-check.ts'
import {
  VIR_DOMAIN_CRASHED,
  VIR_DOMAIN_NOSTATE,
  VIR_DOMAIN_PAUSED,
  VIR_DOMAIN_RUNNING,
  VIR_DOMAIN_SHUTOFF,
} from './flags/index.ts'
import { isActiveState } from './remembered.ts'
import type { StateReasons } from './state-reasons.ts'

/** What a domain is doing, one of `VIR_DOMAIN_RUNNING` and its like, and why, as far as the host tells. */
export interface StateAndReason {
  readonly state: number
  readonly reason: number
}

/** What virDomainGetInfo tells. */
export interface DomainInfo {
  /** One of `VIR_DOMAIN_RUNNING` and its like. */
  readonly state: number
  /** The most memory it can ever have, in KiB. */
  readonly maxMem: number
  /** What it has of that now, or is to have from its start, in KiB. */
  readonly memory: number
  readonly nrVirtCpu: number
  /** CPU time that it has used since its start, in nanoseconds. */
  readonly cpuTime: bigint
}

const KIB = 1_024
const NS_PER_MS = 1_000_000n

/** What a state of the host is in libvirt. */
const STATES: Readonly<Record<DriverState, number>> = {
  halted: VIR_DOMAIN_SHUTOFF,
  running: VIR_DOMAIN_RUNNING,
  paused: VIR_DOMAIN_PAUSED,
  crashed: VIR_DOMAIN_CRASHED,
  suspended: VIR_DOMAIN_SHUTOFF,
  unknown: VIR_DOMAIN_NOSTATE,
}

/** What libvirt calls the state of a domain, and why it is so. */
export const stateAndReason = (reasons: StateReasons, domain: Seen): StateAndReason => ({
  state: STATES[domain.state],
  reason: reasons.of(domain),
})

type Seen = Pick<Domain, 'id' | 'state' | 'pause'>

/** What a domain is doing and has. */
export class DomainInState extends DomainObject {
  /**
   * What it is doing, and why, as far as this process heard of it or the hypervisor tells; right after `listAllDomains`, what
   * that has told (virDomainGetState). One that was saved is off, for the reason `VIR_DOMAIN_SHUTOFF_SAVED`.
   */
  async getState(flags = 0): Promise<StateAndReason> {
    return this.read('virDomainGetState', async () => {
      checkFlags('virDomainGetState', flags, {})
      return stateAndReason(this.host.past.reasons, await this.glimpse('virDomainGetState'))
    })
  }

  /** What it is doing, has and has used (virDomainGetInfo). */
  async getInfo(): Promise<DomainInfo> {
    return this.read('virDomainGetInfo', async () => {
      const { state, memoryBytes, memoryNowBytes, vcpus, cpuMs } = await this.#info()
      return {
        state: STATES[state],
        maxMem: Math.ceil(memoryBytes / KIB),
        memory: Math.ceil(memoryNowBytes / KIB),
        nrVirtCpu: vcpus,
        cpuTime: BigInt(Math.round(cpuMs)) * NS_PER_MS,
      }
    })
  }

  /** The most memory it can ever have, in KiB (virDomainGetMaxMemory). */
  async getMaxMemory(): Promise<number> {
    return this.read('virDomainGetMaxMemory', async () => Math.ceil((await this.#info()).memoryBytes / KIB))
  }

  /** Whether it is in memory (virDomainIsActive). */
  async isActive(): Promise<boolean> {
    return this.read('virDomainIsActive', async () => isActiveState(await this.state('virDomainIsActive')))
  }

  /**
   * Whether it stays when it stops (virDomainIsPersistent). Hosts know no others; but one that was created to go when
   * this connection closes is none.
   */
  async isPersistent(): Promise<boolean> {
    return this.read('virDomainIsPersistent', async () => {
      await this.now()
      return this.host.ending.get(this.id) !== 'undefine'
    })
  }

  /** Whether it was given another definition since it started, as far as this process did it (virDomainIsUpdated). */
  async isUpdated(): Promise<boolean> {
    return this.read('virDomainIsUpdated', async () => {
      await this.now()
      return this.host.remembered.updated.has(this.id)
    })
  }

  /** What kind of guests it is for: `hvm`, whole machines (virDomainGetOSType). */
  async getOSType(): Promise<string> {
    return this.read('virDomainGetOSType', async () => 'hvm')
  }

  async #info() {
    const info = await this.host.seeing(this.id, () => this.host.driver.domains.info(this.id))
    return this.host.seen(this.id, info)
  }
}
