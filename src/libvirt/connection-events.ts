import type { Domain as DriverDomain } from '../drivers/driver.ts'
import { ConnectionWithStorage } from './connection-storage.ts'
import { Domain } from './domain.ts'
import type { Tell } from './domain-watch.ts'
import {
  VIR_ERR_INVALID_ARG,
  VIR_ERR_INVALID_CONN,
  VIR_ERR_NO_DOMAIN,
  VIR_ERR_OPERATION_FAILED,
} from './error-numbers.ts'
import { hubOf } from './event-hub.ts'
import type { FunctionName } from './flag-check.ts'
import {
  VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_CHANNEL,
  VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED,
  VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_DISCONNECTED,
  VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE,
  VIR_DOMAIN_EVENT_ID_DEVICE_ADDED,
  VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED,
  VIR_DOMAIN_EVENT_ID_LAST,
  VIR_DOMAIN_EVENT_ID_LIFECYCLE,
  VIR_DOMAIN_EVENT_ID_METADATA_CHANGE,
  VIR_DOMAIN_EVENT_ID_PMSUSPEND_DISK,
  VIR_DOMAIN_EVENT_ID_REBOOT,
} from './flags/index.ts'

/** Told what has become of a domain: a `VIR_DOMAIN_EVENT_`, and one of those with its name that say more. */
export type LifecycleCallback = (domain: Domain, event: number, detail: number) => void

/** Told that the guest of a domain has restarted itself. */
export type RebootCallback = (domain: Domain) => void

/** Told that the guest of a domain has put itself to sleep on its disk; why is always 0. */
export type SuspendedToDiskCallback = (domain: Domain, reason: number) => void

/** Told that the agent in a guest listens, or listens no more, and why: `VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_`. */
export type AgentCallback = (domain: Domain, state: number, reason: number) => void

/** Told which device was plugged in or pulled, by its alias: `ua-` and its id. */
export type DeviceCallback = (domain: Domain, alias: string) => void

/** Told which note has changed: a `VIR_DOMAIN_METADATA_`, and of an element its namespace. */
export type MetadataCallback = (domain: Domain, type: number, nsuri: string | null) => void

/** Whom events are told, and of what. */
type Registration =
  | readonly [domain: Domain | null, eventID: typeof VIR_DOMAIN_EVENT_ID_LIFECYCLE, callback: LifecycleCallback]
  | readonly [domain: Domain | null, eventID: typeof VIR_DOMAIN_EVENT_ID_REBOOT, callback: RebootCallback]
  | readonly [
      domain: Domain | null,
      eventID: typeof VIR_DOMAIN_EVENT_ID_PMSUSPEND_DISK,
      callback: SuspendedToDiskCallback,
    ]
  | readonly [
      domain: Domain | null,
      eventID: typeof VIR_DOMAIN_EVENT_ID_DEVICE_ADDED | typeof VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED,
      callback: DeviceCallback,
    ]
  | readonly [domain: Domain | null, eventID: typeof VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE, callback: AgentCallback]
  | readonly [domain: Domain | null, eventID: typeof VIR_DOMAIN_EVENT_ID_METADATA_CHANGE, callback: MetadataCallback]
  | readonly [domain: Domain | null, eventID: number, callback: (domain: Domain) => void]

/** How many callbacks a connection has. */
const CALLBACKS_MAX = 10_000

/** What happens to the domains of a host. */
export class ConnectionWithEvents extends ConnectionWithStorage {
  readonly #callbacks = new Map<LifecycleCallback, number>()
  /** What the hub calls those who listen, by the numbers that they were given. */
  readonly #listeners = new Map<number, number | undefined>()
  #next = 0

