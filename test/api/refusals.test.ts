import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { allOperations, type DraftOperation, hasAsync } from '../draft/operations.ts'
import { FIELDS } from '../draft/table.ts'
import type { Value } from '../support/value.ts'
import { rightArgument, wrongArguments } from './arguments.ts'
import { changesNothing, makeObjects, NOBODY, startWorld } from './world.ts'

const { client, root } = await startWorld({ connectionsMax: 8 })
const objects = await makeObjects(root)
const LOGIN = 'session.login_with_password'

/** A call that is refused, and why. */
interface Refusal {
  readonly method: string
  readonly params: readonly Value[]
  readonly error: readonly string[]
}

function refusalsOf(operation: DraftOperation): Refusal[] {
  const { name, params } = operation
  const session = name === LOGIN ? [] : [root.ref]
  const right = params.map(([type]) => rightArgument(type, objects))
  const names = hasAsync(operation) ? [name, `Async.${name}`] : [name]
  const refusals = [
    ...wrongSessions(operation, right),
    ...wrongCounts(operation, [...session, ...right]),
    ...params.flatMap(([type, param], position) =>
      wrongArguments(type, param, objects).map(({ value, error }) => ({
        params: [...session, ...right.with(position, value)],
        error,
      })),
    ),
  ]
  return names.flatMap(method => refusals.map(refusal => ({ method, ...refusal })))
}

function wrongSessions({ name }: DraftOperation, right: readonly Value[]) {
  if (name === LOGIN) return []
  const wrong: readonly (readonly [Value, readonly string[]])[] = [
    [NOBODY, ['SESSION_INVALID']],
    ['', ['SESSION_INVALID']],
    [objects['user'] ?? '', ['SESSION_INVALID']],
    [7n, ['FIELD_TYPE_ERROR', 'session_id']],
    [[root.ref], ['FIELD_TYPE_ERROR', 'session_id']],
  ]
  return wrong.map(([session, error]) => ({ params: [session, ...right], error }))
}

/** None at all, one too few, one too many; a constructor's record may also be as many values as there are fields to choose. */
function wrongCounts({ name, of }: DraftOperation, right: readonly Value[]) {
  const chosen = (FIELDS[of] ?? []).filter(([qualifier]) => qualifier !== 'RO_run').length
  const most = name.endsWith('.create') ? chosen + 1 : right.length
  const surplus = Array.from({ length: most - right.length + 1 }, () => 'surplus')
  const counts = [[], right.slice(0, -1), [...right, ...surplus]]
  return counts.map(params => {
    const expected = params.length < right.length ? right.length : most
    return { params, error: ['MESSAGE_PARAMETER_COUNT_MISMATCH', name, String(expected), String(params.length)] }
  })
}

describe('a call with a wrong session, too few or too many arguments, or a wrong one in any position is refused and changes nothing', () => {
  for (const operation of allOperations()) {
    test(operation.name, async () => {
      const refusals = refusalsOf(operation)

      await changesNothing(root, async () => {
        const answers = await Promise.all(refusals.map(({ method, params }) => client.call(method, ...params)))

        answers.forEach((answer, index) => {
          const { method, params, error } = refusals[index] ?? assert.fail()
          const got = answer.status === 'Failure' ? answer.error : ['success']
          assert.deepEqual(got.slice(0, error.length), error, `${method} of ${JSON.stringify(params.map(String))}`)
        })
      })
    })
  }
})

test('the error of a wrong session does not repeat it, for it might be somebody’s secret', async () => {
  const answer = await client.call('VM.list', 'a-mistyped-secret')

  assert.equal(answer.status, 'Failure')
  assert.doesNotMatch(JSON.stringify(answer), /mistyped/)
})
