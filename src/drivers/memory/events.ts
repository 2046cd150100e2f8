import type { DomainEvent, EventOps } from '../driver.ts'
import type { Connection } from './connection.ts'

/** The events of one connection: who listens, and the ear that the connection lends to the host. */
export interface Events {
  readonly ops: EventOps
  readonly hear: (event: DomainEvent) => void
}

export function createEvents(connection: Connection): Events {
  // By subscription, not by listener: one function may listen twice.
  const listeners = new Map<symbol, (event: DomainEvent) => void>()
  return {
    ops: {
      subscribe(listener) {
        const subscription = Symbol('subscription')
        listeners.set(subscription, listener)
        return () => listeners.delete(subscription)
      },
    },
    hear(event) {
      if (connection.faults.isLineCut) return
      for (const listener of listeners.values()) listener(event)
    },
  }
}
