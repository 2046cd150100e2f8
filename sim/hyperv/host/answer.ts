import type { CimValue } from '../cim/model.ts'
import type { MethodResult } from '../cim/provider.ts'
import type { Host } from './host.ts'
import type { JobRun, JobSpec } from './jobs.ts'
import { OperationError, Return } from './operation-error.ts'

/** Out parameters by the schema's spelling. */
export type Output = Readonly<Record<string, CimValue>>

export interface Operation {
  /** The namespace that is asked, for the path of the job: `root\virtualization\v2`. */
  readonly namespace: string
  /**
   * How real hosts answer the method when all goes well: in the answer itself, or by a job.
   * Source: observed on Server 2025; docs/doubts.md says where others were seen.
   */
  readonly usually: 'now' | 'job'
  readonly job: JobSpec
  /** What is checked before the answer: what it refuses as immediate never becomes a job. */
  readonly check?: () => void | Promise<void>
  /** What has begun once the answer is given, such as the state "starting"; undone by the job's `undo`. */
  readonly begin?: () => void
  /** What is done; its output goes into the answer when there is no job, and is lost otherwise, as on real hosts. */
  readonly work: (run: JobRun) => Output | void | Promise<Output | void>
}

/**
 * Carries out an operation and makes the answer: return value 0 with its output, a refusal's code, or 4096 with a
 * job. What fails in "now" methods fails in a job all the same, unless the refusal is immediate.
 */
export async function answer(host: Host, operation: Operation): Promise<MethodResult> {
  const mode = host.faults.answers
  try {
    await operation.check?.()
    if (mode === 'sync') return await runNow(host, operation)
    if (mode === 'async' || operation.usually === 'job') return startJob(host, operation, operation.work)
    return await runOrFailLater(host, operation)
  } catch (error) {
    if (!(error instanceof OperationError)) throw error
    if (error.isImmediate || mode === 'sync') return { returnValue: error.code }
    return startJob(host, failing(operation), () => {
      throw error
    })
  }
}

/** The answer to what cannot become a job: return value 0, or the refusal's code. */
export function answerNow(work: () => Output | void | Promise<Output | void>): Promise<MethodResult> {
  return orRefusal(async () => done((await work()) ?? {}))
}

/** The answer that `work` makes; where it is refused before there is one, the refusal's code. */
export async function orRefusal(work: () => MethodResult | Promise<MethodResult>): Promise<MethodResult> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof OperationError) return { returnValue: error.code }
    throw error
  }
}

async function runOrFailLater(host: Host, operation: Operation): Promise<MethodResult> {
  // A plan that makes this job slow, or fail, needs a job to do it to.
  if (host.jobs.faultOf(operation.job) !== undefined) return startJob(host, operation, operation.work)
  return runNow(host, operation)
}

async function runNow(host: Host, operation: Operation): Promise<MethodResult> {
  const failure = host.jobs.faultOf(operation.job)?.failure
  if (failure !== undefined) throw new OperationError(failure.code, failure.message)
  operation.begin?.()
  try {
    return done((await operation.work(WITHOUT_JOB)) ?? {})
  } catch (error) {
    operation.job.undo?.()
    throw error
  }
}

function startJob(host: Host, operation: Operation, work: (run: JobRun) => unknown): MethodResult {
  const id = host.jobs.start(operation.job, work)
  operation.begin?.()
  const className = operation.job.className ?? 'Msvm_ConcreteJob'
  const path = `\\\\${host.state.name}\\${operation.namespace}:${className}.InstanceID="${id}"`
  return { returnValue: Return.jobStarted, output: { Job: path } }
}

// A real host takes a moment to find out; nothing has begun that would have to be undone.
function failing(operation: Operation): Operation {
  const { begin: _begin, job, ...rest } = operation
  const { undo: _undo, ...spec } = job
  return { ...rest, job: { ...spec, durationMs: Math.min(spec.durationMs, FAILING_MS) } }
}

const FAILING_MS = 100

const done = (output: Output): MethodResult => ({ returnValue: Return.ok, output })

const WITHOUT_JOB: JobRun = {
  signal: new AbortController().signal,
  affects: () => undefined,
  progress: () => undefined,
}
