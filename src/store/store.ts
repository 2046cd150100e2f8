import type { Class, RecordOf } from '../model/kernel/define.ts'

/**
 * The durable objects of the API. All live in memory; every committed transaction is appended to a log that is on
 * disk before `transact` resolves. No code outside this room knows where the log is.
 */
export interface Store {
  /** Grows by one with every committed transaction. */
  readonly generation: number

  /** The references of all objects of the class, in order of creation. */
  all<C extends Class>(of: C): readonly string[]
  /** The record, frozen, all fields by wire name; undefined where the class has no such object. Never wait-ing. */
  get<C extends Class>(of: C, ref: string): RecordOf<C> | undefined
  /** Objects whose field holds the value (or, for a set, contains it). Indexed for references; scans otherwise. */
  findBy<C extends Class>(of: C, wireField: keyof RecordOf<C> & string, value: unknown): readonly string[]

  /**
   * Runs `body` at once, to its end, without waiting: what it changes is seen by later calls immediately and
   * is durable when the promise resolves. If `body` throws, nothing has changed and the promise rejects with what it
   * threw. If the log cannot be written, every change not yet durable is taken back, newest first, and each of
   * their promises rejects with StoreFailure. The promise resolves with what `body` returned.
   */
  transact<R>(body: (transaction: Transaction) => R): Promise<R>

  /** Resolves when everything committed so far is durable. */
  settled(): Promise<void>

  /** What changed after generation `after`, oldest first; undefined when the feed no longer reaches back that far. */
  changesSince(after: number): readonly Change[] | undefined
  /** Calls `listener` after each commit that is durable, with its changes. Returns the function that ends it. */
  onChange(listener: (changes: readonly Change[]) => void): () => void

  /** Writes what is left, and ends. Calling it twice is harmless; `transact` rejects afterwards. */
  close(): Promise<void>
}

/** One transaction. Reading through it sees its own changes. */
export interface Transaction {
  all<C extends Class>(of: C): readonly string[]
  get<C extends Class>(of: C, ref: string): RecordOf<C> | undefined
  /** Adds an object. Its `uuid` is its reference. Bound partners named by its fields are updated. Throws if the reference exists. */
  insert<C extends Class>(of: C, record: RecordOf<C>): void
  /** Changes fields; bound partners follow. Throws if there is no such object. Setting an equal value changes nothing. */
  patch<C extends Class>(of: C, ref: string, change: Partial<RecordOf<C>>): void
  /** Takes the object away, and its reference out of every bound partner. Removing what is not there changes nothing. */
  remove<C extends Class>(of: C, ref: string): void
}

/** One object's part in a committed transaction. */
export interface Change {
  readonly generation: number
  readonly class: string
  readonly ref: string
  readonly kind: 'add' | 'mod' | 'del'
  /** The wire names of the fields that changed; all of them for `add`, none for `del`. */
  readonly fields: readonly string[]
}

/** The log could not be written. The change was taken back. */
export class StoreFailure extends Error {
  override readonly name = 'StoreFailure'
}

/** The data directory is held by another server, or its log was written by a newer version. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable'
}
