import assert from 'node:assert/strict'
import { existsSync, statSync } from 'node:fs'
import { afterEach, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { runtimeFiles } from '../../src/drivers/qemu/layout.ts'
import { killNow } from '../../src/drivers/qemu/process.ts'
import { count, TEST_MS, World } from './world.ts'

let world: World
beforeEach(async () => {
  world = await World.open()
})
afterEach(() => world.close())

const LONGER_THAN_A_TICK_MS = 2_500

test('a guest boots, prints, and runs in a session of its own', { timeout: TEST_MS }, async () => {
  const id = await world.running()

  await world.untilPrinted(id, 'BOOT-OK\nDISKS 1\nTICK 0001\n')
  assert.equal(await world.state(id), 'running')
  assert.deepEqual(world.kinds(id), ['defined', 'changed'])
})

test('a guest that is started paused executes nothing until it is unpaused', { timeout: TEST_MS }, async () => {
  const id = await world.define()
  await world.driver.domains.start(id, { paused: true })
  await sleep(LONGER_THAN_A_TICK_MS)

  assert.equal(await world.state(id), 'paused')
  assert.equal(await world.serial(id), '')

  await world.driver.domains.unpause(id)
  await world.untilPrinted(id, 'BOOT-OK')
})

test('a paused guest counts no further, and goes on from there', { timeout: TEST_MS }, async () => {
  const id = await world.booted()
  await world.driver.domains.pause(id)
  const before = await world.serial(id)
  await sleep(LONGER_THAN_A_TICK_MS)

  assert.equal(await world.serial(id), before)

  await world.driver.domains.unpause(id)
  await world.until('it counts on', async () => /TICK \d+\n/.test((await world.serial(id)).slice(before.length)))
  const last = Number(/TICK (\d+)\n$/.exec(before)?.[1])
  const text = await world.serial(id)
  assert.equal(count(text, 'BOOT-OK'), 1)
  assert.equal(Number(/TICK (\d+)/.exec(text.slice(before.length))?.[1]), last + 1)
})

for (const isPaused of [false, true]) {
  test(`a reset boots a ${isPaused ? 'paused' : 'running'} guest again, and is no reset of the guest's`, {
    timeout: TEST_MS,
  }, async () => {
    const id = await world.booted()
    if (isPaused) await world.driver.domains.pause(id)
    await world.driver.domains.reset(id)

    assert.equal(await world.state(id), 'running')
    await world.until('it boots again', async () => count(await world.serial(id), 'BOOT-OK') === 2)
    await world.until('it counts again', async () => count(await world.serial(id), 'TICK 0001') === 2)
    assert(!world.kinds(id).includes('guest-reset'))
  })
}

test('a guest that resets itself is told of, once', { timeout: TEST_MS }, async () => {
  const id = await world.booted()
  await world.send(id, 'r')

  await world.until('it boots again', async () => count(await world.serial(id), 'TICK 0001') === 2)
  assert.equal(world.kinds(id).filter(kind => kind === 'guest-reset').length, 1)
  assert.equal(await world.state(id), 'running')
})

test('a guest that obeys the power button halts, and that is no crash', { timeout: TEST_MS }, async () => {
  const id = await world.booted()
  await world.driver.domains.requestShutdown(id)

  await world.untilState(id, 'halted')
  assert.match(await world.serial(id), /BYE\n$/)
  assert.deepEqual(world.kinds(id), ['defined', 'changed', 'guest-shutdown', 'changed'])
  assert.deepEqual(world.processes(), [])
})

test('a guest that switches itself off halts', { timeout: TEST_MS }, async () => {
  const id = await world.booted()
  await world.send(id, 'p')

  await world.untilState(id, 'halted')
  assert.deepEqual(world.kinds(id), ['defined', 'changed', 'guest-shutdown', 'changed'])
})

test('a guest that panics is told of as a crash, then halted', { timeout: TEST_MS }, async () => {
  const id = await world.booted()
  await world.send(id, 'c')

  await world.untilState(id, 'halted')
  assert.deepEqual(world.kinds(id), ['defined', 'changed', 'crashed', 'changed'])
})

test('a guest that hangs loses its power all the same, and nothing is left of it', { timeout: TEST_MS }, async () => {
  const id = await world.booted()
  await world.send(id, 'h')
  await world.driver.domains.powerOff(id)

  assert.equal(await world.state(id), 'halted')
  assert.deepEqual(world.processes(), [])
  assert.deepEqual(runtimeFiles(world.files(id)).filter(existsSync), [])
  assert.deepEqual(world.kinds(id), ['defined', 'changed', 'changed'])
})

test('a QEMU that is killed is a crash of its domain, which then starts again', { timeout: TEST_MS }, async () => {
  const id = await world.booted()
  killNow(world.process())

  await world.untilState(id, 'halted')
  assert.deepEqual(world.kinds(id), ['defined', 'changed', 'crashed', 'changed'])
  assert.deepEqual(runtimeFiles(world.files(id)).filter(existsSync), [])
  await world.driver.domains.start(id)
  await world.until('it boots again', async () => count(await world.serial(id), 'BOOT-OK') === 2)
})

test('a QEMU that does not answer is cut off when the power is', { timeout: TEST_MS }, async () => {
  const id = await world.booted()
  process.kill(world.process().pid, 'SIGSTOP')

  await assert.rejects(world.driver.domains.get(id), { name: 'DriverError', kind: 'unreachable' })
  assert.deepEqual(
    (await world.driver.domains.list()).map(domain => domain.state),
    ['running'],
  )
  await world.driver.domains.powerOff(id)
  assert.equal(await world.state(id), 'halted')
  assert.deepEqual(world.kinds(id), ['defined', 'changed', 'changed'])
})

test('the folder of a domain is closed to others, and gone with the domain', { timeout: TEST_MS }, async () => {
  const id = await world.running()
  const { folder, definition, qemuLog, serialLog } = world.files(id)
  const mode = (path: string) => statSync(path).mode & 0o777

  assert.equal(mode(folder), 0o700)
  for (const path of [definition, qemuLog, serialLog]) assert.equal(mode(path), 0o600, path)

  await world.driver.domains.powerOff(id)
  await world.driver.domains.undefine(id)
  assert(!existsSync(folder))
})
