import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryDriver } from '../../src/drivers/memory/index.ts'
import { disk } from '../conformance/parts.ts'
import { definition } from './definition.ts'

const MIB = 1_048_576
const REPOSITORY = { type: 'memory', location: '/sr' }

test('reverting makes volumes as large as they were, and refuses where one is gone', async () => {
  const driver = memoryDriver()
  await driver.storage.openRepository(REPOSITORY)
  const volume = await driver.storage.createVolume(REPOSITORY, { name: 'a', format: 'qcow2', virtualBytes: MIB })
  const config = definition('web', { disks: [disk(volume)] })
  await driver.domains.define(config)
  const { id } = await driver.snapshots.create(config.id, { name: 'before', description: '' })
  await driver.storage.resizeVolume(volume.location, 2 * MIB)
  await driver.snapshots.revert(config.id, id)
  assert.deepEqual(await driver.storage.getVolume(volume.location), volume)
  await driver.storage.deleteVolume(volume.location)
  await driver.domains.define({ ...config, disks: [] })

  await assert.rejects(driver.snapshots.revert(config.id, id), { kind: 'refused', message: /no volume at/ })
  assert.deepEqual(await driver.domains.config(config.id), { ...config, disks: [] })
  await driver.close()
})

test('Ctrl, Alt and Delete restart a guest, and the power key shuts it down', async () => {
  const driver = memoryDriver()
  const config = definition('web')
  const heard: string[] = []
  driver.events.subscribe(({ kind }) => heard.push(kind))
  await driver.domains.define(config)
  await driver.domains.start(config.id)
  const until = async (kind: string) => {
    const deadline = performance.now() + 3_000
    while (!heard.includes(kind) && performance.now() < deadline) await new Promise(resolve => setTimeout(resolve, 5))
    assert(heard.includes(kind), kind)
  }
  await driver.screens.pressKeys(config.id, [29, 56, 111], 0)
  await until('guest-reset')
  await driver.screens.pressKeys(config.id, [116], 0)
  await until('guest-shutdown')

  assert.equal((await driver.domains.get(config.id)).state, 'halted')
  await driver.close()
})
