import type { DomainId } from '../drivers/driver.ts'
import type { Deed } from './lifecycle.ts'

/** What is being done to the domains of a host. */
export class Deeds {
  /** Of each domain, the newest last. */
  readonly #deeds = new Map<DomainId, readonly Deed[]>()

  /** Whatever happens to a domain while `run` runs, happens since this is done to it. */
  async whileDoing<T>(id: DomainId, deed: Deed, run: () => Promise<T>): Promise<T> {
    this.#deeds.set(id, [...(this.#deeds.get(id) ?? []), deed])
    try {
      return await run()
    } finally {
      const deeds = this.#deeds.get(id) ?? []
      const left = deeds.toSpliced(deeds.lastIndexOf(deed), 1)
      if (left.length > 0) this.#deeds.set(id, left)
      else this.#deeds.delete(id)
    }
  }

  /** What is done to a domain now. */
  of(id: DomainId): Deed | undefined {
    return this.#deeds.get(id)?.at(-1)
  }
}
