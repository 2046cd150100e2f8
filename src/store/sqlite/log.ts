import { Worker } from 'node:worker_threads'
import { type Clock, systemClock } from '../clock.ts'
import { joinDeltas } from '../delta.ts'
import { type Batch, type Lease, type Log, LogFailure, type LogReader } from '../log.ts'
import { StoreUnavailable } from '../store.ts'
import { isDamage } from './database.ts'
import { type HeldFolder, holdFolder } from './folder.ts'
import { loadDatabase } from './load.ts'
import type { Answer, LeaseAnswer, Request } from './messages.ts'

/** How many requests may wait for the worker. Commits come one batch at a time; the rest are leases. */
export const REQUESTS_MAX = 1_000

/** What a log on this machine's disk is made of. */
export interface SqliteLogOptions {
  /** The data folder; made if need be. It must be on a local file system. */
  readonly folder: string
  readonly clock?: Clock
  /** Is told what an operator should know and nothing fails for; without it, a process warning. */
  readonly warn?: (message: string) => void
}

/**
 * A log in an SQLite database in the data folder. Nothing happens before `load`. The database is read here, once,
 * while the worker that will write it starts.
 */
export function sqliteLog(options: SqliteLogOptions): Log {
  return new SqliteLog(options)
}

interface Waiting {
  readonly resolve: (value: LeaseAnswer) => void
  readonly reject: (failure: LogFailure) => void
}

class SqliteLog implements Log {
  readonly place: string
  readonly #folder: string
  readonly #clock: Clock
  readonly #warn: (message: string) => void
  readonly #waiting = new Map<number, Waiting>()
  #held: HeldFolder | undefined
  #worker: Worker | undefined
  #workerExit: Promise<void> = Promise.resolve()
  #ended: LogFailure | undefined
  #lastId = 0
  #closing: Promise<void> | undefined

  constructor({ folder, clock = systemClock, warn = message => process.emitWarning(message) }: SqliteLogOptions) {
    this.place = `the store in ${folder}`
    this.#folder = folder
    this.#clock = clock
    this.#warn = warn
  }

  async load(reader: LogReader): Promise<number> {
    try {
      const held = holdFolder(this.#folder)
      this.#held = held
      this.#startWorker()
      const generation = loadDatabase(held.databasePath, this.#folder, reader)
      held.markBegun()
      // Nobody waits for the worker to start: what is asked of it until then waits for it.
      this.#ask({ kind: 'open', path: held.databasePath, generation }).catch((error: Error) =>
        this.#lose(error.message),
      )
      return generation
    } catch (error) {
      await this.close()
      throw this.#unavailable(error)
    }
  }

  async append({ after, deltas }: Batch): Promise<void> {
    const [first = after, last = after] = [deltas[0]?.generation, deltas.at(-1)?.generation]
    await this.#ask({ kind: 'append', after, first, last, payload: joinDeltas(deltas) })
  }

  async acquireLease(name: string, owner: string, ttlMs: number): Promise<Lease | undefined> {
    const fence = await this.#ask({ kind: 'acquire', name, owner, now: this.#clock.now(), ttlMs })
    return typeof fence === 'number' ? { name, owner, fence } : undefined
  }

  async renewLease(lease: Lease, ttlMs: number): Promise<boolean> {
    return (await this.#ask({ kind: 'renew', lease, now: this.#clock.now(), ttlMs })) === true
  }

  async releaseLease(lease: Lease): Promise<void> {
    await this.#ask({ kind: 'release', lease })
  }

  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  async #end(): Promise<void> {
    // A worker that has ended already, or cannot close, leaves a database that the next server recovers.
    if (this.#worker !== undefined) await this.#ask({ kind: 'close' }).catch(() => this.#worker?.terminate())
    await this.#workerExit
    this.#held?.release()
  }

  /** The file beside this one: `.ts` in a checkout, `.js` once compiled. */
  #startWorker(): void {
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    // Without this process's own arguments: `node -e` and the like would not suit a worker.
    const worker = new Worker(new URL(`./worker.${extension}`, import.meta.url), { execArgv: [] })
    worker.on('message', (answer: Answer) => this.#hear(answer))
    worker.on('error', error =>
      this.#lose(`the log's worker failed: ${error instanceof Error ? error.message : error}`),
    )
    this.#workerExit = new Promise(resolve => {
      worker.on('exit', () => {
        this.#lose("the log's worker has ended")
        resolve()
      })
    })
    this.#worker = worker
  }

  #ask(request: Request): Promise<LeaseAnswer> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    if (this.#worker === undefined) return Promise.reject(new LogFailure('the log is not loaded', { forGood: false }))
    if (this.#waiting.size >= REQUESTS_MAX) {
      return Promise.reject(new LogFailure(`${REQUESTS_MAX} requests wait for the log already`, { forGood: false }))
    }
    this.#lastId += 1
    const id = this.#lastId
    this.#worker.postMessage({ id, request })
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
    })
  }

  #hear(answer: Answer): void {
    if (answer.kind === 'warning') return this.#warn(answer.message)
    const waiting = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    if (answer.kind === 'done') waiting?.resolve(answer.value)
    else waiting?.reject(new LogFailure(answer.message, { forGood: answer.forGood }))
  }

  /** Without its worker, the log has ended for good: whether the last batch is durable, only reading again can tell. */
  #lose(reason: string): void {
    this.#ended ??= new LogFailure(reason, { forGood: true })
    for (const { reject } of this.#waiting.values()) reject(this.#ended)
    this.#waiting.clear()
  }

  #unavailable(error: unknown): unknown {
    if (error instanceof StoreUnavailable) return error
    const reason = error instanceof Error ? error.message : String(error)
    const wayOut = isDamage(error)
      ? ' The damaged files were left as they are: move them aside and restore state.db from a backup'
      : ''
    const verb = isDamage(error) ? 'is damaged' : 'cannot be opened'
    return new StoreUnavailable(`${this.place} ${verb}: ${reason}.${wayOut}`, { cause: error })
  }
}
