import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Ear } from '../ear.ts'
import type { Stage } from '../stage.ts'
import { NOBODY, rejectsWith } from '../stage.ts'

export function describeSuspension(stage: Stage): void {
  describe('suspension', () => {
    describeStates(stage)
    describeSaved(stage)
    describeSuspended(stage)
    describeStops(stage)
    describeGuests(stage)
    if (stage.traits.outlivesConnection) describeReconnection(stage)
  })
}

async function suspended(stage: Stage): Promise<string> {
  const id = await stage.booted()
  await stage.suspension.suspend(id)
  return id
}

function describeStates(stage: Stage): void {
  for (const state of ['running', 'paused'] as const) {
    for (const live of [false, true]) {
      stage.it(`suspends a ${state} domain ${live ? 'live' : 'at once'}`, async () => {
        const id = await stage.in(state)
        await stage.suspension.suspend(id, { live })

        await stage.assertState(id, 'suspended')
      })
    }

    stage.it(`refuses to resume a ${state} domain, and leaves it ${state}`, async () => {
      const id = await stage.in(state)

      await rejectsWith('bad-state', stage.suspension.resume(id))
      await stage.assertState(id, state)
    })
  }

  for (const paused of [false, true]) {
    const next = paused ? 'paused' : 'running'
    stage.it(`resumes a suspended domain ${next}`, async () => {
      const id = await suspended(stage)
      await stage.suspension.resume(id, { paused })

      await stage.assertState(id, next)
    })

    stage.it(`resumes a domain that was paused when it was suspended ${next}`, async () => {
      const id = await stage.paused()
      await stage.suspension.suspend(id)
      await stage.suspension.resume(id, { paused })

      await stage.assertState(id, next)
    })
  }

  stage.it('refuses to suspend or resume a halted domain', async () => {
    const id = await stage.halted()

    await rejectsWith('bad-state', stage.suspension.suspend(id))
    await rejectsWith('bad-state', stage.suspension.resume(id))
    await stage.assertState(id, 'halted')
  })

  stage.it('says not-found to suspend and resume of a domain that the host does not have', async () => {
    await rejectsWith('not-found', stage.suspension.suspend(NOBODY))
    await rejectsWith('not-found', stage.suspension.resume(NOBODY))
  })
}

/** What is told of a suspended domain. */
function describeSaved(stage: Stage): void {
  stage.it('tells what a suspended domain was, which may be changed as far as its guest does not see it', async () => {
    const { saved, changeSaved } = stage.suspension
    assert.equal(saved === undefined, changeSaved === undefined)
    if (saved === undefined || changeSaved === undefined) return
    const id = await stage.paused()
    await rejectsWith('bad-state', saved(id))
    await rejectsWith('bad-state', changeSaved(id, { paused: false }))
    await stage.suspension.suspend(id)
    const told = await saved(id)
    assert.deepEqual(told, { config: await stage.driver.domains.config(id), paused: true })

    const config = { ...told.config, description: 'saved' }
    await changeSaved(id, { config })
    await changeSaved(id, { paused: false })
    assert.deepEqual(await saved(id), { config, paused: false })
    await rejectsWith('refused', changeSaved(id, { config: { ...config, vcpus: config.vcpus + 1 }, paused: true }))
    assert.deepEqual(await saved(id), { config, paused: false })
    await stage.suspension.resume(id)
    await stage.assertState(id, 'running')
  })
}

/** What a suspended domain puts up with. */
function describeSuspended(stage: Stage): void {
  for (const operation of ['start', 'pause', 'unpause', 'requestShutdown', 'reset', 'undefine'] as const) {
    stage.it(`refuses ${operation} of a suspended domain, and leaves it suspended`, async () => {
      const id = await suspended(stage)

      await rejectsWith('bad-state', stage.driver.domains[operation](id))
      await stage.assertState(id, 'suspended')
    })
  }

  stage.it('refuses to suspend a suspended domain, and resumes it still', async () => {
    const id = await suspended(stage)

    await rejectsWith('bad-state', stage.suspension.suspend(id))
    await stage.suspension.resume(id)
    await stage.assertState(id, 'running')
  })

  stage.it('discards what was saved when the power of a suspended domain is cut', async () => {
    const id = await suspended(stage)
    await stage.driver.domains.powerOff(id)
    await stage.assertState(id, 'halted')

    await rejectsWith('bad-state', stage.suspension.resume(id))
    await stage.driver.domains.start(id)
    await stage.assertState(id, 'running')
  })

  stage.it('resumes a domain as it was suspended, whatever definition it was given meanwhile', async () => {
    const config = stage.config()
    await stage.driver.domains.define(config)
    await stage.driver.domains.start(config.id)
    await stage.suspension.suspend(config.id)
    const changed = { ...config, vcpus: 2, memoryBytes: config.memoryBytes * 2, description: 'changed' }
    await stage.driver.domains.define(changed)
    await stage.assertState(config.id, 'suspended')
    await stage.suspension.resume(config.id)

    await stage.assertState(config.id, 'running')
    assert.deepEqual(await stage.driver.domains.config(config.id), changed)
    await stage.driver.domains.powerOff(config.id)
    await stage.driver.domains.start(config.id)
    await stage.assertState(config.id, 'running')
  })

  stage.it('suspends one of two at once, and resumes one of two at once', async () => {
    const id = await stage.booted()
    const count = (settled: readonly PromiseSettledResult<void>[]) =>
      settled.filter(result => result.status === 'fulfilled').length

    assert.equal(count(await Promise.allSettled([stage.suspension.suspend(id), stage.suspension.suspend(id)])), 1)
    await stage.assertState(id, 'suspended')
    assert.equal(count(await Promise.allSettled([stage.suspension.resume(id), stage.suspension.resume(id)])), 1)
    await stage.assertState(id, 'running')
  })
}

