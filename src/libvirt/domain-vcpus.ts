import { DriverError, type VcpuMetrics } from '../drivers/driver.ts'
import { assertMapLength, cpuMap } from './cpu-map.ts'
import { DomainWithPower } from './domain-power.ts'
import { VIR_ERR_INVALID_ARG, VIR_ERR_OPERATION_INVALID, VIR_ERR_OPERATION_UNSUPPORTED } from './error-numbers.ts'
import { checkFlags, type FlagsOf, has, type FunctionName } from './flag-check.ts'
import {
  VIR_DOMAIN_VCPU_CONFIG,
  VIR_DOMAIN_VCPU_GUEST,
  VIR_DOMAIN_VCPU_HOTPLUGGABLE,
  VIR_DOMAIN_VCPU_LIVE,
  VIR_DOMAIN_VCPU_MAXIMUM,
  VIR_VCPU_INFO_CPU_UNAVAILABLE,
  VIR_VCPU_OFFLINE,
  VIR_VCPU_RUNNING,
} from './flags/index.ts'
import { impactOf, toldOf } from './impact.ts'
import { isActiveState } from './remembered.ts'
import { firstOf } from './room.ts'

/** A virtual CPU at a moment. */
export interface VcpuInfo {
  readonly number: number
  /** `VIR_VCPU_RUNNING`, or `VIR_VCPU_OFFLINE` where the domain is not in memory. */
  readonly state: number
  /** CPU time that it has used, in nanoseconds. */
  readonly cpuTime: bigint
  /** The CPU of the host that it was on last; `VIR_VCPU_INFO_CPU_UNAVAILABLE` where there is no telling. */
  readonly cpu: number
}

/** Virtual CPUs, and of each the CPUs of the host that it may run on: bit `n % 8` of octet `n / 8` is that of CPU `n`. */
export interface Vcpus {
  readonly info: readonly VcpuInfo[]
  readonly cpumaps: readonly Uint8Array[]
}

const NS_PER_MS = 1_000_000
const SET: FlagsOf = {
  known: VIR_DOMAIN_VCPU_LIVE | VIR_DOMAIN_VCPU_CONFIG | VIR_DOMAIN_VCPU_MAXIMUM,
  refused: { VIR_DOMAIN_VCPU_GUEST, VIR_DOMAIN_VCPU_HOTPLUGGABLE },
}
const GET: FlagsOf = {
  known: VIR_DOMAIN_VCPU_LIVE | VIR_DOMAIN_VCPU_CONFIG | VIR_DOMAIN_VCPU_MAXIMUM,
  refused: { VIR_DOMAIN_VCPU_GUEST, VIR_DOMAIN_VCPU_HOTPLUGGABLE },
}

/** One that is not there now. */
const OFFLINE: VcpuMetrics = { usedMs: 0 }

