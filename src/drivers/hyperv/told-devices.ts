/** Of how many machines it is remembered what was told. */
const MACHINES_MAX = 10_000

/**
 * The devices of others that somebody was told of, by machine. A definition replaces all that it says of a machine: of
 * what was told and is left out, the machine is rid; what appeared since, its author could not know of, and it stays.
 */
export class ToldDevices {
  readonly #told = new Map<string, ReadonlySet<string>>()

  /** These devices of a machine, by their ids, were just told. */
  tell(guid: string, ids: readonly string[]): void {
    if (this.#told.size >= MACHINES_MAX && !this.#told.has(guid)) this.#told.clear()
    this.#told.set(guid, new Set(ids))
  }

  wasTold(guid: string, id: string): boolean {
    return this.#told.get(guid)?.has(id) === true
  }

  forget(guid: string): void {
    this.#told.delete(guid)
  }
}
