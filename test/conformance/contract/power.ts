import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Stage } from '../stage.ts'
import { NOBODY, rejectsWith } from '../stage.ts'
import { POWER_STATES, perform, TRANSITION_NAMES, TRANSITIONS } from '../transitions.ts'

export function describePower(stage: Stage): void {
  describe('power', () => {
    describeTransitions(stage)
    describeStart(stage)
    describeShutdown(stage)
    describeInterrupt(stage)
  })
}

/** One test for each operation in each state: it leads where the table says, or it is refused and changes nothing. */
function describeTransitions(stage: Stage): void {
  for (const state of POWER_STATES) {
    for (const transition of TRANSITION_NAMES) {
      const next = TRANSITIONS[transition][state]
      if (next === undefined) {
        stage.it(`refuses ${transition} of a ${state} domain, and leaves it ${state}`, async () => {
          const id = await stage.in(state)

          await rejectsWith('bad-state', perform(stage.driver.domains, transition, id))
          await stage.assertState(id, state)
        })
      } else {
        stage.it(`leads by ${transition} from ${state} to ${next}`, async () => {
          const id = await stage.in(state)
          await perform(stage.driver.domains, transition, id)

          await stage.assertState(id, next)
        })
      }
    }
  }

  for (const state of ['running', 'paused'] as const) {
    stage.it(`refuses undefine of a ${state} domain, and leaves it ${state}`, async () => {
      const id = await stage.in(state)

      await rejectsWith('bad-state', stage.driver.domains.undefine(id))
      await stage.assertState(id, state)
    })
  }

  for (const state of ['halted', 'paused'] as const) {
    stage.it(`refuses requestShutdown of a ${state} domain, and leaves it ${state}`, async () => {
      const id = await stage.in(state)

      await rejectsWith('bad-state', stage.driver.domains.requestShutdown(id))
      await stage.assertState(id, state)
    })
  }
}

function describeStart(stage: Stage): void {
  stage.it('resets a paused domain that is to stay so, which then goes on', async () => {
    const id = await stage.in('paused')

    await stage.driver.domains.reset(id, { keepsPaused: true })
    await stage.assertState(id, 'paused')
    await stage.driver.domains.unpause(id)

    await stage.assertState(id, 'running')
  })

  stage.it('starts a domain again after its power was cut', async () => {
    const id = await stage.running()
    await stage.driver.domains.powerOff(id)
    await stage.driver.domains.start(id)

    await stage.assertState(id, 'running')
  })

  stage.it('leaves a domain halted when its start fails, and says why', async () => {
    const id = await stage.halted('broken')

    await rejectsWith('refused', stage.driver.domains.start(id))
    await stage.assertState(id, 'halted')
  })

  stage.it('forgets a domain whose start failed', async () => {
    const id = await stage.halted('broken')
    await rejectsWith('refused', stage.driver.domains.start(id, { paused: true }))
    await stage.driver.domains.undefine(id)

    await rejectsWith('not-found', stage.driver.domains.get(id))
  })

  stage.it('does not start a domain for a signal that is already aborted, and starts it later', async () => {
    const id = await stage.halted()
    await assert.rejects(stage.driver.domains.start(id, { signal: AbortSignal.abort() }), { name: 'DriverError' })
    await stage.assertState(id, 'halted')

    await stage.driver.domains.start(id, { signal: new AbortController().signal })
    await stage.assertState(id, 'running')
  })

  stage.it('says how far a start is in shares that only grow', async () => {
    const id = await stage.halted()
    const shares: number[] = []
    await stage.driver.domains.start(id, { onProgress: share => shares.push(share) })

    assert(shares.every(share => share >= 0 && share <= 1))
    assert.deepEqual(
      shares,
      shares.toSorted((a, b) => a - b),
    )
  })
}

function describeShutdown(stage: Stage): void {
  stage.it('asks a guest to shut down, and the guest obeys', async () => {
    const id = await stage.running()
    if (stage.driver.consoles !== undefined) await stage.untilBooted(id)
    await stage.driver.domains.requestShutdown(id)

    await stage.untilState(id, 'halted')
  })

  if (!stage.traits.guests.includes('deaf')) return

  stage.it('resolves once a deaf guest is asked to shut down, and can still cut its power', async () => {
    const NO_REACTION_MS = 300
    const id = await stage.running('deaf')
    await stage.driver.domains.requestShutdown(id)
    await sleep(NO_REACTION_MS)
    await stage.assertState(id, 'running')

    await stage.driver.domains.powerOff(id)
    await stage.assertState(id, 'halted')
  })
}

function describeInterrupt(stage: Stage): void {
  stage.it('interrupts a guest that runs so that it cannot put it off, and none that is halted', async () => {
    const { domains } = stage.driver
    if (domains.injectNmi === undefined) return
    const id = await stage.running()
    if (stage.driver.consoles !== undefined) await stage.untilBooted(id)

    await domains.injectNmi(id)
    await stage.assertState(id, 'running')
    await domains.powerOff(id)
    await rejectsWith('bad-state', domains.injectNmi(id))
    await rejectsWith('not-found', domains.injectNmi(NOBODY))
  })
}
