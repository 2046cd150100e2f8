import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryDriver } from '../../src/drivers/memory/index.ts'
import { ManualClock } from './manual-clock.ts'

test('each call waits no longer than the latency, and not always equally long', async () => {
  const clock = new ManualClock()
  const driver = memoryDriver({ clock, latencyMs: 100 })
  const answeredMs: number[] = []
  for (let call = 0; call < 50; call++) void driver.host.info().then(() => answeredMs.push(clock.nowMs()))
  for (let step = 0; step < 10; step++) await clock.advance(10)

  assert.equal(answeredMs.length, 50)
  assert(new Set(answeredMs).size > 10)
})

test('a call that waits is unreachable when its driver is closed, and leaves no timer', async () => {
  const clock = new ManualClock()
  const driver = memoryDriver({ clock, latencyMs: 100, vms: 1 })
  const call = assert.rejects(driver.domains.list(), { kind: 'unreachable' })
  await driver.close()

  await call
  assert.equal(clock.alarmCount, 0)
})

test('a call that waits when the line is cut has no effect', async () => {
  const clock = new ManualClock()
  const driver = memoryDriver({ clock, latencyMs: 100, vms: 1 })
  const list = driver.domains.list()
  await clock.advance(100)
  const [domain] = await list
  assert(domain !== undefined)

  const start = assert.rejects(driver.domains.start(domain.id), { kind: 'unreachable' })
  driver.faults.cutLine()
  await clock.advance(100)
  await start
  driver.faults.restoreLine()

  const get = driver.domains.get(domain.id)
  await clock.advance(100)
  assert.equal((await get).state, 'halted')
})
