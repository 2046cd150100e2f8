import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { filesOf, rootOf, runtimeFiles } from '../../src/drivers/qemu/layout.ts'
import { killNow, waitUntilGone } from '../../src/drivers/qemu/process.ts'
import { count, TEST_MS, World } from './world.ts'

let world: World
beforeEach(async () => {
  world = await World.open()
})
afterEach(() => world.close())

const PATIENCE_MS = 90_000
const STARTER = fileURLToPath(new URL('./starter.ts', import.meta.url))

test('a new connection takes running and paused guests over, and reads their output on', {
  timeout: TEST_MS,
}, async () => {
  const [running, paused] = [await world.booted(), await world.running()]
  await world.driver.domains.pause(paused)
  const before = await world.serial(running)
  const pids = world.processes().map(({ pid }) => pid)

  await world.reconnect()

  assert.equal(await world.state(running), 'running')
  assert.equal(await world.state(paused), 'paused')
  assert.deepEqual(
    world.processes().map(({ pid }) => pid),
    pids,
  )
  await world.until('it counts on', async () => (await world.serial(running)).length > before.length)
  assert((await world.serial(running)).startsWith(before))
  assert.equal(count(await world.serial(running), 'BOOT-OK'), 1)
})

test('what happens to a guest after it was taken over is told of', { timeout: TEST_MS }, async () => {
  const [killed, obedient] = [await world.booted(), await world.define()]
  const [process] = world.processes()
  await world.driver.domains.start(obedient)
  await world.untilPrinted(obedient, 'TICK')
  await world.reconnect()
  world.events.length = 0

  assert(process !== undefined)
  killNow(process)
  await world.driver.domains.requestShutdown(obedient)

  await world.untilState(killed, 'halted')
  await world.untilState(obedient, 'halted')
  assert.deepEqual(world.kinds(killed), ['crashed', 'changed'])
  assert.deepEqual(world.kinds(obedient), ['guest-shutdown', 'changed'])
})

test('a guest that ended while nobody looked is halted, and starts again', { timeout: TEST_MS }, async () => {
  const id = await world.booted()
  const process = world.process()
  await world.driver.close()
  killNow(process)
  assert(await waitUntilGone(process, PATIENCE_MS))
  assert(existsSync(world.files(id).pid))

  await world.connect()

  assert.equal(await world.state(id), 'halted')
  assert.deepEqual(runtimeFiles(world.files(id)).filter(existsSync), [])
  await world.driver.domains.start(id)
  await world.until('it boots again', async () => count(await world.serial(id), 'BOOT-OK') === 2)
})

test('a guest whose first socket is held by another client is taken over by the second', {
  timeout: TEST_MS,
}, async () => {
  const id = await world.booted()
  await world.driver.close()
  const intruder = createConnection(world.files(id).qmp)
  await once(intruder, 'connect')

  try {
    await world.connect()

    assert.equal(await world.state(id), 'running')
    await world.driver.domains.pause(id)
    assert.equal(await world.state(id), 'paused')
  } finally {
    intruder.destroy()
  }
})

test('a QEMU that lives and does not answer is unknown, and is taken over once it answers', {
  timeout: TEST_MS,
}, async () => {
  const id = await world.booted()
  const { pid } = world.process()
  process.kill(pid, 'SIGSTOP')
  await world.reconnect()

  assert.equal(world.warnings.length, 1)
  assert.deepEqual(
    (await world.driver.domains.list()).map(({ state }) => state),
    ['unknown'],
  )
  for (const operation of ['get', 'pause', 'reset', 'requestShutdown'] as const) {
    await assert.rejects(world.driver.domains[operation](id), { name: 'DriverError', kind: 'unreachable' }, operation)
  }
  await assert.rejects(world.driver.domains.start(id), { kind: 'bad-state' })

  world.events.length = 0
  process.kill(pid, 'SIGCONT')
  await world.until('it is reached', () => world.kinds(id).includes('changed'))
  assert.equal(await world.state(id), 'running')
})

test('a guest whose manager is killed in the middle of a start is found running', { timeout: TEST_MS }, async () => {
  const id = await world.define()
  await world.driver.close()
  const manager = spawn(process.execPath, [STARTER, world.dataDir, id], { stdio: 'ignore' })
  const exited = once(manager, 'exit')
  while (world.processes().length === 0 && manager.exitCode === null) await new Promise(setImmediate)
  manager.kill('SIGKILL')
  await exited

  await world.connect()

  assert.equal(await world.state(id), 'running')
  assert.equal(world.processes().length, 1)
  await world.untilPrinted(id, 'TICK')
  assert.deepEqual(world.warnings, [])
})

test('a start that is under way when the connection is closed is finished, and found by the next', {
  timeout: TEST_MS,
}, async () => {
  const [id, waiting] = [await world.define(), await world.define()]
  const { domains } = world.driver
  const start = domains.start(id)
  const starts = [start, domains.powerOff(waiting), domains.start(waiting)].map(each => assert.rejects(each))
  await world.driver.close()
  await Promise.all(starts)
  await world.connect()

  const states = [await world.state(id), await world.state(waiting)]
  assert.deepEqual(states, [world.processes().length === 0 ? 'halted' : 'running', 'halted'])
})

test('one domain never gets two QEMUs, even by two managers', { timeout: TEST_MS }, async () => {
  const id = await world.define({ disks: [] })
  const other = await World.open()
  await other.driver.close()
  try {
    const second = new World(world.dataDir)
    await second.connect()
    await world.driver.domains.start(id)

    await assert.rejects(second.driver.domains.start(id), { name: 'DriverError', kind: 'refused' })
    assert.equal(world.processes().length, 1)
    await second.driver.close()
  } finally {
    await other.close()
  }
})

test('a definition that cannot be read is told of and left alone; the others are there', async () => {
  const id = await world.define()
  const broken = filesOf(rootOf(world.dataDir), crypto.randomUUID())
  await mkdir(broken.folder)
  await writeFile(broken.definition, '{"format": 1, "machi')
  const unfinished = filesOf(rootOf(world.dataDir), crypto.randomUUID())
  await mkdir(unfinished.folder)
  await writeFile(join(unfinished.folder, 'domain.json.1.partial'), '{}')

  await world.reconnect()

  assert.deepEqual(
    (await world.driver.domains.list()).map(domain => domain.id),
    [id],
  )
  assert.equal(world.warnings.length, 1)
  assert.match(world.warnings[0] ?? '', new RegExp(broken.definition))
  assert.equal(await readFile(broken.definition, 'utf8'), '{"format": 1, "machi')
  assert(!existsSync(unfinished.folder))
})

test('the machine type stays that of the first definition', async () => {
  const id = await world.define()
  const { definition } = world.files(id)
  const text = await readFile(definition, 'utf8')
  const OLDER = 'pc-i440fx-6.2'
  await writeFile(definition, text.replace(/pc-i440fx-[\d.]+/, OLDER))
  await world.reconnect()

  await world.driver.domains.define(await world.driver.domains.config(id))

  assert.match(await readFile(definition, 'utf8'), new RegExp(OLDER))
})
