import { randomUUID } from 'node:crypto'
import type { Domain as DriverDomain, DomainConfig } from '../drivers/driver.ts'
import { ConnectionWithStatistics } from './connection-statistics.ts'
import { Domain } from './domain.ts'
import { assertStartable, type Described, inTurn } from './described-domain.ts'
import { VIR_ERR_MULTIPLE_DOMAINS, VIR_ERR_NO_DOMAIN, VIR_ERR_OPERATION_FAILED } from './error-numbers.ts'
import { checkFlags, type FunctionName, has } from './flag-check.ts'
import {
  VIR_DOMAIN_DEFINE_VALIDATE,
  VIR_DOMAIN_START_AUTODESTROY,
  VIR_DOMAIN_START_BYPASS_CACHE,
  VIR_DOMAIN_START_FORCE_BOOT,
  VIR_DOMAIN_START_PAUSED,
  VIR_DOMAIN_START_RESET_NVRAM,
  VIR_DOMAIN_START_VALIDATE,
} from './flags/index.ts'
import { listDomains } from './listed-domains.ts'
import { isActiveState } from './remembered.ts'
import { firstOf } from './room.ts'
import { uuidOf } from './uuid.ts'
import { imagesFor } from './known-images.ts'
import { readDomain } from './xml/domain-reader.ts'
import { defineDomain, startDomain } from './starting.ts'

// Descriptions are always held against what is understood; what is not is refused.
const DEFINE = { known: VIR_DOMAIN_DEFINE_VALIDATE }
const CREATE = {
  known:
    VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_AUTODESTROY | VIR_DOMAIN_START_VALIDATE | VIR_DOMAIN_START_FORCE_BOOT,
  refused: { VIR_DOMAIN_START_BYPASS_CACHE, VIR_DOMAIN_START_RESET_NVRAM },
}

/** The domains of a host. */
export class ConnectionWithDomains extends ConnectionWithStatistics {
  /** How many are active (virConnectNumOfDomains). */
  async numOfDomains(): Promise<number> {
    return this.read('virConnectNumOfDomains', async () => (await this.#those(true)).length)
  }

  /** The numbers of the first `maxids` of these (virConnectListDomains). */
  async listDomains(maxids?: number): Promise<number[]> {
    return this.read('virConnectListDomains', async () => {
      const numbers = (await this.#those(true)).map(({ id }) => this.host.remembered.numberOf(id))
      return firstOf(numbers, maxids, 'virConnectListDomains')
    })
  }

  /** How many are not active (virConnectNumOfDefinedDomains). */
  async numOfDefinedDomains(): Promise<number> {
    return this.read('virConnectNumOfDefinedDomains', async () => (await this.#those(false)).length)
  }

  /** The names of the first `maxnames` of these (virConnectListDefinedDomains). */
  async listDefinedDomains(maxnames?: number): Promise<string[]> {
    return this.read('virConnectListDefinedDomains', async () => {
      const names = (await this.#those(false)).map(({ name }) => name)
      return firstOf(names, maxnames, 'virConnectListDefinedDomains')
    })
  }

  /** All, or those that `VIR_CONNECT_LIST_DOMAINS_` flags are for (virConnectListAllDomains). */
  async listAllDomains(flags = 0): Promise<Domain[]> {
    return (await listDomains(this.host, flags)).map(domain => new Domain(this.host, domain))
  }

  /** The active domain of this number; rejects with `VIR_ERR_NO_DOMAIN` (virDomainLookupByID). */
  async domainLookupByID(id: number): Promise<Domain> {
    return this.#lookUp('virDomainLookupByID', async () => {
      const domains = await this.host.domains()
      const found = domains.filter(domain => id >= 0 && this.host.remembered.numberOf(domain.id) === id)
      return this.#only(found, `no domain with matching id ${id}`)
    })
  }

  /** The domain of this UUID, text or 16 octets; rejects with `VIR_ERR_NO_DOMAIN` (virDomainLookupByUUID). */
  async domainLookupByUUID(uuid: string | Uint8Array): Promise<Domain> {
    return this.#lookUp('virDomainLookupByUUID', () => this.host.domain(uuidOf('virDomainLookupByUUID', uuid)))
  }

  /** As `domainLookupByUUID`, of text (virDomainLookupByUUIDString). */
  async domainLookupByUUIDString(uuid: string): Promise<Domain> {
    const name = 'virDomainLookupByUUIDString'
    return this.#lookUp(name, () => this.host.domain(uuidOf(name, uuid)))
  }

  /**
   * The domain of this name; rejects with `VIR_ERR_NO_DOMAIN`, and with `VIR_ERR_MULTIPLE_DOMAINS` where several have it,
   * as Hyper-V lets them (virDomainLookupByName).
   */
  async domainLookupByName(name: string): Promise<Domain> {
    return this.#lookUp('virDomainLookupByName', async () => {
      const found = (await this.host.domains()).filter(domain => domain.name === name)
      return this.#only(found, `no domain with matching name '${name}'`)
    })
  }

  /**
   * Makes the domain that is described, or gives the one of its UUID another definition, which counts from its next start
   * (virDomainDefineXML). One without a UUID is given one.
   */
  async domainDefineXML(xml: string): Promise<Domain> {
    return this.#change('virDomainDefineXML', () => this.#define(xml))
  }

  /** As `domainDefineXML`, with `VIR_DOMAIN_DEFINE_` flags (virDomainDefineXMLFlags). */
  async domainDefineXMLFlags(xml: string, flags = 0): Promise<Domain> {
    return this.#change('virDomainDefineXMLFlags', async () => {
      checkFlags('virDomainDefineXMLFlags', flags, DEFINE)
      return this.#define(xml)
    })
  }

