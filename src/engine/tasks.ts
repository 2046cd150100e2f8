import { randomUUID } from 'node:crypto'
import { fail } from '../model/errors.ts'
import { task } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'
import type { ApiError } from '../model/kernel/error.ts'
import type { Operation } from '../model/kernel/operations.ts'
import type { Store } from '../store/store.ts'
import { resultToText } from './result.ts'

/** What the work inside a task is given. */
export interface TaskControl {
  /** The reference of the task; empty for a synchronous call. */
  readonly ref: string
  /** Aborted when the task is cancelled, when the server gives it up, or when the caller has gone away. */
  readonly signal: AbortSignal
  /** Says how far the work is, 0 to 1. Going back is ignored. */
  readonly progress: (share: number) => void
}

/** The bounds of tasks. */
export interface TaskLimits {
  readonly runningPerUserMax: number
  readonly historyMs: number
  readonly historyMax: number
}

/** 100 running tasks a user; a day and 10,000 of history. Source: DESIGN §7. */
export const TASK_LIMITS: TaskLimits = { runningPerUserMax: 100, historyMs: 24 * 3_600_000, historyMax: 10_000 }

/** What tasks are made with. */
export interface TaskOptions {
  readonly store: Store
  readonly now: () => number
  /** Names this server process. */
  readonly owner: string
  readonly limits?: TaskLimits
  /** Told what a task's work threw; answers the error that the client is shown. */
  readonly toApiError: (error: unknown, operation: Operation) => ApiError
}

/** Where a task stands. */
export interface TaskProgress {
  readonly record: RecordOf<typeof task>
  /** 0 to 100; 100 only when it has ended. */
  readonly percent: number
  readonly eta: Date
}

interface Running {
  readonly user: string
  readonly abort: AbortController
  readonly done: Promise<void>
  share: number
}

/** How long tasks that are told to stop at the end of the server may take to undo what they did. */
const UNDO_MS = 5_000

/** The reason with which a user's cancellation aborts a task. */
const CANCELLED = 'cancelled'

/** Asynchronous calls: each a stored object, so that its end is known after a restart too. */
export class Tasks {
  readonly #options: TaskOptions
  readonly #limits: TaskLimits
  readonly #running = new Map<string, Running>()

  constructor(options: TaskOptions) {
    this.#options = options
    this.#limits = options.limits ?? TASK_LIMITS
  }

  /** Names this server process. */
  get owner(): string {
    return this.#options.owner
  }

  /** Ends the tasks of servers that are gone as failed. Called once, at start. */
  async failInterrupted(): Promise<void> {
    const { store, now, owner } = this.#options
    const left = store.findBy(task, 'status', 'pending').filter(ref => store.get(task, ref)?.owner !== owner)
    if (left.length === 0) return
    await store.transact(transaction => {
      for (const ref of left) {
        const { method } = transaction.get(task, ref) ?? { method: '' }
        const error = fail('TASK_INTERRUPTED', { task: ref, method, undone: '' }).description
        transaction.patch(task, ref, { status: 'failure', finished: new Date(now()), error })
      }
    })
  }

