import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryDriver } from '../../src/drivers/memory/index.ts'
import { disk } from '../conformance/parts.ts'
import { definition } from './definition.ts'
import { ManualClock } from './manual-clock.ts'

const MIB = 1_048_576
const REPOSITORY = { type: 'memory', location: '/sr' }
const SECOND = { type: 'memory', location: '/second' }
const TABLES_BYTES = 196_608

async function stage(repositoryBytes = 100 * MIB) {
  const { storage, clones } = memoryDriver({ repositoryBytes })
  await storage.openRepository(REPOSITORY)
  const first = await storage.createVolume(REPOSITORY, { name: 'first', format: 'qcow2', virtualBytes: 10 * MIB })
  const usedBytes = async (repository = REPOSITORY) => (await storage.openRepository(repository)).usedBytes
  return { storage, clones, first, usedBytes }
}

test('a base weighs on the repository until the last image on it is gone', async () => {
  const { storage, clones, first, usedBytes } = await stage()
  const { original, clone } = await clones.cloneVolume(first.location, { name: 'clone' })
  assert.equal(await usedBytes(), 3 * TABLES_BYTES)
  const deep = await clones.cloneVolume(clone.location, { name: 'deep' })
  assert.equal(await usedBytes(), 5 * TABLES_BYTES)

  await storage.deleteVolume(original.location)
  await storage.deleteVolume(deep.original.location)
  assert.equal(await usedBytes(), 3 * TABLES_BYTES)
  await storage.deleteVolume(deep.clone.location)
  assert.equal(await usedBytes(), 0)
})

test('an image that is moved away from its base takes all of its content along', async () => {
  const { storage, clones, first, usedBytes } = await stage()
  const { original, clone } = await clones.cloneVolume(first.location, { name: 'clone' })
  await storage.openRepository(SECOND)
  const moved = await storage.moveVolume(clone.location, SECOND)

  assert.equal(moved.physicalBytes, 2 * TABLES_BYTES)
  assert.equal(await usedBytes(), 2 * TABLES_BYTES)
  await storage.deleteVolume(original.location)
  assert.deepEqual([await usedBytes(), await usedBytes(SECOND)], [0, 2 * TABLES_BYTES])
})

test('copies of a repository share among themselves what the originals share, and nothing with those', async () => {
  const { storage, clones, first, usedBytes } = await stage()
  const { clone } = await clones.cloneVolume(first.location, { name: 'clone' })
  await clones.cloneVolume(clone.location, { name: 'deep' })
  await clones.copyRepository(REPOSITORY, SECOND, name => name)
  assert.equal(await usedBytes(SECOND), await usedBytes())

  for (const { location } of await storage.listVolumes(REPOSITORY)) await storage.deleteVolume(location)
  assert.deepEqual([await usedBytes(), await usedBytes(SECOND)], [0, 5 * TABLES_BYTES])
  for (const { location } of await storage.listVolumes(SECOND)) await storage.deleteVolume(location)
  assert.equal(await usedBytes(SECOND), 0)
})

test('a clone that the repository has no room for is refused, and so is a copy that fits only in part', async () => {
  const { storage, clones, first, usedBytes } = await stage(20 * MIB)

  await assert.rejects(clones.cloneVolume(first.location, { name: 'clone', virtualBytes: 11 * MIB }), {
    kind: 'refused',
  })
  assert.deepEqual(await storage.listVolumes(REPOSITORY), [first])
  await storage.createVolume(REPOSITORY, { name: 'second', format: 'raw', virtualBytes: MIB })
  const failing = (name: string) => (name === 'second' ? '' : name)
  await assert.rejects(clones.copyRepository(REPOSITORY, SECOND, failing), { kind: 'refused' })
  assert.equal(await usedBytes(SECOND), 0)
})

test('an image grows by what a guest writes, a clone of it is light, and both then grow by themselves', async () => {
  const clock = new ManualClock()
  const driver = memoryDriver({ clock })
  const { storage, clones, domains } = driver
  await storage.openRepository(REPOSITORY)
  const wanted = { name: 'first', format: 'qcow2', virtualBytes: 100 * MIB } as const
  const first = await storage.createVolume(REPOSITORY, wanted)
  const config = definition('web', { disks: [disk(first)] })
  await domains.define(config)
  await domains.start(config.id)
  await clock.advance(1000)
  const grown = (await storage.getVolume(first.location)).physicalBytes
  const [counted] = (await driver.metrics.domain(config.id)).disks
  assert.equal(grown, TABLES_BYTES + (counted?.writtenBytes ?? 0))

  const { clone, original } = await clones.cloneVolume(first.location, { name: 'clone' })
  assert.equal(clone.physicalBytes, TABLES_BYTES)
  await clock.advance(1000)
  await domains.powerOff(config.id)
  assert((await storage.getVolume(original.location)).physicalBytes > TABLES_BYTES)
  assert.equal((await storage.getVolume(clone.location)).physicalBytes, TABLES_BYTES)
})

test('an image grows to its size and not beyond, and only as far as the repository has room', async () => {
  const DAY_MS = 86_400_000
  const clock = new ManualClock()
  const { storage, clones, domains } = memoryDriver({ clock, repositoryBytes: 20 * MIB })
  await storage.openRepository(REPOSITORY)
  const first = await storage.createVolume(REPOSITORY, { name: 'first', format: 'qcow2', virtualBytes: 10 * MIB })
  const config = definition('web', { disks: [disk(first)] })
  await domains.define(config)
  await domains.start(config.id)
  await clock.advance(DAY_MS)
  assert.equal((await storage.getVolume(first.location)).physicalBytes, 10 * MIB)

  await clones.cloneVolume(first.location, { name: 'clone' })
  await clock.advance(DAY_MS)
  assert.equal((await storage.openRepository(REPOSITORY)).usedBytes, 20 * MIB)
})
