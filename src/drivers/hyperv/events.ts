import { setTimeout as pause } from 'node:timers/promises'
import {
  type ConnectOptions,
  type DomainEvent,
  type DomainId,
  type DomainState,
  DriverError,
  type EventOps,
} from '../driver.ts'
import type { BackEnd, Glance } from './back-end.ts'
import type { Directory, Entry } from './directory.ts'
import { toDriverError } from './gate.ts'

/** How often a host is looked at where nothing is awaited: WinRM has no events, so that they are found by comparing. */
const IDLE_MS = 2_000
/** How much longer than a look itself took the pause after it is, so that hosts with many machines are not kept busy. */
const REST_FACTOR = 10
/** How often while a guest that was asked to shut down may be gone at any moment. */
const AWAITING_MS = 200
/** How long it is awaited so. */
const AWAITING_MS_MAX = 60_000
/** The longest pause where a host does not answer. */
const SILENT_MS_MAX = 60_000

/** A machine as it was known last. */
interface Known {
  readonly id: DomainId
  readonly state: DomainState
  /** Undefined where the next look is to find it out: it was changed by ourselves. */
  readonly revision: string | undefined
  /** When it was known so; a look that began before knows less. */
  readonly at: number
}

/** What happens on a host: what this connection does, told at once, and what others do, found by looking. */
export class Events {
  readonly #backEnd: BackEnd
  readonly #directory: Directory
  readonly #warn: ConnectOptions['warn']
  readonly #closing = new AbortController()
  /** By subscription, not by listener: one function may listen twice. */
  readonly #listeners = new Map<symbol, (event: DomainEvent) => void>()
  /** Those of them for whom it is looked. */
  readonly #active = new Set<symbol>()
  readonly #known = new Map<string, Known>()
  /** Guests that were asked to shut down, and until when that is awaited. */
  readonly #awaited = new Map<DomainId, number>()
  #now = 0
  #isLooking = false

  constructor(backEnd: BackEnd, directory: Directory, warn: ConnectOptions['warn']) {
    this.#backEnd = backEnd
    this.#directory = directory
    this.#warn = warn
  }

  readonly ops: EventOps = {
    subscribe: (listener, { isPassive = false } = {}) => {
      const subscription = Symbol('subscription')
      this.#listeners.set(subscription, listener)
      if (!isPassive) this.#active.add(subscription)
      if (!isPassive && !this.#isLooking) void this.#keepLooking()
      return () => {
        this.#listeners.delete(subscription)
        this.#active.delete(subscription)
      }
    },
  }

  close(): void {
    this.#closing.abort()
    this.#listeners.clear()
    this.#active.clear()
  }

  /**
   * Says how a domain is that this connection has changed the state of. A look may have come before; rather twice than not
   * at all, as where it was the first one and told nobody.
   */
  saw(entry: Entry): void {
    this.#awaited.delete(entry.id)
    this.#remember(entry, this.#known.get(entry.machine.guid)?.revision)
    this.#emit(entry.id, 'changed', entry.machine.state)
  }

  /** Says that this connection has defined a domain. */
  defined(entry: Entry): void {
    this.#remember(entry, undefined)
    this.#emit(entry.id, 'defined')
  }

  /** Says that this connection has undefined a domain. */
  gone({ id, machine }: Entry): void {
    this.#known.delete(machine.guid)
    this.#awaited.delete(id)
    this.#emit(id, 'undefined')
  }

  /** Says that a guest was asked to shut down: if its domain halts soon, it has obeyed. */
  expectShutdown(id: DomainId): void {
    this.#awaited.set(id, performance.now() + AWAITING_MS_MAX)
  }

  async #keepLooking(): Promise<void> {
    this.#isLooking = true
    try {
      let silentMs = 0
      let tookMs = 0
      for (let isFirst = true; this.#isWanted(); ) {
        try {
          const began = performance.now()
          await this.#look(isFirst)
          isFirst = false
          silentMs = 0
          tookMs = performance.now() - began
        } catch (error) {
          silentMs = this.#bear(error, silentMs)
        }
        await this.#rest(silentMs, Math.max(silentMs, IDLE_MS, tookMs * REST_FACTOR))
      }
    } finally {
      this.#known.clear()
      this.#isLooking = false
    }
  }

