import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AnswerMode, JobFault } from '../../sim/hyperv/faults/plan.ts'
import { NO_FAULTS } from '../../sim/hyperv/faults/plan.ts'
import { answer, answerNow, type Operation } from '../../sim/hyperv/host/answer.ts'
import { JobState } from '../../sim/hyperv/host/jobs.ts'
import { OperationError } from '../../sim/hyperv/host/operation-error.ts'
import { V2, type World, worldOf } from './host-world.ts'

const REFUSED = new OperationError(32773, 'Not that.')
const AT_ONCE = new OperationError(32775, 'Not now.', { isImmediate: true })

interface Trace {
  begun: number
  done: number
  undone: number
}

function operation(trace: Trace, rest: Partial<Operation>): Operation {
  return {
    namespace: V2,
    usually: 'now',
    job: { type: 1, target: 'web', owner: 'HOST\\me', durationMs: 500, undo: () => trace.undone++ },
    begin: () => trace.begun++,
    work() {
      trace.done++
      return { Made: 'it' }
    },
    ...rest,
  }
}

const traced = (): Trace => ({ begun: 0, done: 0, undone: 0 })

async function worldWith(answers: AnswerMode, fault?: JobFault): Promise<World> {
  return worldOf({ answers, faults: { ...NO_FAULTS, ofJob: () => fault } })
}

function jobOf({ host }: World): { readonly state: number; readonly code: number | undefined } {
  const [job] = host.jobs.list()
  assert(job !== undefined)
  return { state: job.state, code: job.failure?.code }
}

test('what hosts do at once is answered with 0 and what came out, without a job', async () => {
  const world = await worldWith('real')
  const trace = traced()

  const result = await answer(world.host, operation(trace, {}))

  assert.deepEqual(result, { returnValue: 0, output: { Made: 'it' } })
  assert.deepEqual(trace, { begun: 1, done: 1, undone: 0 })
  assert.equal(world.host.jobs.list().length, 0)
})

test('what hosts do in a job is answered with 4096 and the path of the job, and is done later', async () => {
  const world = await worldWith('real')
  const trace = traced()

  const result = await answer(world.host, operation(trace, { usually: 'job' }))

  assert.equal(result.returnValue, 4096)
  const [job] = world.host.jobs.list()
  assert.deepEqual(result.output, { Job: `\\\\HVHOST\\${V2}:Msvm_ConcreteJob.InstanceID="${job?.id}"` })
  assert.deepEqual(trace, { begun: 1, done: 0, undone: 0 })
  await world.clock.advance(500)
  assert.equal(trace.done, 1)
  assert.equal(jobOf(world).state, JobState.completed)
})

test('a refusal of what hosts do at once comes as a job in exception, unless it is immediate', async () => {
  const world = await worldWith('real')
  const trace = traced()
  const refuse = (error: OperationError) => () => {
    throw error
  }

  const later = await answer(world.host, operation(trace, { work: refuse(REFUSED) }))
  assert.equal(later.returnValue, 4096)
  await world.clock.advance(500)
  assert.deepEqual(jobOf(world), { state: JobState.exception, code: 32773 })
  assert.deepEqual(trace, { begun: 1, done: 0, undone: 1 })

  assert.deepEqual(await answer(world.host, operation(traced(), { work: refuse(AT_ONCE) })), { returnValue: 32775 })
  assert.deepEqual(await answer(world.host, operation(traced(), { check: refuse(AT_ONCE) })), { returnValue: 32775 })
})

test('where jobs are never used, everything is answered at once', async () => {
  const world = await worldWith('sync')
  const trace = traced()
  const refuse = () => {
    throw REFUSED
  }

  assert.equal((await answer(world.host, operation(trace, { usually: 'job' }))).returnValue, 0)
  assert.deepEqual(trace, { begun: 1, done: 1, undone: 0 })
  assert.deepEqual(await answer(world.host, operation(traced(), { work: refuse })), { returnValue: 32773 })
  assert.equal(world.host.jobs.list().length, 0)
})

test('where jobs are always used, what comes out is lost, as on real hosts', async () => {
  const world = await worldWith('async')
  const trace = traced()

  const result = await answer(world.host, operation(trace, {}))

  assert.equal(result.returnValue, 4096)
  assert.deepEqual(Object.keys(result.output ?? {}), ['Job'])
  await world.clock.advance(500)
  assert.equal(trace.done, 1)
})

test('a planned fault of a job makes a job of what is done at once otherwise', async () => {
  const world = await worldWith('real', { failure: { code: 32768, message: 'as planned' } })
  const trace = traced()

  const result = await answer(world.host, operation(trace, {}))

  assert.equal(result.returnValue, 4096)
  await world.clock.advance(500)
  assert.deepEqual(jobOf(world), { state: JobState.exception, code: 32768 })
  assert.deepEqual(trace, { begun: 1, done: 0, undone: 1 })

  const sync = await worldWith('sync', { failure: { code: 32768, message: 'as planned' } })
  assert.deepEqual(await answer(sync.host, operation(traced(), {})), { returnValue: 32768 })
})

test('the plan of faults is asked once for each operation, however it is answered', async () => {
  for (const answers of ['real', 'sync', 'async'] as const) {
    for (const usually of ['now', 'job'] as const) {
      for (const refused of [false, true]) {
        let asked = 0
        const ofJob = (): undefined => void asked++
        const world = await worldOf({ answers, faults: { ...NO_FAULTS, ofJob } })
        const work = () => {
          if (refused) throw REFUSED
        }
        await answer(world.host, operation(traced(), { usually, work }))
        await world.clock.advance(1000)
        assert.equal(asked, 1, `${answers}, ${usually}, ${refused ? 'refused' : 'done'}`)
      }
    }
  }
})

test('what is no refusal is not answered but thrown: it is a mistake of ours', async () => {
  const world = await worldWith('real')
  const work = () => {
    throw new TypeError('oops')
  }

  await assert.rejects(answer(world.host, operation(traced(), { work })), TypeError)
  await assert.rejects(answerNow(work), TypeError)
})
