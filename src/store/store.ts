import type { Class, RecordOf } from '../model/kernel/define.ts'

/**
 * The durable objects of the API. All live in memory; every committed transaction is appended to a log that is on
 * disk before `transact` resolves. No code outside this room knows where the log is.
 */
export interface Store {
  /** Grows by one with every committed transaction, and by one more when changes are taken back. Never used twice. */
  readonly generation: number
  /** The newest generation that is durable: where one who has read the objects goes on reading with `changesSince`. */
  readonly durableGeneration: number

  /** The references of all objects of the class, in order of creation. */
  all(of: Class): readonly string[]
  /** The record, frozen, all fields by wire name; undefined where the class has no such object. Never wait-ing. */
  get<C extends Class>(of: C, ref: string): RecordOf<C> | undefined
  /** Objects whose field holds the value (or, for a set, contains it). Indexed for references; scans otherwise. */
  findBy<C extends Class>(of: C, wireField: keyof RecordOf<C> & string, value: unknown): readonly string[]
  /** Every reference field that names the object, bound or not, its own left out; empty for an object nobody names. */
  usersOf(of: Class, ref: string): readonly User[]

  /**
   * Runs `body` at once, to its end, without waiting: what it changes is seen by later calls immediately and
   * is durable when the promise resolves. If `body` throws, nothing has changed and the promise rejects with what it
   * threw. If the log cannot be written, every change not yet durable is taken back, newest first, and each of
   * their promises rejects with StoreFailure; the same when too many transactions wait for the log already, without
   * running `body`. The promise resolves with what `body` returned. A body that changed nothing waits for what it
   * may have seen.
   */
  transact<R>(body: (transaction: Transaction) => R): Promise<R>

  /**
   * Writes what was measured of an object into fields that are declared volatile: seen at once, held in memory alone,
   * their defaults after a restart. The feed does not tell of it, and what is taken back or rolled back leaves it.
   * Does nothing where there is no such object. Throws TypeError for a field that is not volatile, and within a
   * transaction.
   */
  sample<C extends Class>(of: C, ref: string, measured: Partial<RecordOf<C>>): void

  /** Resolves when everything committed so far is durable; rejects with StoreFailure if it was taken back. */
  settled(): Promise<void>

  /**
   * What changed after generation `after`, oldest first, as far as it is durable. Undefined when the feed does not
   * reach back that far, or `after` is of another life of the store. Changes that were taken back show as the changes
   * that undo them.
   */
  changesSince(after: number): readonly Change[] | undefined
  /** Calls `listener` after each commit that is durable, with its changes. Returns the function that ends it. */
  onChange(listener: (changes: readonly Change[]) => void): () => void

  /**
   * Takes the lease of this name for `owner` and keeps it until it is released or lost. Undefined while another
   * owner holds it. Rejects with StoreFailure when the log cannot be asked.
   */
  holdLease(name: string, owner: string): Promise<HeldLease | undefined>

  /** Writes what is left, and ends. Calling it twice is harmless; `transact` rejects afterwards. */
  close(): Promise<void>
}

/** One transaction. Reading through it sees its own changes. */
export interface Transaction {
  all(of: Class): readonly string[]
  get<C extends Class>(of: C, ref: string): RecordOf<C> | undefined
  /**
   * Adds an object. Its `uuid` is its reference. Bound partners named by its fields are updated; volatile fields have
   * their defaults, whatever is given. Throws if the reference exists, and ReferenceUnknown where a field names an
   * object that does not.
   */
  insert<C extends Class>(of: C, record: RecordOf<C>): void
  /**
   * Changes fields; bound partners follow. Throws ReferenceUnknown if there is no such object or a field names one that
   * does not exist. Setting an equal value changes nothing. Throws TypeError for a volatile field.
   */
  patch<C extends Class>(of: C, ref: string, change: Partial<RecordOf<C>>): void
  /**
   * Takes the object away, and its reference out of every bound partner. Removing what is not there changes nothing.
   * If a field that is not bound still names it when the body has ended, the transaction fails with ReferenceInUse.
   */
  remove(of: Class, ref: string): void
}

/** A reference field of an object that names another object. */
export interface User {
  readonly class: string
  readonly ref: string
  /** The wire name of the field. */
  readonly field: string
}

/** A lease that is being kept. */
export interface HeldLease {
  readonly name: string
  readonly owner: string
  /** Larger than that of every earlier holder: whoever is given orders under a smaller one refuses them. */
  readonly fence: number
  /** Aborted once the lease is lost or released; work under it must stop. */
  readonly signal: AbortSignal
  /** Gives the lease up; never rejects. Calling it twice is harmless. */
  release(): Promise<void>
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

/** A reference names no object of its class. */
export class ReferenceUnknown extends Error {
  override readonly name = 'ReferenceUnknown'
  readonly class: string
  readonly ref: string

  constructor(className: string, ref: string) {
    super(`there is no ${className} with the reference '${ref}'`)
    this.class = className
    this.ref = ref
  }
}

/** An object was to be removed while fields that are not bound still name it. */
export class ReferenceInUse extends Error {
  override readonly name = 'ReferenceInUse'
  readonly class: string
  readonly ref: string
  readonly users: readonly User[]

  constructor(className: string, ref: string, users: readonly User[]) {
    super(
      `${className} '${ref}' is named by ${users.map(user => `${user.class} '${user.ref}'.${user.field}`).join(', ')}`,
    )
    this.class = className
    this.ref = ref
    this.users = users
  }
}

/** The log could not be written. The change was taken back. */
export class StoreFailure extends Error {
  override readonly name = 'StoreFailure'
}

/** The data directory is held by another server, its log was written by a newer version, or it is damaged. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable'
}
