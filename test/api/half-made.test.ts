import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { MemoryHost } from '../../src/drivers/memory/index.ts'
import { undoInterrupted } from '../../src/handlers/intent.ts'
import { ensureRepository } from '../../src/handlers/repository.ts'
import { intent, SR } from '../../src/model/index.ts'
import { startEngine } from './engine-world.ts'

// A host that is another machine goes on with what a server asked of it that is gone.

let isWritten = false
const world = await startEngine([], new MemoryHost({ name: 'goes on' }), ({ host, storage, ...driver }) => ({
  ...driver,
  host: { ...host, isRemote: true },
  // Nobody can look into a file that the host is still writing.
  storage: { ...storage, listVolumes: async repository => (isWritten ? storage.listVolumes(repository) : []) },
}))
const { services } = world
const { store, hosts } = services
after(() => world.close())

test('an image that a host was still making when its server ended is deleted when it is there', async () => {
  const [host = ''] = hosts.connected().map(connected => connected.host)
  await ensureRepository(services, host)
  const { type, location } = store.get(SR, store.all(SR)[0] ?? '') ?? assert.fail('no repository')
  const name = randomUUID()
  const values = { uuid: randomUUID(), owner: 'an earlier server', task: '', host, type, location, names: [name] }
  await store.transact(transaction => transaction.insert(intent, { ...values, keeper: `VDI:${name}` }))
  const wanted = { name, format: 'raw', virtualBytes: 4096 } as const
  await world.driver.storage.createVolume({ type, location }, wanted)

  await undoInterrupted(services, message => assert.fail(message))
  assert.equal((await world.driver.storage.listVolumes({ type, location })).length, 1)
  isWritten = true
  await undoInterrupted(services, message => assert.fail(message))
  assert.deepEqual(await world.driver.storage.listVolumes({ type, location }), [])
  assert.deepEqual(store.all(intent), [])
})
