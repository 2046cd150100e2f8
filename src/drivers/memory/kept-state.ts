import type { DomainConfig, SavedDomain, Snapshot, Volume } from '../driver.ts'

/** What a snapshot keeps of a domain. */
export interface KeptState extends Omit<Snapshot, 'isCurrent' | 'wasPaused'> {
  /** The stored definition. */
  readonly config: DomainConfig
  /** What was in memory: what it had been started with, how long its guest had run, and whether it was paused; null where it was halted. */
  readonly machine: { readonly config: DomainConfig; readonly uptimeMs: number; readonly paused: boolean } | null
  /** The volumes of its disks, as they were. */
  readonly volumes: readonly Volume[]
}

/** What a domain was saved to, on a host whose files are as little there as its disks. */
export interface SavedFile extends SavedDomain {
  /** How long its guest had run. */
  readonly uptimeMs: number
}
