import type { TestContext } from 'node:test'

type Step = () => unknown

const stepsOf = new WeakMap<TestContext, Step[]>()

/**
 * Undoes something when the test ends, however it ends: the last that was made goes first, as a server before its
 * folder, and each goes whatever became of the others. (`context.after` would go on in the order of making and end at
 * the first that fails, with all later ones left running, and the process with them.)
 */
export function atEnd(context: TestContext, step: Step): void {
  const known = stepsOf.get(context)
  if (known !== undefined) return void known.push(step)
  const steps = [step]
  stepsOf.set(context, steps)
  context.after(() => undo(steps))
}

async function undo(steps: Step[]): Promise<void> {
  const failures: unknown[] = []
  for (let step = steps.pop(); step !== undefined; step = steps.pop())
    try {
      await step()
    } catch (error) {
      failures.push(error)
    }
  if (failures.length === 1) throw failures[0]
  if (failures.length > 1) throw new AggregateError(failures, 'what the test had made could not be undone')
}
