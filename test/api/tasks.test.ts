import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, test } from 'node:test'
import { type Answer, readAnswer, type Session } from '../support/client.ts'
import { ADMIN } from '../support/server.ts'
import { asString, asStruct, DateTime } from '../support/value.ts'
import { childOf, parseXml } from '../support/xml.ts'
import { make, makeObjects, startWorld } from './world.ts'

const { client, root } = await startWorld({ isCutOff: true }) // Some guests are left in the middle of their start.
const objects = await makeObjects(root)
const POLLS_MAX = 500

/** Where a task stands, by one of the spellings that answer a struct. */
interface Status {
  readonly progress: bigint
  readonly eta: string
  /** Undefined until the task has ended. */
  readonly result: Answer | undefined
}

async function status(task: string, spelling = 'Async.Task.GetStatus', session: Session = root): Promise<Status> {
  const { Progress, ETA, Result } = asStruct(await session.ok(spelling, task))
  if (typeof Progress !== 'bigint' || !(ETA instanceof DateTime) || Result === undefined)
    assert.fail('not the struct of §1.4.3')
  assert.ok(Progress >= 0n && Progress <= 100n)
  assert.match(ETA.text, /^\d{8}T\d\d:\d\d:\d\dZ$/)
  if (Progress < 100n) assert.equal(Result, '')
  return { progress: Progress, eta: ETA.text, result: Progress === 100n ? readAnswer(Result) : undefined }
}

async function end(task: string, spelling?: string): Promise<Answer> {
  for (let poll = 0; poll < POLLS_MAX; poll++) {
    const { result } = await status(task, spelling)
    if (result !== undefined) return result
    await sleep(10)
  }
  return assert.fail('the task does not end')
}

const startSlowly = async (session: Session = root) => {
  const vm = await make(root, 'VM', { name_label: 'vm-that-is-slow' })
  return { vm, task: await session.text('Async.VM.start', vm, false) }
}

// Proves: task.GetStatus
test('an Async call answers a task at once; polled to 100 it has the whole answer of the call', async () => {
  for (const spelling of ['Task.GetStatus', 'Async.Task.GetStatus', 'task.GetStatus']) {
    const task = await root.text('Async.VM.get_name_label', objects['VM'] ?? '')

    assert.deepEqual(await end(task, spelling), {
      status: 'Success',
      value: await root.text('VM.get_name_label', objects['VM'] ?? ''),
    })
  }
})

// Proves: task.get_status
test('the old get_status says the same three as XML text, in both its spellings', async () => {
  const task = await root.text('Async.VM.get_name_label', objects['VM'] ?? '')
  await end(task)

  for (const spelling of ['task.get_status', 'Async.task.get_status']) {
    const document = parseXml(await root.text(spelling, task))
    assert.deepEqual(
      [document.name, ...document.children.map(({ name }) => name)],
      ['task_status', 'Progress', 'ETA', 'Result'],
    )
    assert.equal(childOf(document, 'Progress').text, '100')
    const result = childOf(document, 'Result')
    assert.equal(childOf(result, 'Status').text, 'Success')
    assert.equal(childOf(result, 'Value').text, await root.text('VM.get_name_label', objects['VM'] ?? ''))
  }
})

test('get_status is well-formed whatever the result holds', async () => {
  const label = '<&> ]]> "\' é😀'
  await root.ok('VM.set_name_label', objects['VM'] ?? '', label)
  const task = await root.text('Async.VM.get_name_label', objects['VM'] ?? '')
  await end(task)

  const document = parseXml(await root.text('task.get_status', task))

  assert.equal(childOf(childOf(document, 'Result'), 'Value').text, label)
})

/** Calls whose results are of every kind, each harmless. */
const READINGS: readonly (readonly [method: string, of: string | undefined])[] = [
  ['VM.get_all', undefined],
  ['VM.list', undefined],
  ['VM.get_is_a_template', 'VM'],
  ['VM.get_user_version', 'VM'],
  ['VM.get_VCPUs_features_force_on', 'VM'],
  ['VM.get_VCPUs_utilisation', 'VM'],
  ['VM.get_affinity', 'VM'],
  ['VM.get_power_state', 'VM'],
  ['VM.to_XML', 'VM'],
  ['host.get_software_version', 'host'],
  ['host.get_by_uuid', 'host'],
  ['host_cpu.get_utilisation', 'host_cpu'],
  ['VM.set_builder', 'VM'],
  ['network.create', undefined],
]

