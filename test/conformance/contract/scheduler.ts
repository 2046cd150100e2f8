import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { Scheduling } from '../../../src/drivers/driver.ts'
import type { Stage } from '../stage.ts'
import { NOBODY, rejectsWith } from '../stage.ts'

const NO_CPU = 100_000
const PLAIN: Scheduling = { weight: 256, capPercent: null, affinity: null }

export function describeScheduler(stage: Stage): void {
  describe('scheduler', () => {
    if (stage.traits.bindsNoCpus === true) describeNoAffinity(stage)
    else describeAffinity(stage)
    describeShares(stage)
    describeOwn(stage)
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
}

/** As `describeAffinity`, of a host that cannot. */
function describeNoAffinity(stage: Stage): void {
  for (const state of ['running', 'paused'] as const) {
    stage.it(`refuses to bind a ${state} domain to a CPU, and changes nothing`, async () => {
      const id = await stage.in(state)
      const before = await stage.driver.domains.config(id)
      const scheduling = { ...PLAIN, affinity: [await firstCpu(stage)] }

      await rejectsWith('refused', stage.scheduler.set(id, scheduling))
      assert.deepEqual(await stage.driver.domains.config(id), before)
      await stage.assertState(id, state)
    })
  }

  stage.it('keeps the definition of a domain that is bound to a CPU, and refuses to start it', async () => {
    const config = { ...stage.config(), scheduling: { ...PLAIN, affinity: [await firstCpu(stage)] } }
    await stage.driver.domains.define(config)

    await rejectsWith('refused', stage.driver.domains.start(config.id))
    await stage.assertState(config.id, 'halted')
    assert.deepEqual(await stage.driver.domains.config(config.id), config)
  })
}

function describeShares(stage: Stage): void {
  stage.it("keeps what is everybody's share, of a running and of a paused domain", async () => {
    for (const state of ['running', 'paused'] as const) {
      const id = await stage.in(state)
      await stage.scheduler.set(id, PLAIN)

      assert.deepEqual((await stage.driver.domains.config(id)).scheduling, PLAIN)
      await stage.assertState(id, state)
    }
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

/** The scheduler's own parameters, where it has some. */
function describeOwn(stage: Stage): void {
  stage.it('tells its own parameters by name, as wide as it says, of domains in any state', async () => {
    const { own } = stage.scheduler
    if (own === undefined) return
    assert.notEqual(own.name, '')
    for (const state of ['halted', 'running'] as const) {
      const parameters = await own.parameters(await stage.in(state))
      assert(parameters.length > 0)
      assert.equal(new Set(parameters.map(({ name }) => name)).size, parameters.length)
      for (const { name, type, value } of parameters) {
        const [min, max] = WIDTHS[type]
        assert(value >= min && value < max, `${name}: ${value}`)
      }
    }
    await rejectsWith('not-found', own.parameters(NOBODY))
  })

  stage.it('tells in its own parameters what a domain is started with', async () => {
    const { own } = stage.scheduler
    if (own === undefined) return
    const config = { ...stage.config(), scheduling: { ...PLAIN, weight: 512, capPercent: 50 } }
    await stage.driver.domains.define(config)
    const plain = await own.parameters(await stage.halted())

    const told = await own.parameters(config.id)
    assert.notDeepEqual(told, plain)
    const values = new Map(told.filter(({ name }) => name !== UNCHANGED).map(({ name, value }) => [name, value]))
    assert.deepEqual(own.changed(undefined, values), config.scheduling)
    assert.throws(() => own.changed(undefined, new Map([['nothing', 1n]])), { name: 'DriverError', kind: 'refused' })
  })
}

/** The one parameter that is told and not changed. */
const UNCHANGED = 'reservation'

const WIDTHS = { uint: [0n, 2n ** 32n], llong: [-(2n ** 63n), 2n ** 63n], ullong: [0n, 2n ** 64n] } as const

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
