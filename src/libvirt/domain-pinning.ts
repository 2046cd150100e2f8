import type { DomainConfig, Scheduling } from '../drivers/driver.ts'
import { assertMapLength, cpuMap, cpusIn } from './cpu-map.ts'
import { DomainWithSingleVcpus } from './domain-single-vcpus.ts'
import { VIR_ERR_INVALID_ARG, VIR_ERR_NO_SUPPORT, VIR_ERR_OPERATION_UNSUPPORTED } from './error-numbers.ts'
import { checkFlags, type FunctionName } from './flag-check.ts'
import { VIR_DOMAIN_AFFECT_CONFIG, VIR_DOMAIN_AFFECT_LIVE } from './flags/index.ts'
import { impactOf, toldOf } from './impact.ts'
import { firstOf } from './room.ts'
import { EVERYBODYS } from './shares.ts'

const KNOWN = { known: VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG }

/** On which CPUs of the host the virtual CPUs of a domain may run: on hosts here all of them on the same. */
export class DomainWithPinning extends DomainWithSingleVcpus {
  /** Where each may run, of the first `ncpumaps`, in maps of `maplen` octets (virDomainGetVcpuPinInfo). */
  async getVcpuPinInfo(ncpumaps?: number, maplen?: number, flags = 0): Promise<readonly Uint8Array[]> {
    const name = 'virDomainGetVcpuPinInfo'
    return this.read(name, async () => {
      checkFlags(name, flags, KNOWN)
      assertMapLength(this.host, name, maplen)
      const { config, domain } = await this.host.described(this.id)
      toldOf(this.host, flags, this.host.seen(this.id, domain))
      const { affinity } = config.scheduling ?? EVERYBODYS
      const map = cpuMap(this.host, this.host.profile.bindsCpus ? affinity : null, maplen)
      return firstOf(
        Array.from({ length: config.vcpus }, () => map),
        ncpumaps,
        name,
      )
    })
  }

  /** Binds a virtual CPU to CPUs of the host, in a map as `getVcpuPinInfo` gives it (virDomainPinVcpu). */
  async pinVcpu(vcpu: number, cpumap: Uint8Array): Promise<void> {
    return this.change('virDomainPinVcpu', () => this.#pin('virDomainPinVcpu', vcpu, cpumap, 0))
  }

  /** As `pinVcpu`, now or from the next start (virDomainPinVcpuFlags). */
  async pinVcpuFlags(vcpu: number, cpumap: Uint8Array, flags = 0): Promise<void> {
    return this.change('virDomainPinVcpuFlags', async () => {
      checkFlags('virDomainPinVcpuFlags', flags, KNOWN)
      await this.#pin('virDomainPinVcpuFlags', vcpu, cpumap, flags)
    })
  }

  async #pin(name: FunctionName, vcpu: number, cpumap: Uint8Array, flags: number): Promise<void> {
    if (!this.host.profile.bindsCpus) throw this.host.error(VIR_ERR_NO_SUPPORT, name)
    const scheduler = this.host.group(name, 'scheduler')
    const affinity = cpusIn(this.host, cpumap)
    if (affinity?.length === 0) {
      throw this.host.error(VIR_ERR_INVALID_ARG, 'no CPU of the host is in the map of a virtual CPU')
    }
    let live: Scheduling | undefined
    await this.amend((config, now) => {
      const scheduling = { ...(config.scheduling ?? EVERYBODYS), affinity }
      const { isLive } = impactOf(this.host, flags, now)
      this.#assertAlone(config, vcpu, affinity)
      if (!isLive) return { ...config, scheduling }
      live = scheduling
      return undefined
    })
    const wanted = live
    if (wanted !== undefined) await this.host.remembered.turns.run(this.id, () => scheduler.set(this.id, wanted))
  }

  /** One virtual CPU of several is not bound elsewhere than the others are. */
  #assertAlone({ vcpus, scheduling }: DomainConfig, vcpu: number, affinity: readonly number[] | null): void {
    if (vcpu >= vcpus) {
      throw this.host.error(VIR_ERR_INVALID_ARG, `vcpu ${vcpu} is out of range of cpu count ${vcpus}`)
    }
    const present = (scheduling ?? EVERYBODYS).affinity
    const isSame = present === null ? affinity === null : present.toString() === affinity?.toString()
    if (vcpus === 1 || isSame) return
    const text = `virtual CPU ${vcpu} alone: the ${vcpus} of this domain run on the same CPUs of the host`
    throw this.host.error(VIR_ERR_OPERATION_UNSUPPORTED, `cannot bind ${text}, the cpuset of its definition`)
  }
}