describe('the result of a task is that of the call, of whatever type', () => {
  for (const [method, of] of READINGS) {
    test(method, async () => {
      const self = of === undefined ? [] : [objects[of] ?? '']
      const params = method.includes('.set_') ? [...self, 'x'] : method.endsWith('.create') ? [{}] : self

      const result = await end(await root.text(`Async.${method}`, ...params))

      if (result.status === 'Failure') assert.fail(result.error.join(' '))
      if (method.endsWith('.create')) assert.match(asString(result.value), /^[0-9a-f-]{36}$/)
      else assert.deepEqual(result.value, await root.ok(method, ...params))
    })
  }
})

test('a task that fails also ends at 100, with the failure of the call', async () => {
  const vm = objects['VM'] ?? ''
  const task = await root.text('Async.VM.pause', vm)

  assert.deepEqual(await end(task), { status: 'Failure', error: ['VM_BAD_POWER_STATE', vm, 'Running', 'Halted'] })
  const result = childOf(parseXml(await root.text('task.get_status', task)), 'Result')
  assert.equal(childOf(result, 'Status').text, 'Failure')
  assert.deepEqual(
    childOf(result, 'ErrorDescription').children.map(({ text }) => text),
    ['VM_BAD_POWER_STATE', vm, 'Running', 'Halted'],
  )
})

test('what can be refused at once is refused at once, without a task', async () => {
  const before = await root.list('task.get_all_tasks')
  const refusals = [
    await root.fails('Async.VM.start', objects['VM'] ?? ''),
    await root.fails('Async.VM.start', objects['VM'] ?? '', 'yes'),
    await root.fails('Async.VM.start', 'nobody', false),
    await root.fails('Async.VM.strat'),
  ]

  assert.deepEqual(
    refusals.map(([code]) => code),
    ['MESSAGE_PARAMETER_COUNT_MISMATCH', 'FIELD_TYPE_ERROR', 'HANDLE_INVALID', 'MESSAGE_METHOD_UNKNOWN'],
  )
  assert.deepEqual(await root.list('task.get_all_tasks'), before)
})

// Proves: task.get_all_tasks
test('a long task is listed while it runs, reports progress that only grows, and an ETA that is not in the past', async () => {
  const { vm, task } = await startSlowly()
  assert.ok((await root.list('task.get_all_tasks')).includes(task))

  const seen: bigint[] = []
  for (let poll = 0; poll < POLLS_MAX; poll++) {
    const asked = Math.floor(Date.now() / 1000) * 1000
    const { progress, eta } = await status(task)
    seen.push(progress)
    if (progress === 100n) break
    assert.ok(moment(eta) >= asked, eta)
    await sleep(50)
  }

  assert.deepEqual(
    seen,
    seen.toSorted((a, b) => Number(a - b)),
  )
  assert.ok(
    seen.some(progress => progress > 20n && progress < 80n),
    seen.join(' '),
  )
  assert.equal(seen.at(-1), 100n)
  assert.equal(await root.text('VM.get_power_state', vm), 'Running')
  assert.ok(!(await root.list('task.get_all_tasks')).includes(task))
})

function moment(text: string): number {
  const [, year, month, day, time] = /^(\d{4})(\d\d)(\d\d)T(.*)$/.exec(text) ?? []
  return Date.parse(`${year}-${month}-${day}T${time}`)
}

test('tasks belong to the user: another session lists them, after a logout too, and another user does not', async () => {
  const session = await client.login(ADMIN.name, ADMIN.password)
  const user = await make(root, 'user')
  await root.ok('user.change_password', user, 'long enough')
  const stranger = await client.login(await root.text('user.get_short_name', user), 'long enough')
  const { task } = await startSlowly(session)
  await session.ok('session.logout')

  for (const spelling of [
    'task.get_all_tasks',
    'Task.GetAllTasks',
    'Async.Task.GetAllTasks',
    'Async.task.get_all_tasks',
  ]) {
    assert.ok((await root.list(spelling)).includes(task), spelling)
    assert.ok(!(await stranger.list(spelling)).includes(task), spelling)
  }
  assert.ok((await status(task)).progress < 100n)
  for (const spelling of ['task.get_status', 'task.GetStatus']) {
    assert.deepEqual(await stranger.fails(spelling, task), ['HANDLE_INVALID', 'task', task])
  }
})

test('no more than a hundred tasks of a user run at once; one more is refused, and another user is not', async () => {
  const { vm } = await startSlowly()
  const running = (await root.list('task.get_all_tasks')).length
  for (let count = running; count < 100; count++) await root.ok('Async.VM.set_affinity', vm, '')

  assert.deepEqual(await root.fails('Async.VM.get_all'), ['TOO_MANY_PENDING_TASKS'])
  assert.equal((await root.list('task.get_all_tasks')).length, 100)
  await root.ok('VM.get_all')
})