  /**
   * Makes the domain that is described, or takes the one of its UUID, and starts it. Where that fails it leaves things as
   * they were. It stays when it stops, as all domains of hosts here; but one that is made with
   * `VIR_DOMAIN_START_AUTODESTROY` goes when this connection closes (virDomainCreateXML).
   */
  async domainCreateXML(xml: string, flags = 0): Promise<Domain> {
    return this.#change('virDomainCreateXML', async () => {
      checkFlags('virDomainCreateXML', flags, CREATE)
      return this.#described(xml, described => this.#create(described, flags))
    })
  }

  async #create({ config, present }: Described, flags: number): Promise<Domain> {
    assertStartable(this.host, present, config)
    const before = present === undefined ? undefined : await this.host.driver.domains.config(config.id)
    const paused = has(flags, VIR_DOMAIN_START_PAUSED)
    await this.host.past.deeds.whileDoing(config.id, 'created', async () => {
      await defineDomain(this.host, config)
      try {
        await startDomain(this.host, config.id, { paused })
      } catch (error) {
        await this.#takeBack(config, before, error)
        throw error
      }
    })
    this.host.seen(config.id, { state: paused ? 'paused' : 'running' })
    if (has(flags, VIR_DOMAIN_START_AUTODESTROY)) {
      this.host.ending.set(config.id, present === undefined ? 'undefine' : 'destroy')
    }
    return new Domain(this.host, config)
  }

  #define(xml: string): Promise<Domain> {
    return this.#described(xml, async ({ config, present }) => {
      await defineDomain(this.host, config)
      if (present !== undefined && isActiveState(present.state)) this.host.remembered.updated.add(config.id)
      // Whoever defines a domain wants it to stay; what else was to become of it stays so.
      if (this.host.ending.get(config.id) === 'undefine') this.host.ending.set(config.id, 'destroy')
      return new Domain(this.host, config)
    })
  }

  /** Does what a description is for, while nobody else here makes or changes a domain of its name or UUID. */
  async #described(xml: string, deed: (described: Described) => Promise<Domain>): Promise<Domain> {
    const [networks, images] = await Promise.all([this.host.networksFor(xml), imagesFor(this.host, xml)])
    const config = readDomain(xml, { kind: this.host.kind, networks, images, newId: () => randomUUID() })
    return inTurn(this.host, config, deed)
  }

  /** Makes of a domain that could not be started what it was before, or says what remains. */
  async #takeBack({ id, name }: DomainConfig, before: DomainConfig | undefined, cause: unknown): Promise<void> {
    const { domains } = this.host.driver
    try {
      await (before === undefined ? domains.undefine(id) : domains.define(before))
      if (before === undefined) await this.host.company.forget?.(id)
    } catch (error) {
      const remains = before === undefined ? `the domain ${name} (${id}) remains` : `its new definition remains`
      const why = cause instanceof Error ? cause.message : String(cause)
      throw this.host.error(VIR_ERR_OPERATION_FAILED, `${why}; ${remains}`, error)
    }
  }

  async #those(isActive: boolean): Promise<readonly DriverDomain[]> {
    return (await this.host.domains()).filter(({ state }) => isActiveState(state) === isActive)
  }

  #only(found: readonly DriverDomain[], missing: string): DriverDomain {
    const [domain, second] = found
    if (domain === undefined) throw this.host.error(VIR_ERR_NO_DOMAIN, missing)
    if (second === undefined) return domain
    const text = `${found.length} domains are called '${domain.name}'; look one up by its UUID`
    throw this.host.error(VIR_ERR_MULTIPLE_DOMAINS, text)
  }

  #lookUp(name: FunctionName, find: () => Promise<DriverDomain>): Promise<Domain> {
    return this.host.read(name, VIR_ERR_NO_DOMAIN, async () => new Domain(this.host, await find()))
  }

  #change<T>(name: FunctionName, run: () => Promise<T>): Promise<T> {
    return this.host.change(name, VIR_ERR_NO_DOMAIN, run)
  }
}
