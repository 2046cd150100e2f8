import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { Stage } from '../stage.ts'
import { NOBODY, rejectsWith } from '../stage.ts'

/** More than any host keeps. */
const PLENTY = 12

export function describeDumps(stage: Stage): void {
  describe('dumps', () => {
    describeMaking(stage)
    describeKeeping(stage)
    describeStates(stage)
    if (stage.traits.savesToFiles) describePlaces(stage)
  })
}

function describePlaces(stage: Stage): void {
  stage.it('dumps to a place that is said, in place of what is there, and keeps no account of that', async () => {
    const id = await paused(stage)
    const location = stage.setup.place?.('core')
    assert(location !== undefined)
    for (let times = 0; times < 2; times++) {
      const dump = await stage.dumps.dump(id, { location })
      assert.equal(dump.location, location)
      assert(dump.bytes > 0)
    }
    await rejectsWith('refused', stage.dumps.dump(id, { location: 'core' }))

    assert.deepEqual(await stage.dumps.list(id), [])
    await stage.assertState(id, 'paused')
  })
}

async function paused(stage: Stage): Promise<string> {
  const id = await stage.booted()
  await stage.driver.domains.pause(id)
  return id
}

function describeMaking(stage: Stage): void {
  stage.it('dumps the memory of a paused domain, which stays paused', async () => {
    const config = stage.config()
    await stage.driver.domains.define(config)
    await stage.driver.domains.start(config.id, { paused: true })
    assert.deepEqual(await stage.dumps.list(config.id), [])
    const dump = await stage.dumps.dump(config.id)

    assert(dump.bytes >= config.memoryBytes, `${dump.bytes} bytes`)
    assert.notEqual(dump.location, '')
    assert.deepEqual(await stage.dumps.list(config.id), [dump])
    await stage.assertState(config.id, 'paused')
  })

  stage.it('lets a guest go on after it was dumped', async () => {
    const id = await paused(stage)
    await stage.dumps.dump(id)
    await stage.driver.domains.unpause(id)
    await stage.driver.domains.requestShutdown(id)

    await stage.untilState(id, 'halted')
  })

  if (!stage.traits.guests.includes('crashing')) return

  stage.it('dumps the memory of a crashed domain, and resets it', async () => {
    const config = stage.config('crashing')
    const exits = { shutdown: 'halt', reboot: 'halt', suspend: 'halt', crash: 'hold' } as const
    await stage.driver.domains.define({ ...config, exits })
    await stage.driver.domains.start(config.id)
    await stage.untilState(config.id, 'crashed')
    const dump = await stage.dumps.dump(config.id)

    assert.deepEqual(await stage.dumps.list(config.id), [dump])
    await stage.assertState(config.id, 'crashed')
    await stage.driver.domains.reset(config.id)
    await stage.untilState(config.id, 'crashed')
  })
}

function describeKeeping(stage: Stage): void {
  stage.it('keeps only the newest few dumps of a domain, oldest first', async () => {
    const id = await paused(stage)
    const made: string[] = []
    for (let count = 0; count < PLENTY; count++) made.push((await stage.dumps.dump(id)).location)

    const kept = (await stage.dumps.list(id)).map(dump => dump.location)
    assert(kept.length > 0 && kept.length < PLENTY)
    assert.deepEqual(kept, made.slice(-kept.length))
    assert.equal(new Set(made).size, PLENTY)
  })

  stage.it('keeps dumps of a halted domain, and forgets them with the domain', async () => {
    const config = stage.config()
    await stage.driver.domains.define(config)
    await stage.driver.domains.start(config.id, { paused: true })
    const dump = await stage.dumps.dump(config.id)
    await stage.driver.domains.powerOff(config.id)
    assert.deepEqual(await stage.dumps.list(config.id), [dump])

    await stage.driver.domains.undefine(config.id)
    await rejectsWith('not-found', stage.dumps.list(config.id))
    await stage.driver.domains.define(config)
    assert.deepEqual(await stage.dumps.list(config.id), [])
  })

  stage.it('makes no dump for a signal that is already aborted', async () => {
    const id = await paused(stage)

    await assert.rejects(stage.dumps.dump(id, { signal: AbortSignal.abort() }), { name: 'DriverError' })
    assert.deepEqual(await stage.dumps.list(id), [])
    await stage.assertState(id, 'paused')
  })

  if (!stage.traits.outlivesConnection) return

  stage.it('keeps dumps over connections', async () => {
    const id = await paused(stage)
    const dump = await stage.dumps.dump(id)
    await stage.disconnect()
    await stage.connect()

    assert.deepEqual(await stage.dumps.list(id), [dump])
  })
}

function describeStates(stage: Stage): void {
  for (const state of ['halted', 'running'] as const) {
    stage.it(`refuses to dump a ${state} domain`, async () => {
      const id = await stage.in(state)

      await rejectsWith('bad-state', stage.dumps.dump(id))
      assert.deepEqual(await stage.dumps.list(id), [])
      await stage.assertState(id, state)
    })
  }

  stage.it('says not-found to dumps of a domain that the host does not have', async () => {
    await rejectsWith('not-found', stage.dumps.dump(NOBODY))
    await rejectsWith('not-found', stage.dumps.list(NOBODY))
  })
}
