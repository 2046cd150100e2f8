import {
  type Domain,
  type DomainEvent,
  type DomainId,
  type DomainState,
  DriverError,
  type EventOps,
  type PauseCause,
} from '../drivers/driver.ts'
import {
  VIR_DOMAIN_EVENT_CRASHED,
  VIR_DOMAIN_EVENT_CRASHED_PANICKED,
  VIR_DOMAIN_EVENT_DEFINED,
  VIR_DOMAIN_EVENT_DEFINED_ADDED,
  VIR_DOMAIN_EVENT_DEFINED_FROM_SNAPSHOT,
  VIR_DOMAIN_EVENT_DEFINED_RENAMED,
  VIR_DOMAIN_EVENT_DEFINED_UPDATED,
  VIR_DOMAIN_EVENT_PMSUSPENDED,
  VIR_DOMAIN_EVENT_PMSUSPENDED_DISK,
  VIR_DOMAIN_EVENT_SHUTDOWN,
  VIR_DOMAIN_EVENT_SHUTDOWN_FINISHED,
  VIR_DOMAIN_EVENT_STARTED,
  VIR_DOMAIN_EVENT_STARTED_WAKEUP,
  VIR_DOMAIN_EVENT_UNDEFINED,
  VIR_DOMAIN_EVENT_UNDEFINED_REMOVED,
  VIR_DOMAIN_EVENT_UNDEFINED_RENAMED,
} from './flags/index.ts'
import { LibvirtError } from './errors.ts'
import type { Host } from './host.ts'
import { type Cause, type Deed, type Lifecycle, lifecycleOf } from './lifecycle.ts'
import { isActiveState } from './remembered.ts'

/** What has happened to a domain: a step of its life, or something about its guest, its devices or its notes. */
export type Told =
  | ({ readonly kind: 'lifecycle' } & Lifecycle)
  | { readonly kind: 'reboot' }
  | { readonly kind: 'suspended-to-disk' }
  | { readonly kind: 'agent'; readonly isConnected: boolean }
  | { readonly kind: 'device-added' | 'device-removed'; readonly alias: string }
  | { readonly kind: 'metadata-changed'; readonly type: number; readonly uri: string | null }

/** Told of each thing that has happened, in order. Must not throw. */
export type Tell = (domain: Domain, told: Told) => void

/** Events that wait while the host is asked what they mean; of more, what has changed is found out at once. */
const WAITING_MAX = 10_000

/** Makes of a driver's events, which say that something happened, libvirt's, which say what. In their order. */
export class DomainWatch {
  readonly #host: Host
  readonly #tell: Tell
  readonly #known = new Map<DomainId, Domain>()
  /** What guests did, which explains what their domains do next. */
  readonly #causes = new Map<DomainId, DomainEvent['kind']>()
  readonly #stop: () => void
  readonly #learned: Promise<void>
  #last: Promise<void>
  #waiting = 0
  #isClosed = false

  constructor(host: Host, events: EventOps, tell: Tell) {
    this.#host = host
    this.#tell = tell
    this.#stop = events.subscribe(event => this.#hear(event))
    this.#learned = this.#learn()
    this.#last = this.#learned.catch(() => undefined) // Whoever waits for it is told.
  }