/** The virtual CPUs of a domain. */
export class DomainWithVcpus extends DomainWithPower {
  /** Changes their number; of a domain that is not active (virDomainSetVcpus). */
  async setVcpus(nvcpus: number): Promise<void> {
    return this.change('virDomainSetVcpus', () => this.#set('virDomainSetVcpus', nvcpus, 0))
  }

  /**
   * Changes their number; `VIR_DOMAIN_VCPU_CONFIG` from the next start on. No host changes it while the domain runs. A domain
   * has all that it may have from its start: `VIR_DOMAIN_VCPU_MAXIMUM` changes the same number (virDomainSetVcpusFlags).
   */
  async setVcpusFlags(nvcpus: number, flags = 0): Promise<void> {
    return this.change('virDomainSetVcpusFlags', async () => {
      checkFlags('virDomainSetVcpusFlags', flags, SET)
      await this.#set('virDomainSetVcpusFlags', nvcpus, flags)
    })
  }

  /**
   * How many there are, or with `VIR_DOMAIN_VCPU_MAXIMUM` could be: of a domain that runs as many as it has, else as
   * many as the host gives to one (virDomainGetVcpusFlags).
   */
  async getVcpusFlags(flags = 0): Promise<number> {
    return this.read('virDomainGetVcpusFlags', async () => {
      checkFlags('virDomainGetVcpusFlags', flags, GET)
      return this.#count(flags)
    })
  }

  /** The most there could be, as `getVcpusFlags` tells it (virDomainGetMaxVcpus). */
  async getMaxVcpus(): Promise<number> {
    return this.read('virDomainGetMaxVcpus', () => this.#count(VIR_DOMAIN_VCPU_MAXIMUM))
  }

  /**
   * What each of them has used and where it may run; of the first `maxinfo` of them, in maps of `maplen` octets, or of
   * all in maps for all CPUs of the host (virDomainGetVcpus).
   */
  async getVcpus(maxinfo?: number, maplen?: number): Promise<Vcpus> {
    return this.read('virDomainGetVcpus', async () => {
      assertMapLength(this.host, 'virDomainGetVcpus', maplen)
      const [all, affinity] = await Promise.all([this.#vcpus(), this.#affinity()])
      const info = firstOf(all, maxinfo, 'virDomainGetVcpus')
      return {
        info: info.map((vcpu, number) => ({
          number,
          state: vcpu === OFFLINE ? VIR_VCPU_OFFLINE : VIR_VCPU_RUNNING,
          cpuTime: BigInt(Math.round(vcpu.usedMs * NS_PER_MS)),
          cpu: vcpu.cpu ?? VIR_VCPU_INFO_CPU_UNAVAILABLE,
        })),
        cpumaps: info.map(() => cpuMap(this.host, affinity, maplen)),
      }
    })
  }

  async #set(name: FunctionName, nvcpus: number, flags: number): Promise<void> {
    if (!Number.isSafeInteger(nvcpus) || nvcpus < 1) {
      throw this.host.error(VIR_ERR_INVALID_ARG, `nvcpus in ${name} must be greater than zero`)
    }
    const max = await this.host.vcpusMax()
    if (max !== undefined && nvcpus > max) {
      const text = 'requested vcpus is greater than max allowable vcpus for the domain'
      throw this.host.error(VIR_ERR_INVALID_ARG, `${text}: ${nvcpus} > ${max}`)
    }
    await this.amend((config, now) => {
      if (impactOf(this.host, flags, now).isLive) throw this.#isLive(flags)
      return { ...config, vcpus: nvcpus }
    })
  }

  #isLive(flags: number) {
    if (has(flags, VIR_DOMAIN_VCPU_MAXIMUM)) {
      return this.host.error(VIR_ERR_OPERATION_INVALID, "maximum vcpu count of a live domain can't be modified")
    }
    const text = 'the number of virtual CPUs cannot be changed while the domain is active'
    const hint = `${text}; VIR_DOMAIN_VCPU_CONFIG changes it from the next start`
    return this.host.error(VIR_ERR_OPERATION_UNSUPPORTED, hint)
  }

  async #count(flags: number): Promise<number> {
    const info = await this.host.seeing(this.id, () => this.host.driver.domains.info(this.id))
    this.host.seen(this.id, info)
    const isMaximum = has(flags, VIR_DOMAIN_VCPU_MAXIMUM)
    const { isLive } = toldOf(this.host, flags, info)
    if (isLive) return info.vcpus
    if (isMaximum) return (await this.host.vcpusMax()) ?? (await this.config()).vcpus
    return isActiveState(info.state) ? (await this.config()).vcpus : info.vcpus
  }

  /** What is told of each; of a domain that is not in memory only how many there are. */
  async #vcpus(): Promise<readonly VcpuMetrics[]> {
    const metrics = this.host.group('virDomainGetVcpus', 'metrics')
    try {
      return await this.host.seeing(this.id, () => metrics.vcpus(this.id))
    } catch (error) {
      if (!(error instanceof DriverError) || error.kind !== 'bad-state') throw error
      const { vcpus } = await this.host.driver.domains.info(this.id)
      return Array.from({ length: vcpus }, () => OFFLINE)
    }
  }

  /** The CPUs of the host that it is bound to; null where it is to none. */
  async #affinity(): Promise<readonly number[] | null> {
    if (!this.host.profile.bindsCpus) return null
    return (await this.config()).scheduling?.affinity ?? null
  }
}
