/** Where VMs live, and what their hosts say of them. */

import { setImmediate as turn } from 'node:timers/promises'
import {
  type DeviceOps,
  type DomainConfig,
  type DomainEvent,
  type DomainId,
  type Driver,
  DriverError,
} from '../drivers/driver.ts'
import { fail } from '../model/errors.ts'
import { host_, VM } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import { type Connection, Connections, type ConnectionsOptions } from './connections.ts'
import { Locks } from './locks.ts'
import { Definitions } from './definitions.ts'
import { recordNetworks } from './networks.ts'
import { type Overlay, readState, recordState, recordUnreachable, vmOfDomain } from './observe.ts'

/** What hosts are connected with, and what is told of their VMs. */
export interface HostsOptions extends Omit<ConnectionsOptions, 'onConnected' | 'onEvent'> {
  /** The locks of the objects: what holds one is changing a VM or a network. */
  readonly locks: Locks
  /** How long a guest may take to shut down once it was asked; a minute where nothing is said. */
  readonly shutdownMs?: number
  /** Told of a VM whose guest is found crashed and held by its host; again as long as it is. */
  readonly onCrashed?: (vm: string) => void
  /** Called when a host has been connected and read, at first or again. */
  readonly onConnected?: () => Promise<void>
}

/** Where a VM lives: the driver that serves its host, and the host's own name for it. */
export interface Placement {
  readonly driver: Driver
  readonly host: string
  readonly id: DomainId
}

/** Told what happened to a VM. */
export type VmListener = (kind: DomainEvent['kind']) => void

const SHUTDOWN_MS = 60_000
/** When a VM that could not be read is looked at again, at first and at most. */
const LOOK_AGAIN_FIRST_MS = 500
const LOOK_AGAIN_MAX_MS = 30_000
/** Calls that may wait for one repository: many images lie in one. */
const REPOSITORY_WAITING_MAX = 1_000
/** How long a change on a host may take to reach the records before nobody waits for it any more. */
const SETTLE_MS = 10_000
/** How often a waiter looks for itself, for drivers and moments without events. */
const LOOK_MS = 500

type PowerState = RecordOf<typeof VM>['power_state']

