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
