import { datetimeOf, intervalOf, UNSET_DATETIME } from '../cim/datetime.ts'
import { writeEmbedded } from '../cim/embedded.ts'
import { textOf } from '../cim/instance.ts'
import type { Instance, Schema } from '../cim/model.ts'
import type { ClassProvider, Method, ObjectName, Provider } from '../cim/provider.ts'
import { answerNow } from '../host/answer.ts'
import type { Host } from '../host/host.ts'
import { type Affected, type Job, type JobClass, JobState, KEPT_MS } from '../host/jobs.ts'
import { named } from '../host/names.ts'
import { OperationError, Return } from '../host/operation-error.ts'
import { associationOf, keyOf, pathIn, providerOf, type Row, rowOf } from './rows.ts'

/** Msvm_NetworkJob is there in v1 only, Msvm_MigrationJob in v2 only. */
const CLASSES: readonly JobClass[] = ['Msvm_ConcreteJob', 'Msvm_StorageJob', 'Msvm_MigrationJob', 'Msvm_NetworkJob']

/** Jobs, what they are about, and what ends them, in either namespace. */
export function jobs(host: Host, schema: Schema): Provider {
  return providerOf(schema, {
    classes: {
      ...Object.fromEntries(CLASSES.map(className => [className, jobClass(host, schema, className)])),
      Msvm_AffectedJobElement: affectedElements(host, schema, 'Msvm_AffectedJobElement', false),
      Msvm_AffectedStorageJobElement: affectedElements(host, schema, 'Msvm_AffectedStorageJobElement', true),
      Msvm_OwningJobElement: associationOf(host, schema, {
        className: 'Msvm_OwningJobElement',
        ends: ['OwnedElement', 'OwningElement'],
        *list() {
          for (const job of host.jobs.list()) if (job.service !== undefined) yield [nameOfJob(job), job.service]
        },
      }),
    },
    methods: Object.fromEntries(CLASSES.flatMap(className => methodsOf(host, schema, className))),
  })
}

/** The name of a job, in either namespace. */
export function nameOfJob({ className, id }: Job): ObjectName {
  return named(className, { InstanceID: id })
}

/**
 * An instance of a job's class. Source: recorded, a storage job that runs and one that has completed; of the other ends,
 * the meanings of OperationalStatus in the MOF.
 */
export function jobRow(host: Host, schema: Schema, job: Job): Instance {
  const { name, description } = host.texts.jobOf(job.className, job.type)
  // Whole seconds, as recorded.
  const at = (ms: number): string => datetimeOf(Math.floor(ms / 1000) * 1000)
  return rowOf(schema, job.className, {
    ...SAME_FOR_ALL,
    ...statusOf(host, job),
    Cancellable: job.isCancellable,
    Caption: name,
    Description: description,
    ElapsedTime: intervalOf(job.elapsedMs),
    ElementName: name,
    ErrorCode: job.failure?.code ?? 0,
    ErrorDescription: job.failure?.message ?? '',
    ErrorSummaryDescription: job.failure === undefined ? '' : firstLine(job.failure.message),
    InstanceID: job.id,
    JobCompletionStatusCode: job.failure?.code ?? 0,
    JobState: job.state,
    JobType: job.type,
    Name: name,
    NetworkJobType: job.type,
    Owner: job.owner,
    PercentComplete: job.percent,
    ScheduledStartTime: at(job.submittedAt),
    StartTime: at(job.submittedAt),
    TimeOfLastStateChange: at(job.changedAt),
    TimeSubmitted: at(job.submittedAt),
    // What v1 calls the type of a storage job.
    Type: job.type,
    ...job.details,
  })
}

const SAME_FOR_ALL: Row = {
  DeleteOnCompletion: false,
  HealthState: 5,
  InstallDate: UNSET_DATETIME,
  JobRunTimes: 1,
  LocalOrUtcTime: 2,
  Notify: '',
  OtherRecoveryAction: '',
  Priority: 0,
  RecoveryAction: 2,
  TimeBeforeRemoval: intervalOf(KEPT_MS),
}

/** OperationalStatus: 2 OK, 6 Error, 10 Stopped, 17 Completed. */
function statusOf({ texts }: Host, { state }: Job): Row {
  const { jobRuns, jobCompleted, jobCompletedSuccessfully, jobFailed, jobTerminated } = texts
  switch (state) {
    case JobState.completed:
      return status('OK', [17, 2], jobCompleted, [jobCompleted, jobCompletedSuccessfully])
    case JobState.exception:
      return status('Error', [17, 6], jobFailed, [jobCompleted, jobFailed])
    case JobState.terminated:
    case JobState.killed:
      return status('Stopped', [17, 10], jobTerminated, [jobCompleted, jobTerminated])
    default:
      return status('OK', [2], jobRuns, [jobRuns])
  }
}

