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

  stage.it('keeps to the table of states on a long walk', async () => {
    const id = await stage.halted()
    let state: PowerState = 'halted'
    for (let step = 0; step < WALK_STEPS; step++) {
      const choices: Transition[] = TRANSITION_NAMES.filter(name => TRANSITIONS[name][state] !== undefined)
      // A stride that is coprime to the number of choices visits each of them from each state.
      const transition = choices[(step * 7) % choices.length]
      assert(transition !== undefined)
      await perform(stage.driver.domains, transition, id)
      state = TRANSITIONS[transition][state] ?? state
      await stage.assertState(id, state)
    }
  })
}

function assertBadState(error: unknown): void {
  assert(error instanceof DriverError && error.kind === 'bad-state', `bad-state, not ${String(error)}`)
}
