import { DomainWithVcpus } from './domain-vcpus.ts'
import { VIR_ERR_INVALID_ARG, VIR_ERR_OPERATION_UNSUPPORTED } from './error-numbers.ts'
import { checkFlags } from './flag-check.ts'
import { VIR_DOMAIN_AFFECT_CONFIG, VIR_DOMAIN_AFFECT_LIVE } from './flags/index.ts'
import { impactOf } from './impact.ts'

const KNOWN = { known: VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG }

/** More virtual CPUs than any domain has, and more parts than any list of them. */
const VCPUS_MAX = 4_096
const PARTS_MAX = 1_024

/** Single virtual CPUs of a domain: on hosts here it has all of them from its start. */
export class DomainWithSingleVcpus extends DomainWithVcpus {
  /**
   * Enables virtual CPUs of a list such as `1-3,^2`, with `state` 1, or disables them, with 0. All that there are are
   * enabled, so that enabling them changes nothing, and disabling one is refused (virDomainSetVcpu).
   */
  async setVcpu(vcpumap: string, state: number, flags = 0): Promise<void> {
    const name = 'virDomainSetVcpu'
    return this.change(name, async () => {
      checkFlags(name, flags, KNOWN)
      if (state !== 0 && state !== 1) throw this.host.error(VIR_ERR_INVALID_ARG, 'unsupported state value')
      const meant = this.#read(vcpumap)
      await this.amend((config, now) => {
        const { isLive, isConfig } = impactOf(this.host, flags, now)
        const last = Math.max(...meant)
        if (last >= config.vcpus) {
          const where = isConfig ? 'persistent' : 'live'
          throw this.host.error(VIR_ERR_INVALID_ARG, `vcpu ${last} is not present in ${where} config`)
        }
        if (state === 1 && !isLive) return undefined
        throw this.#refusal(meant, state)
      })
    })
  }

  /** Source of the texts: libvirt, src/qemu/qemu_hotplug.c, qemuDomainSetVcpuInternal. */
  #refusal(meant: ReadonlySet<number>, state: number) {
    const [first = 0] = meant
    if (state === 1) return this.host.error(VIR_ERR_INVALID_ARG, `vcpu '${first}' is already in requested state`)
    if (meant.has(0)) return this.host.error(VIR_ERR_INVALID_ARG, "vCPU '0' can't be modified")
    const text = 'single virtual CPUs are not disabled here: a domain has all that it may have from its start'
    return this.host.error(VIR_ERR_OPERATION_UNSUPPORTED, text)
  }

  #read(list: string): ReadonlySet<number> {
    const vcpus = new Set<number>()
    const parts = list.split(',', PARTS_MAX + 1)
    for (const part of parts.map(each => each.trim())) {
      const [, not, first, last = first] = /^(\^?)(\d{1,4})(?:-(\d{1,4}))?$/.exec(part) ?? []
      const [from, to] = [Number(first), Number(last)]
      if (parts.length > PARTS_MAX || !(from <= to && to < VCPUS_MAX)) {
        throw this.host.error(VIR_ERR_INVALID_ARG, `Failed to parse bitmap '${list.slice(0, 100)}'`)
      }
      for (let vcpu = from; vcpu <= to; vcpu++) {
        if (not === '^') vcpus.delete(vcpu)
        else vcpus.add(vcpu)
      }
    }
    if (vcpus.size === 0) throw this.host.error(VIR_ERR_INVALID_ARG, 'no vcpus selected for modification')
    return vcpus
  }
}
