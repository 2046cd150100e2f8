import { type Context, implement } from '../engine/context.ts'
import { formatDateTime } from '../engine/date-time.ts'
import { draft } from '../engine/dialect.ts'
import { encodeValue } from '../engine/marshal.ts'
import { openToXml } from '../engine/record-xml.ts'
import { resultFromText } from '../engine/result.ts'
import { classes, task } from '../model/index.ts'
import { operationsOf } from '../model/kernel/operations.ts'
import type { OpenValue, Type } from '../model/kernel/types.ts'

/** Polling asynchronous calls, in both forms that the draft gives. */
export const taskHandlers = implement(task, {
  get_status(context, { task: ref }) {
    const { Progress, ETA, Result } = status(context, ref)
    const result = openToXml(Result)
    const eta = formatDateTime(ETA)
    return `<task_status><Progress>${Progress}</Progress><ETA>${eta}</ETA><Result>${result}</Result></task_status>`
  },

  GetStatus: (context, { task: ref }) => status(context, ref),

  cancel({ tasks, caller }, { task: ref }) {
    tasks.cancel(ref, caller.user)
    return null
  },

  get_all_tasks: ({ tasks, caller }) => tasks.running(caller.user),
})

/** Source: Xen Management API rev 0.2, §1.4.3. */
function status({ tasks, caller }: Context, ref: string) {
  const { record, percent, eta } = tasks.progress(ref, caller.user)
  return { Progress: BigInt(percent), ETA: eta, Result: record.status === 'pending' ? '' : answerOf(record) }
}

type TaskEnd = {
  readonly status: string
  readonly method: string
  readonly result: string
  readonly error: readonly string[]
}

/** The whole answer of the call, as it would have been had the call been synchronous. */
function answerOf(record: TaskEnd): OpenValue {
  if (record.status === 'failure' || record.status === 'cancelled')
    return { Status: 'Failure', ErrorDescription: record.error }
  const type = resultTypes().get(record.method)
  if (type === undefined) return { Status: 'Success', Value: '' }
  return { Status: 'Success', Value: toOpen(encodeValue(type, resultFromText(type, record.result), draft)) }
}

function resultTypes(): ReadonlyMap<string, Type> {
  return new Map(
    Object.values(classes)
      .flatMap(of => operationsOf(of))
      .map(operation => [operation.name, operation.result]),
  )
}

type Wire = ReturnType<typeof encodeValue>

/** No result holds null or bytes; what they would be is text. */
function toOpen(value: Wire): OpenValue {
  if (value === null || value instanceof Uint8Array) return ''
  if (Array.isArray(value)) return value.map((element: Wire) => toOpen(element))
  if (typeof value !== 'object' || value instanceof Date) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, toOpen(member)]))
}
