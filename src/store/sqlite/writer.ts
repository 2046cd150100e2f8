import { DatabaseSync } from 'node:sqlite'
import type { Lease } from '../log.ts'
import { compact } from './compaction.ts'
import { BUSY_TIMEOUT_MS, checksumOf, CONNECTION_PRAGMAS, isDamage, readNumber } from './database.ts'
import type { LeaseAnswer, Request } from './messages.ts'

/** How much text of deltas may gather before it is compacted, in characters: reading it again takes some 20 ms. */
const DELTA_CHARACTERS_MAX = 1024 * 1024
/** For how long nothing must have been asked for a step of the compaction to begin, in milliseconds. */
const QUIET_MS = 1
/** With how much text of deltas it no longer waits for quiet, in characters: each commit waits for a step of it. */
const DELTA_CHARACTERS_BEHIND_MAX = 64 * 1024 * 1024
/** For how long closing goes on with what is left to compact, so that the next start is quick, in milliseconds. */
const COMPACTION_AT_CLOSE_MS = 1_000
/** How long to leave a compaction alone that failed, in milliseconds. */
const COMPACTION_RETRY_MS = 60_000

/** The database was found in a state in which nothing may be written to it any more. */
export class WriterEnded extends Error {
  override readonly name = 'WriterEnded'
}

/** The one connection that writes. It lives in the worker, where waiting for the disk keeps nobody else waiting. */
export class DatabaseWriter {
  readonly #database: DatabaseSync
  readonly #warn: (message: string) => void
  readonly #insert
  readonly #find
  #generation: number
  #deltaCharacters: number
  /** A commit failed and may have left something in the side file that a crash would bring to life. */
  #isInDoubt = false
  #compaction: Generator<undefined, number> | undefined
  #compactionIsDue = false
  #answeredAt = 0
  #compactionRestsUntil = 0

  constructor(path: string, generation: number, warn: (message: string) => void) {
    this.#database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
    this.#database.exec(CONNECTION_PRAGMAS)
    this.#warn = warn
    this.#generation = generation
    this.#deltaCharacters = readNumber(this.#database, 'SELECT sum(octet_length(payload)) FROM deltas')
    this.#insert = this.#database.prepare('INSERT INTO deltas (last, first, payload, checksum) VALUES (?, ?, ?, ?)')
    this.#find = this.#database.prepare('SELECT 1 FROM deltas WHERE last = ?')
    this.#compactSoon()
  }

  /** Does what is asked; durable when it returns. Throws WriterEnded when nothing later can succeed either. */
  serve(request: Exclude<Request, { kind: 'open' }>): LeaseAnswer {
    switch (request.kind) {
      case 'append':
        return this.#append(request)
      case 'acquire':
        return this.#acquire(request.name, request.owner, request.now, request.ttlMs)
      case 'renew':
        return this.#renew(request.lease, request.now, request.ttlMs)
      case 'release':
        return this.#setExpiry(request.lease, 0)
      default:
        this.#close()
        return undefined
    }
  }

  /** To be called when an answer is out: when deltas gather faster than they are compacted, the next commit waits for a step. */
  afterAnswer(): void {
    if (!this.#database.isOpen) return
    this.#answeredAt = performance.now()
    const isBehind = this.#deltaCharacters > DELTA_CHARACTERS_BEHIND_MAX
    if (isBehind && this.#isCompactionWanted()) this.#stepOfCompaction()
    this.#compactSoon()
  }

  #append(batch: Extract<Request, { kind: 'append' }>): undefined {
    if (batch.after !== this.#generation) {
      throw new WriterEnded(`the log is at generation ${this.#generation}, not ${batch.after}`)
    }
    if (this.#isInDoubt) this.#repair()
    try {
      // A statement outside a transaction is one: it is on the disk when it returns.
      const { first, last, payload } = batch
      this.#insert.run(last, first, payload, checksumOf(last, first, payload))
    } catch (error) {
      this.#afterFailure(batch.last, error)
    }
    this.#generation = batch.last
    this.#deltaCharacters += batch.payload.length
  }

  /** Throws again, unless the batch is there all the same: what the database shows is what counts. */
  #afterFailure(last: number, error: unknown): void {
    if (isDamage(error)) throw new WriterEnded('the database is damaged', { cause: error })
    this.#isInDoubt = true
    if (this.#find.get(last) !== undefined) {
      this.#isInDoubt = false
      return
    }
    try {
      this.#repair()
    } catch {
      // Still in doubt; the next batch begins with this.
    }
    throw error
  }

  /**
   * Writes something where the failed commit was. The side file may still hold that commit, written but never
   * confirmed, and a crash would bring it to life; after another commit in its place it cannot be read any more.
   * Source: SQLite, WAL-mode File Format: frames are valid as long as their chain of checksums is.
   */
  #repair(): void {
    this.#database.exec('UPDATE meta SET repairs = repairs + 1')
    this.#isInDoubt = false
  }

  #acquire(name: string, owner: string, now: number, ttlMs: number): number | undefined {
    const row = this.#database
      .prepare(
        `INSERT INTO leases (name, owner, fence, expires_at) VALUES (:name, :owner, 1, :expiry)
         ON CONFLICT (name) DO UPDATE SET owner = :owner, fence = fence + 1, expires_at = :expiry
         WHERE owner = :owner OR expires_at <= :now RETURNING fence`,
      )
      .get({ name, owner, now, expiry: now + ttlMs })
    return row === undefined ? undefined : Number(row['fence'])
  }

  #renew(lease: Lease, now: number, ttlMs: number): boolean {
    return this.#setExpiry(lease, now + ttlMs)
  }

  #setExpiry(lease: Lease, expiry: number): boolean {
    const update = this.#database.prepare('UPDATE leases SET expires_at = ? WHERE name = ? AND fence = ?')
    return Number(update.run(expiry, lease.name, lease.fence).changes) > 0
  }

  #close(): void {
    const end = performance.now() + COMPACTION_AT_CLOSE_MS
    while (this.#isCompactionWanted() && performance.now() < end) this.#stepOfCompaction()
    this.#database.close()
  }

  #isCompactionWanted(): boolean {
    const isWanted = this.#compaction !== undefined || this.#deltaCharacters > DELTA_CHARACTERS_MAX
    return isWanted && performance.now() >= this.#compactionRestsUntil
  }

  /** As long as there is something to compact, a step in every quiet moment. */
  #compactSoon(): void {
    if (this.#compactionIsDue || !this.#isCompactionWanted()) return
    this.#compactionIsDue = true
    setTimeout(() => {
      this.#compactionIsDue = false
      if (!this.#database.isOpen) return
      const quietSince = performance.now() - this.#answeredAt
      if (quietSince >= QUIET_MS) this.#stepOfCompaction()
      this.#compactSoon()
    }, QUIET_MS)
  }

  #stepOfCompaction(): void {
    try {
      this.#compaction ??= compact(this.#database)
      const step = this.#compaction.next()
      if (step.done !== true) return
      this.#deltaCharacters -= step.value
      this.#compaction = undefined
    } catch (error) {
      this.#compaction = undefined
      this.#compactionRestsUntil = performance.now() + COMPACTION_RETRY_MS
      this.#warn(`the store could not be compacted: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
}
