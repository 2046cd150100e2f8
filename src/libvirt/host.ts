import {
  type DescribedDomain,
  type Domain,
  type DomainConfig,
  type DomainId,
  type Driver,
  DriverError,
  type HostInfo,
  type NetworkTitle,
  type OPTIONAL_GROUPS,
} from '../drivers/driver.ts'
import { ALONE, type Area, type Company } from './company.ts'
import {
  type ErrorNumber,
  VIR_ERR_CONFIG_UNSUPPORTED,
  VIR_ERR_INTERNAL_ERROR,
  VIR_ERR_INVALID_CONN,
  VIR_ERR_NO_DOMAIN,
  VIR_ERR_NO_SUPPORT,
  VIR_ERR_OPERATION_DENIED,
} from './error-numbers.ts'
import { type DomainPast, pastOf } from './domain-past.ts'
import { fromDriverError, LibvirtError } from './errors.ts'
import type { FunctionName } from './flag-check.ts'
import { withKept } from './kept-networks.ts'
import { type Profile, profileOf } from './profile.ts'
import { isActiveState, type Remembered, remembered } from './remembered.ts'
import { type HostKind, hostKind } from './xml/host-kind.ts'
import type { KnownNetwork } from './xml/interface.ts'

/** How a host is used. */
export interface HostUse {
  /** As clients know it. */
  readonly uri: string
  readonly isReadOnly: boolean
  /** Told of what no call can report. */
  readonly warn: (message: string, details?: Readonly<Record<string, unknown>>) => void
  /** Who else uses the host; nobody unless said. */
  readonly company?: Company
  /** The port of the loopback interface on which what a domain shows can be looked at, if there is one. */
  readonly screenPort?: (id: DomainId) => Promise<number | undefined>
}

/** What becomes of a domain when the connection closes that started it. */
export type EndOfDomain = 'destroy' | 'undefine'

type Group = (typeof OPTIONAL_GROUPS)[number]

/** A host as one connection has it: what all objects of the connection share. */
export class Host {
  readonly driver: Driver
  readonly info: HostInfo
  readonly profile: Profile
  /** What libvirt's words mean on it. */
  readonly kind: HostKind
  readonly remembered: Remembered
  /** What has become of its domains. */
  readonly past: DomainPast
  readonly uri: string
  readonly isReadOnly: boolean
  readonly warn: HostUse['warn']
  readonly company: Company
  readonly screenPort: HostUse['screenPort']
  /** The domains that end with the connection. */
  readonly ending = new Map<DomainId, EndOfDomain>()
  #isClosed = false
  #vcpusMax: Promise<number> | undefined

  private constructor(driver: Driver, info: HostInfo, use: HostUse) {
    const { uri, isReadOnly, warn, company = ALONE, screenPort } = use
    this.driver = driver
    this.info = info
    this.profile = profileOf(driver.name)
    this.kind = hostKind(driver.name, info.softwareVersion['accelerator'], info.emulator?.program)
    this.remembered = remembered(info.id)
    this.past = pastOf(driver)
    this.uri = uri
    this.isReadOnly = isReadOnly
    this.warn = warn
    this.company = company
    this.screenPort = screenPort
  }

  /** Rejects with LibvirtError where the host does not answer. */
  static async of(driver: Driver, use: HostUse): Promise<Host> {
    try {
      return new Host(driver, await driver.host.info(), use)
    } catch (error) {
      throw convert(error, VIR_ERR_INTERNAL_ERROR, driver.name)
    }
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  close(): void {
    this.#isClosed = true
  }

  /** Runs a function that changes nothing. `missing` is what it means that the host has no such thing. */
  async read<T>(name: FunctionName, missing: ErrorNumber, run: () => Promise<T>): Promise<T> {
    this.#assertOpen(name)
    const arrival = this.company.arrived?.()
    if (arrival !== undefined) {
      await arrival
      this.#assertOpen(name)
    }
    try {
      return await run()
    } catch (error) {
      throw convert(error, missing, this.driver.name)
    }
  }

  #assertOpen(name: FunctionName): void {
    if (this.#isClosed) throw new LibvirtError(VIR_ERR_INVALID_CONN, name, { domain: this.profile.from })
  }

  /**
   * Runs a function that changes something, which a read-only connection does not; of `domain`, if it is about one that
   * is there.
   */
  async change<T>(name: FunctionName, missing: ErrorNumber, run: () => Promise<T>, domain?: DomainId): Promise<T> {
    return this.read(name, missing, async () => {
      this.assertWritable(name)
      this.remembered.changes++
      try {
        return await (domain !== undefined && DEFINING.test(name) ? this.#changeDomain(name, domain, run) : run())
      } finally {
        // Also where it failed: a part of it may be done.
        await this.company.settled(areaOf(name))
      }
    })
  }

  /** Throws on a read-only connection, for a function that is not only reading to libvirt. */
  assertWritable(name: FunctionName): void {
    if (this.isReadOnly) throw this.error(VIR_ERR_OPERATION_DENIED, `read only access prevents ${name}`)
  }

  #changeDomain<T>(name: FunctionName, domain: DomainId, run: () => Promise<T>): Promise<T> {
    return this.alone(domain, async () => {
      const result = await run()
      if (name.startsWith('virDomainUndefine')) await this.company.forget?.(domain)
      return result
    })
  }

  /** The group of operations that a function needs. */
  group<G extends Group>(name: FunctionName, group: G): NonNullable<Driver[G]> {
    const ops = this.driver[group]
    if (ops === undefined) throw this.error(VIR_ERR_NO_SUPPORT, name)
    return ops
  }

  error(code: ErrorNumber, detail: string, cause?: unknown): LibvirtError {
    return new LibvirtError(code, detail, { domain: this.profile.from, ...(cause !== undefined && { cause }) })
  }

  /** All domains that the host has. */
  async domains(): Promise<readonly Domain[]> {
    const domains = await this.driver.domains.list()
    this.remembered.seeAll(domains)
    this.past.reasons.seeAll(domains)
    return domains
  }

  /** The domain with this UUID; rejects where there is none. */
  async domain(id: DomainId): Promise<Domain> {
    return this.seen(id, await this.seeing(id, () => this.driver.domains.get(id)))
  }

  /**
   * Defines a domain as the host can have it, for those who are `alone` with it; what it cannot have is refused, and nothing
   * is changed.
   */
  async define(config: DomainConfig): Promise<void> {
    this.#assertFit(config)
    await this.driver.domains.define(config, { isStrict: true })
  }

  /** Runs what changes a definition while nobody else does. Not in a turn of the domain: others come by here to theirs. */
  alone<R>(id: DomainId, change: () => Promise<R>): Promise<R> {
    return this.company.alone === undefined ? change() : this.company.alone(id, change)
  }

  #assertFit(config: DomainConfig): void {
    const unmet = this.driver.domains.unmet?.(config)
    if (unmet !== undefined) throw this.error(VIR_ERR_CONFIG_UNSUPPORTED, unmet)
  }

