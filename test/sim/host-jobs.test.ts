import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Faults, type JobFault, NO_FAULTS } from '../../sim/hyperv/faults/plan.ts'
import { ManualClock } from '../../sim/hyperv/host/clock.ts'
import { Effect, Jobs, type JobSpec, JobState, KEPT_MS } from '../../sim/hyperv/host/jobs.ts'
import { OperationError } from '../../sim/hyperv/host/operation-error.ts'
import { randomOf } from '../../sim/hyperv/host/random.ts'

const SPEC: JobSpec = { type: 12, target: 'web', owner: 'HOST\\me', durationMs: 1000 }

function jobsOf(fault?: JobFault, pace = 1): { readonly clock: ManualClock; readonly jobs: Jobs } {
  const clock = new ManualClock(0)
  const faults: Faults = { ...NO_FAULTS, ofJob: () => fault }
  return { clock, jobs: new Jobs({ clock, random: randomOf('jobs'), faults, pace }) }
}

const stateOf = (jobs: Jobs, id: string): number | undefined => jobs.find(id)?.state

test('a job is new, starts, runs and completes as its time passes, and does its work at the end', async () => {
  const { clock, jobs } = jobsOf()
  let isDone = false
  const id = jobs.start(SPEC, () => {
    isDone = true
  })

  assert.equal(stateOf(jobs, id), JobState.new)
  await clock.advance(5)
  assert.equal(stateOf(jobs, id), JobState.starting)
  await clock.advance(495)
  assert.equal(stateOf(jobs, id), JobState.running)
  assert.equal(jobs.find(id)?.percent, 50)
  assert.equal(isDone, false)
  await clock.advance(500)

  assert.equal(isDone, true)
  assert.equal(stateOf(jobs, id), JobState.completed)
  assert.equal(jobs.find(id)?.percent, 100)
  assert.equal(jobs.find(id)?.elapsedMs, 1000)
})

test('a job whose work takes longer than was planned never says that it is done before it is', async () => {
  const { clock, jobs } = jobsOf()
  const work = Promise.withResolvers<void>()
  const id = jobs.start(SPEC, () => work.promise)

  await clock.advance(60_000)
  assert.equal(stateOf(jobs, id), JobState.running)
  assert.equal(jobs.find(id)?.percent, 99)
  work.resolve()
  await jobs.ended(id)

  assert.equal(stateOf(jobs, id), JobState.completed)
})

test('a job tells what it is about, and how far it is, as its work says', async () => {
  const { clock, jobs } = jobsOf()
  const work = Promise.withResolvers<void>()
  const made = { className: 'Msvm_ComputerSystem', keys: new Map([['Name', 'A']]) }
  const id = jobs.start(SPEC, run => {
    run.affects(made, Effect.create)
    run.progress(37.5)
    return work.promise
  })

  await clock.advance(1000)
  assert.equal(jobs.find(id)?.percent, 37)
  work.resolve()
  await jobs.ended(id)

  assert.deepEqual(jobs.find(id)?.affected, [{ name: made, effects: [5] }])
})

test('a job ends in exception with the code and the text of what its work is refused for, and undoes what it began', async () => {
  const { clock, jobs } = jobsOf()
  let undone = 0
  const id = jobs.start({ ...SPEC, undo: () => undone++ }, () => {
    throw new OperationError(32773, 'No such thing.', { messageId: 26146 })
  })

  await clock.advance(1000)

  assert.equal(stateOf(jobs, id), JobState.exception)
  assert.deepEqual(jobs.find(id)?.failure, { code: 32773, message: 'No such thing.', messageId: 26146 })
  assert.equal(undone, 1)
})

test('a mistake of ours ends a job in exception as well, as "failed"', async () => {
  const { clock, jobs } = jobsOf()
  const id = jobs.start(SPEC, () => Promise.reject(new TypeError('oops')))

  await clock.advance(1000)

  assert.deepEqual(jobs.find(id)?.failure, { code: 32768, message: 'oops' })
})

