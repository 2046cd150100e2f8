import { DomainInState } from './domain-state.ts'
import { VIR_ERR_OPERATION_INVALID } from './error-numbers.ts'
import { checkFlags, has } from './flag-check.ts'
import {
  VIR_DOMAIN_CONTROL_OK,
  VIR_DOMAIN_JOB_NONE,
  VIR_DOMAIN_JOB_STATS_COMPLETED,
  VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED,
} from './flags/index.ts'
import { isActiveState } from './remembered.ts'

/** Whether a domain can be told to do something. */
export interface ControlInfo {
  /** `VIR_DOMAIN_CONTROL_OK`: whatever is asked of a domain meanwhile waits for its turn. */
  readonly state: number
  readonly details: number
  /** How long it has been so, in milliseconds. */
  readonly stateTime: bigint
}

/** What is being done to a domain that takes long. */
export interface JobInfo {
  /** `VIR_DOMAIN_JOB_NONE`: what takes long is over when its function resolves, and nobody else is told how far it is. */
  readonly type: number
}

const STATS = { known: VIR_DOMAIN_JOB_STATS_COMPLETED | VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED }

/** What is being done to a domain. */
export class DomainWithJobs extends DomainInState {
  /** Whether it can be told to do something (virDomainGetControlInfo). */
  async getControlInfo(flags = 0): Promise<ControlInfo> {
    return this.read('virDomainGetControlInfo', async () => {
      checkFlags('virDomainGetControlInfo', flags, {})
      await this.#assertActive()
      return { state: VIR_DOMAIN_CONTROL_OK, details: 0, stateTime: 0n }
    })
  }

  /** What is being done to it (virDomainGetJobInfo). */
  async getJobInfo(): Promise<JobInfo> {
    return this.read('virDomainGetJobInfo', async () => {
      await this.#assertActive()
      return { type: VIR_DOMAIN_JOB_NONE }
    })
  }

  /** The same, or with `VIR_DOMAIN_JOB_STATS_COMPLETED` what was done to it last (virDomainGetJobStats). */
  async getJobStats(flags = 0): Promise<JobInfo> {
    return this.read('virDomainGetJobStats', async () => {
      checkFlags('virDomainGetJobStats', flags, STATS)
      await (has(flags, VIR_DOMAIN_JOB_STATS_COMPLETED) ? this.now() : this.#assertActive())
      return { type: VIR_DOMAIN_JOB_NONE }
    })
  }

  /** Ends what is being done to it: there is never anything (virDomainAbortJob). */
  async abortJob(): Promise<void> {
    return this.change('virDomainAbortJob', () => this.#abort())
  }

  /** As `abortJob` (virDomainAbortJobFlags). */
  async abortJobFlags(flags = 0): Promise<void> {
    return this.change('virDomainAbortJobFlags', async () => {
      checkFlags('virDomainAbortJobFlags', flags, {})
      await this.#abort()
    })
  }

  async #abort(): Promise<void> {
    await this.#assertActive()
    throw this.host.error(VIR_ERR_OPERATION_INVALID, 'no job is active on the domain')
  }

  async #assertActive(): Promise<void> {
    if (isActiveState((await this.now()).state)) return
    throw this.host.error(VIR_ERR_OPERATION_INVALID, 'domain is not running')
  }
}
