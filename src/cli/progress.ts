import type { TaskRef, XenApiClient } from '../client/index.ts'
import type { Context } from './context.ts'
import { Interrupted } from './failure.ts'
import { catchInterrupt } from './interrupt.ts'

/** Erases the line that the cursor is on. */
const CLEAR_LINE = '\r\u{1B}[K'

/**
 * Waits for a task, with a line of progress where a terminal shows it. With `--no-wait` it tells the task and answers
 * undefined. Ctrl-C ends the waiting only, and says so.
 */
export async function finish<R>(
  context: Context,
  client: XenApiClient,
  task: TaskRef<R>,
  what: string,
): Promise<{ readonly value: R } | undefined> {
  if (!context.options.wait) {
    context.tell(`task ${task}`, { task })
    return undefined
  }
  return { value: await waitFor(context, client, task, what) }
}

/** Waits for a task, whatever the options say. */
export async function waitFor<R>({ io }: Context, client: XenApiClient, task: TaskRef<R>, what: string): Promise<R> {
  const interrupt = catchInterrupt()
  const isShown = io.stderr.isTTY
  const show = (text: string) => isShown && io.stderr.write(CLEAR_LINE + text)
  try {
    const onProgress = ({ percent }: { percent: number }) => show(`${what}: ${percent} %`)
    return await client.waitForTask(task, { signal: interrupt.signal, onProgress })
  } catch (error) {
    if (!interrupt.signal.aborted) throw error
    throw new Interrupted(`the task goes on`, { hint: `wait for it again with: polyvisor task wait ${task}` })
  } finally {
    show('')
    interrupt.release()
  }
}
