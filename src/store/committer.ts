import { type Commit, takeBack } from './commit.ts'
import type { Feed } from './feed.ts'
import { type Log, LogFailure } from './log.ts'
import { StoreFailure } from './store.ts'

/** How many transactions may wait for the log. */
export const WAITING_MAX = 65_536
/** How much text may wait for the log, in characters. */
export const WAITING_CHARACTERS_MAX = 64 * 1024 * 1024
/** How much text goes to the log at once, in characters; a larger transaction goes alone. */
export const BATCH_CHARACTERS_MAX = 1024 * 1024
/**
 * A log that took less than this for its last batch, in milliseconds, is quick: then it is better to keep it busy with
 * half of the callers while the other half is at work here than to wait for all of them.
 */
const QUICK_LOG_MS = 1

interface Waiting {
  readonly commit: Commit
  readonly resolve: () => void
  readonly reject: (failure: StoreFailure) => void
}

/**
 * Brings commits to the log, in order. One batch is on its way at a time; commits that come meanwhile go together in
 * the next, so that the more callers there are the fewer waits for the disk each costs.
 */
export class Committer {
  readonly #log: Log
  readonly #feed: Feed
  #generation: number
  #durable: number
  #waiting: Waiting[] = []
  #waitingCharacters = 0
  #onTheirWay: readonly Waiting[] = []
  #sentAt = 0
  #lastBatch = { size: 0, tookMs: 0 }
  #flushIsDue = false
  #last: Promise<unknown> = Promise.resolve()
  #failedForGood: StoreFailure | undefined

  constructor(log: Log, feed: Feed, generation: number) {
    this.#log = log
    this.#feed = feed
    this.#generation = generation
    this.#durable = generation
  }

  /** The newest generation, durable or not. */
  get generation(): number {
    return this.#generation
  }

  /** Why nothing more can be committed for now; undefined when something can. */
  get refusal(): StoreFailure | undefined {
    if (this.#failedForGood !== undefined) return this.#failedForGood
    const isFull = this.#waiting.length >= WAITING_MAX || this.#waitingCharacters >= WAITING_CHARACTERS_MAX
    return isFull ? new StoreFailure(`${this.#waiting.length} transactions wait for the log already`) : undefined
  }

  /**
   * Takes the commit of the generation after the newest. Resolves with `result` when it is durable; rejects with
   * StoreFailure.
   */
  commit<R>(commit: Commit, result: R): Promise<R> {
    this.#generation = commit.generation
    this.#waitingCharacters += commit.text.length
    const durable = new Promise<R>((resolve, reject) => {
      this.#waiting.push({ commit, resolve: () => resolve(result), reject })
    })
    this.#last = durable
    if (this.#isTimeToFlush()) this.#flush()
    else this.#flushSoon()
    return durable
  }

  /** Resolves when everything committed so far is durable; rejects with StoreFailure if it was taken back. */
  async settled(): Promise<void> {
    await this.#last
  }

  #isTimeToFlush(): boolean {
    if (this.#onTheirWay.length > 0 || this.#waiting.length === 0) return false
    return this.#lastBatch.tookMs < QUICK_LOG_MS && this.#waiting.length * 2 >= this.#lastBatch.size
  }

  /** In the next tick: by then, all callers that the last batch woke have come back with their next commit. */
  #flushSoon(): void {
    if (this.#flushIsDue || this.#onTheirWay.length > 0 || this.#waiting.length === 0) return
    this.#flushIsDue = true
    process.nextTick(() => {
      this.#flushIsDue = false
      if (this.#onTheirWay.length === 0 && this.#waiting.length > 0) this.#flush()
    })
  }

  #flush(): void {
    const batch = this.#nextBatch()
    this.#onTheirWay = batch
    this.#sentAt = performance.now()
    const deltas = batch.map(({ commit }) => ({ generation: commit.generation, changes: commit.text }))
    this.#log.append({ after: this.#durable, deltas }).then(
      () => this.#succeeded(batch),
      (error: unknown) => this.#failed(error),
    )
  }

  /** As many of those waiting as fit. */
  #nextBatch(): readonly Waiting[] {
    let [count, characters] = [0, 0]
    for (const { commit } of this.#waiting) {
      if (count > 0 && characters + commit.text.length > BATCH_CHARACTERS_MAX) break
      characters += commit.text.length
      count += 1
    }
    this.#waitingCharacters -= characters
    return this.#waiting.splice(0, count)
  }

  #succeeded(batch: readonly Waiting[]): void {
    this.#onTheirWay = []
    this.#lastBatch = { size: batch.length, tookMs: performance.now() - this.#sentAt }
    this.#durable = batch.at(-1)?.commit.generation ?? this.#durable
    if (this.#isTimeToFlush()) this.#flush()
    for (const { commit, resolve } of batch) {
      this.#feed.push(commit.generation, commit.changes)
      resolve()
    }
    for (const { commit } of batch) if (commit.changes.length > 0) this.#feed.tell(commit.changes)
    this.#flushSoon()
  }

  /** What waited behind the failed batch was built on it, and goes with it. */
  #failed(cause: unknown): void {
    const lost = [...this.#onTheirWay, ...this.#waiting]
    this.#onTheirWay = []
    this.#waiting = []
    this.#waitingCharacters = 0
    this.#last = Promise.resolve()
    this.#generation += 1
    const changes = takeBack(
      lost.map(({ commit }) => commit),
      this.#generation,
    )
    this.#feed.push(this.#generation, changes)

    const failure = failureOf(cause)
    if (cause instanceof LogFailure && cause.forGood) this.#failedForGood = failure
    for (const { reject } of lost.toReversed()) reject(failure)
    if (changes.length > 0) this.#feed.tell(changes)
  }
}

function failureOf(cause: unknown): StoreFailure {
  const reason = cause instanceof Error ? cause.message : String(cause)
  const isForGood = cause instanceof LogFailure && cause.forGood
  const outlook = isForGood ? '; the log has ended for good, the server must be started again' : ''
  return new StoreFailure(`the change could not be made durable and was taken back: ${reason}${outlook}`, { cause })
}
