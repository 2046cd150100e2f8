import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryDriver } from '../../src/drivers/memory/index.ts'
import { definition } from './definition.ts'
import { ManualClock } from './manual-clock.ts'

/** A memory host with one domain of this name, and a hand on its clock. */
async function stage(name: string) {
  const clock = new ManualClock()
  const driver = memoryDriver({ clock })
  const config = definition(name)
  await driver.domains.define(config)
  const heard: string[] = []
  driver.events.subscribe(event => heard.push(event.kind))
  const state = async () => (await driver.domains.get(config.id)).state
  return { clock, driver, id: config.id, heard, state }
}

test('vm-that-fails-to-start is refused its start and says why', async () => {
  const { driver, id, state } = await stage('vm-that-fails-to-start')

  await assert.rejects(driver.domains.start(id), { kind: 'refused', message: /of this name/ })
  assert.equal(await state(), 'halted')
})

test('vm-that-ignores-shutdown runs on until its power is cut', async () => {
  const { clock, driver, id, state } = await stage('vm-that-ignores-shutdown')
  await driver.domains.start(id)
  await driver.domains.requestShutdown(id)
  await clock.advance(3_600_000)
  assert.equal(await state(), 'running')

  await driver.domains.powerOff(id)
  assert.equal(await state(), 'halted')
})

test('vm-that-crashes runs a moment, crashes and is halted', async () => {
  const { clock, driver, id, heard, state } = await stage('vm-that-crashes')
  await driver.domains.start(id)
  assert.equal(await state(), 'running')
  await clock.advance(1000)

  assert.equal(await state(), 'halted')
  assert.deepEqual(heard, ['changed', 'crashed', 'changed'])
})

test('vm-that-crashes does not crash while it is paused', async () => {
  const { clock, driver, id, state } = await stage('vm-that-crashes')
  await driver.domains.start(id, { paused: true })
  await clock.advance(1000)
  assert.equal(await state(), 'paused')

  await driver.domains.unpause(id)
  await clock.advance(1000)
  assert.equal(await state(), 'halted')
})

test('vm-that-is-slow takes seconds to start and says how far it is', async () => {
  const { clock, driver, id, state } = await stage('vm-that-is-slow')
  const shares: number[] = []
  const start = driver.domains.start(id, { onProgress: share => shares.push(share) })
  await clock.advance(1000)
  assert.equal(await state(), 'halted')
  await clock.advance(5000)
  await start

  assert.equal(await state(), 'running')
  assert(shares.length > 5)
  assert.equal(shares.at(-1), 1)
})

test('the start of vm-that-is-slow is stopped half-way by its signal', async () => {
  const { clock, driver, id, state } = await stage('vm-that-is-slow')
  const controller = new AbortController()
  const start = assert.rejects(driver.domains.start(id, { signal: controller.signal }), { kind: 'refused' })
  await clock.advance(1000)
  controller.abort()
  await start

  assert.equal(await state(), 'halted')
  assert.equal(clock.alarmCount, 0)
})

test('an ordinary guest obeys soon, but not while it is paused', async () => {
  const { clock, driver, id, heard, state } = await stage('web')
  await driver.domains.start(id)
  await driver.domains.requestShutdown(id)
  await driver.domains.pause(id)
  await clock.advance(1000)
  assert.equal(await state(), 'paused')

  await driver.domains.unpause(id)
  await clock.advance(1000)
  assert.equal(await state(), 'halted')
  assert.deepEqual(heard.slice(-2), ['guest-shutdown', 'changed'])
})

test('a guest that is asked twice to shut down does so once', async () => {
  const { clock, driver, id, heard } = await stage('web')
  await driver.domains.start(id)
  await driver.domains.requestShutdown(id)
  await driver.domains.requestShutdown(id)
  await clock.advance(1000)

  assert.equal(heard.filter(kind => kind === 'guest-shutdown').length, 1)
  assert.equal(clock.alarmCount, 0)
})

test('a guest that is reset forgets that it was asked to shut down', async () => {
  const { clock, driver, id, state } = await stage('web')
  await driver.domains.start(id)
  await driver.domains.requestShutdown(id)
  await driver.domains.reset(id)
  await clock.advance(1000)

  assert.equal(await state(), 'running')
})

test('vm-that-fails-to-suspend is refused its suspension, says why, and runs on', async () => {
  const { driver, id, state } = await stage('vm-that-fails-to-suspend')
  await driver.domains.start(id)

  await assert.rejects(driver.suspension.suspend(id), { kind: 'refused', message: /of this name/ })
  assert.equal(await state(), 'running')
})

test('vm-that-is-slow takes seconds to suspend and to resume, says how far it is, and can be told to stop', async () => {
  const { clock, driver, id, state } = await stage('vm-that-is-slow')
  const start = driver.domains.start(id)
  await clock.advance(3000)
  await start
  const shares: number[] = []
  const controller = new AbortController()
  const options = { signal: controller.signal, onProgress: (share: number) => shares.push(share) }
  const stopped = assert.rejects(driver.suspension.suspend(id, options), { kind: 'refused' })
  await clock.advance(1000)
  assert.equal(await state(), 'running')
  controller.abort()
  await stopped
  assert(shares.length > 2 && Math.max(...shares) < 0.5)

  const suspension = driver.suspension.suspend(id)
  await clock.advance(3000)
  await suspension
  assert.equal(await state(), 'suspended')
  const resume = driver.suspension.resume(id)
  await clock.advance(3000)
  await resume
  assert.equal(await state(), 'running')
})

test('vm-that-suspends suspends itself and is halted, and vm-that-reboots boots again and again', async () => {
  const [one, other] = [await stage('vm-that-suspends'), await stage('vm-that-reboots')]
  await one.driver.domains.start(one.id)
  await one.clock.advance(1000)
  assert.equal(await one.state(), 'halted')
  assert.deepEqual(one.heard, ['changed', 'guest-suspended', 'changed'])

  await other.driver.domains.start(other.id)
  await other.clock.advance(175)
  assert.equal(await other.state(), 'running')
  assert.equal(other.heard.filter(kind => kind === 'guest-reset').length, 3)
})

test('a guest that was suspended on its way down goes on with it when it is resumed', async () => {
  const { clock, driver, id, state } = await stage('web')
  await driver.domains.start(id)
  await driver.domains.requestShutdown(id)
  await driver.suspension.suspend(id)
  await clock.advance(10_000)
  assert.equal(await state(), 'suspended')
  assert.equal(clock.alarmCount, 0)

  await driver.suspension.resume(id)
  await clock.advance(1000)
  assert.equal(await state(), 'halted')
})

test('vm-without-agent runs and answers nothing, where others tell their names', async () => {
  const { clock, driver, id } = await stage('vm-without-agent')
  const other = definition('web')
  await driver.domains.define(other)
  await driver.domains.start(id)
  await driver.domains.start(other.id)
  await clock.advance(1000)

  await assert.rejects(driver.guest.hostName(id), { kind: 'refused', guest: 'silent' })
  assert.match(await driver.guest.hostName(other.id), /^web/)
})
