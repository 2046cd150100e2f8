import type { CimValue } from '../cim/model.ts'
import { printPath } from '../cim/path.ts'
import type { MethodResult } from '../cim/provider.ts'
import type { JobFault } from '../faults/plan.ts'
import type { Host } from './host.ts'
import type { JobRun, JobSpec, Planning } from './jobs.ts'
import { named } from './names.ts'
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
  readonly check?: () => void
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
  const isJob = mode === 'async' || (mode === 'real' && operation.usually === 'job')
  let planned: Planning | undefined
  try {
    operation.check?.()
    // Nothing is awaited between the check and the beginning: what was checked still holds then.
    if (isJob) return startJob(host, operation, operation.work)
    planned = { fault: host.jobs.faultOf(operation.job) }
    // A plan that makes this job slow, or fail, needs a job to do it to.
    if (planned.fault !== undefined && mode === 'real') return startJob(host, operation, operation.work, planned)
    return await runNow(operation, planned.fault)
  } catch (error) {
    if (!(error instanceof OperationError)) throw error
    if (error.isImmediate || mode === 'sync') return { returnValue: error.code }
    const fail = (): never => {
      throw error
    }
    return startJob(host, failing(operation), fail, planned)
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

async function runNow(operation: Operation, fault: JobFault | undefined): Promise<MethodResult> {
  const failure = fault?.failure
  if (failure !== undefined) throw new OperationError(failure.code, failure.message)
  operation.begin?.()
  try {
    return done((await operation.work(WITHOUT_JOB)) ?? {})
  } catch (error) {
    operation.job.undo?.()
    throw error
  }
}

function startJob(host: Host, operation: Operation, work: (run: JobRun) => unknown, planned?: Planning): MethodResult {
  const id = host.jobs.start(operation.job, work, planned)
  operation.begin?.()
  const className = operation.job.className ?? 'Msvm_ConcreteJob'
  const name = named(className, { InstanceID: id })
  const Job = printPath({ ...name, host: host.state.name, namespace: operation.namespace })
  return { returnValue: Return.jobStarted, output: { Job } }
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
