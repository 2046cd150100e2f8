import type { DomainEvent, DomainState, PauseCause } from '../drivers/driver.ts'
import {
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
} from './flags/index.ts'
import { isActiveState } from './remembered.ts'

/** What has become of a domain: a `VIR_DOMAIN_EVENT_`, and one of those with its name that say more. */
export interface Lifecycle {
  readonly event: number
  readonly detail: number
}

/**
 * What is done to a domain, where its states do not tell: it goes back to a snapshot, to a file, or from a caller's; its memory
 * is dumped, for which it stands still; it is started, or created, which is to be defined and started in one.
 */
export type Deed = 'reverted' | 'saved' | 'restored' | 'dumped' | 'started' | 'created'

/** Why it may have become of it: what its guest did, or what is done to it. */
export type Cause = DomainEvent['kind'] | Deed | undefined

const lifecycle = (event: number, detail: number): Lifecycle => ({ event, detail })

/**
 * What it means that a domain was one thing and is another; `cause` is what happened since, if anything, and `pause` what its
 * hypervisor says of a pause. One that starts to be paused starts first, as in libvirt.
 */
export function lifecycleOf(
  before: DomainState,
  now: DomainState,
  cause: Cause,
  pause?: PauseCause,
): readonly Lifecycle[] {
  if (before === now || before === 'unknown' || now === 'unknown') return []
  if (!isActiveState(now)) return isActiveState(before) ? [stopped(now, before, cause)] : []
  const entered = now === 'paused' ? [paused(cause, pause)] : []
  if (!isActiveState(before)) return [started(before, cause), ...entered]
  return now === 'running' ? [resumed(cause)] : entered
}

function started(before: DomainState, cause: Cause): Lifecycle {
  const isRestored = before === 'suspended' || cause === 'restored'
  const detail = isRestored ? VIR_DOMAIN_EVENT_STARTED_RESTORED : VIR_DOMAIN_EVENT_STARTED_BOOTED
  return lifecycle(VIR_DOMAIN_EVENT_STARTED, cause === 'reverted' ? VIR_DOMAIN_EVENT_STARTED_FROM_SNAPSHOT : detail)
}

function paused(cause: Cause, pause: PauseCause | undefined): Lifecycle {
  if (pause === 'io-error') return lifecycle(VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_IOERROR)
  if (pause === 'watchdog') return lifecycle(VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_WATCHDOG)
  const detail = cause === 'restored' ? VIR_DOMAIN_EVENT_SUSPENDED_RESTORED : VIR_DOMAIN_EVENT_SUSPENDED_PAUSED
  return lifecycle(VIR_DOMAIN_EVENT_SUSPENDED, cause === 'reverted' ? VIR_DOMAIN_EVENT_SUSPENDED_FROM_SNAPSHOT : detail)
}

const resumed = (cause: Cause) =>
  lifecycle(
    VIR_DOMAIN_EVENT_RESUMED,
    cause === 'reverted' ? VIR_DOMAIN_EVENT_RESUMED_FROM_SNAPSHOT : VIR_DOMAIN_EVENT_RESUMED_UNPAUSED,
  )

function stopped(now: DomainState, before: DomainState, cause: Cause): Lifecycle {
  const stop = (detail: number) => lifecycle(VIR_DOMAIN_EVENT_STOPPED, detail)
  if (cause === 'reverted') return stop(VIR_DOMAIN_EVENT_STOPPED_FROM_SNAPSHOT)
  if (now === 'suspended' || cause === 'saved') return stop(VIR_DOMAIN_EVENT_STOPPED_SAVED)
  if (cause === 'guest-shutdown' || cause === 'guest-suspended') return stop(VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN)
  if (cause === 'crashed' || cause === 'dumped' || before === 'crashed') return stop(VIR_DOMAIN_EVENT_STOPPED_CRASHED)
  return stop(VIR_DOMAIN_EVENT_STOPPED_DESTROYED)
}
