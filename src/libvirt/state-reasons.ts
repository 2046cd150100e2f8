import type { Domain, DomainEvent, DomainId, DomainState, PauseCause } from '../drivers/driver.ts'
import {
  VIR_DOMAIN_CRASHED_PANICKED,
  VIR_DOMAIN_EVENT_RESUMED,
  VIR_DOMAIN_EVENT_RESUMED_FROM_SNAPSHOT,
  VIR_DOMAIN_EVENT_RESUMED_UNPAUSED,
  VIR_DOMAIN_EVENT_STARTED,
  VIR_DOMAIN_EVENT_STARTED_BOOTED,
  VIR_DOMAIN_EVENT_STARTED_FROM_SNAPSHOT,
  VIR_DOMAIN_EVENT_STARTED_RESTORED,
  VIR_DOMAIN_EVENT_STOPPED,
  VIR_DOMAIN_EVENT_STOPPED_CRASHED,
  VIR_DOMAIN_EVENT_STOPPED_DESTROYED,
  VIR_DOMAIN_EVENT_STOPPED_FROM_SNAPSHOT,
  VIR_DOMAIN_EVENT_STOPPED_SAVED,
  VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN,
  VIR_DOMAIN_EVENT_SUSPENDED,
  VIR_DOMAIN_EVENT_SUSPENDED_FROM_SNAPSHOT,
  VIR_DOMAIN_EVENT_SUSPENDED_IOERROR,
  VIR_DOMAIN_EVENT_SUSPENDED_PAUSED,
  VIR_DOMAIN_EVENT_SUSPENDED_RESTORED,
  VIR_DOMAIN_EVENT_SUSPENDED_WATCHDOG,
  VIR_DOMAIN_PAUSED_DUMP,
  VIR_DOMAIN_PAUSED_FROM_SNAPSHOT,
  VIR_DOMAIN_PAUSED_IOERROR,
  VIR_DOMAIN_PAUSED_SAVE,
  VIR_DOMAIN_PAUSED_SHUTTING_DOWN,
  VIR_DOMAIN_PAUSED_STARTING_UP,
  VIR_DOMAIN_PAUSED_USER,
  VIR_DOMAIN_PAUSED_WATCHDOG,
  VIR_DOMAIN_RUNNING_BOOTED,
  VIR_DOMAIN_RUNNING_CRASHED,
  VIR_DOMAIN_RUNNING_FROM_SNAPSHOT,
  VIR_DOMAIN_RUNNING_RESTORED,
  VIR_DOMAIN_RUNNING_SAVE_CANCELED,
  VIR_DOMAIN_RUNNING_UNPAUSED,
  VIR_DOMAIN_RUNNING_WAKEUP,
  VIR_DOMAIN_SHUTOFF_CRASHED,
  VIR_DOMAIN_SHUTOFF_DESTROYED,
  VIR_DOMAIN_SHUTOFF_FAILED,
  VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT,
  VIR_DOMAIN_SHUTOFF_SAVED,
  VIR_DOMAIN_SHUTOFF_SHUTDOWN,
} from './flags/index.ts'
import { type Cause, type Deed, type Lifecycle, lifecycleOf } from './lifecycle.ts'
import { isActiveState } from './remembered.ts'

/** What is known of a domain. */
interface Known {
  readonly state: DomainState
  /** Why it is so; `UNKNOWN` where nobody told. */
  readonly reason: number
  /** What its guest did, which explains what the domain does next. */
  readonly cause?: DomainEvent['kind'] | undefined
  /** What it was before, and why, where that is needed still: the host has not told yet what happened, or tells no state now. */
  readonly before?: Pick<Known, 'state' | 'reason'> | undefined
  /** When its guest was asked to shut down, in milliseconds of `performance.now()`. */
  readonly askedAtMs?: number | undefined
}

/** Of how many domains it is known; the one that was changed the longest ago is forgotten first. */
const DOMAINS_MAX = 100_000
/** How long a guest that was asked to shut down is thought to have done so, where nobody tells what it did. */
const ASKED_MS_MAX = 60_000
/** Nobody tells: the same number for every state. */
const UNKNOWN = 0

/**
 * Why domains are what they are, by the events of their host's driver and by what is done to them here. What was so before
 * the first of these is not known.
 */
