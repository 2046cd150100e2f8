import type { NetworkConfig, NetworkTitle } from '../drivers/driver.ts'

/** A network that is kept, whether or not its host knows it. */
export interface KeptNetwork extends NetworkConfig {
  /** Whether it stays when it is stopped. */
  readonly isPersistent: boolean
  /** Whether its host is told of it when it comes, where it does not know it. */
  readonly autostart: boolean
}

/** What has become of a network. */
export type NetworkDeed = 'defined' | 'started' | 'stopped' | 'undefined'

/** A network, and what has become of it. */
export interface NetworkNews {
  readonly network: NetworkTitle
  readonly deed: NetworkDeed
}

/**
 * Who keeps networks beside the host, which knows those alone that are active. What makes no sense in a network's state
 * has been refused before it is asked.
 */
export interface NetworkKeeper {
  /** In the order in which they came. */
  list(): readonly KeptNetwork[]
  /** Keeps a network, or another description of one; the host that knows it follows. */
  define(network: NetworkConfig): Promise<void>
  /** Keeps a network that is active, until it is stopped. */
  create(network: NetworkConfig): Promise<void>
  /** Tells the host of a network. */
  start(id: string): Promise<void>
  /** Has the host forget a network; one that is not persistent is forgotten here too. */
  stop(id: string): Promise<void>
  /** Forgets a network; one that is active does not stay from then on when it is stopped. */
  undefine(id: string): Promise<void>
  setAutostart(id: string, autostart: boolean): Promise<void>
  /** Calls `listener`, which must not throw, with what becomes of networks, whoever does it; answers what ends it. */
  listen(listener: (news: NetworkNews) => void): () => void
}

/** What a host knows, with what is kept and it has not been told of. */
export function withKept<N extends NetworkTitle>(
  active: readonly N[],
  keeper: NetworkKeeper | undefined,
): readonly (N | NetworkConfig)[] {
  const kept = keeper?.list() ?? []
  if (kept.length === 0) return active
  const known = new Set(active.map(({ id }) => id))
  return [...active, ...kept.filter(({ id }) => !known.has(id))]
}
