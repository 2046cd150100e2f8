import type { DomainEvent, DomainId } from '../../src/drivers/driver.ts'

type Kind = DomainEvent['kind']

/** The kinds heard of one domain, in order. */
export class Ear {
  readonly kinds: Kind[] = []
  readonly #id: DomainId

  constructor(id: DomainId) {
    this.#id = id
  }

  readonly listen = (event: DomainEvent): void => {
    if (event.id === this.#id) this.kinds.push(event.kind)
  }

  count(kind: Kind): number {
    return this.kinds.filter(heard => heard === kind).length
  }
}
