import { setTimeout as pause } from 'node:timers/promises'
import {
  type CimInstance,
  defineMethod,
  type EndpointReference,
  TransportError,
  WsmanFault,
} from '../../../protocols/wsman/index.ts'
import { DriverError, type OperationOptions } from '../../driver.ts'
import { isLost } from '../again.ts'
import type { Link } from './link.ts'
import { RETURN, RETURN_TEXTS } from './return-codes.ts'

const END_JOB = defineMethod('Msvm_ConcreteJob', 'RequestStateChange', {
  input: { RequestedState: 'uint16' },
  output: {},
})

/** RequestedState of Msvm_ConcreteJob. Source: Microsoft Learn, "RequestStateChange method of Msvm_ConcreteJob". */
const TERMINATE_JOB = 4

/** JobState of Msvm_ConcreteJob. Source: its ValueMap, the same in both namespaces. */
const JOB_STATE = {
  completed: 7,
  terminated: 8,
  killed: 9,
  exception: 10,
  completedWithWarnings: 32_768,
} as const

/** How long a job may take. */
const JOB_MS_MAX = 15 * 60_000
/** The pause before the second look at a job; each one after that is half as long again. */
const PAUSE_MS = 20
/** The longest such pause. */
const PAUSE_MS_MAX = 2_000
const PAUSE_GROWTH = 1.5
/** How long a job that was told to end may take to do so. */
const ENDING_MS_MAX = 60_000

/** What a method answered that may go on in a job. */
export interface Answer {
  readonly returnValue: number
  readonly values: { readonly Job: EndpointReference | undefined }
}

/**
 * Waits until what a method began is done; `deed` says what that is, as in "cannot … it". Rejects with DriverError where
 * the host refuses or the job fails: as `bad-state` where that is the reason, else as `refused`, with code and text.
 * An aborted wait ends the job first, as far as it lets itself be ended.
 * Source: Microsoft Learn, "Msvm_ConcreteJob"; a job is of the class that its reference names.
 */
export async function settle(link: Link, answer: Answer, deed: string, options: OperationOptions = {}): Promise<void> {
  const { returnValue, values } = answer
  if (returnValue === RETURN.ok) return
  if (returnValue !== RETURN.started) throw refusal(deed, returnValue, RETURN_TEXTS[returnValue] ?? '')
  if (values.Job === undefined) throw new DriverError('unreachable', `the host names no job for: ${deed}`)
  await follow(link, values.Job, deed, options)
}

async function follow(link: Link, job: EndpointReference, deed: string, options: OperationOptions): Promise<void> {
  const { signal, onProgress } = options
  try {
    const end = await untilEnded(link, job, JOB_MS_MAX, {
      ...(signal && { signal }),
      ...(onProgress && { onProgress }),
    })
    if (end === undefined) throw new DriverError('unreachable', `${deed} takes longer than ${JOB_MS_MAX / 60_000} min`)
    assertCompleted(end, deed)
  } catch (error) {
    if (signal?.aborted !== true) throw error
    await endJob(link, job)
    throw new DriverError('refused', `${deed} was aborted`, { cause: error })
  }
}

/** The job when it has ended; undefined where it has not within `ms`. */
async function untilEnded(
  link: Link,
  job: EndpointReference,
  ms: number,
  { signal, onProgress }: OperationOptions,
): Promise<CimInstance | undefined> {
  const deadline = performance.now() + ms
  const patience = signal === undefined ? {} : { signal }
  let share = 0
  for (let wait = PAUSE_MS; performance.now() < deadline; wait = Math.min(wait * PAUSE_GROWTH, PAUSE_MS_MAX)) {
    const now = await look(link, job, patience)
    share = Math.max(share, Math.min((now.number('PercentComplete') ?? 0) / 100, 1))
    onProgress?.(share)
    if (hasEnded(now)) return now
    await pause(wait, undefined, patience)
  }
  return undefined
}

/** Looks at a job. A host that was too busy to tell in time is asked again: what it was told to do goes on meanwhile. */
async function look(link: Link, job: EndpointReference, patience: { readonly signal?: AbortSignal }) {
  try {
    return await link.client.get(job, patience)
  } catch (error) {
    if (!isLost(error)) throw error
    return link.client.get(job, patience)
  }
}

const ENDS: ReadonlySet<number> = new Set(Object.values(JOB_STATE))

const hasEnded = (job: CimInstance): boolean => ENDS.has(job.number('JobState') ?? 0)

function assertCompleted(job: CimInstance, deed: string): void {
  const state = job.number('JobState')
  if (state === JOB_STATE.completed || state === JOB_STATE.completedWithWarnings) return
  const text = job.string('ErrorDescription') ?? ''
  if (state === JOB_STATE.exception) throw refusal(deed, job.number('ErrorCode') ?? 0, text)
  throw new DriverError('refused', `cannot ${deed}: somebody ended the job`)
}

/** Tells a job to end, and waits until it has. What it says no to, or is no more, has ended or will by itself. */
async function endJob(link: Link, job: EndpointReference): Promise<void> {
  try {
    await link.client.call(job, END_JOB, { RequestedState: TERMINATE_JOB })
    await untilEnded(link, job, ENDING_MS_MAX, {})
  } catch (error) {
    if (!(error instanceof WsmanFault) && !(error instanceof TransportError)) throw error
  }
}

function refusal(deed: string, code: number, text: string): DriverError {
  const isState = code === RETURN.invalidState || code === RETURN.invalidStateOfCim
  const words = text.replace(/\s+/g, ' ').trim()
  return new DriverError(
    isState ? 'bad-state' : 'refused',
    `cannot ${deed}: ${words === '' ? '' : `${words} `}(${code})`,
  )
}
