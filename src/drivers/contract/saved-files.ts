import type { DomainConfig, DomainId } from '../domain-config.ts'
import type { OperationOptions } from './operation.ts'

/** What a file holds, beside memory, that a domain was saved to. */
export interface SavedDomain {
  /** What its guest is made of. */
  readonly config: DomainConfig
  /** Whether it is paused when it is restored, and not running. */
  readonly paused: boolean
}

/**
 * Putting domains to files of a caller's choice, their memory with them, and back. A `location` is an absolute path on the
 * host. Nobody looks that disks are still what they were when the memory was written; a guest that finds others may break.
 * `refused` where no file can be, or where there is none of these; and for a `config` of another domain, or of other
 * hardware than the memory is of: only what the guest does not see may differ, such as where the images of its disks are.
 */
export interface SavedFileOps {
  /**
   * Running or paused → halted. A file that is there is replaced. What the file says of the domain is what it is, where
   * `options` do not say otherwise. A failed or aborted call leaves the domain as it was, and the file. `bad-state` unless
   * running or paused.
   */
  save(id: DomainId, location: string, options?: OperationOptions & Partial<SavedDomain>): Promise<void>
  /** What a file says of its domain. */
  read(location: string): Promise<SavedDomain>
  /** Lets a file say other of its domain; durable when it resolves. */
  change(location: string, changes: Partial<SavedDomain>): Promise<void>
  /**
   * Halted, or not known to the host, which defines it then → running or paused, as the file says where `options` do not. The
   * file stays; a definition that the host has counts again from the next start. A failed or aborted call leaves things as
   * they were. `bad-state` unless halted.
   */
  restore(location: string, options?: OperationOptions & Partial<SavedDomain>): Promise<DomainId>
}