  #isWanted(): boolean {
    return this.#active.size > 0 && !this.#closing.signal.aborted
  }

  /** Says once that a host does not answer, and how long to leave it in peace. Throws what is a bug. */
  #bear(error: unknown, silentMs: number): number {
    if (this.#closing.signal.aborted) return 0
    const failure = toDriverError(error)
    if (!(failure instanceof DriverError)) throw failure
    if (silentMs === 0) this.#warn('a host does not tell what happens on it', { reason: failure.message })
    return Math.min(Math.max(silentMs * 2, IDLE_MS), SILENT_MS_MAX)
  }

  /** Waits in short steps, so that what begins to be awaited meanwhile is not waited for too long. */
  async #rest(silentMs: number, ms: number): Promise<void> {
    const { signal } = this.#closing
    const until = performance.now() + ms
    while (this.#isWanted() && performance.now() < until) {
      await pause(AWAITING_MS, undefined, { signal, ref: false }).catch(() => undefined)
      if (silentMs === 0 && this.#isAwaiting()) return
    }
  }

  #isAwaiting(): boolean {
    for (const [id, until] of this.#awaited) if (performance.now() > until) this.#awaited.delete(id)
    return this.#awaited.size > 0
  }

  async #look(isFirst: boolean): Promise<void> {
    const began = this.#tick()
    const names = isFirst
      ? new Map((await this.#directory.list()).map(entry => [entry.machine.guid, entry]))
      : undefined
    const glances = await this.#backEnd.glances(this.#closing.signal)
    for (const glance of glances) {
      const entry = names?.get(glance.guid)
      if (entry === undefined) await this.#compare(glance, began)
      else if (!this.#known.has(glance.guid)) this.#note(entry.id, glance)
    }
    const present = new Set(glances.map(({ guid }) => guid))
    for (const [guid, { id, at }] of this.#known) {
      if (present.has(guid) || at > began) continue
      this.#known.delete(guid)
      this.#emit(id, 'undefined')
    }
  }

  async #compare(glance: Glance, began: number): Promise<void> {
    const before = this.#known.get(glance.guid)
    if (before !== undefined && before.at > began) return
    const isRedefined = before !== undefined && before.revision !== undefined && before.revision !== glance.revision
    const id = before === undefined || isRedefined ? await this.#identify(glance.guid) : before.id
    const meanwhile = this.#known.get(glance.guid)
    if (id === undefined || (meanwhile !== undefined && meanwhile.at > began)) return
    this.#note(id, glance)
    if (before !== undefined && before.id !== id) this.#emit(before.id, 'undefined')
    if (before?.id !== id || isRedefined) this.#emit(id, 'defined')
    if (before !== undefined && before.state !== glance.state) this.#changed(id, glance.state)
  }

  async #identify(guid: string): Promise<DomainId | undefined> {
    return (await this.#directory.at(guid))?.id
  }

  #changed(id: DomainId, state: DomainState): void {
    if (state === 'halted' && this.#awaited.delete(id)) this.#emit(id, 'guest-shutdown')
    this.#emit(id, 'changed', state)
  }

  #note(id: DomainId, { guid, state, revision }: Glance): void {
    this.#known.set(guid, { id, state, revision, at: this.#tick() })
  }

  #remember({ id, machine: { guid, state } }: Entry, revision: string | undefined): void {
    if (this.#isLooking) this.#known.set(guid, { id, state, revision, at: this.#tick() })
  }

  #tick(): number {
    this.#now += 1
    return this.#now
  }

  #emit(id: DomainId, kind: DomainEvent['kind'], state?: DomainState): void {
    for (const listener of this.#listeners.values()) listener({ id, kind, ...(state !== undefined && { state }) })
  }
}