test('a job that is terminated or killed does not do its work', async () => {
  const { clock, jobs } = jobsOf()
  let isDone = false
  let undone = 0
  const start = (): string =>
    jobs.start({ ...SPEC, undo: () => undone++ }, () => {
      isDone = true
    })
  const [first, second] = [start(), start()]

  await clock.advance(100)
  jobs.cancel(first, JobState.terminated)
  jobs.cancel(second, JobState.killed)
  await clock.advance(5000)

  assert.equal(stateOf(jobs, first), JobState.terminated)
  assert.equal(stateOf(jobs, second), JobState.killed)
  assert.equal(isDone, false)
  assert.equal(undone, 2)
})

test('work that goes on when its job is killed hears of it, and its end changes nothing', async () => {
  const { clock, jobs } = jobsOf()
  const work = Promise.withResolvers<void>()
  let signal: AbortSignal | undefined
  const id = jobs.start(SPEC, run => {
    signal = run.signal
    return work.promise
  })

  await clock.advance(1000)
  jobs.cancel(id, JobState.killed)
  work.resolve()
  await work.promise

  assert.equal(signal?.aborted, true)
  assert.equal(stateOf(jobs, id), JobState.killed)
})

test('a job that has ended, or that cannot be cancelled, refuses to be', async () => {
  const { clock, jobs } = jobsOf()
  const ended = jobs.start(SPEC, () => undefined)
  await clock.advance(1000)
  const stubborn = jobs.start({ ...SPEC, isCancellable: false }, () => undefined)

  for (const id of [ended, stubborn, 'nothing']) {
    assert.throws(() => jobs.cancel(id, JobState.killed), { name: 'OperationError', code: 32775 })
  }
})

test('an ended job stays for five minutes, and is found by its identifier in whatever case', async () => {
  const { clock, jobs } = jobsOf()
  const id = jobs.start(SPEC, () => undefined)

  await clock.advance(1000 + KEPT_MS - 1)
  assert.equal(jobs.find(id.toLowerCase())?.id, id)
  assert.equal(jobs.list().length, 1)
  await clock.advance(1)

  assert.equal(jobs.find(id), undefined)
  assert.equal(jobs.list().length, 0)
})

test('a plan of faults makes jobs slow, or lets them fail before their work', async () => {
  const slow = jobsOf({ slowness: 3 })
  const id = slow.jobs.start(SPEC, () => undefined)
  await slow.clock.advance(2999)
  assert.equal(stateOf(slow.jobs, id), JobState.running)
  await slow.clock.advance(1)
  assert.equal(stateOf(slow.jobs, id), JobState.completed)

  const failing = jobsOf({ failure: { code: 32771, message: 'as planned' } })
  let isDone = false
  const other = failing.jobs.start(SPEC, () => {
    isDone = true
  })
  await failing.clock.advance(1000)

  assert.deepEqual(failing.jobs.find(other)?.failure, { code: 32771, message: 'as planned' })
  assert.equal(isDone, false)
})

test('where nothing takes time, a job is done as soon as somebody else is heard', async () => {
  const { clock, jobs } = jobsOf(undefined, 0)
  const id = jobs.start(SPEC, () => undefined)

  await clock.advance(0)

  assert.equal(stateOf(jobs, id), JobState.completed)
})

test('a host that goes down ends its jobs without their work', async () => {
  const { clock, jobs } = jobsOf()
  let isDone = false
  const id = jobs.start(SPEC, () => {
    isDone = true
  })

  jobs.close()
  await clock.advance(2000)

  assert.equal(stateOf(jobs, id), JobState.killed)
  assert.equal(isDone, false)
})

test('no more than a thousand jobs run at once', () => {
  const { jobs } = jobsOf()
  for (let count = 0; count < 1000; count++) jobs.start(SPEC, () => undefined)

  assert.throws(() => jobs.start(SPEC, () => undefined), { name: 'OperationError', code: 32768 })
})
