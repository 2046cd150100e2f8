import type { DomainConfig } from '../drivers/driver.ts'
import { DomainWithPinning } from './domain-pinning.ts'
import { VIR_ERR_INVALID_ARG, VIR_ERR_OPERATION_INVALID, VIR_ERR_OVERFLOW } from './error-numbers.ts'
import { checkFlags, has, type FunctionName } from './flag-check.ts'
import { VIR_DOMAIN_MEM_CONFIG, VIR_DOMAIN_MEM_LIVE, VIR_DOMAIN_MEM_MAXIMUM } from './flags/index.ts'
import { impactOf } from './impact.ts'

const KIB = 1_024
const KNOWN = { known: VIR_DOMAIN_MEM_LIVE | VIR_DOMAIN_MEM_CONFIG | VIR_DOMAIN_MEM_MAXIMUM }

/**
 * The memory of a domain, in KiB. A host may give more than was asked for, in steps of its own: Hyper-V rounds up to 2
 * MiB.
 */
export class DomainWithMemory extends DomainWithPinning {
  /** Changes what it has of its maximum, now or from its start where it is not active (virDomainSetMemory). */
  async setMemory(memory: number): Promise<void> {
    return this.change('virDomainSetMemory', () => this.#set('virDomainSetMemory', memory, 0))
  }

  /**
   * As `setMemory`, and with `VIR_DOMAIN_MEM_MAXIMUM` as `setMaxMemory`. What is changed of a domain that is active counts
   * from its next start too, whether or not `VIR_DOMAIN_MEM_CONFIG` says so (virDomainSetMemoryFlags).
   */
  async setMemoryFlags(memory: number, flags = 0): Promise<void> {
    return this.change('virDomainSetMemoryFlags', async () => {
      checkFlags('virDomainSetMemoryFlags', flags, KNOWN)
      await this.#set('virDomainSetMemoryFlags', memory, flags)
    })
  }

  /** Changes the most that it can have; of a domain that is not active. What it has shrinks with it (virDomainSetMaxMemory). */
  async setMaxMemory(memory: number): Promise<void> {
    return this.change('virDomainSetMaxMemory', () =>
      this.#set('virDomainSetMaxMemory', memory, VIR_DOMAIN_MEM_MAXIMUM),
    )
  }

  async #set(name: FunctionName, memory: number, flags: number): Promise<void> {
    const bytes = this.#bytes(name, memory)
    let isLive = false
    await this.amend((config, now) => {
      isLive = impactOf(this.host, flags, now).isLive
      if (!has(flags, VIR_DOMAIN_MEM_MAXIMUM)) {
        this.#assertFit(config, bytes)
        return isLive ? undefined : { ...config, memoryTargetBytes: bytes }
      }
      const text = 'cannot resize the maximum memory on an active domain'
      if (isLive) throw this.host.error(VIR_ERR_OPERATION_INVALID, text)
      return withMaximum(config, bytes)
    })
    if (!isLive) return
    const devices = this.host.group(name, 'devices')
    await this.host.remembered.turns.run(this.id, () => devices.setMemoryTarget(this.id, bytes))
  }

  #bytes(name: FunctionName, memory: number): number {
    if (!Number.isSafeInteger(memory) || memory <= 0) {
      throw this.host.error(VIR_ERR_INVALID_ARG, `memory in ${name} must be greater than zero`)
    }
    if (!Number.isSafeInteger(memory * KIB)) throw this.host.error(VIR_ERR_OVERFLOW, `input too large: ${memory}`)
    return memory * KIB
  }

  #assertFit({ memoryBytes }: DomainConfig, bytes: number): void {
    if (bytes > memoryBytes) throw this.host.error(VIR_ERR_INVALID_ARG, 'cannot set memory higher than max memory')
  }
}

function withMaximum(config: DomainConfig, memoryBytes: number): DomainConfig {
  const { memoryTargetBytes = config.memoryBytes } = config
  return { ...config, memoryBytes, memoryTargetBytes: Math.min(memoryTargetBytes, memoryBytes) }
}
