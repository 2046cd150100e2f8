import { ConnectionWithStorage } from './connection-storage.ts'
import type { Domain } from './domain.ts'
import { VIR_ERR_ARGUMENT_UNSUPPORTED, VIR_ERR_INVALID_ARG, VIR_ERR_NO_DOMAIN } from './error-numbers.ts'
import { EventHub, type Told } from './event-hub.ts'
import type { FunctionName } from './flag-check.ts'
import { VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_ID_REBOOT } from './flags/index.ts'

/** Told what has become of a domain: a `VIR_DOMAIN_EVENT_`, and one of those with its name that say more. */
export type LifecycleCallback = (domain: Domain, event: number, detail: number) => void

/** Told that the guest of a domain has restarted itself. */
export type RebootCallback = (domain: Domain) => void

/** What happens to the domains of a host. */
export class ConnectionWithEvents extends ConnectionWithStorage {
  #hub: EventHub | undefined
  readonly #callbacks = new Map<LifecycleCallback, number>()

  /**
   * Calls `callback` for what becomes of any domain, whoever does it, until `domainEventDeregister`. It must not throw
   * (virConnectDomainEventRegister).
   */
  async domainEventRegister(callback: LifecycleCallback): Promise<void> {
    const name = 'virConnectDomainEventRegister'
    return this.#listen(name, async hub => {
      if (this.#callbacks.has(callback)) throw this.host.error(VIR_ERR_INVALID_ARG, 'event callback already tracked')
      this.#callbacks.set(callback, -1)
      this.#callbacks.set(callback, await hub.add({ domain: undefined, tell: lifecycle(callback) }))
    })
  }

  /** Ends that (virConnectDomainEventDeregister). */
  async domainEventDeregister(callback: LifecycleCallback): Promise<void> {
    return this.#listen('virConnectDomainEventDeregister', async hub => {
      const id = this.#callbacks.get(callback)
      this.#callbacks.delete(callback)
      if (id === undefined || !hub.remove(id)) throw this.host.error(VIR_ERR_INVALID_ARG, 'no such event callback')
    })
  }

  /**
   * Calls `callback` for events of one domain, or of all where it is null, until `domainEventDeregisterAny` with the
   * number that is given: `VIR_DOMAIN_EVENT_ID_LIFECYCLE` or `VIR_DOMAIN_EVENT_ID_REBOOT`
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
  async domainEventRegisterAny(domain: Domain | null, eventID: number, callback: LifecycleCallback): Promise<number> {
    return this.#listen('virConnectDomainEventRegisterAny', hub => {
      const tells = new Map([
        [VIR_DOMAIN_EVENT_ID_LIFECYCLE, lifecycle(callback)],
        [VIR_DOMAIN_EVENT_ID_REBOOT, reboot(callback)],
      ])
      const tell = tells.get(eventID)
      if (tell === undefined) {
        const text = `no driver has events ${eventID}; there are VIR_DOMAIN_EVENT_ID_LIFECYCLE and VIR_DOMAIN_EVENT_ID_REBOOT`
        throw this.host.error(VIR_ERR_ARGUMENT_UNSUPPORTED, text)
      }
      return hub.add({ domain: domain?.getUUIDString(), tell })
    })
  }

  /** Ends that (virConnectDomainEventDeregisterAny). */
  async domainEventDeregisterAny(callbackID: number): Promise<void> {
    return this.#listen('virConnectDomainEventDeregisterAny', async hub => {
      if (!hub.remove(callbackID)) throw this.host.error(VIR_ERR_INVALID_ARG, `no event callback ${callbackID}`)
    })
  }

  /** Ends all of it. */
  protected stopListening(): void {
    this.#hub?.close()
    this.#callbacks.clear()
  }

  async #listen<T>(name: FunctionName, run: (hub: EventHub) => Promise<T>): Promise<T> {
    return this.host.read(name, VIR_ERR_NO_DOMAIN, async () => {
      this.#hub ??= new EventHub(this.host, this.host.group(name, 'events'))
      return run(this.#hub)
    })
  }
}

const lifecycle = (callback: LifecycleCallback) => (domain: Domain, told: Told) => {
  if (told !== 'reboot') callback(domain, told.event, told.detail)
}

const reboot = (callback: LifecycleCallback) => (domain: Domain, told: Told) => {
  if (told === 'reboot') callback(domain, REBOOTED, REBOOTED)
}

/** Whoever listens to reboots is told the domain alone. */
const REBOOTED = 0
