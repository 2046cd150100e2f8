import { type DomainConfig, DriverError } from '../drivers/driver.ts'
import { DomainWithConsole } from './domain-console.ts'
import { VIR_ERR_OPERATION_DENIED, VIR_ERR_OPERATION_INVALID } from './error-numbers.ts'
import { checkFlags, has } from './flag-check.ts'
import {
  VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA,
  VIR_DOMAIN_UNDEFINE_KEEP_NVRAM,
  VIR_DOMAIN_UNDEFINE_KEEP_TPM,
  VIR_DOMAIN_UNDEFINE_MANAGED_SAVE,
  VIR_DOMAIN_UNDEFINE_NVRAM,
  VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA,
  VIR_DOMAIN_UNDEFINE_TPM,
  VIR_DOMAIN_XML_INACTIVE,
  VIR_DOMAIN_XML_MIGRATABLE,
  VIR_DOMAIN_XML_SECURE,
  VIR_DOMAIN_XML_UPDATE_CPU,
} from './flags/index.ts'
import { isActiveState } from './remembered.ts'
import { writeDomain } from './xml/domain-writer.ts'

// What these ask for is so whether or not they are given: descriptions hold no secrets, what they say of the CPU is what
// the host makes of it, and another host of the kind takes them.
const DESCRIBE = {
  known: VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_UPDATE_CPU | VIR_DOMAIN_XML_MIGRATABLE,
}
// What a driver kept for a domain goes with it; hosts know their snapshots themselves.
const UNDEFINE = {
  known:
    VIR_DOMAIN_UNDEFINE_MANAGED_SAVE |
    VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA |
    VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA |
    VIR_DOMAIN_UNDEFINE_NVRAM |
    VIR_DOMAIN_UNDEFINE_TPM,
  refused: { VIR_DOMAIN_UNDEFINE_KEEP_NVRAM, VIR_DOMAIN_UNDEFINE_KEEP_TPM },
}

/** What a domain is defined as. */
export class DomainWithDefinition extends DomainWithConsole {
  /**
   * Describes it in libvirt's XML: one that is active as it runs, and with `VIR_DOMAIN_XML_INACTIVE` as it starts next
   * (virDomainGetXMLDesc).
   */
  async getXMLDesc(flags = 0): Promise<string> {
    return this.read('virDomainGetXMLDesc', async () => {
      checkFlags('virDomainGetXMLDesc', flags, DESCRIBE)
      if (this.host.isReadOnly && has(flags, VIR_DOMAIN_XML_SECURE)) {
        throw this.host.error(VIR_ERR_OPERATION_DENIED, 'virDomainGetXMLDesc with secure flag')
      }
      const isInactive = has(flags, VIR_DOMAIN_XML_INACTIVE)
      const { domain, config: defined, living } = await this.host.described(this.id)
      this.host.seen(this.id, domain)
      const config = isInactive ? defined : await this.living(domain, defined, living)
      const isPlugged = config.nics?.some(({ network }) => network !== null) === true
      const networks = isPlugged ? await this.host.networks() : []
      const isActive = !isInactive && isActiveState(domain.state)
      const { kind } = this.host
      return writeDomain(config, { kind, networks, ...(isActive && { live: await this.#live(config) }) })
    })
  }

  /** What is only true while it is active. */
  async #live({ platform }: DomainConfig) {
    const screenPort = platform?.vga === undefined ? undefined : await this.host.screenPort?.(this.id)
    const { terminals } = this.host.driver
    const hasAgent = await this.#hasAgent()
    return {
      id: this.getID(),
      ...(hasAgent !== undefined && { hasAgent }),
      ...(terminals !== undefined && { hasSerialPort: true }),
      ...(screenPort !== undefined && { screenPort }),
    }
  }

  /** Whether an agent listens in its guest; undefined where its host does not tell, as of one that has just stopped. */
  async #hasAgent(): Promise<boolean | undefined> {
    if (!this.host.kind.hasStandingDevices) return undefined
    try {
      return await this.host.driver.guest?.isConnected?.(this.id)
    } catch (error) {
      if (error instanceof DriverError && error.kind !== 'not-found') return undefined
      throw error
    }
  }

  /**
   * Forgets it, and what the host keeps for it, but not its volumes. Of one that is active Hyper-V cuts the power first;
   * other hosts refuse. One that was saved is refused, and so is one that has snapshots of which the host itself knows
   * nothing (virDomainUndefine).
   */
  async undefine(): Promise<void> {
    return this.change('virDomainUndefine', () => this.#undefine(0))
  }

  /**
   * As `undefine`; `VIR_DOMAIN_UNDEFINE_MANAGED_SAVE` also throws away what was saved, and
   * `VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA` its snapshots (virDomainUndefineFlags).
   */
  async undefineFlags(flags = 0): Promise<void> {
    return this.change('virDomainUndefineFlags', async () => {
      checkFlags('virDomainUndefineFlags', flags, UNDEFINE)
      await this.#undefine(flags)
    })
  }

  async #undefine(flags: number): Promise<void> {
    const { state } = await this.now()
    if (!isActiveState(state) && !has(flags, VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)) await this.#assertNoSnapshots()
    if (state === 'suspended' && !has(flags, VIR_DOMAIN_UNDEFINE_MANAGED_SAVE)) {
      const text = 'Refusing to undefine while domain managed save image exists'
      throw this.host.error(VIR_ERR_OPERATION_INVALID, text)
    }
    if (isActiveState(state) && !this.host.profile.undefinesActive) {
      const text = 'cannot undefine an active domain: hosts here keep none without a definition'
      throw this.host.error(VIR_ERR_OPERATION_INVALID, text)
    }
    if (state !== 'halted') await this.host.driver.domains.powerOff(this.id)
    await this.host.driver.domains.undefine(this.id)
    this.host.ending.delete(this.id)
    this.host.remembered.forget(this.id)
  }

  /** Source: libvirt, qemuDomainUndefineFlags: what is known of snapshots would be lost, and they with it. */
  async #assertNoSnapshots(): Promise<void> {
    const { driver, profile } = this.host
    if (!profile.keepsSnapshots || driver.snapshots === undefined) return
    const { length } = await driver.snapshots.list(this.id)
    if (length === 0) return
    throw this.host.error(VIR_ERR_OPERATION_INVALID, `cannot delete inactive domain with ${length} snapshots`)
  }
}
