import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { DriverError } from '../../../src/drivers/driver.ts'
import type { Stage } from '../stage.ts'
import {
  legalOutcomes,
  type PowerState,
  perform,
  TRANSITION_NAMES,
  TRANSITIONS,
  type Transition,
} from '../transitions.ts'

/** Calls made at once on one domain of this state. */
const RACES: ReadonlyArray<readonly [PowerState, readonly Transition[]]> = [
  ['halted', ['start', 'start']],
  ['halted', ['start', 'startPaused', 'powerOff']],
  ['running', ['pause', 'powerOff']],
  ['running', ['pause', 'unpause', 'pause', 'unpause']],
  ['running', ['powerOff', 'powerOff', 'start']],
  ['paused', ['reset', 'pause', 'powerOff', 'unpause', 'start']],
]

const DOMAINS_AT_ONCE = 8
const WALK_STEPS = 24

export function describeConcurrency(stage: Stage): void {
  describe('concurrency', () => {
    describeRaces(stage)
    describeMany(stage)
  })
}

function describeRaces(stage: Stage): void {
  for (const [state, transitions] of RACES) {
    stage.it(`does ${transitions.join(', ')} at once on a ${state} domain as if one after another`, async () => {
      const id = await stage.in(state)

      const settled = await Promise.allSettled(transitions.map(name => perform(stage.driver.domains, name, id)))

      const done = settled.map(result => result.status === 'fulfilled')
      const outcome = { done, state: await stage.state(id) }
      for (const result of settled) if (result.status === 'rejected') assertBadState(result.reason)
      assert(
        legalOutcomes(state, transitions).some(legal => JSON.stringify(legal) === JSON.stringify(outcome)),
        `no order explains ${JSON.stringify(outcome)}`,
      )
    })
  }

  stage.it('either starts or forgets a domain that is started and undefined at once', async () => {
    const id = await stage.halted()

    const [start, undefine] = await Promise.allSettled([
      stage.driver.domains.start(id),
      stage.driver.domains.undefine(id),
    ])

    assert.notEqual(start.status, undefine.status)
    const isListed = (await stage.driver.domains.list()).some(domain => domain.id === id)
    assert.equal(isListed, start.status === 'fulfilled')
  })
}

function describeMany(stage: Stage): void {
  stage.it(`makes, starts, halts and forgets ${DOMAINS_AT_ONCE} domains at once`, async () => {
    const { domains } = stage.driver
    const configs = Array.from({ length: DOMAINS_AT_ONCE }, () => stage.config())
    const forAll = (operation: (id: string) => Promise<void>) => Promise.all(configs.map(({ id }) => operation(id)))
    const assertAll = (state: PowerState) => forAll(id => stage.assertState(id, state))

    await Promise.all(configs.map(config => domains.define(config)))
    await assertAll('halted')
    await forAll(id => domains.start(id))
    await assertAll('running')
    await forAll(id => domains.powerOff(id))
    await assertAll('halted')
    await forAll(id => domains.undefine(id))

    const left = new Set((await domains.list()).map(domain => domain.id))
    assert(configs.every(({ id }) => !left.has(id)))
  })

  stage.it('leaves other domains alone when it changes one', async () => {
    const bystander = await stage.paused()
    const id = await stage.running()
    await stage.driver.domains.reset(id)
    await stage.driver.domains.powerOff(id)
    await stage.driver.domains.undefine(id)

    await stage.assertState(bystander, 'paused')
  })

  stage.it('keeps to the table of states on a walk that takes every step of it', async () => {
    const id = await stage.halted()
    const taken = new Map<string, number>()
    const times = (from: PowerState, step: Transition) => taken.get(`${step} from ${from}`) ?? 0
    let state: PowerState = 'halted'
    for (let count = 0; count < WALK_STEPS; count++) {
      const from: PowerState = state
      const [step] = TRANSITION_NAMES.filter(name => TRANSITIONS[name][from] !== undefined).toSorted(
        (a, b) => times(from, a) - times(from, b),
      )
      assert(step !== undefined)
      await perform(stage.driver.domains, step, id)
      taken.set(`${step} from ${from}`, times(from, step) + 1)
      state = TRANSITIONS[step][from] ?? from
      await stage.assertState(id, state)
    }
    const steps = TRANSITION_NAMES.flatMap(name => Object.keys(TRANSITIONS[name]))
    assert.equal(taken.size, steps.length)
  })
}

function assertBadState(error: unknown): void {
  assert(error instanceof DriverError && error.kind === 'bad-state', `bad-state, not ${String(error)}`)
}
