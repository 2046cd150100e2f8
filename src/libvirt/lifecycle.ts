import type { DomainEvent, DomainState } from '../drivers/driver.ts'
import {
  VIR_DOMAIN_EVENT_RESUMED,
  VIR_DOMAIN_EVENT_RESUMED_UNPAUSED,
  VIR_DOMAIN_EVENT_STARTED,
  VIR_DOMAIN_EVENT_STARTED_BOOTED,
  VIR_DOMAIN_EVENT_STARTED_RESTORED,
  VIR_DOMAIN_EVENT_STOPPED,
  VIR_DOMAIN_EVENT_STOPPED_CRASHED,
  VIR_DOMAIN_EVENT_STOPPED_DESTROYED,
  VIR_DOMAIN_EVENT_STOPPED_SAVED,
  VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN,
  VIR_DOMAIN_EVENT_SUSPENDED,
  VIR_DOMAIN_EVENT_SUSPENDED_PAUSED,
} from './flags/index.ts'
import { isActiveState } from './remembered.ts'

/** What has become of a domain: a `VIR_DOMAIN_EVENT_`, and one of those with its name that say more. */
export interface Lifecycle {
  readonly event: number
  readonly detail: number
}

const PAUSED: Lifecycle = { event: VIR_DOMAIN_EVENT_SUSPENDED, detail: VIR_DOMAIN_EVENT_SUSPENDED_PAUSED }
const RESUMED: Lifecycle = { event: VIR_DOMAIN_EVENT_RESUMED, detail: VIR_DOMAIN_EVENT_RESUMED_UNPAUSED }

/**
 * What it means that a domain was one thing and is another; `cause` is what its guest did since, if anything. One that
 * starts to be paused starts first, as in libvirt.
 */
export function lifecycleOf(
  before: DomainState,
  now: DomainState,
  cause: DomainEvent['kind'] | undefined,
): readonly Lifecycle[] {
  if (before === now || before === 'unknown' || now === 'unknown') return []
  if (!isActiveState(now)) return isActiveState(before) ? [stopped(now, before, cause)] : []
  const entered = now === 'paused' ? [PAUSED] : []
  if (!isActiveState(before)) return [started(before), ...entered]
  return now === 'running' ? [RESUMED] : entered
}

const started = (before: DomainState): Lifecycle => ({
  event: VIR_DOMAIN_EVENT_STARTED,
  detail: before === 'suspended' ? VIR_DOMAIN_EVENT_STARTED_RESTORED : VIR_DOMAIN_EVENT_STARTED_BOOTED,
})

function stopped(now: DomainState, before: DomainState, cause: DomainEvent['kind'] | undefined): Lifecycle {
  const stop = (detail: number): Lifecycle => ({ event: VIR_DOMAIN_EVENT_STOPPED, detail })
  if (now === 'suspended') return stop(VIR_DOMAIN_EVENT_STOPPED_SAVED)
  if (cause === 'guest-shutdown' || cause === 'guest-suspended') return stop(VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN)
  if (cause === 'crashed' || before === 'crashed') return stop(VIR_DOMAIN_EVENT_STOPPED_CRASHED)
  return stop(VIR_DOMAIN_EVENT_STOPPED_DESTROYED)
}
