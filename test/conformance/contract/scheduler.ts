import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { Scheduling } from '../../../src/drivers/driver.ts'
import type { Stage } from '../stage.ts'
import { NOBODY, rejectsWith } from '../stage.ts'

const NO_CPU = 100_000
const PLAIN: Scheduling = { weight: 256, capPercent: null, affinity: null }

export function describeScheduler(stage: Stage): void {
  describe('scheduler', () => {
    describeAffinity(stage)
    describeStates(stage)
  })
}

async function firstCpu(stage: Stage): Promise<number> {
  const [cpu] = (await stage.driver.host.info()).cpus
  assert(cpu !== undefined)
  return cpu.number
}

/** Which CPUs a domain runs on: what every host with a scheduler can do. */
function describeAffinity(stage: Stage): void {
  for (const state of ['running', 'paused'] as const) {
    stage.it(`binds a ${state} domain to a CPU and lets it go, and keeps that in its definition`, async () => {
      const id = await stage.in(state)
      for (const affinity of [[await firstCpu(stage)], null]) {
        const scheduling = { ...PLAIN, affinity }
        await stage.scheduler.set(id, scheduling)

        assert.deepEqual((await stage.driver.domains.config(id)).scheduling, scheduling)
        await stage.assertState(id, state)
      }
    })
  }

  stage.it('starts a domain that is bound to a CPU', async () => {
    const config = { ...stage.config(), scheduling: { ...PLAIN, affinity: [await firstCpu(stage)] } }
    await stage.driver.domains.define(config)
    await stage.driver.domains.start(config.id)

    await stage.assertState(config.id, 'running')
    assert.deepEqual(await stage.driver.domains.config(config.id), config)
  })

  stage.it('refuses a CPU that the host does not have, and changes nothing', async () => {
    const id = await stage.running()
    const scheduling = { ...PLAIN, affinity: [await firstCpu(stage)] }
    await stage.scheduler.set(id, scheduling)

    await rejectsWith('refused', stage.scheduler.set(id, { ...PLAIN, affinity: [NO_CPU] }))
    assert.deepEqual((await stage.driver.domains.config(id)).scheduling, scheduling)
  })

  stage.it('leaves a domain halted that is bound to a CPU which the host does not have', async () => {
    const config = { ...stage.config(), scheduling: { ...PLAIN, affinity: [NO_CPU] } }
    await stage.driver.domains.define(config)

    await rejectsWith('refused', stage.driver.domains.start(config.id))
    await stage.assertState(config.id, 'halted')
  })

  stage.it('takes weight and cap, or refuses them and changes nothing', async () => {
    const config = stage.config()
    await stage.driver.domains.define(config)
    await stage.driver.domains.start(config.id)
    for (const scheduling of [
      { ...PLAIN, weight: 512 },
      { ...PLAIN, capPercent: 50 },
    ]) {
      const before = await stage.driver.domains.config(config.id)
      const [settled] = await Promise.allSettled([stage.scheduler.set(config.id, scheduling)])
      if (settled.status === 'rejected') await rejectsWith('refused', Promise.reject(settled.reason))

      const expected = settled.status === 'rejected' ? before : { ...before, scheduling }
      assert.deepEqual(await stage.driver.domains.config(config.id), expected)
    }
  })
}

function describeStates(stage: Stage): void {
  stage.it('refuses a halted domain, and leaves its definition alone', async () => {
    const config = stage.config()
    await stage.driver.domains.define(config)

    await rejectsWith('bad-state', stage.scheduler.set(config.id, PLAIN))
    assert.deepEqual(await stage.driver.domains.config(config.id), config)
  })

  if (stage.traits.groups.includes('suspension')) {
    stage.it('refuses a suspended domain', async () => {
      const id = await stage.booted()
      await stage.suspension.suspend(id)

      await rejectsWith('bad-state', stage.scheduler.set(id, PLAIN))
    })
  }

  stage.it('says not-found to the scheduling of a domain that the host does not have', async () => {
    await rejectsWith('not-found', stage.scheduler.set(NOBODY, PLAIN))
  })
}
