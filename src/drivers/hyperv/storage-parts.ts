import type { BackEnd } from './back-end.ts'
import type { KnownFacts } from './known-facts.ts'
import type { Locks } from './locks.ts'
import type { StorageBackEnd } from './storage-back-end.ts'

/** What the operations on images work with. */
export interface StorageParts {
  readonly storage: StorageBackEnd
  readonly machines: BackEnd['machines']
  readonly known: KnownFacts
  /** By folder and name. */
  readonly locks: Locks
}
