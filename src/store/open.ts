import type { Class, RecordOf } from '../model/kernel/define.ts'
import { type Clock, systemClock } from './clock.ts'
import { type Commit, commitOf } from './commit.ts'
import { Committer } from './committer.ts'
import { Damaged, EncodedObjects } from './delta.ts'
import { Feed } from './feed.ts'
import { holdLease } from './lease.ts'
import { type Log, LogFailure } from './log.ts'
import { mend, type Restored, restore } from './restore.ts'
import { compileSchema } from './schema.ts'
import {
  type Change,
  type HeldLease,
  type Store,
  StoreFailure,
  StoreUnavailable,
  type Transaction,
  type User,
} from './store.ts'
import { sample } from './sample.ts'
import { find, type Tables, tableOf, usersOf } from './table.ts'
import { OpenTransaction, recordOf } from './transaction.ts'
import { Writer } from './writer.ts'

/** What a store is made of. */
export interface StoreOptions {
  /** Every class whose objects it holds. */
  readonly classes: readonly Class[]
  /** Where it is kept; the store closes it. */
  readonly log: Log
  readonly clock?: Clock
  /** Is told what an operator should know and nothing fails for; without it, a process warning. */
  readonly warn?: (message: string) => void
}

/** How many objects are completed with new fields in one transaction when a store is opened. */
const COMPLETED_PER_COMMIT_MAX = 1_000

/**
 * Opens the store that the log holds; an empty log is an empty store. Objects written under an older declaration are
 * completed, and the log learns that, before this resolves. Rejects with StoreUnavailable, and with TypeError for
 * classes that cannot be stored.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { log, clock = systemClock, warn = message => process.emitWarning(message) } = options
  const schema = compileSchema(options.classes)
  const objects = new EncodedObjects()
  try {
    const generation = await log.load({
      object: (className, ref, record) => objects.put(className, ref, record),
      change: (_generation, change) => objects.apply(change),
    })
    const restored = restore(schema, objects, warn)
    const feed = new Feed(generation, warn)
    const committer = new Committer(log, feed, generation)
    await bringUpToDate(restored, committer)
    return new ObjectStore(restored.tables, log, committer, feed, clock)
  } catch (error) {
    await log.close()
    if (!(error instanceof Damaged || error instanceof StoreFailure)) throw error
    const wayOut = error instanceof Damaged ? '; nothing was changed, restore it from a backup' : ''
    throw new StoreUnavailable(`${log.place} cannot be used: ${error.message}${wayOut}`, { cause: error })
  }
}

/** Logs what reading an older store completed and mended, so that later deltas meet the records they were made for. */
async function bringUpToDate({ tables, completed }: Restored, committer: Committer): Promise<void> {
  for (let start = 0; start < completed.length; start += COMPLETED_PER_COMMIT_MAX) {
    const part = completed.slice(start, start + COMPLETED_PER_COMMIT_MAX)
    const text = JSON.stringify(part.map(({ class: name, ref, fields }) => ['m', name, ref, fields, {}]))
    await committer.commit({ generation: committer.generation + 1, text, changes: [], touches: [] }, undefined)
  }
  const writer = new Writer(tables)
  mend(tables, writer)
  const commit = commitOf(writer.end(), committer.generation + 1)
  if (commit !== undefined) await committer.commit(commit, undefined)
}

class ObjectStore implements Store {
  readonly #tables: Tables
  readonly #writer: Writer
  readonly #log: Log
  readonly #committer: Committer
  readonly #feed: Feed
  readonly #clock: Clock
  #isInTransaction = false
  #closing: Promise<void> | undefined

  constructor(tables: Tables, log: Log, committer: Committer, feed: Feed, clock: Clock) {
    this.#tables = tables
    this.#writer = new Writer(tables)
    this.#log = log
    this.#committer = committer
    this.#feed = feed
    this.#clock = clock
  }

  get generation(): number {
    return this.#committer.generation
  }

  get durableGeneration(): number {
    return this.#feed.newest
  }

  all(of: Class): readonly string[] {
    return tableOf(this.#tables, of.name).refs()
  }

  get<C extends Class>(of: C, ref: string): RecordOf<C> | undefined {
    return recordOf(of, tableOf(this.#tables, of.name).get(ref))
  }

  findBy<C extends Class>(of: C, wireField: keyof RecordOf<C> & string, value: unknown): readonly string[] {
    return find(this.#tables, of.name, wireField, value)
  }

  usersOf(of: Class, ref: string): readonly User[] {
    return usersOf(this.#tables, of.name, ref)
  }

  transact<R>(body: (transaction: Transaction) => R): Promise<R> {
    const refusal = this.#closing === undefined ? this.#committer.refusal : new StoreFailure('the store is closed')
    if (refusal !== undefined) return Promise.reject(refusal)
    try {
      const { result, commit } = this.#run(body)
      if (commit !== undefined) return this.#committer.commit(commit, result)
      return this.#committer.settled().then(() => result)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  sample<C extends Class>(of: C, ref: string, measured: Partial<RecordOf<C>>): void {
    if (this.#isInTransaction) throw new TypeError('a sample cannot be written within a transaction')
    sample(tableOf(this.#tables, of.name), ref, measured)
  }

  settled(): Promise<void> {
    return this.#committer.settled()
  }

  changesSince(after: number): readonly Change[] | undefined {
    return this.#feed.since(after)
  }

  onChange(listener: (changes: readonly Change[]) => void): () => void {
    return this.#feed.listen(listener)
  }

  async holdLease(name: string, owner: string): Promise<HeldLease | undefined> {
    try {
      return await holdLease(this.#log, this.#clock, name, owner)
    } catch (cause) {
      if (!(cause instanceof LogFailure)) throw cause
      throw new StoreFailure(`the lease ${name} could not be asked for: ${cause.message}`, { cause })
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#committer
      .settled()
      .catch(() => undefined) // Whoever waits for what could not be written has been told.
      .then(() => this.#log.close())
    return this.#closing
  }

  /** Runs a body to its end. Throws what it throws, with nothing changed. */
  #run<R>(body: (transaction: Transaction) => R): { readonly result: R; readonly commit: Commit | undefined } {
    if (this.#isInTransaction) throw new TypeError('a transaction cannot begin within another')
    this.#isInTransaction = true
    const transaction = new OpenTransaction(this.#tables, this.#writer)
    try {
      const result = body(transaction)
      if (result instanceof Promise) {
        result.catch(() => undefined)
        throw new TypeError('the body of a transaction cannot wait')
      }
      return { result, commit: commitOf(transaction.end(), this.#committer.generation + 1) }
    } catch (error) {
      transaction.abandon()
      throw error
    } finally {
      this.#isInTransaction = false
    }
  }
}
