import type { Domain, DomainId } from '../drivers/driver.ts'
import type { FunctionName } from './flag-check.ts'
import type { Host } from './host.ts'

/** How long the states that a list has told stand for a look at each. */
const GLIMPSE_MS = 250

/** What a list told. */
interface Listed {
  /** Made of the list when somebody asks for the first: lists are long, and many only list. */
  readonly domains: () => ReadonlyMap<DomainId, Domain>
  /** When, in milliseconds of `performance.now()`. */
  readonly atMs: number
  /** `Remembered.changes` when it was asked for. */
  readonly changes: number
}

/**
 * What a connection's last list told of the states of domains. Clients list domains and then ask one after another what
 * each is doing, which would be a question to the host for each. Once for each domain, and for each function that tells
 * it, the list answers, if it is no older than GLIMPSE_MS and nothing was changed here since; to who is still at it when
 * that is over, another list does.
 */
export class Glimpses {
  readonly #host: Host
  #listed: Listed | undefined
  /** What has been told since the client listed. */
  #told = new Set<string>()
  #toldMs = Number.NEGATIVE_INFINITY
  #again: Promise<void> | undefined

  constructor(host: Host) {
    this.#host = host
  }

  /** Lists the domains of the host for a client, who may go on to ask about each. */
  async list(): Promise<readonly Domain[]> {
    const domains = await this.#list()
    this.#told = new Set()
    this.#toldMs = performance.now()
    return domains
  }

  /** A domain, where a list can tell of it. */
  async domain(name: FunctionName, id: DomainId): Promise<Domain | undefined> {
    const key = `${name} ${id}`
    const listed = this.#listed
    if (listed?.domains().has(id) !== true || this.#told.has(key)) return undefined
    this.#told.add(key)
    const now = performance.now()
    const isOnTheWay = now - this.#toldMs < GLIMPSE_MS
    this.#toldMs = now
    if (now - listed.atMs < GLIMPSE_MS) {
      return listed.changes === this.#host.remembered.changes ? listed.domains().get(id) : undefined
    }
    if (!isOnTheWay) return undefined
    this.#again ??= this.#listAgain()
    await this.#again
    return this.#listed?.domains().get(id)
  }

  async #listAgain(): Promise<void> {
    try {
      await this.#list()
    } finally {
      this.#again = undefined
    }
  }

  async #list(): Promise<readonly Domain[]> {
    const { changes } = this.#host.remembered
    const domains = await this.#host.domains()
    let byId: ReadonlyMap<DomainId, Domain> | undefined
    this.#listed = {
      domains: () => (byId ??= new Map(domains.map(domain => [domain.id, domain]))),
      atMs: performance.now(),
      changes,
    }
    return domains
  }
}

const glimpses = new WeakMap<Host, Glimpses>()

/** Those of a connection. */
export function glimpsesOf(host: Host): Glimpses {
  const known = glimpses.get(host) ?? new Glimpses(host)
  glimpses.set(host, known)
  return known
}
