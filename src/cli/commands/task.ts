import { command, type Group } from '../command.ts'
import { waitFor } from '../progress.ts'

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
  args: { task: { doc: 'the task, as --no-wait printed it' } },
  examples: ['task wait 1b4e28ba-2fa1-11d2-883f-0016d3cca427'],
  async run(context, { task }) {
    const result = await waitFor(context, await context.connect(), task, 'waiting')
    context.tell(typeof result === 'string' && result !== '' ? result : 'done', { task, result })
  },
})

/** Long operations. */
export const task: Group = { doc: 'Tasks: long operations under way', commands: { list, wait } }
