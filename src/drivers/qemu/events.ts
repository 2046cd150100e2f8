import type { DomainEvent, EventOps } from '../driver.ts'

type Listener = (event: DomainEvent) => void

/** Hands what happens to domains on to whoever has subscribed. */
export class Announcer implements EventOps {
  /** By subscription and not by function: who subscribes twice is told twice. */
  readonly #listeners = new Map<symbol, Listener>()

  subscribe(listener: Listener): () => void {
    const subscription = Symbol('subscription')
    this.#listeners.set(subscription, listener)
    return () => {
      this.#listeners.delete(subscription)
    }
  }

  readonly tell = (event: DomainEvent): void => {
    for (const listener of this.#listeners.values()) listener(event)
  }

  /** Nobody is told of anything any more. */
  close(): void {
    this.#listeners.clear()
  }
}