/** Being told to stop, and saying how far it is. */
function describeStops(stage: Stage): void {
  for (const state of ['running', 'paused'] as const) {
    stage.it(
      `leaves a ${state} domain ${state} for a signal that is already aborted, and suspends it later`,
      async () => {
        const id = await stage.in(state)
        await assert.rejects(stage.suspension.suspend(id, { signal: AbortSignal.abort() }), { name: 'DriverError' })
        await stage.assertState(id, state)

        await stage.suspension.suspend(id)
        await stage.assertState(id, 'suspended')
      },
    )
  }

  stage.it(
    'leaves a suspended domain suspended for a signal that is already aborted, and resumes it later',
    async () => {
      const id = await suspended(stage)
      await assert.rejects(stage.suspension.resume(id, { signal: AbortSignal.abort() }), { name: 'DriverError' })
      await stage.assertState(id, 'suspended')

      await stage.suspension.resume(id)
      await stage.assertState(id, 'running')
    },
  )

  stage.it('says how far a suspension and a resume are in shares that only grow', async () => {
    const id = await stage.booted()
    const [out, back]: [number[], number[]] = [[], []]
    await stage.suspension.suspend(id, { onProgress: share => out.push(share) })
    await stage.suspension.resume(id, { onProgress: share => back.push(share) })

    for (const shares of [out, back]) {
      assert(shares.every(share => share >= 0 && share <= 1))
      assert.deepEqual(
        shares,
        shares.toSorted((a, b) => a - b),
      )
    }
  })
}

/** What the guest notices, and who else. */
function describeGuests(stage: Stage): void {
  if (stage.traits.groups.includes('consoles')) {
    stage.it('lets the guest go on where it was, without another boot', async () => {
      const id = await suspended(stage)
      const before = await stage.serial(id)
      await stage.suspension.resume(id)
      await stage.until('the guest prints on', async () => (await stage.serial(id)).length > before.length)

      const after = await stage.serial(id)
      assert(after.startsWith(before))
      assert(!after.slice(before.length).includes('BOOT-OK'))
    })

    stage.it('lets the guest print nothing while it is suspended', async () => {
      const SILENCE_MS = 300
      const id = await suspended(stage)
      const before = await stage.serial(id)
      await sleep(SILENCE_MS)

      assert.equal(await stage.serial(id), before)
    })
  }

  stage.it('lets a guest obey that was suspended and resumed twice', async () => {
    const id = await suspended(stage)
    await stage.suspension.resume(id, { paused: true })
    await stage.suspension.suspend(id)
    await stage.suspension.resume(id)
    await stage.driver.domains.requestShutdown(id)

    await stage.untilState(id, 'halted')
  })

  if (!stage.traits.groups.includes('events')) return

  stage.it('tells of a suspension and of a resume, and of no end of the guest', async () => {
    const id = await stage.booted()
    const ear = new Ear(id)
    stage.events.subscribe(ear.listen)
    await stage.suspension.suspend(id)
    await stage.until('the suspension is heard', () => ear.count('changed') > 0)
    const heard = ear.count('changed')
    await stage.suspension.resume(id)
    await stage.until('the resume is heard', () => ear.count('changed') > heard)

    assert(ear.kinds.every(kind => kind === 'changed'))
  })
}

function describeReconnection(stage: Stage): void {
  stage.it('keeps a domain suspended over connections, and resumes it', async () => {
    const id = await suspended(stage)
    await stage.disconnect()
    await stage.connect()
    await stage.assertState(id, 'suspended')
    await stage.suspension.resume(id)

    await stage.assertState(id, 'running')
    await stage.driver.domains.requestShutdown(id)
    await stage.untilState(id, 'halted')
  })
}
