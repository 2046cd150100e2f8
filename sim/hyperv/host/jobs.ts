import type { CimValue } from '../cim/model.ts'
import type { ObjectName } from '../cim/provider.ts'
import type { Faults, JobFault } from '../faults/plan.ts'
import type { Clock, Planned } from './clock.ts'
import { OperationError, Return } from './operation-error.ts'
import type { Random } from './random.ts'

/** CIM_ConcreteJob.JobState. Source: the ValueMap of the MOF. */
export const JobState = {
  new: 2,
  starting: 3,
  running: 4,
  completed: 7,
  terminated: 8,
  killed: 9,
  exception: 10,
} as const

/** Msvm_AffectedJobElement.ElementEffects: what a job does to an element. Source: the ValueMap of the MOF. */
export const Effect = { unknown: 0, other: 1, exclusiveUse: 2, performanceImpact: 3, integrity: 4, create: 5 } as const

/** The classes of jobs that this host starts. */
export type JobClass = 'Msvm_ConcreteJob' | 'Msvm_StorageJob' | 'Msvm_MigrationJob' | 'Msvm_NetworkJob'

/** Something a job is about. Either face prints it as a path of its own, where its schema has the class. */
export interface Affected {
  readonly name: ObjectName
  readonly effects: readonly number[]
}

/** What the work of a job is given to speak with. */
export interface JobRun {
  /** Aborts when the job is terminated or killed. */
  readonly signal: AbortSignal
  /** Names another element that the job is about, such as the one it made. */
  affects(name: ObjectName, ...effects: readonly number[]): void
  /** From 0 to 100; without it the clock tells. */
  progress(percent: number): void
}

export interface JobSpec {
  /** Msvm_ConcreteJob where nothing is said. */
  readonly className?: JobClass
  /** JobType, which also decides its texts; NetworkJobType of an Msvm_NetworkJob. */
  readonly type: number
  /** ElementName of the machine or switch, or path of the image, that it is about: for faults. */
  readonly target: string
  /** As Windows prints it: `HOST\Administrator`. */
  readonly owner: string
  /** How long it takes before its work is carried out. */
  readonly durationMs: number
  /** The service that started it. */
  readonly service?: ObjectName
  readonly affected?: readonly Affected[]
  /** Absent: true. */
  readonly isCancellable?: boolean
  /** What the job's class has beyond Msvm_ConcreteJob. */
  readonly details?: Readonly<Record<string, CimValue>>
  /** Told once when it ends without its work done: cancelled, or failed by plan or in the work itself. */
  readonly undo?: () => void
}

/** What the plan of faults said. */
export interface Planning {
  readonly fault: JobFault | undefined
}

/** Why a job ended in exception. */
export interface JobFailure {
  readonly code: number
  readonly message: string
  readonly messageId?: number
}

/** A job as it stands now. */
export interface Job {
  readonly id: string
  readonly className: JobClass
  readonly type: number
  readonly owner: string
  readonly service: ObjectName | undefined
  readonly state: number
  readonly percent: number
  readonly submittedAt: number
  readonly changedAt: number
  readonly elapsedMs: number
  readonly hasEnded: boolean
  readonly isCancellable: boolean
  readonly affected: readonly Affected[]
  readonly failure: JobFailure | undefined
  readonly details: Readonly<Record<string, CimValue>>
}

/** What jobs go by. */
export interface JobSurroundings {
  readonly clock: Clock
  readonly random: Random
  readonly faults: Faults
  /** How long things take: 1 is as on a real host, 0 is no time at all. */
  readonly pace: number
}

interface Entry {
  readonly id: string
  readonly spec: JobSpec
  readonly durationMs: number
  readonly submittedAt: number
  readonly abort: AbortController
  readonly affected: Affected[]
  percent: number | undefined
  end: { readonly state: number; readonly at: number } | undefined
  failure: JobFailure | undefined
  timer: Planned | undefined
  readonly done: PromiseWithResolvers<void>
}

/** How long an ended job stays. Source: the default of CIM_ConcreteJob.TimeBeforeRemoval, as recorded. */
export const KEPT_MS = 5 * 60_000
// A real host has no such bound that is known; beyond it those that ended first go first.
const JOBS_MAX = 10_000
const RUNNING_MAX = 1_000
// Chosen so that a client which looks at once sees every state, and one that looks after 15 ms sees a running job, as
// recorded.
const NEW_MS = 2
const STARTING_MS = 10

/** The jobs of a host. They do not outlive it. */
export class Jobs {
  readonly #surroundings: JobSurroundings
  readonly #entries = new Map<string, Entry>()

  constructor(surroundings: JobSurroundings) {
    this.#surroundings = surroundings
  }

