import { defineClass, internal, message } from '../kernel/define.ts'
import { t } from '../kernel/types.ts'

/** Where a task stands. */
export const taskStatus = t.enum('task_status_type', {
  pending: 'The task is in progress',
  success: 'The task was completed successfully',
  failure: 'The task has failed',
  cancelled: 'The task was cancelled',
})

/** The answer of the two spellings of GetStatus. Source: Xen Management API rev 0.2, §1.4.3. */
export const taskStatusStruct = t.struct('task_status', {
  Progress: t.int32,
  ETA: t.dateTime,
  Result: t.open('call result'),
})

/** An asynchronous call: pollable while it runs and for a day after. */
export const task = defineClass({
  name: 'task',
  doc: 'a longrunning asynchronous task',
  source: 'Xen Management API rev 0.2, §2.5',
  objects: 'none',
  fields: {
    uuid: internal(t.string, 'The reference of the task.'),
    user: internal(t.ref('user'), 'Whose task it is; tasks belong to users, not to sessions.'),
    method: internal(t.string, 'Canonical name of the method called.'),
    owner: internal(t.string, 'Which server process runs it; a task whose owner is gone has failed.'),
    created: internal(t.dateTime, 'When it was started.'),
    finished: internal(t.dateTime, 'When it ended; the epoch while it runs.'),
    status: internal(taskStatus, 'Pending, or how it ended.'),
    result: internal(t.string, 'The result of a successful task, as JSON by the type of the method.'),
    error: internal(t.set(t.string), 'The error of a failed task: code, then parameters.'),
  },
  messages: {
    get_status: message({
      doc: 'Poll a running asynchronous RPC invocation and query its status',
      params: { task: [t.ref('task'), 'The ID of the RPC call to poll'] },
      result: t.string,
      resultDoc:
        'XML string describing status of specified asynchronous RPC invocation, including estimated completion time',
      errors: [],
      immediate: true,
    }),
    GetStatus: message({
      doc: 'The same as a struct: what the draft calls Async.Task.GetStatus',
      params: { task: [t.ref('task'), 'The ID of the RPC call to poll'] },
      result: taskStatusStruct,
      resultDoc: 'Progress (0 to 100), ETA, and Result: empty until Progress is 100, then the whole answer of the call',
      errors: [],
      immediate: true,
    }),
    cancel: message({
      doc: 'Asks a running task to stop and take back what it did; answers at once. The task ends by itself soon after, cancelled or, where it was too late, as it would have. Cancelling one that has ended changes nothing.',
      params: { task: [t.ref('task'), 'The task to cancel'] },
      result: t.void,
      errors: [],
      extension: true,
      immediate: true,
    }),
    get_all_tasks: message({
      doc: 'List all asynchronous RPC calls currently executing',
      params: {},
      result: t.set(t.ref('task')),
      resultDoc:
        'A list of tasks currently executing. Tasks are associated with users rather than sessions: a new session of the same user lists them too.',
      errors: [],
      immediate: true,
    }),
  },
})