  /**
   * Changes the definition of a domain; where `change` gives undefined, nothing changes. What others here change of it
   * meanwhile waits. It rejects with what `change` throws. Resolves with what the domain is made of as it runs, where that
   * is another thing and was found on the way.
   */
  async amend(
    id: DomainId,
    change: (config: DomainConfig, domain: Domain) => DomainConfig | undefined,
  ): Promise<DomainConfig | undefined> {
    let isUpdated = false
    const fit = (config: DomainConfig, domain: Domain) => {
      const changed = change(config, this.seen(id, domain))
      if (changed !== undefined) this.#assertFit(changed)
      isUpdated = changed !== undefined && isActiveState(domain.state)
      return changed
    }
    const { domains } = this.driver
    const found = await this.remembered.turns.run(id, () =>
      this.seeing(id, async () => {
        if (domains.amend !== undefined) return domains.amend(id, fit, { isStrict: true })
        const described = await this.described(id)
        const changed = fit(described.config, described.domain)
        if (changed !== undefined) await domains.define(changed, { isStrict: true })
        return described
      }),
    )
    if (isUpdated) this.remembered.updated.add(id)
    return found.living
  }

  /** Takes notice of what a domain is doing, and gives what told it. */
  seen<D extends Pick<Domain, 'state'>>(id: DomainId, now: D): D {
    this.remembered.see({ id, state: now.state })
    this.past.reasons.see({ id, state: now.state }, this.past.deeds.of(id))
    return now
  }

  /** Runs what asks for a domain, and forgets the domain where there is none. */
  async seeing<T>(id: DomainId, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof DriverError) || error.kind !== 'not-found') throw error
      this.remembered.forget(id)
      throw fromDriverError(error, VIR_ERR_NO_DOMAIN, this.profile.from)
    }
  }

  /** What the networks of the host are called; none where it has no such group. */
  async networks(): Promise<readonly NetworkTitle[]> {
    const { networks } = this.driver
    if (networks === undefined) return []
    return withKept(await (networks.titles === undefined ? networks.list() : networks.titles()), this.company.networks)
  }

  /** A domain and its definition. */
  async described(id: DomainId): Promise<DescribedDomain> {
    const { domains } = this.driver
    return this.seeing(id, async () => {
      if (domains.described !== undefined) return domains.described(id)
      const [domain, config] = await Promise.all([domains.get(id), domains.config(id)])
      return { domain, config }
    })
  }

  /**
   * The networks that a description may speak of; without interfaces it speaks of none, and the host is not asked. By the
   * bridges that they are they are known only to one that speaks of a bridge.
   */
  async networksFor(xml: string): Promise<readonly KnownNetwork[]> {
    if (!xml.includes('interface')) return []
    if (!xml.includes('bridge')) return this.networks()
    return withKept((await this.driver.networks?.list()) ?? [], this.company.networks)
  }

  /** The most virtual CPUs of a domain; asked once. Undefined where there is no telling. */
  async vcpusMax(): Promise<number | undefined> {
    this.#vcpusMax ??= this.driver.host.vcpusMax?.()
    try {
      return await this.#vcpusMax
    } catch (error) {
      this.#vcpusMax = undefined
      throw error
    }
  }
}

/**
 * Functions of domains that read definitions before they change them, or put others in their place. What takes a name is
 * alone with its domain only when it has the name.
 */
const DEFINING = /^virDomain(Attach|Detach|Update|Set(?!Time)|Pin|Undefine|Revert|BlockResize)/

/** What a function changes. */
function areaOf(name: FunctionName): Area {
  if (name.startsWith('virNetwork')) return 'networks'
  return name.startsWith('virStorage') ? 'storage' : 'domains'
}

const convert = (error: unknown, missing: ErrorNumber, driver: string): unknown =>
  error instanceof DriverError ? fromDriverError(error, missing, profileOf(driver).from) : error
