import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DriverError } from '../../src/drivers/driver.ts'
import { MemoryHost, memoryDriver } from '../../src/drivers/memory/index.ts'
import { definition } from './definition.ts'

test('the nth call of an operation fails as planned, before its effect', async () => {
  const driver = memoryDriver({ faults: [{ operation: 'domains.define', nth: 2, when: 'before', kind: 'refused' }] })
  await driver.domains.define(definition('first'))

  await assert.rejects(driver.domains.define(definition('second')), { name: 'DriverError', kind: 'refused' })
  await driver.domains.define(definition('third'))

  assert.deepEqual(
    (await driver.domains.list()).map(domain => domain.name),
    ['first', 'third'],
  )
})

test('a call that fails after its effect has had it', async () => {
  const driver = memoryDriver()
  const config = definition('web')
  await driver.domains.define(config)
  driver.faults.plan({ operation: 'domains.start', nth: 1, when: 'after', kind: 'unreachable' })

  await assert.rejects(driver.domains.start(config.id), { kind: 'unreachable' })
  assert.equal((await driver.domains.get(config.id)).state, 'running')
})

test('planned faults of one operation leave the others alone', async () => {
  const driver = memoryDriver({ vms: 1 })
  driver.faults.plan({ operation: 'domains.get', nth: 1, when: 'before', kind: 'not-found' })

  assert.equal((await driver.domains.list()).length, 1)
  await driver.host.info()
})

test('faults at a rate are of every kind and about as frequent as the rate', async () => {
  const CALLS = 2000
  const driver = memoryDriver({ faultRate: 0.2, seed: 7 })
  const kinds = new Map<string, number>()
  for (let call = 0; call < CALLS; call++) {
    await driver.domains.list().catch(error => {
      assert(error instanceof DriverError)
      kinds.set(error.kind, (kinds.get(error.kind) ?? 0) + 1)
    })
  }

  const failed = [...kinds.values()].reduce((sum, count) => sum + count, 0)
  assert.deepEqual([...kinds.keys()].toSorted(), ['bad-state', 'not-found', 'refused', 'unreachable'])
  assert(failed > CALLS * 0.17 && failed < CALLS * 0.23, `${failed} of ${CALLS}`)
})

test('everything is unreachable while the line is cut, and as it was when it is restored', async () => {
  const driver = memoryDriver({ vms: 2 })
  const before = await driver.domains.list()
  driver.faults.cutLine()
  await assert.rejects(driver.domains.list(), { kind: 'unreachable' })
  await assert.rejects(driver.host.info(), { kind: 'unreachable' })
  await assert.rejects(driver.storage.getVolume('x'), { kind: 'unreachable' })
  driver.faults.restoreLine()

  assert.deepEqual(await driver.domains.list(), before)
})

test('a connection whose line is cut misses what another connection does', async () => {
  const host = new MemoryHost({ vms: 1 })
  const [ours, theirs] = [memoryDriver({ host }), memoryDriver({ host })]
  const heard: string[] = []
  ours.events.subscribe(event => heard.push(event.kind))
  const [domain] = await ours.domains.list()
  assert(domain !== undefined)

  ours.faults.cutLine()
  await theirs.domains.start(domain.id)
  ours.faults.restoreLine()
  await theirs.domains.pause(domain.id)

  assert.deepEqual(heard, ['changed'])
  assert.equal((await ours.domains.get(domain.id)).state, 'paused')
})
