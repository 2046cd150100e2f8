import type { CimValue } from '../cim/model.ts'
import type { MethodResult } from '../cim/provider.ts'
import { answer, type Output } from '../host/answer.ts'
import type { Host } from '../host/host.ts'
import type { JobRun } from '../host/jobs.ts'
import { nameOfService } from '../host/names.ts'
import { OperationError, Return } from '../host/operation-error.ts'
import { reasonText } from '../host/resources-texts.ts'
import { isInUse } from './chain.ts'
import type { CopyWatch } from './image-copy.ts'
import { openStorage, storageOf } from './storage.ts'
import { type Doing, fileTrouble } from './trouble.ts'

/** JobType of an Msvm_StorageJob. Source: the ValueMap of the MOF; 0 is what has no name there. */
export const StorageJobType = {
  unknown: 0,
  create: 1,
  createFloppy: 2,
  compact: 3,
  expand: 4,
  merge: 5,
  convert: 6,
  mount: 7,
  information: 8,
  validate: 9,
} as const

/** The service for images, in either namespace: its class and its Name. */
export const IMAGE_SERVICE = { className: 'Msvm_ImageManagementService', name: 'vhdsvc' } as const

/** Who asks, and where the answer goes. */
export interface ImageCall {
  /** `root\virtualization\v2`. */
  readonly namespace: string
  /** As Windows prints it: `HOST\Administrator`. */
  readonly owner: string
}

export interface ImageWork {
  readonly type: number
  /** Whether real hosts answer at once or by a job. */
  readonly usually: 'now' | 'job'
  readonly doing: Doing
  /** What the job is about, for faults. */
  readonly target: string
  /** What nobody else may have open meanwhile. */
  readonly holds?: readonly string[]
  /** Which of that machines may have open. */
  readonly shares?: (path: string) => Promise<boolean>
  /** What the job's class has beyond others. */
  readonly details?: Readonly<Record<string, CimValue>>
  readonly work: (run: JobRun) => Output | void | Promise<Output | void>
}

// Source: a creation was recorded to have taken a second.
const DURATION_MS = 1_000

/** Works on images as the host's service does: at once or by an Msvm_StorageJob, holding the files while it lasts. */
export async function workOnImages(host: Host, call: ImageCall, what: ImageWork): Promise<MethodResult> {
  const { holds = [], doing } = what
  const trouble = await troubleBefore(host, what)
  let letGo: (() => void) | undefined
  return await answer(host, {
    namespace: call.namespace,
    usually: what.usually,
    job: {
      className: 'Msvm_StorageJob',
      type: what.type,
      target: what.target,
      owner: call.owner,
      durationMs: DURATION_MS,
      service: nameOfService(host, IMAGE_SERVICE.className, IMAGE_SERVICE.name),
      details: what.details ?? {},
      undo: () => letGo?.(),
    },
    check() {
      if (trouble !== undefined) throw trouble
    },
    begin() {
      letGo = storageOf(host).hold(holds)
    },
    async work(run) {
      // Somebody else was quicker.
      if (letGo === undefined) throw fileTrouble(host, doing, what.target, 'inUse')
      try {
        return await what.work(run)
      } finally {
        letGo()
      }
    },
  })
}

/** What is in the way before anything has begun. */
async function troubleBefore(
  host: Host,
  { holds = [], shares, doing }: ImageWork,
): Promise<OperationError | undefined> {
  if (openStorage(host) === undefined)
    return new OperationError(Return.notSupported, reasonText(host.locale, 'notSupported'))
  for (const path of holds) {
    const isTrouble = (await isInUse(host, path)) && (await shares?.(path)) !== true
    if (isTrouble) return fileTrouble(host, doing, path, 'inUse')
  }
  return undefined
}

/** What a copy is watched with in a job. */
export const watchOf = (run: JobRun): CopyWatch => ({
  signal: run.signal,
  progress: fraction => run.progress(fraction * 100),
})
