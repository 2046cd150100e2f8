import type { Domain, DomainId, DomainState } from '../drivers/driver.ts'
import { Ears } from './ears.ts'
import type { NetworkNews } from './kept-networks.ts'
import { RememberedPools } from './kept-pools.ts'
import { Turns } from './turns.ts'

/** Whether a domain is in memory. What has no name here counts as that, since it may be. */
export const isActiveState = (state: DomainState): boolean => state !== 'halted' && state !== 'suspended'

/** What this process remembers of a host, whichever of its connections learned it. */
export class Remembered {
  /** Changes of a domain that read it first take turns. */
  readonly turns = new Turns()
  /** The storage pools that somebody made here; hosts do not keep them. */
  readonly pools = new RememberedPools()
  /** Who is told of what is done here with networks. */
  readonly networks = new Ears<NetworkNews>()
  /** Domains that were paused when they were put to disk. */
  readonly savedPaused = new Set<DomainId>()
  /** Domains that got another definition while they were active. */
  readonly updated = new Set<DomainId>()
  /** How often something was begun here that changes something, or was heard of. */
  changes = 0
  /** The number of each active domain. */
  readonly #numbers = new Map<DomainId, number>()
  #next = 1

  /** Takes notice of what a domain is doing. */
  see({ id, state }: Pick<Domain, 'id' | 'state'>): void {
    if (state !== 'suspended') this.savedPaused.delete(id)
    if (!isActiveState(state)) {
      this.#numbers.delete(id)
      this.updated.delete(id)
    } else if (!this.#numbers.has(id)) {
      this.#numbers.set(id, this.#next++)
    }
  }

  /** Takes notice of all domains that the host has. */
  seeAll(domains: readonly Domain[]): void {
    let active = 0
    for (const domain of domains) {
      this.see(domain)
      if (isActiveState(domain.state)) active++
    }
    if (this.#numbers.size > active || this.updated.size > 0 || this.savedPaused.size > 0) this.#forgetAllBut(domains)
  }

  #forgetAllBut(domains: readonly Domain[]): void {
    const present = new Set(domains.map(({ id }) => id))
    for (const id of [...this.#numbers.keys(), ...this.updated, ...this.savedPaused]) {
      if (!present.has(id)) this.forget(id)
    }
  }

  forget(id: DomainId): void {
    this.see({ id, state: 'halted' })
    this.savedPaused.delete(id)
  }

  /** The number of a domain, the same for as long as it is active; -1 for one that is not. */
  numberOf(id: DomainId): number {
    return this.#numbers.get(id) ?? -1
  }
}

// What is remembered of hosts, by their id. It belongs to the process and not to a connection: numbers of domains, and
// pools, are the same on all its connections to a host.
const hosts = new Map<string, Remembered>()
/** The host that was connected to the longest ago is forgotten first. */
const HOSTS_MAX = 1_000

/** What this process remembers of the host with this id. */
export function remembered(hostId: string): Remembered {
  const known = hosts.get(hostId) ?? new Remembered()
  hosts.delete(hostId)
  hosts.set(hostId, known)
  for (const id of hosts.keys()) {
    if (hosts.size <= HOSTS_MAX) break
    hosts.delete(id)
  }
  return known
}