export class StateReasons {
  readonly #known = new Map<DomainId, Known>()
  /** Whether all domains were seen once, so that those which are not known were off. */
  #isComplete = false

  /** Takes notice of an event, which happens while `deed` is done to the domain, if anything. */
  hear({ id, kind, state, pause, isWakeUp = false }: DomainEvent, deed: Deed | undefined): void {
    if (kind === 'undefined') return this.forget(id)
    const known = this.#known.get(id)
    if (kind !== 'changed' && kind !== 'defined') {
      this.#set(id, { state: 'unknown', reason: UNKNOWN, ...known, cause: kind })
      return
    }
    if (state === undefined) return
    if (isWakeUp) return this.#set(id, { state, reason: VIR_DOMAIN_RUNNING_WAKEUP })
    const cause = deed ?? known?.cause
    const before = known === undefined ? (this.#isComplete ? OFF : undefined) : beforeIn(known)
    if (known?.state === state && known.before === undefined) return this.#stayed(id, known, kind)
    if (state === 'unknown') return this.#set(id, { state, reason: UNKNOWN, before })
    if (before?.state === state) return this.#set(id, { state, reason: before.reason })
    this.#set(id, { state, reason: reasonFor(before?.state, state, { cause, pause }) })
  }

  /** Takes notice of what a domain is, where somebody has looked: the event that tells how it got there may come only then. */
  see({ id, state }: Pick<Domain, 'id' | 'state'>, deed: Deed | undefined): void {
    // Of those that are off there are many, and nothing to say.
    const known = this.#known.get(id) ?? (this.#isComplete ? OFF : undefined)
    if (known?.state === state) return
    if (known === undefined) return this.#set(id, { state, reason: UNKNOWN })
    const reason = reasonSeen(known, state, deed)
    this.#set(id, { ...known, state, reason, before: beforeIn(known), askedAtMs: undefined })
  }

  /** Takes notice of all domains of the host. */
  seeAll(domains: readonly Domain[]): void {
    for (const domain of domains) {
      if (domain.state !== 'halted' || this.#known.has(domain.id)) this.see(domain, undefined)
    }
    this.#isComplete = true
  }

  /** Takes notice that the guest of a domain was asked to shut down. */
  asked(id: DomainId): void {
    const known = this.#known.get(id)
    if (known?.state === 'running') this.#set(id, { ...known, askedAtMs: performance.now() })
  }

  /** Takes notice that a domain which was off was to be started, and was not. */
  failed(id: DomainId): void {
    const known = this.#known.get(id)
    if (known === undefined || known.state === 'halted') {
      this.#set(id, { state: 'halted', reason: VIR_DOMAIN_SHUTOFF_FAILED })
    }
  }

  forget(id: DomainId): void {
    this.#known.delete(id)
  }

  /** Why a domain is in its state, as libvirt's number for a reason of that state. */
  of({ id, state, pause }: Pick<Domain, 'id' | 'state' | 'pause'>): number {
    if (state === 'suspended') return VIR_DOMAIN_SHUTOFF_SAVED
    if (state === 'crashed') return VIR_DOMAIN_CRASHED_PANICKED
    const known = this.#known.get(id)
    const reason = known?.state === state ? known.reason : UNKNOWN
    if (state !== 'paused' || pause === undefined) return reason
    // That somebody asked for it is what the hypervisor takes for so unless it knows better.
    if (pause === 'asked' && reason !== UNKNOWN) return reason
    return PAUSES[pause]
  }

  #stayed(id: DomainId, known: Known, kind: DomainEvent['kind']): void {
    if (kind === 'defined') return
    const isRestarted = known.state === 'running' && known.cause === 'crashed'
    const { state, reason } = known
    this.#set(id, { state, reason: isRestarted ? VIR_DOMAIN_RUNNING_CRASHED : reason })
  }

  #set(id: DomainId, known: Known): void {
    this.#known.delete(id)
    this.#known.set(id, known)
    if (this.#known.size <= DOMAINS_MAX) return
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest)
      break
    }
  }
}

const OFF: Known = { state: 'halted', reason: UNKNOWN }

const beforeIn = ({ before, state, reason }: Known): Pick<Known, 'state' | 'reason'> => before ?? { state, reason }

