import type { DomainId } from '../domain-config.ts'
import type { DomainState, PauseCause } from './domains.ts'

/** Something happened to a domain; what, is for the reader to look up (`domains.get`). */
export interface DomainEvent {
  readonly id: DomainId
  /** `changed` also covers every change of state; `crashed` comes before the `changed` that follows from it. */
  readonly kind: 'defined' | 'undefined' | 'changed' | 'crashed' | 'guest-shutdown' | 'guest-suspended' | 'guest-reset'
  /** What the domain was when it happened, where the driver knows: by the time that somebody looks, it may be something else. */
  readonly state?: DomainState
  /** Why it was paused, where it was and the hypervisor tells. */
  readonly pause?: PauseCause
  /** Of a change to `running`: the guest had put itself to sleep in memory, and woke up. */
  readonly isWakeUp?: boolean
}

/** What happens on the host without being asked for, and what was asked for too. */
export interface EventOps {
  /**
   * Calls `listener` for each event until the returned function is called; one that subscribed twice is called twice.
   * A listener must not throw. One that is passive hears what a connection does anyway, and what it finds for others who
   * listen: the host is asked nothing for it.
   */
  subscribe(listener: (event: DomainEvent) => void, options?: { readonly isPassive?: boolean }): () => void
}