  /**
   * Runs `run` once it is known what there is, after what happened before and ahead of what happens from now on. Rejects
   * where the host does not say what there is.
   */
  async inTurn(run: () => void): Promise<void> {
    await this.#learned
    const turn = this.#last.then(() => {
      if (!this.#isClosed) run()
    })
    this.#last = turn
    await turn
  }

  /** Tells something that the driver has no event of, after all that it had events of. */
  note(id: DomainId, told: Told): void {
    this.#enqueue(async () => this.#tell(this.#known.get(id) ?? (await this.#host.domain(id)), told))
  }

  close(): void {
    this.#isClosed = true
    this.#stop()
  }

  #hear(event: DomainEvent): void {
    this.#host.remembered.changes++
    const deed = this.#host.past.deeds.of(event.id)
    this.#enqueue(() => this.#understand(event, deed))
  }

  #enqueue(work: () => Promise<void>): void {
    if (this.#isClosed || this.#waiting > WAITING_MAX) return
    this.#waiting++
    const isOver = this.#waiting > WAITING_MAX
    this.#last = this.#last.then(() => this.#try(isOver ? () => this.#catchUp() : work)).finally(() => this.#waiting--)
  }

  async #learn(): Promise<void> {
    for (const domain of await this.#host.domains()) this.#known.set(domain.id, domain)
  }

  /** Tells what became of each domain since it was looked at last. */
  async #catchUp(): Promise<void> {
    const domains = await this.#host.domains()
    const present = new Set(domains.map(({ id }) => id))
    for (const id of [...this.#known.keys()].filter(known => !present.has(known))) this.#forget(id)
    for (const domain of domains) this.#look(domain, { isDefined: false, deed: undefined })
  }

  async #understand({ id, kind, state, pause, isWakeUp }: DomainEvent, deed: Deed | undefined): Promise<void> {
    if (kind === 'undefined') return this.#forget(id, deed)
    if (kind === 'defined') return this.#look(await this.#found(id, state), { isDefined: true, deed })
    const known = this.#known.get(id)
    if (kind === 'changed') {
      const domain = known === undefined || state === undefined ? await this.#found(id, state) : { ...known, state }
      this.#look(domain, { isDefined: false, deed, pause })
      if (isWakeUp === true) this.#live(domain, WOKEN)
      return
    }
    const domain = known ?? (await this.#found(id, state))
    this.#causes.set(id, kind)
    if (kind === 'guest-reset') return this.#tell(domain, { kind: 'reboot' })
    this.#live(domain, GUESTS[kind])
    if (kind === 'guest-suspended') this.#tell(domain, { kind: 'suspended-to-disk' })
  }

  /** What the host says of a domain; the state is what it was when it was told of, where that was said. */
  async #found(id: DomainId, state: DomainState | undefined): Promise<Domain> {
    const domain = await this.#host.domain(id)
    return state === undefined ? domain : { ...domain, state }
  }

  #look(domain: Domain, { isDefined, deed, pause }: Look): void {
    const before = this.#known.get(domain.id)
    this.#known.set(domain.id, domain)
    // What it was when something happened may be over; but one that is active has a number.
    if (isActiveState(domain.state)) this.#host.remembered.see(domain)
    // Source: libvirt, qemuDomainCreateXML: it starts, and nothing else. Who was told more would take it for one that is off.
    if ((isDefined || before === undefined) && deed !== 'created') this.#define(before, domain, deed === 'reverted')
    const cause: Cause = deed ?? this.#causes.get(domain.id)
    for (const told of lifecycleOf(before?.state ?? 'halted', domain.state, cause, pause)) this.#live(domain, told)
    // A guest that was started again is what it was, and what it did explains nothing any more.
    if (!isDefined || before?.state !== domain.state) this.#causes.delete(domain.id)
  }

  /** Source: libvirt, qemuDomainRename: one that has got another name went by the old one and came by the new one. */
  #define(before: Domain | undefined, domain: Domain, isReverting: boolean): void {
    const isRenamed = before !== undefined && before.name !== domain.name
    if (isRenamed) this.#live(before, { event: VIR_DOMAIN_EVENT_UNDEFINED, detail: VIR_DOMAIN_EVENT_UNDEFINED_RENAMED })
    const updated = isReverting ? VIR_DOMAIN_EVENT_DEFINED_FROM_SNAPSHOT : VIR_DOMAIN_EVENT_DEFINED_UPDATED
    const again = isRenamed ? VIR_DOMAIN_EVENT_DEFINED_RENAMED : updated
    const detail = before === undefined ? VIR_DOMAIN_EVENT_DEFINED_ADDED : again
    this.#live(domain, { event: VIR_DOMAIN_EVENT_DEFINED, detail })
  }

  #forget(id: DomainId, deed?: Deed): void {
    const domain = this.#known.get(id)
    this.#known.delete(id)
    this.#causes.delete(id)
    this.#host.remembered.forget(id)
    if (domain === undefined || deed === 'created') return
    for (const told of lifecycleOf(domain.state, 'halted', undefined)) this.#live(domain, told)
    this.#live(domain, { event: VIR_DOMAIN_EVENT_UNDEFINED, detail: VIR_DOMAIN_EVENT_UNDEFINED_REMOVED })
  }

  #live(domain: Domain, lifecycle: Lifecycle): void {
    this.#tell(domain, { kind: 'lifecycle', ...lifecycle })
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

/** What is known of a domain that is looked at. */
interface Look {
  readonly isDefined: boolean
  readonly deed: Deed | undefined
  readonly pause?: PauseCause | undefined
}

const WOKEN: Lifecycle = { event: VIR_DOMAIN_EVENT_STARTED, detail: VIR_DOMAIN_EVENT_STARTED_WAKEUP }

/** What guests do by themselves. */
const GUESTS: Readonly<Record<'crashed' | 'guest-shutdown' | 'guest-suspended', Lifecycle>> = {
  crashed: { event: VIR_DOMAIN_EVENT_CRASHED, detail: VIR_DOMAIN_EVENT_CRASHED_PANICKED },
  'guest-shutdown': { event: VIR_DOMAIN_EVENT_SHUTDOWN, detail: VIR_DOMAIN_EVENT_SHUTDOWN_FINISHED },
  'guest-suspended': { event: VIR_DOMAIN_EVENT_PMSUSPENDED, detail: VIR_DOMAIN_EVENT_PMSUSPENDED_DISK },
}
