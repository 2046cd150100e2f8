import { cpuTimeOf, nanoseconds } from './counted.ts'
import type { TypedParameter } from './domain-scheduling.ts'
import { DomainWithStatistics } from './domain-statistics.ts'
import { VIR_ERR_INVALID_ARG } from './error-numbers.ts'
import { checkFlags } from './flag-check.ts'
import { VIR_TYPED_PARAM_STRING_OKAY, VIR_TYPED_PARAM_ULLONG } from './flags/index.ts'

/** CPU time that a domain has used, by name; of the whole domain, or on CPUs of the host one after another. */
export interface CpuStats {
  /** How many CPUs the host has. */
  readonly ncpus: number
  /** None where the host does not tell on which CPU it was. */
  readonly params: readonly (readonly TypedParameter[])[]
}

/** Of the whole domain. */
const TOTAL = -1

/** On what CPUs of the host a domain has spent its time. */
export class DomainWithCpuStatistics extends DomainWithStatistics {
  /**
   * CPU time that it has used, all together, or on each of `ncpus` CPUs of the host from `startCpu` on, in nanoseconds; on
   * all that there are where nobody says how many (virDomainGetCPUStats).
   */
  async getCPUStats(startCpu = TOTAL, ncpus?: number, flags = 0): Promise<CpuStats> {
    const name = 'virDomainGetCPUStats'
    return this.read(name, async () => {
      checkFlags(name, flags, { known: VIR_TYPED_PARAM_STRING_OKAY })
      const metrics = this.host.group(name, 'metrics')
      const measured = await this.active(() => this.host.seeing(this.id, () => metrics.domain(this.id)))
      const { cpus } = await this.host.driver.host.info()
      const { totalMs, userMs, systemMs, onCpus = [] } = cpuTimeOf(measured)
      if (startCpu === TOTAL) {
        const counted = { cpu_time: totalMs, user_time: userMs, system_time: systemMs }
        return { ncpus: cpus.length, params: [timesOf(counted)] }
      }
      if (!Number.isSafeInteger(startCpu) || startCpu < 0) {
        throw this.host.error(VIR_ERR_INVALID_ARG, `start_cpu in ${name} must be zero or greater`)
      }
      if (startCpu >= cpus.length) {
        const text = `start_cpu ${startCpu} larger than maximum of ${cpus.length - 1}`
        throw this.host.error(VIR_ERR_INVALID_ARG, text)
      }
      const end = ncpus === undefined ? undefined : startCpu + ncpus
      return { ncpus: cpus.length, params: onCpus.slice(startCpu, end).map(ms => timesOf({ cpu_time: ms })) }
    })
  }
}

/** Those that there are. Source of the names: libvirt, include/libvirt/libvirt-domain.h, VIR_DOMAIN_CPU_STATS_. */
const timesOf = (times: Readonly<Record<string, number | undefined>>): TypedParameter[] =>
  Object.entries(times).flatMap(([field, ms]) =>
    ms === undefined ? [] : [{ field, type: VIR_TYPED_PARAM_ULLONG, value: nanoseconds(ms) }],
  )
