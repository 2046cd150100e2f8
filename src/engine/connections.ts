/** Which hypervisors are connected: connecting, trying again, and letting go. */

import { setTimeout as sleep } from 'node:timers/promises'
import { type DomainEvent, type Driver, DriverError } from '../drivers/driver.ts'
import { fail } from '../model/errors.ts'
import { host_, VM } from '../model/index.ts'
import type { HeldLease, Store } from '../store/store.ts'
import type { Log } from './log.ts'
import { recordHost, recordUnreachable } from './observe.ts'

/** What hosts are connected with. */
export interface ConnectionsOptions {
  readonly store: Store
  readonly log: Log
  /** Names this server process; of several that share a store, one manages a host at a time. */
  readonly owner: string
  /** Makes the driver for a URI; rejects with DriverError, or TypeError where no driver knows the URI. */
  readonly connect: (uri: URL, signal: AbortSignal) => Promise<Driver>
  /** Reads a host in that has just been connected. */
  readonly onConnected: (host: string, driver: Driver) => Promise<void>
  /** Told what happens on a host that is connected. */
  readonly onEvent: (host: string, event: DomainEvent) => void
}

/** A host that is connected. */
export interface Connection {
  readonly uri: string
  readonly host: string
  readonly driver: Driver
  readonly lease: HeldLease
  readonly unsubscribe: () => void
  /** Aborted when it is let go, before its driver is closed. */
  readonly release: AbortController
}

/** A host that is connected, as others may use it. */
export interface Connected {
  readonly host: string
  /** What clients of the Xen Management API call it. */
  readonly label: string
  readonly uri: string
  readonly driver: Driver
  /** Aborted when it is let go, before its driver is closed. */
  readonly signal: AbortSignal
}

const RECONNECT_FIRST_MS = 1_000
const RECONNECT_MAX_MS = 60_000

/** The hosts that are connected, and those that are to be. */
export class Connections {
  readonly #options: ConnectionsOptions
  readonly #connections = new Map<string, Connection>()
  readonly #adding = new Map<string, Promise<string>>()
  readonly #closing = new AbortController()

  constructor(options: ConnectionsOptions) {
    this.#options = options
  }

  /** Aborted when the server stops. */
  get closing(): AbortSignal {
    return this.#closing.signal
  }

  /** A host that is connected. */
  get(host: string): Connection | undefined {
    return this.#connections.get(host)
  }

