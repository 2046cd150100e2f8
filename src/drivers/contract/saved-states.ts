import type { DomainId } from '../domain-config.ts'
import type { OperationOptions } from './operation.ts'
import type { SavedDomain, SavedFileOps } from './saved-files.ts'

/** Putting domains to disk, their memory with them. */
export interface SuspensionOps {
  /**
   * Running or paused → suspended. With `live` the guest goes on while its memory is being written, where the hypervisor
   * can tell what it changes meanwhile. A failed or aborted suspension leaves it as it was, and no file; one that is aborted
   * when it is almost done may be done all the same. `bad-state` when halted.
   */
  suspend(id: DomainId, options?: OperationOptions & { readonly live?: boolean }): Promise<void>
  /** Suspended → running, or paused. A failed resume leaves it suspended. `bad-state` unless suspended. */
  resume(id: DomainId, options?: OperationOptions & { readonly paused?: boolean }): Promise<void>
  /**
   * What a suspended domain is resumed as: what its guest is made of, and whether it was paused when it was put to disk, which
   * `resume` does not heed. `bad-state` unless suspended. Absent where the host does not tell.
   */
  readonly saved?: (id: DomainId) => Promise<SavedDomain>
  /** Lets that be other, as far as its guest does not see it; durable when it resolves. Absent as `saved`. */
  readonly changeSaved?: (id: DomainId, changes: Partial<SavedDomain>) => Promise<void>
  /** Absent where the host puts what it saves nowhere else than where it wants. */
  readonly files?: SavedFileOps
}

/** What a domain was at a moment, kept on its host. */
export interface Snapshot {
  /** How the host names it; unique within the domain. */
  readonly id: string
  readonly name: string
  readonly description: string
  /** When it was made, in milliseconds since 1970 of the host's clock. */
  readonly createdMs: number
  /** What the domain is after `revert`: `suspended` where its memory is kept too, else `halted`. */
  readonly state: 'halted' | 'suspended'
  /** Whether the domain was paused, where its memory is kept; absent: no, or there is no telling. */
  readonly wasPaused?: boolean
  /** The `id` of the one that it builds on; null for the first. */
  readonly parent: string | null
  /** Whether what the domain is now builds on this one. */
  readonly isCurrent: boolean
}

/** Keeping what domains are, and going back to it. `not-found` where a domain has no such snapshot. */
export interface SnapshotOps {
  /** Those of a domain, each after the one it builds on. */
  list(id: DomainId): Promise<readonly Snapshot[]>
  /**
   * Keeps disks and definition, and the memory of a domain that runs or is paused, which goes on after it. Names need not
   * be unique. A failure leaves the domain as it was, and no snapshot.
   */
  create(
    id: DomainId,
    snapshot: { readonly name: string; readonly description: string },
    options?: OperationOptions,
  ): Promise<Snapshot>
  /**
   * Makes the disks and the definition of a domain what they were, whatever it is doing, which is lost: it ends `halted`,
   * or `suspended` where its memory was kept. Its name and description stay. The snapshot stays too.
   */
  revert(id: DomainId, snapshot: string, options?: OperationOptions): Promise<void>
  /** Forgets a snapshot, and with `children` all that build on it; without, these build on its parent then. The domain's disks stay as they are. */
  remove(id: DomainId, snapshot: string, options?: OperationOptions & { readonly children?: boolean }): Promise<void>
}

/** A guest's memory, written to a file of the host for whoever looks for the cause of a crash. */
export interface Dump {
  readonly location: string
  readonly bytes: number
}

/** Dumping the memory of guests. */
export interface DumpOps {
  /**
   * Writes the memory of a paused or crashed domain as an ELF core file, to `location`, an absolute path on the host, in
   * place of a file that is there; or without one to a place of the host's own, where only the newest few of a domain are
   * kept. `bad-state` unless paused or crashed; `refused` where no file can be. A failure leaves no file, or what was there.
   */
  dump(id: DomainId, options?: OperationOptions & { readonly location?: string }): Promise<Dump>
  /** The dumps that are kept of a domain at places of the host's own, oldest first. */
  list(id: DomainId): Promise<readonly Dump[]>
}
