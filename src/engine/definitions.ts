/** What hosts have as the definitions of VMs, and finding out what others change of them. */

import { setTimeout as sleep } from 'node:timers/promises'
import { type DomainConfig, type DomainId, type Driver, DriverError, readConfig } from '../drivers/driver.ts'
import { VM } from '../model/index.ts'
import { type Store, StoreFailure, type Transaction } from '../store/store.ts'
import type { Locks } from './locks.ts'
import type { Log } from './log.ts'
import { HostReading, type Overlay, vmOfDomain } from './observe.ts'

/** What is looked through, and with what. */
export interface DefinitionsOptions {
  readonly store: Store
  readonly log: Log
  /** By which VMs and networks are changed by one call at a time. */
  readonly locks: Locks
  readonly overlay: Overlay
  /** The driver of a host; undefined while it is not connected. */
  readonly driverOf: (host: string) => Driver | undefined
  /** Aborted when the server stops. */
  readonly closing: AbortSignal
}

/** How long to wait before a host is looked at again where a VM was busy, or the host did not answer; at first and at most. */
const AGAIN_FIRST_MS = 250
const AGAIN_MAX_MS = 30_000

/** Reads the definitions of domains back where somebody may have changed them, many in one look. */
export class Definitions {
  readonly #options: DefinitionsOptions
  /** By host, the domains whose definitions are to be looked at; a host that is being looked at has an entry. */
  readonly #asked = new Map<string, Set<DomainId>>()
  /** By host, the domains whose definitions are just being looked at. */
  readonly #looking = new Map<string, readonly DomainId[]>()
  /** By host, what ends the pause before it is looked at again. */
  readonly #wakes = new Map<string, () => void>()
  /** Who waits until domains have been looked at, with those that have not been yet. */
  readonly #waiters = new Set<{
    readonly host: string
    readonly domains: Set<DomainId>
    readonly resolve: () => void
  }>()
  /** What hosts were told and no record says yet. */
  readonly #told = new Map<string, string>()

  constructor(options: DefinitionsOptions) {
    this.#options = options
  }

  /** Does what gives a VM's host a definition; what it was given is not taken for somebody else's change later. */
  async tell(vm: string, config: DomainConfig, act: () => Promise<void>): Promise<void> {
    await this.#options.locks.mark(vm, act)
    this.#told.set(vm, JSON.stringify(config))
  }

  /**
   * As `tell`, of what is to follow a guest's end for the moment. The record says so before the host is told, for whoever
   * found it there after a crash would take it for somebody's wish.
   */
  async tellForNow(vm: string, config: DomainConfig, act: () => Promise<void>): Promise<void> {
    const { store } = this.#options
    const before = readConfig(this.#told.get(vm) ?? store.get(VM, vm)?.definition ?? '')
    const { exits } = config
    if (before !== undefined && exits !== undefined) {
      const definition = JSON.stringify({ ...before, exits })
      await store.transact(transaction => transaction.patch(VM, vm, { definition }))
      this.#told.delete(vm)
    }
    await this.tell(vm, config, act)
  }

  /** As `tell`, of what a VM is to have of its memory. */
  async tellMemory(vm: string, memoryTargetBytes: number, act: () => Promise<void>): Promise<void> {
    await this.#options.locks.mark(vm, act)
    const config = readConfig(this.#told.get(vm) ?? this.#options.store.get(VM, vm)?.definition ?? '')
    if (config !== undefined) this.#told.set(vm, JSON.stringify({ ...config, memoryTargetBytes }))
  }

  /** What a VM's host was told last, if that is in no record yet; it is to go into one now. */
  take(vm: string): { readonly definition?: string } {
    const definition = this.#told.get(vm)
    this.#told.delete(vm)
    return definition === undefined ? {} : { definition }
  }

  /** Has the definition of a domain looked at, unless it is we who are changing it. */
  ask(host: string, domain: DomainId, vm?: string): void {
    const { log, closing, locks } = this.#options
    if (closing.aborted || (vm !== undefined && locks.isMarked(vm))) return
    const asked = this.#asked.get(host)
    if (asked !== undefined) {
      asked.add(domain)
      this.#wakes.get(host)?.()
      return
    }
    const first = new Set([domain])
    this.#asked.set(host, first)
    this.#look(host, first).catch((error: unknown) =>
      log.error({ host, error: String(error) }, 'could not read definitions back'),
    )
  }

  /** Resolves when the domains of a host that are to be looked at by now have been, well or not. */
  async settled(host: string): Promise<void> {
    const domains = new Set([...(this.#asked.get(host) ?? []), ...(this.#looking.get(host) ?? [])])
    if (domains.size === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiters.add({ host, domains, resolve })
    await promise
  }

  /**
   * Runs what changes the definition of a domain, for those who hold its VM's lock; then the record says what the host has.
   * A host that does not answer then is looked at again later.
   */
  async changing<R>(host: string, domain: DomainId, change: () => Promise<R>): Promise<R> {
    const { store, locks } = this.#options
    try {
      return await locks.mark(vmOfDomain(store, host, domain) ?? domain, change)
    } finally {
      await this.#readOne(host, domain)
    }
  }

  async #readOne(host: string, domain: DomainId): Promise<void> {
    const { store, locks, overlay, driverOf, log } = this.#options
    const driver = driverOf(host)
    if (driver === undefined) return
    const { held, end } = locks.watch()
    try {
      const own = vmOfDomain(store, host, domain)
      const reading = await HostReading.of(driver, [domain], own === undefined)
      const others = new Set([...held].filter(key => key !== own))
      const options = { overlay, held: others, take: (vm: string) => this.take(vm) }
      await store.transact(transaction => void reading.record(transaction, host, options))
      // What was heard of it by now has been seen.
      this.#asked.get(host)?.delete(domain)
      this.#looked(host, [domain])
    } catch (error) {
      if (!(error instanceof DriverError || error instanceof StoreFailure)) throw error
      // One that is gone is found so by its event.
      log.debug({ host, domain, error: error.message }, 'could not read a definition back now')
    } finally {
      end()
    }
  }

  /** Reads a whole host in. */
  async readHost(host: string, driver: Driver): Promise<void> {
    const { store, locks, overlay } = this.#options
    const { held, end } = locks.watch()
    try {
      const reading = await HostReading.whole(driver)
      await store.transact(transaction => {
        const busy = reading.record(transaction, host, { overlay, held, take: vm => this.take(vm) })
        for (const domain of busy) this.ask(host, domain)
      })
    } finally {
      end()
    }
  }

  async #look(host: string, asked: Set<DomainId>): Promise<void> {
    const { closing, driverOf } = this.#options
    try {
      for (let waitMs = AGAIN_FIRST_MS; asked.size > 0 && !closing.aborted; ) {
        const domains = [...asked]
        asked.clear()
        this.#looking.set(host, domains)
        const left = await this.#tryToLook(host, domains)
        this.#looking.delete(host)
        this.#looked(host, domains)
        // A host that went away is read whole when it is back.
        if (driverOf(host) === undefined) return
        const isNew = asked.size > 0
        for (const domain of left) asked.add(domain)
        waitMs = left.length < domains.length ? AGAIN_FIRST_MS : Math.min(waitMs * 2, AGAIN_MAX_MS)
        if (asked.size > 0 && !isNew) await this.#rest(host, waitMs)
      }
    } finally {
      this.#asked.delete(host)
      this.#looking.delete(host)
      this.#looked(host)
    }
  }

  /** Waits, unless another domain of the host is to be looked at. */
  async #rest(host: string, ms: number): Promise<void> {
    const wake = new AbortController()
    this.#wakes.set(host, () => wake.abort())
    const signal = AbortSignal.any([this.#options.closing, wake.signal])
    await sleep(ms, undefined, { signal, ref: false }).catch(() => undefined)
    this.#wakes.delete(host)
  }

  /** These have been looked at; of a host that is not looked at any more all. */
  #looked(host: string, domains?: readonly DomainId[]): void {
    for (const waiter of this.#waiters) {
      if (waiter.host !== host) continue
      if (domains === undefined) waiter.domains.clear()
      for (const domain of domains ?? []) waiter.domains.delete(domain)
      if (waiter.domains.size > 0) continue
      this.#waiters.delete(waiter)
      waiter.resolve()
    }
  }

  /** Answers the domains that are to be looked at again. */
  async #tryToLook(host: string, domains: readonly DomainId[]): Promise<readonly DomainId[]> {
    try {
      return await this.#lookAt(host, domains)
    } catch (error) {
      if (!(error instanceof DriverError || error instanceof StoreFailure)) throw error
      this.#options.log.debug({ host, error: error.message }, 'could not read definitions back now')
      return domains
    }
  }

  /** Answers the domains whose VMs were being changed meanwhile, so that what was read of them may be old. */
  async #lookAt(host: string, domains: readonly DomainId[]): Promise<readonly DomainId[]> {
    const { store, locks, overlay, driverOf } = this.#options
    const driver = driverOf(host)
    if (driver === undefined) return []
    const { held, end } = locks.watch()
    try {
      const vms = new Map(domains.map(domain => [domain, vmOfDomain(store, host, domain)]))
      const isBusy = (domain: DomainId) => held.has(vms.get(domain) ?? '')
      const quiet = domains.filter(domain => !isBusy(domain))
      if (quiet.length === 0) return domains
      const hasStranger = quiet.some(domain => vms.get(domain) === undefined)
      const reading = await HostReading.of(driver, quiet, hasStranger)
      const record = (transaction: Transaction) =>
        reading.record(transaction, host, { overlay, held, take: vm => this.take(vm) })
      return [...domains.filter(domain => !quiet.includes(domain)), ...(await store.transact(record))]
    } finally {
      end()
    }
  }
}