  /** Connects the hosts that the store knows; one that does not answer is tried again in the background. */
  async connectKnown(): Promise<void> {
    const { store } = this.#options
    const known = store.all(host_).flatMap(ref => store.get(host_, ref) ?? [])
    const hostsOf = Map.groupBy(known, ({ uri }) => uri)
    const each = [...hostsOf].map(([uri, hosts]) =>
      this.#connectOrRetry(
        hosts.map(({ uuid }) => uuid),
        uri,
      ),
    )
    await Promise.all(each)
  }

  /**
   * Connects the hypervisor behind a URI and reads it in; answers its host. Connecting one twice answers the same
   * host. Rejects with HOST_URI_INVALID or DriverError.
   */
  async add(text: string): Promise<string> {
    const uri = parseUri(text)
    const connected = [...this.#connections.values()].find(connection => connection.uri === uri.href)
    if (connected !== undefined) return connected.host
    const underWay = this.#adding.get(uri.href) ?? this.#connect(uri).finally(() => this.#adding.delete(uri.href))
    this.#adding.set(uri.href, underWay)
    return underWay
  }

  /** Disconnects a host; its object is the caller's to remove. */
  async remove(host: string): Promise<void> {
    const connection = this.#connections.get(host)
    if (connection === undefined) return
    this.#connections.delete(host)
    connection.unsubscribe()
    connection.release.abort()
    await connection.driver.close()
    await connection.lease.release()
  }

  /** The hosts that are connected. */
  connected(): readonly Connected[] {
    const { store } = this.#options
    return [...this.#connections.values()].map(({ host, uri, driver, release }) => ({
      host,
      label: store.get(host_, host)?.name_label ?? '',
      uri,
      driver,
      signal: release.signal,
    }))
  }

  /** The driver of a host. Throws HOST_OFFLINE. */
  driver(host: string): Driver {
    const connection = this.#connections.get(host)
    if (connection === undefined) throw fail('HOST_OFFLINE', { host })
    return connection.driver
  }

  /** Disconnects every host; guests go on running. */
  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all([...this.#connections.keys()].map(host => this.remove(host)))
  }

  async #connect(uri: URL): Promise<string> {
    const { store, connect, onConnected, onEvent } = this.#options
    const driver = await connect(uri, this.#closing.signal)
    let lease: HeldLease | undefined
    let host: string | undefined
    try {
      host = await recordHost(store, await driver.host.info(), uri.href, driver.name)
      await this.remove(host)
      lease = await this.#lease(host)
      // Listening begins before the first look, so that nothing falls between them.
      const ref = host
      const unsubscribe = driver.events?.subscribe(event => onEvent(ref, event)) ?? (() => undefined)
      const release = new AbortController()
      this.#connections.set(host, { uri: uri.href, host, driver, lease, unsubscribe, release })
      await onConnected(host, driver)
      return host
    } catch (error) {
      this.#forget(driver)
      await driver.close()
      await lease?.release()
      // It answered once, and is known now; that it is not connected must show.
      if (host !== undefined && !this.#connections.has(host)) await this.#recordOffline(host)
      throw error
    }
  }

  #forget(driver: Driver): void {
    for (const [host, connection] of this.#connections) {
      if (connection.driver !== driver) continue
      this.#connections.delete(host)
      connection.release.abort()
    }
  }

  /** The right to manage a host. Once it is lost, another server may have it, and we must let go. */
  async #lease(host: string): Promise<HeldLease> {
    const { store, owner, log } = this.#options
    const lease = await store.holdLease(`host:${host}`, owner)
    if (lease === undefined) throw new DriverError('unreachable', 'another server manages this host')
    lease.signal.addEventListener('abort', () => {
      if (this.#connections.get(host)?.lease !== lease) return
      log.error({ host, reason: String(lease.signal.reason) }, 'the right to manage a host was lost')
      const uri = this.#connections.get(host)?.uri ?? ''
      void this.remove(host)
        .catch(error => log.warn({ host, error: String(error) }, 'could not let go of a host cleanly'))
        .then(() => this.#recordOffline(host))
        .then(() => this.#retry([host], uri))
    })
    return lease
  }

  async #connectOrRetry(hosts: readonly string[], uri: string): Promise<void> {
    const { log } = this.#options
    try {
      await this.#reconnect(hosts, uri)
    } catch (error) {
      log.warn({ uri, error: String(error) }, 'host does not answer; trying again in the background')
      for (const host of hosts) await this.#recordOffline(host)
      void this.#retry(hosts, uri)
    }
  }

  /** Connects what answers at the URI of these hosts; those that it is not, are not there. */
  async #reconnect(hosts: readonly string[], uri: string): Promise<void> {
    const found = await this.#connect(parseUri(uri))
    for (const host of hosts.filter(each => each !== found)) {
      this.#options.log.warn(
        { host, uri, found },
        'another host answers where this one was; remove the one that is gone',
      )
      await this.#recordOffline(host)
    }
  }

  /** The host does not answer, and what ran on it last is Unknown. */
  async #recordOffline(host: string): Promise<void> {
    const { store } = this.#options
    await store.transact(transaction => {
      if (transaction.get(host_, host) === undefined) return
      transaction.patch(host_, host, { live: false })
      for (const vm of store.findBy(VM, 'affinity', host)) {
        if (store.get(VM, vm)?.power_state !== 'Halted') recordUnreachable(transaction, vm)
      }
    })
  }

  async #retry(hosts: readonly string[], uri: string): Promise<void> {
    const { store, log } = this.#options
    const { signal } = this.#closing
    for (let waitMs = RECONNECT_FIRST_MS; !signal.aborted; waitMs = Math.min(2 * waitMs, RECONNECT_MAX_MS)) {
      try {
        await sleep(waitMs, undefined, { signal, ref: false })
        const left = hosts.filter(host => store.get(host_, host) !== undefined)
        if (left.length === 0 || left.some(host => this.#connections.has(host))) return
        await this.#reconnect(left, uri)
        log.info({ uri }, 'host answers again')
        return
      } catch (error) {
        if (signal.aborted) return
        log.debug({ uri, error: String(error) }, 'host still does not answer')
        for (const host of hosts) await this.#recordOffline(host)
      }
    }
  }
}

function parseUri(text: string): URL {
  const invalid = (reason: string) =>
    fail('HOST_URI_INVALID', { uri: text.replace(/\/\/.*@/, '//…@').slice(0, 200), reason })
  const uri = URL.parse(text)
  if (uri === null) throw invalid('not a URI; try qemu:///system or memory:///lab?vms=10')
  if (uri.password !== '') throw invalid('a URI must not hold a password; it would end up in logs')
  return uri
}