  /**
   * Starts a job and returns its InstanceID. `work` is carried out when the job's time has passed; what it throws
   * as OperationError ends the job in exception, and anything else does so as "failed". The plan of faults is asked
   * once for each operation: where that was done before, `planned` is what it said.
   */
  start(spec: JobSpec, work: (run: JobRun) => unknown, planned?: Planning): string {
    this.#sweep()
    const running = [...this.#entries.values()].filter(entry => entry.end === undefined)
    if (running.length >= RUNNING_MAX) throw new OperationError(Return.failed, 'Too many jobs are running.')
    const { clock, random, pace } = this.#surroundings
    const { fault } = planned ?? { fault: this.faultOf(spec) }
    const entry: Entry = {
      id: random.guid(),
      spec,
      durationMs: spec.durationMs * pace * (fault?.slowness ?? 1),
      submittedAt: clock.now(),
      abort: new AbortController(),
      affected: [...(spec.affected ?? [])],
      percent: undefined,
      end: undefined,
      failure: undefined,
      timer: undefined,
      done: Promise.withResolvers(),
    }
    entry.timer = clock.after(entry.durationMs, () => void this.#carryOut(entry, work, fault))
    this.#entries.set(entry.id, entry)
    return entry.id
  }

  /** What the plan of faults holds for such a job. */
  faultOf(spec: JobSpec): JobFault | undefined {
    const className = spec.className ?? 'Msvm_ConcreteJob'
    return this.#surroundings.faults.ofJob({ className, type: spec.type, target: spec.target })
  }

  list(): Job[] {
    this.#sweep()
    return [...this.#entries.values()].map(entry => this.#view(entry))
  }

  find(id: string): Job | undefined {
    this.#sweep()
    const entry = this.#entries.get(id.toUpperCase())
    return entry === undefined ? undefined : this.#view(entry)
  }

  /** Resolves when the job has ended, however it did, or is not known. */
  async ended(id: string): Promise<void> {
    await this.#entries.get(id.toUpperCase())?.done.promise
  }

  /**
   * Ends a job that runs, before its work. Refused as invalid state where it has ended or cannot be cancelled.
   * Source: Msvm_ConcreteJob.RequestStateChange, 4 Terminate and 5 Kill.
   */
  cancel(id: string, state: typeof JobState.terminated | typeof JobState.killed): void {
    const entry = this.#entries.get(id.toUpperCase())
    if (entry === undefined || entry.end !== undefined || entry.spec.isCancellable === false) {
      throw new OperationError(Return.invalidState, 'The job cannot be cancelled.', { isImmediate: true })
    }
    entry.abort.abort()
    this.#finish(entry, state)
    entry.spec.undo?.()
  }

  /** Removes a job that has ended: what DeleteOnCompletion and DeleteOnKill ask for. */
  forget(id: string): void {
    const entry = this.#entries.get(id.toUpperCase())
    if (entry?.end !== undefined) this.#entries.delete(entry.id)
  }

  /** Ends all that runs; their work is not done. */
  close(): void {
    for (const entry of this.#entries.values()) {
      if (entry.end !== undefined) continue
      entry.abort.abort()
      this.#finish(entry, JobState.killed)
      entry.spec.undo?.()
    }
  }

  async #carryOut(entry: Entry, work: (run: JobRun) => unknown, fault: JobFault | undefined): Promise<void> {
    try {
      if (fault?.failure) throw new OperationError(fault.failure.code, fault.failure.message)
      await work(runOf(entry))
      if (entry.end === undefined) this.#finish(entry, JobState.completed)
    } catch (error) {
      if (entry.end !== undefined) return
      entry.failure = failureOf(error)
      this.#finish(entry, JobState.exception)
      entry.spec.undo?.()
    }
  }

  #finish(entry: Entry, state: number): void {
    entry.timer?.cancel()
    entry.end = { state, at: this.#surroundings.clock.now() }
    entry.done.resolve()
  }

  #view(entry: Entry): Job {
    const { spec, end } = entry
    const now = this.#surroundings.clock.now()
    const elapsedMs = (end?.at ?? now) - entry.submittedAt
    const byClock = Math.floor((elapsedMs / Math.max(entry.durationMs, 1)) * 100)
    return {
      id: entry.id,
      className: spec.className ?? 'Msvm_ConcreteJob',
      type: spec.type,
      owner: spec.owner,
      service: spec.service,
      state:
        end?.state ??
        (elapsedMs < NEW_MS ? JobState.new : elapsedMs < STARTING_MS ? JobState.starting : JobState.running),
      percent: end?.state === JobState.completed ? 100 : Math.min(entry.percent ?? byClock, 99),
      submittedAt: entry.submittedAt,
      changedAt: end?.at ?? entry.submittedAt,
      elapsedMs,
      hasEnded: end !== undefined,
      isCancellable: spec.isCancellable ?? true,
      affected: entry.affected,
      failure: entry.failure,
      details: spec.details ?? {},
    }
  }

  #sweep(): void {
    const now = this.#surroundings.clock.now()
    let tooMany = this.#entries.size - JOBS_MAX
    for (const [id, { end }] of this.#entries) {
      if (end === undefined || (tooMany <= 0 && now - end.at < KEPT_MS)) continue
      this.#entries.delete(id)
      tooMany -= 1
    }
  }
}

const AFFECTED_MAX = 1_000

function runOf(entry: Entry): JobRun {
  return {
    signal: entry.abort.signal,
    affects(name, ...effects) {
      if (entry.affected.length < AFFECTED_MAX) entry.affected.push({ name, effects })
    },
    progress(percent) {
      entry.percent = Math.max(0, Math.min(100, Math.floor(percent)))
    },
  }
}

function failureOf(error: unknown): JobFailure {
  if (!(error instanceof OperationError)) {
    return { code: Return.failed, message: error instanceof Error ? error.message : String(error) }
  }
  const { code, message, messageId } = error
  return messageId === undefined ? { code, message } : { code, message, messageId }
}
