import type { Domain, DomainId, Driver, EventOps } from '../drivers/driver.ts'
import { DomainWatch, type Tell, type Told } from './domain-watch.ts'
import type { Host } from './host.ts'

/** Somebody who listens to one domain, or to all. */
export interface Listener {
  readonly domain: DomainId | undefined
  readonly tell: Tell
  /** Told that `tell` threw, which it must not. */
  readonly onFault: (error: unknown) => void
}

/**
 * What happens on a host, for all who listen to it through one driver: the host is watched once for all of them, and only
 * while somebody listens.
 */
export class EventHub {
  /** By the domain that is listened to. */
  readonly #listeners = new Map<DomainId | undefined, Map<number, Listener>>()
  /** Those who listen or are about to, and to what. */
  readonly #places = new Map<number, DomainId | undefined>()
  #watch: DomainWatch | undefined
  /** Listens no more to agents in guests. */
  #leaveAgents: (() => void) | undefined
  #next = 0

  /**
   * Resolves when whatever happens from then on is told, and nothing that happened before. Rejects where the host does
   * not say what there is.
   */
  async add(listener: Listener, host: Host, events: EventOps): Promise<number> {
    const id = this.#next++
    this.#places.set(id, listener.domain)
    if (this.#watch === undefined) {
      this.#watch = new DomainWatch(host, events, (domain, told) => this.#tell(domain, told))
      this.#leaveAgents = host.driver.guest?.watch?.((domain, isConnected) =>
        this.note(domain, { kind: 'agent', isConnected }),
      )
    }
    try {
      await this.#watch.inTurn(() => {
        if (!this.#places.has(id)) return
        const others = this.#listeners.get(listener.domain) ?? new Map<number, Listener>()
        this.#listeners.set(listener.domain, others.set(id, listener))
      })
      return id
    } catch (error) {
      this.remove(id)
      throw error
    }
  }

  /** Tells somebody no more. Calling it twice is harmless. */
  remove(id: number): void {
    const domain = this.#places.get(id)
    const others = this.#listeners.get(domain)
    others?.delete(id)
    if (others?.size === 0) this.#listeners.delete(domain)
    if (!this.#places.delete(id) || this.#places.size > 0) return
    this.#watch?.close()
    this.#watch = undefined
    this.#leaveAgents?.()
    this.#leaveAgents = undefined
  }

  /** Tells something that the driver has no event of. */
  note(id: DomainId, told: Told): void {
    this.#watch?.note(id, told)
  }

  #tell(domain: Domain, told: Told): void {
    for (const listeners of [this.#listeners.get(domain.id), this.#listeners.get(undefined)]) {
      for (const listener of listeners?.values() ?? []) {
        try {
          listener.tell(domain, told)
        } catch (error) {
          listener.onFault(error)
        }
      }
    }
  }
}

const hubs = new WeakMap<Driver, EventHub>()

/** What happens on the host that is reached through this driver. */
export function hubOf(driver: Driver): EventHub {
  const hub = hubs.get(driver) ?? new EventHub()
  hubs.set(driver, hub)
  return hub
}
