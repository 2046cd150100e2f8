import {
  type Domain as DriverDomain,
  type DomainEvent,
  type DomainId,
  DriverError,
  type EventOps,
} from '../drivers/driver.ts'
import { Domain } from './domain.ts'
import {
  VIR_DOMAIN_EVENT_CRASHED,
  VIR_DOMAIN_EVENT_CRASHED_PANICKED,
  VIR_DOMAIN_EVENT_DEFINED,
  VIR_DOMAIN_EVENT_DEFINED_ADDED,
  VIR_DOMAIN_EVENT_DEFINED_UPDATED,
  VIR_DOMAIN_EVENT_PMSUSPENDED,
  VIR_DOMAIN_EVENT_PMSUSPENDED_DISK,
  VIR_DOMAIN_EVENT_SHUTDOWN,
  VIR_DOMAIN_EVENT_SHUTDOWN_FINISHED,
  VIR_DOMAIN_EVENT_UNDEFINED,
  VIR_DOMAIN_EVENT_UNDEFINED_REMOVED,
} from './flags/index.ts'
import { LibvirtError } from './errors.ts'
import type { Host } from './host.ts'
import { type Lifecycle, lifecycleOf } from './lifecycle.ts'
import { isActiveState } from './remembered.ts'

/** What the hub tells: what has become of a domain, or that its guest has restarted itself. */
export type Told = Lifecycle | 'reboot'

/** Somebody who listens to one domain, or to all. */
export interface Listener {
  readonly domain: DomainId | undefined
  readonly tell: (domain: Domain, told: Told) => void
}

/** Events that wait while the host is asked what they mean; of more, what has changed is found out at once. */
const WAITING_MAX = 10_000

/** Makes of a driver's events, which say that something happened, libvirt's, which say what. In their order. */
export class EventHub {
  readonly #host: Host
  readonly #listeners = new Map<number, Listener>()
  readonly #known = new Map<DomainId, DriverDomain>()
  /** What guests did, which explains what their domains do next. */
  readonly #causes = new Map<DomainId, DomainEvent['kind']>()
  readonly #stop: () => void
  #last: Promise<void>
  #waiting = 0
  #next = 0
  #isClosed = false

  constructor(host: Host, events: EventOps) {
    this.#host = host
    this.#stop = events.subscribe(event => this.#hear(event))
    this.#last = this.#learn()
  }

  /** Resolves when the hub knows what there is, so that whatever happens from then on is told. */
  async add(listener: Listener): Promise<number> {
    const id = this.#next++
    this.#listeners.set(id, listener)
    await this.#last
    return id
  }

  /** Whether there was such a listener. */
  remove(id: number): boolean {
    return this.#listeners.delete(id)
  }

  close(): void {
    this.#isClosed = true
    this.#stop()
    this.#listeners.clear()
  }

  #hear(event: DomainEvent): void {
    this.#host.remembered.changes++
    if (this.#isClosed || this.#waiting > WAITING_MAX) return
    this.#waiting++
    const isOver = this.#waiting > WAITING_MAX
    this.#last = this.#last
      .then(() => (isOver ? this.#catchUp() : this.#understand(event)))
      .finally(() => this.#waiting--)
  }

  async #learn(): Promise<void> {
    await this.#try(async () => {
      for (const domain of await this.#host.domains()) this.#known.set(domain.id, domain)
    })
  }

  /** Tells what became of each domain since it was looked at last. */
  async #catchUp(): Promise<void> {
    await this.#try(async () => {
      const domains = await this.#host.domains()
      const present = new Set(domains.map(({ id }) => id))
      for (const id of [...this.#known.keys()].filter(known => !present.has(known))) this.#forget(id)
      for (const domain of domains) this.#look(domain, false)
    })
  }

  async #understand({ id, kind, state }: DomainEvent): Promise<void> {
    await this.#try(async () => {
      if (kind === 'undefined') return this.#forget(id)
      const known = kind === 'changed' && state !== undefined ? this.#known.get(id) : undefined
      const domain = known === undefined || state === undefined ? await this.#host.domain(id) : { ...known, state }
      if (kind === 'changed' || kind === 'defined') return this.#look(domain, kind === 'defined')
      this.#causes.set(id, kind)
      if (kind === 'guest-reset') return this.#tell(domain, 'reboot')
      this.#tell(domain, GUESTS[kind])
    })
  }

  #look(domain: DriverDomain, isDefined: boolean): void {
    const before = this.#known.get(domain.id)
    this.#known.set(domain.id, domain)
    // What it was when something happened may be over; but one that is active has a number.
    if (isActiveState(domain.state)) this.#host.remembered.see(domain)
    if (isDefined || before === undefined) {
      const detail = before === undefined ? VIR_DOMAIN_EVENT_DEFINED_ADDED : VIR_DOMAIN_EVENT_DEFINED_UPDATED
      this.#tell(domain, { event: VIR_DOMAIN_EVENT_DEFINED, detail })
    }
    for (const told of lifecycleOf(before?.state ?? 'halted', domain.state, this.#causes.get(domain.id))) {
      this.#tell(domain, told)
    }
    if (before?.state !== domain.state) this.#causes.delete(domain.id)
  }

  #forget(id: DomainId): void {
    const domain = this.#known.get(id)
    this.#known.delete(id)
    this.#causes.delete(id)
    this.#host.remembered.forget(id)
    if (domain === undefined) return
    for (const told of lifecycleOf(domain.state, 'halted', undefined)) this.#tell(domain, told)
    this.#tell(domain, { event: VIR_DOMAIN_EVENT_UNDEFINED, detail: VIR_DOMAIN_EVENT_UNDEFINED_REMOVED })
  }

  #tell(domain: DriverDomain, told: Told): void {
    for (const listener of this.#listeners.values()) {
      if (listener.domain !== undefined && listener.domain !== domain.id) continue
      try {
        listener.tell(new Domain(this.#host, domain), told)
      } catch (error) {
        this.#host.warn('a listener to events threw', { domain: domain.id, error })
      }
    }
  }

  /** What happens to a domain that is gone meanwhile is told when its end is; a host that does not answer tells nothing. */
  async #try(run: () => Promise<void>): Promise<void> {
    if (this.#isClosed) return
    try {
      await run()
    } catch (error) {
      if (!(error instanceof DriverError || error instanceof LibvirtError)) throw error
      if (!this.#isClosed) this.#host.warn('what an event means could not be found out', { error: error.message })
    }
  }
}

/** What guests do by themselves. */
const GUESTS: Readonly<Record<'crashed' | 'guest-shutdown' | 'guest-suspended', Lifecycle>> = {
  crashed: { event: VIR_DOMAIN_EVENT_CRASHED, detail: VIR_DOMAIN_EVENT_CRASHED_PANICKED },
  'guest-shutdown': { event: VIR_DOMAIN_EVENT_SHUTDOWN, detail: VIR_DOMAIN_EVENT_SHUTDOWN_FINISHED },
  'guest-suspended': { event: VIR_DOMAIN_EVENT_PMSUSPENDED, detail: VIR_DOMAIN_EVENT_PMSUSPENDED_DISK },
}
