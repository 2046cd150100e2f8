import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryDriver } from '../../src/drivers/memory/index.ts'

const REPOSITORY = { type: 'memory', location: '/sr' }

test('a repository refuses volumes beyond its capacity, and takes them when there is room again', async () => {
  const { storage } = memoryDriver({ repositoryBytes: 100 })
  await storage.openRepository(REPOSITORY)
  const first = await storage.createVolume(REPOSITORY, { name: 'a', format: 'raw', virtualBytes: 60 })
  const second = { name: 'b', format: 'raw', virtualBytes: 60 } as const

  await assert.rejects(storage.createVolume(REPOSITORY, second), { kind: 'refused', message: /40 bytes/ })
  await assert.rejects(storage.resizeVolume(first.location, 101), { kind: 'refused' })
  assert.equal((await storage.resizeVolume(first.location, 100)).virtualBytes, 100)

  await storage.deleteVolume(first.location)
  await storage.createVolume(REPOSITORY, second)
})

test('repositories are apart, also for volumes of one name', async () => {
  const { storage } = memoryDriver()
  const other = { ...REPOSITORY, location: '/other' }
  const volume = { name: 'a', format: 'qcow2', virtualBytes: 1 } as const
  for (const repository of [REPOSITORY, other]) {
    await storage.openRepository(repository)
    await storage.createVolume(repository, volume)
  }

  const [first, second] = [await storage.listVolumes(REPOSITORY), await storage.listVolumes(other)]
  assert.notEqual(first[0]?.location, second[0]?.location)
  assert.equal((await storage.openRepository(other)).usedBytes, second[0]?.physicalBytes)
})

test('a repository that was never opened is refused', async () => {
  const { storage } = memoryDriver()

  await assert.rejects(storage.listVolumes(REPOSITORY), { kind: 'refused' })
})

for (const virtualBytes of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
  test(`a volume of ${virtualBytes} bytes is refused`, async () => {
    const { storage } = memoryDriver()
    await storage.openRepository(REPOSITORY)

    await assert.rejects(storage.createVolume(REPOSITORY, { name: 'a', format: 'raw', virtualBytes }), {
      kind: 'refused',
    })
  })
}