/** Which driver serves which host, and what the hosts say of their VMs. */
export class Hosts {
  readonly #options: HostsOptions
  readonly #connections: Connections
  readonly #definitions: Definitions
  readonly #observing = new Map<string, { current: Promise<void>; next: Promise<void> | undefined }>()
  readonly #shuttingDown = new Set<string>()
  readonly #listeners = new Map<string, Set<VmListener>>()
  readonly #starting = new Set<string>()
  /** Of those that start, which have been granted room on their host. */
  readonly #granted = new Set<string>()
  readonly #repositories = new Locks(REPOSITORY_WAITING_MAX)
  /** Hosts that are being asked whether they answer. */
  readonly #asked = new Set<string>()
  /** VMs that could not be read, with how long was waited for them last. */
  readonly #unread = new Map<string, number>()
  readonly #overlay: Overlay = {
    isShuttingDown: vm => this.isShuttingDown(vm),
    crashed: vm => this.#options.onCrashed?.(vm),
  }

  constructor(options: HostsOptions) {
    this.#options = options
    this.#connections = new Connections({
      ...options,
      onConnected: async (host, driver) => {
        await this.#definitions.readHost(host, driver)
        await options.onConnected?.()
      },
      onEvent: (host, event) => this.#onEvent(host, event),
    })
    this.#definitions = new Definitions({
      ...options,
      overlay: this.#overlay,
      driverOf: host => this.#connections.get(host)?.driver,
      closing: this.#connections.closing,
    })
  }

  /** Connects the hosts that the store knows; one that does not answer is tried again in the background. */
  connectKnown(): Promise<void> {
    return this.#connections.connectKnown()
  }

  /**
   * Connects the hypervisor behind a URI and reads it in; answers its host. Connecting one twice answers the same
   * host. Rejects with HOST_URI_INVALID or DriverError.
   */
  add(uri: string): Promise<string> {
    return this.#connections.add(uri)
  }

  /** Disconnects a host; its object is the caller's to remove. */
  remove(host: string): Promise<void> {
    return this.#connections.remove(host)
  }

  /** The hosts that are connected. */
  connected(): ReturnType<Connections['connected']> {
    return this.#connections.connected()
  }

  /** The driver of a host. Throws HOST_OFFLINE. */
  driver(host: string): Driver {
    return this.#connections.driver(host)
  }

  /** Disconnects every host; guests go on running. */
  close(): Promise<void> {
    return this.#connections.close()
  }

  /** How long a guest may take to shut down once it was asked, in milliseconds. */
  get shutdownMs(): number {
    return this.#options.shutdownMs ?? SHUTDOWN_MS
  }

  /** Calls `listener` with what happens to a VM on its host, until the function that it answers is called. */
  listen(vm: string, listener: VmListener): () => void {
    const listeners = this.#listeners.get(vm) ?? new Set()
    listeners.add(listener)
    this.#listeners.set(vm, listeners)
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0) this.#listeners.delete(vm)
    }
  }

  /** The host that a VM is on, or would be put on. Throws VM_NO_HOST where there is none. */
  hostFor(vm: RecordOf<typeof VM>): string {
    if (vm.affinity !== NULL_REF) return vm.affinity
    const { store } = this.#options
    // The oldest that takes new VMs, so that adding a host changes nothing for the others.
    const connected = store.all(host_).filter(host => this.#connections.get(host) !== undefined)
    const host = connected.find(candidate => store.get(host_, candidate)?.enabled === true) ?? connected[0]
    if (host === undefined) throw fail('VM_NO_HOST', { vm: vm.uuid })
    return host
  }

  /** The driver of the host that holds the VM, and the host's own name for it. Throws VM_NO_HOST or HOST_OFFLINE. */
  placementOf(vm: string): Placement {
    const record = this.#options.store.get(VM, vm)
    if (record === undefined) throw fail('HANDLE_INVALID', { class: 'VM', handle: vm })
    const host = this.hostFor(record)
    return { driver: this.driver(host), host, id: record.domain === '' ? record.uuid : record.domain }
  }

  /** Gives a VM's host its definition. What differs from it there later was changed by others. */
  define(vm: string, config: DomainConfig): Promise<void> {
    const { driver } = this.placementOf(vm)
    return this.#definitions.tell(vm, config, () => driver.domains.define(config))
  }

  /** As `define`, with other `exits` than the VM is to have: for the moment of a reboot. */
  defineForNow(vm: string, config: DomainConfig): Promise<void> {
    const { driver } = this.placementOf(vm)
    return this.#definitions.tellForNow(vm, config, () => driver.domains.define(config))
  }

  /** Tells a VM's host what the VM is to have of its memory; `devices` are the host's. */
  setMemoryTarget(vm: string, devices: DeviceOps, bytes: number): Promise<void> {
    const { id } = this.placementOf(vm)
    return this.#definitions.tellMemory(vm, bytes, () => devices.setMemoryTarget(id, bytes))
  }

  /**
   * Reads the RO_run fields of a VM back from its host. A host that does not answer leaves `power_state` Unknown.
   * Resolves after a reading that began after the call. Rejects only where the store does.
   */
  async observe(vm: string): Promise<void> {
    const running = this.#observing.get(vm)
    if (running === undefined) {
      const entry = { current: this.#read(vm), next: undefined as Promise<void> | undefined }
      this.#observing.set(vm, entry)
      try {
        await entry.current
      } finally {
        if (entry.next === undefined) this.#observing.delete(vm)
      }
      return
    }
    running.next ??= running.current
      .catch(() => undefined) // Its own caller is told.
      .then(() => {
        this.#observing.delete(vm)
        return this.observe(vm)
      })
    await running.next
  }

  /**
   * Runs `body` while the VM counts as started for all who ask `isStarting`: two VMs that start at once must not both
   * find a disk free.
   */
  async whileStarting(vm: string, body: () => Promise<void>): Promise<void> {
    this.#starting.add(vm)
    try {
      await body()
    } finally {
      this.#starting.delete(vm)
      this.#granted.delete(vm)
    }
  }

  /** Counts the memory of a VM that starts as used, until it has started or has failed to. */
  grantRoom(vm: string): void {
    if (this.#starting.has(vm)) this.#granted.add(vm)
  }

  /** Whether a VM that is on its way has been granted room. */
  hasRoom(vm: string): boolean {
    return this.#granted.has(vm)
  }

  /** Whether the VM is on its way from Halted. */
  isStarting(vm: string): boolean {
    return this.#starting.has(vm)
  }

  /**
   * Runs `body` while nobody else makes, moves, deletes or lists the images of these repositories. Rejects with LockBusy
   * where too many wait for one, or it has been waited for longer than `waitMs`.
   */
  holdRepositories<R>(repositories: readonly string[], body: () => Promise<R>, waitMs?: number): Promise<R> {
    const [first, ...rest] = [...new Set(repositories)].sort()
    if (first === undefined) return body()
    return this.#repositories.hold(first, () => this.holdRepositories(rest, body, waitMs), waitMs)
  }

  /**
   * Runs what changes the definition of a domain on its host while no client changes its VM; then the VM's record says what
   * the host has. Rejects with LockBusy where it has been waited for longer than `waitMs`.
   */
  changeDefinition<R>(host: string, domain: DomainId, change: () => Promise<R>, waitMs: number): Promise<R> {
    const { store, locks } = this.#options
    // Where there is no VM yet, it will be called as its domain is.
    const vm = vmOfDomain(store, host, domain) ?? domain
    return locks.hold(vm, () => this.#definitions.changing(host, domain, change), waitMs)
  }

  /**
   * Resolves when what a host has told of its domains by now is in the records, or when it takes too long or cannot be
   * kept. Never rejects.
   */
  async settled(host: string): Promise<void> {
    const { log } = this.#options
    const { promise: tooLong, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, SETTLE_MS)
    try {
      await Promise.race([this.#settle(host), tooLong])
    } catch (error) {
      log.warn({ host, error: String(error) }, 'what has changed on a host could not be recorded now')
    } finally {
      clearTimeout(timer)
    }
  }

  async #settle(host: string): Promise<void> {
    const { store } = this.#options
    await turn() // Some drivers tell a moment after they have done it.
    const readings = [...this.#observing].filter(([vm]) => store.get(VM, vm)?.affinity === host)
    const observed = readings.map(([, { current, next }]) => next ?? current)
    await Promise.all([...observed, this.#definitions.settled(host)])
  }

  /** Reads the networks of a host again. Rejects with DriverError, and where the store does. */
  async readNetworks(host: string): Promise<void> {
    const { store, locks } = this.#options
    const { networks } = this.driver(host)
    if (networks === undefined) return
    const { held, end } = locks.watch()
    try {
      const found = await networks.list()
      await store.transact(transaction => recordNetworks(transaction, host, found, ref => held.has(ref)))
    } finally {
      end()
    }
  }

  /** From now on the VM is shown as ShuttingDown while it runs; or no longer. */
  setShuttingDown(vm: string, isShuttingDown: boolean): void {
    if (isShuttingDown) this.#shuttingDown.add(vm)
    else this.#shuttingDown.delete(vm)
  }

  /** Whether the VM's guest has been told to shut down and is expected to obey. */
  isShuttingDown(vm: string): boolean {
    return this.#shuttingDown.has(vm)
  }

  /** Waits until the VM's power state fits; answers false when `timeoutMs` has passed or the server stops. */
  async waitFor(vm: string, fits: (state: PowerState) => boolean, timeoutMs: number): Promise<boolean> {
    const { store } = this.#options
    const deadline = performance.now() + timeoutMs
    for (;;) {
      await this.observe(vm)
      const state = store.get(VM, vm)?.power_state
      if (state === undefined || fits(state)) return state !== undefined
      const leftMs = deadline - performance.now()
      if (leftMs <= 0 || this.#connections.closing.aborted) return false
      await this.#change(vm, Math.min(LOOK_MS, leftMs))
    }
  }

  /** Waits for a change of the VM in the store, or for a time. */
  async #change(vm: string, ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const end = this.#options.store.onChange(changes => {
      if (changes.some(change => change.ref === vm)) resolve()
    })
    const timer = setTimeout(resolve, ms)
    const signal = this.#connections.closing
    const stop = () => resolve()
    signal.addEventListener('abort', stop, { once: true })
    try {
      await promise
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
      end()
    }
  }

  #onEvent(host: string, event: DomainEvent): void {
    const { store, log } = this.#options
    const vm = vmOfDomain(store, host, event.id)
    for (const listener of this.#listeners.get(vm ?? '') ?? []) listener(event.kind)
    const isOfInterest = vm === undefined ? event.kind !== 'undefined' : event.kind === 'defined'
    if (isOfInterest) this.#definitions.ask(host, event.id, vm)
    if (vm === undefined) return
    this.observe(vm).catch((error: unknown) =>
      log.error({ host, domain: event.id, error: String(error) }, 'could not read a domain back'),
    )
  }

  /** A VM must not stay Unknown because one reading failed. A host that is not connected is read when it is again. */
  #lookAgain(vm: string): void {
    const waitMs = Math.min(2 * (this.#unread.get(vm) ?? LOOK_AGAIN_FIRST_MS / 2), LOOK_AGAIN_MAX_MS)
    this.#unread.set(vm, waitMs)
    const { log } = this.#options
    const look = () => {
      if (this.#connections.closing.aborted || !this.#unread.has(vm)) return
      this.observe(vm).catch(error => log.error({ vm, error: String(error) }, 'could not look at a VM again'))
    }
    setTimeout(look, waitMs).unref()
  }

  async #read(vm: string): Promise<void> {
    const { store, log } = this.#options
    const record = store.get(VM, vm)
    if (record === undefined || record.affinity === NULL_REF) return
    const connection = this.#connections.get(record.affinity)
    try {
      if (connection === undefined) throw new DriverError('unreachable', 'the host is not connected')
      const reading = await readState(connection.driver, record.domain)
      await store.transact(transaction => {
        if (transaction.get(VM, vm) === undefined) return
        transaction.patch(VM, vm, this.#definitions.take(vm))
        recordState(transaction, vm, connection.host, reading, this.#overlay)
      })
      this.#unread.delete(vm)
      // One that was let go meanwhile is not live because of an answer that was on its way.
      if (this.#connections.get(connection.host) === connection) await this.#recordLive(connection, true)
    } catch (error) {
      if (!(error instanceof DriverError)) throw error
      log.warn({ vm, error: error.message }, 'could not read a VM back')
      if (connection !== undefined) this.#lookAgain(vm)
      if (connection !== undefined && error.kind === 'unreachable') await this.#askWhetherLive(connection)
      await store.transact(transaction => {
        if (transaction.get(VM, vm) !== undefined) recordUnreachable(transaction, vm)
      })
    }
  }

  /** A VM that cannot be read may be silent alone; where its host does not answer either, the host shows it. */
  async #askWhetherLive({ host, driver }: Connection): Promise<void> {
    if (this.#options.store.get(host_, host)?.live !== true || this.#asked.has(host)) return
    this.#asked.add(host)
    try {
      await driver.domains.list()
    } catch (error) {
      if (!(error instanceof DriverError)) throw error
      if (error.kind === 'unreachable') await this.#recordLive({ host }, false)
    } finally {
      this.#asked.delete(host)
    }
  }

  async #recordLive({ host }: Pick<Connection, 'host'>, live: boolean): Promise<void> {
    const { store } = this.#options
    if (store.get(host_, host)?.live !== !live) return
    await store.transact(transaction => {
      if (transaction.get(host_, host) !== undefined) transaction.patch(host_, host, { live })
    })
  }
}
