import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, test } from 'node:test'
import type { AutostartOps, DomainConfig, DomainId, StartupAction } from '../../src/drivers/driver.ts'
import { bootFile, rootOf } from '../../src/drivers/qemu/layout.ts'
import { killNow, waitUntilGone } from '../../src/drivers/qemu/process.ts'
import { startEngine } from '../api/engine-world.ts'
import { TEST_MS, World } from './world.ts'

const GONE_MS = 20_000

let world: World
beforeEach(async () => {
  world = await World.open()
  await world.driver.close()
  world.bootId = 'first'
  await rm(bootFile(rootOf(world.dataDir)))
  await world.connect()
})
afterEach(() => world.close())

const autostart = (): AutostartOps => {
  assert(world.driver.autostart !== undefined)
  return world.driver.autostart
}

async function defined(action: StartupAction, changes: Partial<DomainConfig> = {}): Promise<DomainId> {
  const id = await world.define(changes)
  await autostart().set(id, action)
  return id
}

async function running(action: StartupAction): Promise<DomainId> {
  const id = await defined(action)
  await world.driver.domains.start(id)
  return id
}

/** The machine loses its power while nobody is connected. */
async function losePower(): Promise<void> {
  await world.driver.close()
  for (const process of world.processes()) {
    killNow(process)
    assert(await waitUntilGone(process, GONE_MS))
  }
}

/** Connects as the first to do so since the machine has booted. */
async function boot(): Promise<void> {
  world.bootId = crypto.randomUUID()
  await world.connect()
}

const states = (ids: readonly DomainId[]) => Promise.all(ids.map(id => world.state(id)))

/** Waits until all is started that is to be. */
async function settled(): Promise<void> {
  const path = bootFile(rootOf(world.dataDir))
  await world.until('nothing is due', async () => (await readFile(path, 'utf8')).includes('"due":[]'))
}

test('when the machine boots, the domains start that are to, and no others', { timeout: TEST_MS }, async () => {
  const always = [await defined('always'), await running('always')]
  const wereRunning = [await running('if-was-running'), await running('if-was-running')]
  const others = [await defined('never'), await running('never'), await defined('if-was-running')]
  const [, paused] = wereRunning
  assert(paused !== undefined)
  await world.driver.domains.pause(paused)
  await losePower()
  await boot()
  await settled()

  assert.deepEqual(await states([...always, ...wereRunning]), ['running', 'running', 'running', 'running'])
  assert.deepEqual(await states(others), ['halted', 'halted', 'halted'])
  assert.deepEqual(world.warnings, [])
})

test('a server that starts again starts nothing', { timeout: TEST_MS }, async () => {
  const ids = [await defined('always'), await running('always'), await running('if-was-running')]
  await losePower()
  await world.connect()
  await settled()

  assert.deepEqual(await states(ids), ['halted', 'halted', 'halted'])
})

test('a domain was running whose QEMU the machine ended by a signal, and not one that ended by itself', {
  timeout: TEST_MS,
}, async () => {
  const watched = await running('if-was-running')
  process.kill(world.process().pid, 'SIGTERM')
  await world.untilState(watched, 'halted')
  await world.until('it is kept in mind', () => existsSync(world.files(watched).interrupted))
  const unwatched = await running('if-was-running')
  const byItself = await running('if-was-running')
  await world.untilPrinted(byItself, 'TICK 0001')
  const [first, second] = [world.files(unwatched).pid, world.files(byItself).pid]
  await world.driver.close()
  for (const found of world.processes()) {
    if (found.arguments.includes(first)) process.kill(found.pid, 'SIGTERM')
    else {
      assert(found.arguments.includes(second))
      await world.send(byItself, 'p')
    }
    assert(await waitUntilGone(found, GONE_MS))
  }
  await boot()
  await settled()

  assert.deepEqual(await states([watched, unwatched, byItself]), ['running', 'running', 'halted'])
})

test('that a QEMU was ended by a signal counts no more when it has run since, or the machine has not gone down', {
  timeout: TEST_MS,
}, async () => {
  const [again, left] = [await running('if-was-running'), await running('if-was-running')]
  for (const found of world.processes()) process.kill(found.pid, 'SIGTERM')
  for (const id of [again, left]) {
    await world.untilState(id, 'halted')
    await world.until('it is kept in mind', () => existsSync(world.files(id).interrupted))
  }
  await world.driver.domains.start(again)
  await world.driver.domains.powerOff(again)
  await world.reconnect()
  await losePower()
  await boot()
  await settled()

  assert.deepEqual(await states([again, left]), ['halted', 'halted'])
})

test('a domain that cannot be started is warned about by its name, and keeps no other from its start', {
  timeout: TEST_MS,
}, async () => {
  const broken = await defined('always', { name: 'broken-one' })
  const [disk] = (await world.driver.domains.config(broken)).disks
  assert(disk !== undefined)
  await rm(disk.location)
  const unreadable = await defined('always')
  await writeFile(world.files(unreadable).autostart, '{"action":"sometimes"}')
  const others = [await defined('always'), await defined('always'), await defined('always')]
  await losePower()
  await boot()
  await world.until('all are running', async () => (await states(others)).every(state => state === 'running'))
  await world.until('it is warned', () => world.warnings.some(text => text.startsWith(`broken-one (${broken})`)))

  assert(world.warnings.some(text => text.includes(unreadable) && text.includes('sometimes')))
  assert.deepEqual(await states([broken, unreadable]), ['halted', 'halted'])
})

test('what a server had not started when it ended, the next one starts, and a saved domain is resumed', {
  timeout: TEST_MS,
}, async () => {
  const saved = await running('always')
  await world.driver.suspension?.suspend(saved)
  const ids = [saved, ...(await Promise.all(Array.from({ length: 5 }, () => defined('always'))))]
  await losePower()
  await boot()
  await world.reconnect()
  await settled()

  assert.deepEqual(new Set(await states(ids)), new Set(['running']))
})

test('the Xen Management API shows what was started with its host', { timeout: TEST_MS }, async () => {
  const id = await defined('always')
  await losePower()
  await boot()
  const engine = await startEngine([], undefined, () => world.driver)
  try {
    const field = async (name: string) => {
      const answer = await engine.call(`VM.get_${name}`, [id])
      return answer.ok ? answer.value : answer.error
    }
    await world.until('it is shown running', async () => (await field('power_state')) === 'Running')

    assert.deepEqual(await field('resident_on'), (await world.driver.host.info()).id)
  } finally {
    await engine.close()
  }
})