  /**
   * Calls `callback` for what becomes of any domain, whoever does it, until `domainEventDeregister`. It must not throw
   * (virConnectDomainEventRegister).
   */
  async domainEventRegister(callback: LifecycleCallback): Promise<void> {
    const name = 'virConnectDomainEventRegister'
    return this.host.read(name, VIR_ERR_NO_DOMAIN, async () => {
      if (this.#callbacks.has(callback)) throw this.host.error(VIR_ERR_INVALID_ARG, 'event callback already tracked')
      this.#callbacks.set(callback, -1)
      try {
        this.#callbacks.set(callback, await this.#listen(name, [null, VIR_DOMAIN_EVENT_ID_LIFECYCLE, callback]))
      } catch (error) {
        this.#callbacks.delete(callback)
        throw error
      }
    })
  }

  /** Ends that (virConnectDomainEventDeregister). */
  async domainEventDeregister(callback: LifecycleCallback): Promise<void> {
    return this.host.read('virConnectDomainEventDeregister', VIR_ERR_NO_DOMAIN, async () => {
      const id = this.#callbacks.get(callback)
      this.#callbacks.delete(callback)
      if (id === undefined || !this.#forget(id)) throw this.host.error(VIR_ERR_INVALID_ARG, 'no such event callback')
    })
  }

  /**
   * Calls `callback` for events of one domain, or of all where it is null, until `domainEventDeregisterAny` with the
   * number that is given. Events of other `VIR_DOMAIN_EVENT_ID_` than the first of these never happen
   * (virConnectDomainEventRegisterAny).
   */
  async domainEventRegisterAny(
    domain: Domain | null,
    eventID: typeof VIR_DOMAIN_EVENT_ID_LIFECYCLE,
    callback: LifecycleCallback,
  ): Promise<number>
  async domainEventRegisterAny(
    domain: Domain | null,
    eventID: typeof VIR_DOMAIN_EVENT_ID_REBOOT,
    callback: RebootCallback,
  ): Promise<number>
  async domainEventRegisterAny(
    domain: Domain | null,
    eventID: typeof VIR_DOMAIN_EVENT_ID_PMSUSPEND_DISK,
    callback: SuspendedToDiskCallback,
  ): Promise<number>
  async domainEventRegisterAny(
    domain: Domain | null,
    eventID: typeof VIR_DOMAIN_EVENT_ID_DEVICE_ADDED | typeof VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED,
    callback: DeviceCallback,
  ): Promise<number>
  async domainEventRegisterAny(
    domain: Domain | null,
    eventID: typeof VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE,
    callback: AgentCallback,
  ): Promise<number>
  async domainEventRegisterAny(
    domain: Domain | null,
    eventID: typeof VIR_DOMAIN_EVENT_ID_METADATA_CHANGE,
    callback: MetadataCallback,
  ): Promise<number>
  async domainEventRegisterAny(
    domain: Domain | null,
    eventID: number,
    callback: (domain: Domain) => void,
  ): Promise<number>
  async domainEventRegisterAny(...registration: Registration): Promise<number> {
    const name = 'virConnectDomainEventRegisterAny'
    const [, eventID] = registration
    return this.host.read(name, VIR_ERR_NO_DOMAIN, async () => {
      if (!Number.isSafeInteger(eventID) || eventID < 0 || eventID >= VIR_DOMAIN_EVENT_ID_LAST) {
        const text = `eventID in ${name} must be from 0 to less than ${VIR_DOMAIN_EVENT_ID_LAST}, not ${eventID}`
        throw this.host.error(VIR_ERR_INVALID_ARG, text)
      }
      return this.#listen(name, registration)
    })
  }

  /** Ends that (virConnectDomainEventDeregisterAny). */
  async domainEventDeregisterAny(callbackID: number): Promise<void> {
    return this.host.read('virConnectDomainEventDeregisterAny', VIR_ERR_NO_DOMAIN, async () => {
      if (!this.#forget(callbackID)) {
        throw this.host.error(VIR_ERR_INVALID_ARG, `no event callback ${callbackID}`)
      }
    })
  }

  /** Ends all of it. */
  protected stopListening(): void {
    for (const id of this.#listeners.keys()) this.#forget(id)
    this.#callbacks.clear()
  }

  async #listen(name: FunctionName, registration: Registration): Promise<number> {
    if (this.#listeners.size >= CALLBACKS_MAX) {
      throw this.host.error(VIR_ERR_OPERATION_FAILED, `a connection has ${CALLBACKS_MAX} event callbacks at most`)
    }
    const events = this.host.group(name, 'events')
    const id = this.#next++
    this.#listeners.set(id, undefined)
    const tell = tellOf(registration, domain => new Domain(this.host, domain))
    if (tell === undefined) return id
    const onFault = (error: unknown) => this.host.warn('a listener to events threw', { error })
    const listener = { domain: registration[0]?.getUUIDString(), tell, onFault }
    const hub = hubOf(this.host.driver)
    try {
      const given = await hub.add(listener, this.host, events)
      if (this.#listeners.has(id)) this.#listeners.set(id, given)
      else hub.remove(given)
    } catch (error) {
      this.#listeners.delete(id)
      throw error
    }
    if (this.host.isClosed) throw this.host.error(VIR_ERR_INVALID_CONN, name)
    return id
  }

  /** Whether there was such a callback. */
  #forget(id: number): boolean {
    const given = this.#listeners.get(id)
    if (given !== undefined) hubOf(this.host.driver).remove(given)
    return this.#listeners.delete(id)
  }
}

/** Tells of what is of the kind that is wanted; undefined where nothing ever is. */
function tellOf([, eventID, callback]: Registration, objectOf: (domain: DriverDomain) => Domain): Tell | undefined {
  switch (eventID) {
    case VIR_DOMAIN_EVENT_ID_LIFECYCLE:
      return (domain, told) => {
        if (told.kind === 'lifecycle') callback(objectOf(domain), told.event, told.detail)
      }
    case VIR_DOMAIN_EVENT_ID_REBOOT:
      return (domain, told) => {
        if (told.kind === 'reboot') callback(objectOf(domain))
      }
    case VIR_DOMAIN_EVENT_ID_PMSUSPEND_DISK:
      return (domain, told) => {
        if (told.kind === 'suspended-to-disk') callback(objectOf(domain), NO_REASON)
      }
    case VIR_DOMAIN_EVENT_ID_DEVICE_ADDED:
      return (domain, told) => {
        if (told.kind === 'device-added') callback(objectOf(domain), told.alias)
      }
    case VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED:
      return (domain, told) => {
        if (told.kind === 'device-removed') callback(objectOf(domain), told.alias)
      }
    case VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE:
      return (domain, told) => {
        if (told.kind === 'agent') callback(objectOf(domain), AGENT_STATES[`${told.isConnected}`], AGENT_REASON)
      }
    case VIR_DOMAIN_EVENT_ID_METADATA_CHANGE:
      return (domain, told) => {
        if (told.kind === 'metadata-changed') callback(objectOf(domain), told.type, told.uri)
      }
    default:
      return undefined
  }
}

const AGENT_STATES = {
  true: VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED,
  false: VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_DISCONNECTED,
} as const
const AGENT_REASON = VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_CHANNEL

/** Events of guests that sleep have a reason, of which there are none. */
const NO_REASON = 0
