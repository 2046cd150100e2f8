import type { Operation } from '../model/kernel/operations.ts'

/** As many as the server remembers. */
const TASKS_MAX = 10_000

/** What the tasks were asked to do that this client started and did not wait for yet, so that their results can be read. */
export class StartedTasks {
  readonly #operations = new Map<string, Operation>()

  /** Remembers a task; the oldest is forgotten when there are too many. Answers the reference. */
  begin(task: string, operation: Operation): string {
    const [oldest] = this.#operations.keys()
    if (oldest !== undefined && this.#operations.size >= TASKS_MAX) this.#operations.delete(oldest)
    this.#operations.set(task, operation)
    return task
  }

  /** What the task was asked to do; undefined where another client started it. */
  find(task: string): Operation | undefined {
    return this.#operations.get(task)
  }
}
