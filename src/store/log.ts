import type { Delta, EncodedChange, EncodedRecord } from './delta.ts'

/**
 * Where committed transactions are kept: a snapshot of objects and the deltas after it. An engine knows no class; it
 * carries encoded records and may fold old deltas into its snapshot whenever it likes.
 *
 * A log that several servers share keeps them apart by two things of this contract: `append` names the generation it
 * follows, and leases carry a fence that only grows.
 */
export interface Log {
  /** Where it is, as an operator would say it: `the store in /var/lib/polyvisor`. */
  readonly place: string

  /**
   * Takes the log for this server and reads it: the snapshot's objects in order of creation, then the deltas after
   * it, oldest first. Resolves with the newest generation. Called once, before anything else. Rejects with
   * StoreUnavailable when another server holds the log, it is of a newer version, or it is damaged.
   */
  load(reader: LogReader): Promise<number>

  /**
   * Resolves when the batch is durable, all of it. Rejects with LogFailure when it was not written; where the failure is
   * `forGood`, only the next `load` tells whether all of it or nothing is there. One call at a time.
   */
  append(batch: Batch): Promise<void>

  /** Takes a lease; undefined while another owner's has not expired. Rejects with LogFailure. */
  acquireLease(name: string, owner: string, ttlMs: number): Promise<Lease | undefined>
  /** Prolongs a lease; false when it is no longer this one. Rejects with LogFailure. */
  renewLease(lease: Lease, ttlMs: number): Promise<boolean>
  /** Gives a lease up; one that is no longer held is left alone. Rejects with LogFailure. */
  releaseLease(lease: Lease): Promise<void>

  /** Ends; what was appended stays. Calling it twice is harmless. */
  close(): Promise<void>
}

/** Takes what a log reads. Its functions throw Damaged for what does not fit together. */
export interface LogReader {
  object(className: string, ref: string, record: EncodedRecord): void
  change(generation: number, change: EncodedChange): void
}

/** Transactions that become durable together. */
export interface Batch {
  /** The newest generation of the log so far, as this server knows it. The log refuses the batch if it knows a newer one. */
  readonly after: number
  /** Oldest first, at least one; generations grow but may leave gaps. */
  readonly deltas: readonly Delta[]
}

/** The right to do something alone, for a time. */
export interface Lease {
  readonly name: string
  readonly owner: string
  /** Larger than that of every earlier lease of this name. */
  readonly fence: number
}

/** The log could not do what was asked. */
export class LogFailure extends Error {
  override readonly name = 'LogFailure'
  /** The log has ended for good: nothing later will succeed. */
  readonly forGood: boolean

  constructor(message: string, options: { readonly forGood: boolean; readonly cause?: unknown }) {
    super(message, { cause: options.cause })
    this.forGood = options.forGood
  }
}