  /**
   * Starts `work` as a task of the user and answers its reference once that is durable. Throws
   * TOO_MANY_PENDING_TASKS.
   */
  async start(user: string, operation: Operation, work: (control: TaskControl) => Promise<unknown>): Promise<string> {
    const { store, now, owner } = this.#options
    const mine = [...this.#running.values()].filter(running => running.user === user)
    if (mine.length >= this.#limits.runningPerUserMax) throw fail('TOO_MANY_PENDING_TASKS', {})
    const uuid = randomUUID()
    const abort = new AbortController()
    const { promise: stored, resolve: go, reject: giveUp } = Promise.withResolvers<void>()
    const done = stored.then(() => this.#run(uuid, operation, work, abort.signal))
    this.#running.set(uuid, { user, abort, done, share: 0 })
    const started = {
      created: new Date(now()),
      finished: new Date(0),
      status: 'pending',
      result: '',
      error: [],
    } as const
    try {
      await store.transact(transaction =>
        transaction.insert(task, { uuid, user, method: operation.name, owner, ...started }),
      )
      go()
    } catch (error) {
      this.#running.delete(uuid)
      done.catch(() => undefined) // The caller is told below; nobody waits for this one.
      giveUp(error)
      throw error
    }
    return uuid
  }

  /** Where a task of the user stands. Throws HANDLE_INVALID where the user has no such task. */
  progress(ref: string, user: string): TaskProgress {
    const record = this.#options.store.get(task, ref)
    if (record === undefined || record.user !== user) throw fail('HANDLE_INVALID', { class: 'task', handle: ref })
    const now = this.#options.now()
    if (record.status !== 'pending') return { record, percent: 100, eta: new Date(now) }
    const share = this.#running.get(ref)?.share ?? 0
    const elapsedMs = Math.max(1, now - record.created.getTime())
    // Nothing is known of work that has not reported yet: guess that half of it is done.
    const leftMs = share > 0 ? (elapsedMs * (1 - share)) / share : elapsedMs
    return { record, percent: Math.min(99, Math.floor(share * 100)), eta: new Date(now + Math.max(1000, leftMs)) }
  }

  /** Tells a running task of the user to stop; one that has ended stays as it is. Throws HANDLE_INVALID as `progress`. */
  cancel(ref: string, user: string): void {
    this.progress(ref, user)
    this.#running.get(ref)?.abort.abort(CANCELLED)
  }

  /** The tasks of the user that are still running, oldest first. */
  running(user: string): readonly string[] {
    const mine = [...this.#running].filter(([, running]) => running.user === user).map(([ref]) => ref)
    // One whose end is known runs no more, though the log may not have it yet.
    return mine.filter(ref => this.#options.store.get(task, ref)?.status === 'pending')
  }

  /** Forgets finished tasks beyond the bounds of the history. */
  async sweep(): Promise<void> {
    const { store, now } = this.#options
    const ended = store.all(task).filter(ref => store.get(task, ref)?.status !== 'pending')
    const tooOld = (ref: string) => now() - (store.get(task, ref)?.finished.getTime() ?? 0) > this.#limits.historyMs
    const surplus = ended.length - this.#limits.historyMax
    const gone = ended.filter((ref, index) => index < surplus || tooOld(ref))
    if (gone.length === 0) return
    await store.transact(transaction => {
      for (const ref of gone) transaction.remove(task, ref)
    })
  }

  /** Waits for the tasks that are running, at most `graceMs`, then tells the rest to stop. */
  async close(graceMs: number): Promise<void> {
    const all = [...this.#running.values()]
    if (all.length === 0) return
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, graceMs)
    await Promise.race([Promise.allSettled(all.map(running => running.done)), late])
    clearTimeout(timer)
    for (const running of all) running.abort.abort()
    // Those that were cut off take back what they did; what does not come to an end now is undone at the next start.
    const { promise: over, resolve: give } = Promise.withResolvers<void>()
    const last = setTimeout(give, UNDO_MS)
    await Promise.race([Promise.allSettled(all.map(running => running.done)), over])
    clearTimeout(last)
  }

  async #run(
    uuid: string,
    operation: Operation,
    work: (control: TaskControl) => Promise<unknown>,
    signal: AbortSignal,
  ): Promise<void> {
    const running = this.#running.get(uuid)
    const progress = (share: number) => {
      if (running !== undefined) running.share = Math.max(running.share, Math.min(1, share))
    }
    let end: Partial<RecordOf<typeof task>>
    try {
      end = { status: 'success', result: resultToText(operation.result, await work({ ref: uuid, signal, progress })) }
    } catch (error) {
      // Whatever it was that broke off, the reason is known; that something remains is in the log.
      const failure = this.#options.toApiError(error, operation).description
      const isCancelled = signal.aborted && signal.reason === CANCELLED
      end = isCancelled
        ? { status: 'cancelled', error: fail('TASK_CANCELLED', { task: uuid }).description }
        : { status: 'failure', error: failure }
    }
    await this.#finish(uuid, operation, end)
  }

  async #finish(uuid: string, operation: Operation, end: Partial<RecordOf<typeof task>>): Promise<void> {
    const { store, now, toApiError } = this.#options
    try {
      await store.transact(transaction => transaction.patch(task, uuid, { ...end, finished: new Date(now()) }))
    } catch (error) {
      toApiError(error, operation) // Logs it. The task stays pending and is failed at the next start.
    } finally {
      this.#running.delete(uuid)
    }
  }
}
