import type { DomainConfig, Snapshot, Volume } from '../driver.ts'

/** What a snapshot keeps of a domain. */
export interface KeptState extends Omit<Snapshot, 'isCurrent'> {
  /** The stored definition. */
  readonly config: DomainConfig
  /** What was in memory: what it had been started with, and how long its guest had run; null where it was halted. */
  readonly machine: { readonly config: DomainConfig; readonly uptimeMs: number } | null
  /** The volumes of its disks, as they were. */
  readonly volumes: readonly Volume[]
}
