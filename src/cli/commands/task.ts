import { ApiError } from '../../client/index.ts'
import { command, type Group } from '../command.ts'
import { waitFor } from '../progress.ts'

const TASK = { task: { doc: 'the task, as --no-wait printed it' } } as const

const list = command({
  doc: 'List what is running for you.',
  examples: ['task list'],
  async run(context) {
    const client = await context.connect()
    const tasks = await client.task.get_all_tasks()
    const all = await Promise.all(tasks.map(async task => ({ task, ...(await client.task.GetStatus({ task })) })))
    const rows = all.map(({ task, Progress, ETA }) => [task, `${Progress} %`, ETA.toISOString()])
    context.list(['TASK', 'PROGRESS', 'EXPECTED END'], rows, all)
  },
})

const wait = command({
  doc: 'Wait until a task has ended, and print its result.',
  args: TASK,
  examples: ['task wait 1b4e28ba-2fa1-11d2-883f-0016d3cca427'],
  async run(context, { task }) {
    const result = await waitFor(context, await context.connect(), task, 'waiting')
    context.tell(typeof result === 'string' && result !== '' ? result : 'done', { task, result })
  },
})

const cancel = command({
  doc: 'Stop a task; what it did is taken back. Waits until it has ended.',
  args: TASK,
  examples: ['task cancel 1b4e28ba-2fa1-11d2-883f-0016d3cca427'],
  async run(context, { task }) {
    const client = await context.connect()
    await client.task.cancel({ task })
    if (!context.options.wait) return context.tell(`task ${task} is told to stop`, { task })
    context.tell(await endOf(() => waitFor(context, client, task, 'stopping')), { task })
  },
})

/** A task that comes to its end all the same has done what it was to do. */
async function endOf(wait: () => Promise<unknown>): Promise<string> {
  try {
    await wait()
    return 'it was done already'
  } catch (error) {
    if (error instanceof ApiError && error.code === 'TASK_CANCELLED') return 'cancelled'
    throw error
  }
}

/** Long operations. */
export const task: Group = { doc: 'Tasks: long operations under way', commands: { list, wait, cancel } }
