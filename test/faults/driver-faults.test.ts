import { describe, test } from 'node:test'
import { courseOf, disturb, type Misfortune } from './disturb.ts'
import { OPERATIONS } from './operations.ts'

const MOMENTS = ['before', 'after'] as const
const KINDS = ['unreachable', 'refused'] as const

describe('an operation of several steps leaves what was before or what would have been after, and can be called again', () => {
  for (const operation of OPERATIONS) {
    test(`${operation.name}, whichever driver call or write to the store fails`, async () => {
      const course = await courseOf(operation)
      const faults: readonly Misfortune[] = [
        ...course.calls.flatMap((_, step) =>
          MOMENTS.flatMap(when => KINDS.map(kind => ({ at: step + 1, when, kind }))),
        ),
        ...Array.from({ length: course.commits }, (_, write) => ({ commit: write + 1 })),
      ]
      for (const fault of faults) await disturb(operation, course, fault)
    })
  }
})