/** What a hypervisor says of a pause. Source: libvirt, qemuMonitorVMStatusToPausedReason. */
const PAUSES: Readonly<Record<PauseCause, number>> = {
  asked: VIR_DOMAIN_PAUSED_USER,
  'io-error': VIR_DOMAIN_PAUSED_IOERROR,
  watchdog: VIR_DOMAIN_PAUSED_WATCHDOG,
  saving: VIR_DOMAIN_PAUSED_SAVE,
  ended: VIR_DOMAIN_PAUSED_SHUTTING_DOWN,
}

/** Why a domain may be what it is seen to be, before its host tells. */
function reasonSeen({ state: before, askedAtMs }: Known, now: DomainState, deed: Deed | undefined): number {
  if (now === 'paused' && deed === 'started' && !isActiveState(before)) return VIR_DOMAIN_PAUSED_STARTING_UP
  const hasObeyed = askedAtMs !== undefined && performance.now() - askedAtMs < ASKED_MS_MAX
  return now === 'halted' && hasObeyed ? VIR_DOMAIN_SHUTOFF_SHUTDOWN : UNKNOWN
}

/** Why a domain got from one state to another. */
function reasonFor(
  before: DomainState | undefined,
  now: DomainState,
  { cause, pause }: { readonly cause: Cause; readonly pause: PauseCause | undefined },
): number {
  const ofDeed = DEEDS.get(`${cause} ${now}`)
  if (ofDeed !== undefined) return ofDeed
  if (cause === 'crashed' && now === 'running') return VIR_DOMAIN_RUNNING_CRASHED
  if (before === undefined && !isTelling(cause)) return UNKNOWN
  // Where it was not known what it was, what is done to it tells enough.
  const from = before ?? (isActiveState(now) ? 'halted' : 'running')
  if (from === 'suspended' && now === 'halted') return VIR_DOMAIN_SHUTOFF_SAVED // What was saved is thrown away.
  const told = lifecycleOf(from, now, cause, pause).at(-1)
  return told === undefined ? UNKNOWN : (REASONS.get(keyOf(told)) ?? UNKNOWN)
}

/** Whether it tells by itself why a domain is what it is. */
const isTelling = (cause: Cause): boolean => cause === 'reverted' || cause === 'saved' || cause === 'restored'

/** What is done to a domain and what it is meanwhile. Source: libvirt, qemuDomainSaveInternal, qemuDomainCoreDumpWithFormat. */
const DEEDS: ReadonlyMap<string, number> = new Map([
  ['saved paused', VIR_DOMAIN_PAUSED_SAVE],
  ['saved running', VIR_DOMAIN_RUNNING_SAVE_CANCELED],
  ['dumped paused', VIR_DOMAIN_PAUSED_DUMP],
])

const keyOf = ({ event, detail }: Lifecycle): string => `${event} ${detail}`

/** The state that each step of a domain's life leads to has a reason of the same meaning. */
const REASONS: ReadonlyMap<string, number> = new Map(
  (
    [
      [VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_BOOTED, VIR_DOMAIN_RUNNING_BOOTED],
      [VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_RESTORED, VIR_DOMAIN_RUNNING_RESTORED],
      [VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_FROM_SNAPSHOT, VIR_DOMAIN_RUNNING_FROM_SNAPSHOT],
      [VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_UNPAUSED, VIR_DOMAIN_RUNNING_UNPAUSED],
      [VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_FROM_SNAPSHOT, VIR_DOMAIN_RUNNING_FROM_SNAPSHOT],
      [VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_PAUSED, VIR_DOMAIN_PAUSED_USER],
      [VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_RESTORED, VIR_DOMAIN_PAUSED_USER],
      [VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_IOERROR, VIR_DOMAIN_PAUSED_IOERROR],
      [VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_WATCHDOG, VIR_DOMAIN_PAUSED_WATCHDOG],
      [VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_FROM_SNAPSHOT, VIR_DOMAIN_PAUSED_FROM_SNAPSHOT],
      [VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN, VIR_DOMAIN_SHUTOFF_SHUTDOWN],
      [VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_DESTROYED, VIR_DOMAIN_SHUTOFF_DESTROYED],
      [VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_CRASHED, VIR_DOMAIN_SHUTOFF_CRASHED],
      [VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_SAVED, VIR_DOMAIN_SHUTOFF_SAVED],
      [VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_FROM_SNAPSHOT, VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT],
    ] as const
  ).map(([event, detail, reason]) => [keyOf({ event, detail }), reason]),
)