function status(Status: string, OperationalStatus: number[], JobStatus: string, StatusDescriptions: string[]): Row {
  return { Status, OperationalStatus, JobStatus, StatusDescriptions }
}

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? ''

function jobClass(host: Host, schema: Schema, className: JobClass): ClassProvider {
  return {
    *list() {
      for (const job of host.jobs.list()) if (job.className === className) yield jobRow(host, schema, job)
    },
    find(keys) {
      const job = host.jobs.find(keys.get('InstanceID') ?? '')
      return job?.className === className ? jobRow(host, schema, job) : undefined
    },
  }
}

function affectedElements(host: Host, schema: Schema, className: string, isStorage: boolean): ClassProvider {
  function* rowsOf(job: Job): Iterable<Instance> {
    if ((job.className === 'Msvm_StorageJob') !== isStorage) return
    for (const affected of job.affected) {
      if (schema.find(affected.name.className) !== undefined) yield affectedRow(host, schema, className, job, affected)
    }
  }
  return {
    *list() {
      for (const job of host.jobs.list()) yield* rowsOf(job)
    },
    *referring(object) {
      if (schema.isA(object.className, 'CIM_Job')) {
        const job = host.jobs.find(keyOf(object, 'InstanceID') ?? '')
        if (job !== undefined) yield* rowsOf(job)
        return
      }
      // Jobs are few; the other end may be anything.
      const path = pathIn(host, object, schema.namespace).toLowerCase()
      for (const job of host.jobs.list()) {
        for (const row of rowsOf(job)) if (textOf(row, 'AffectedElement').toLowerCase() === path) yield row
      }
    },
  }
}

function affectedRow(host: Host, schema: Schema, className: string, job: Job, { name, effects }: Affected): Instance {
  return rowOf(schema, className, {
    AffectedElement: pathIn(host, name, schema.namespace),
    AffectingElement: pathIn(host, nameOfJob(job), schema.namespace),
    ElementEffects: effects,
  })
}

function methodsOf(host: Host, schema: Schema, className: JobClass): [string, Method][] {
  const methods: Readonly<Record<string, Method>> = {
    RequestStateChange: requestStateChange(host),
    KillJob({ self, input }) {
      return answerNow(() => {
        host.jobs.cancel(textOf(self, 'InstanceID'), JobState.killed)
        if (input.get('DeleteOnKill') === true) host.jobs.forget(textOf(self, 'InstanceID'))
      })
    },
    GetError: ({ self }) => ({ returnValue: Return.ok, output: { Error: errorsOf(host, schema, self)[0] ?? null } }),
    GetErrorEx: ({ self }) => ({ returnValue: Return.ok, output: { Errors: errorsOf(host, schema, self) } }),
  }
  return Object.entries(methods).map(([method, code]) => [`${className}.${method}`, code])
}

/** 4 terminates and 5 kills; hosts do nothing else. Source: Microsoft Learn, Msvm_ConcreteJob.RequestStateChange. */
function requestStateChange(host: Host): Method {
  const states: Readonly<Record<number, typeof JobState.terminated | typeof JobState.killed>> = {
    4: JobState.terminated,
    5: JobState.killed,
  }
  return ({ self, input }) =>
    answerNow(() => {
      const state = states[Number(input.get('RequestedState'))]
      if (state === undefined) throw new OperationError(Return.invalidParameter, 'The job cannot enter that state.')
      host.jobs.cancel(textOf(self, 'InstanceID'), state)
    })
}

function errorsOf(host: Host, schema: Schema, self: Instance): string[] {
  const job = host.jobs.find(textOf(self, 'InstanceID'))
  if (job?.failure === undefined) return []
  const { message, messageId } = job.failure
  return [writeEmbedded(rowOf(schema, 'Msvm_Error', errorRow(message, messageId)))]
}

/** As a host writes it, NULL where it says nothing. Source: one recorded on Server 2012. */
function errorRow(message: string, messageId: number | undefined): Row {
  return {
    CIMStatusCode: 1,
    CIMStatusCodeDescription: null,
    ErrorSource: null,
    ErrorSourceFormat: 0,
    ErrorType: 4,
    Message: message,
    MessageArguments: [],
    MessageID: messageId === undefined ? null : String(messageId),
    OtherErrorSourceFormat: null,
    OtherErrorType: null,
    OwningEntity: 'Microsoft-Windows-Hyper-V-VMMS',
    PerceivedSeverity: 5,
    ProbableCause: 0,
    ProbableCauseDescription: null,
    RecommendedActions: null,
  }
}
