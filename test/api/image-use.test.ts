import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { lookAtImages } from '../../src/engine/image-use.ts'
import { ensureRepository } from '../../src/handlers/repository.ts'
import { VDI } from '../../src/model/index.ts'
import { startEngine } from './engine-world.ts'

const world = await startEngine()
const { driver, services } = world
const { store, hosts } = services
after(() => world.close())
const [connection = assert.fail('no host')] = hosts.connected()
await ensureRepository(services, connection.host)

const text = async (method: string, ...params: readonly (string | Readonly<Record<string, string>>)[]) => {
  const answer = await world.call(method, params)
  return answer.ok && typeof answer.value === 'string' ? answer.value : assert.fail(JSON.stringify(answer))
}

test('a repository is looked at as a whole where most of its images are in use, and one by one where few are', async () => {
  const asked: string[] = []
  const storage: typeof driver.storage = {
    ...driver.storage,
    getVolume(location) {
      asked.push('one')
      return driver.storage.getVolume(location)
    },
    listVolumes(repository) {
      asked.push('all')
      return driver.storage.listVolumes(repository)
    },
  }
  const connected = () => [{ ...connection, driver: { ...driver, storage } }]
  const silent = { debug() {}, info() {}, warn() {}, error: assert.fail }
  const looked: string[] = []
  const observeRepository = async (sr: string) => void looked.push(sr)
  const look = async () => {
    asked.length = 0
    await lookAtImages({ store, hosts: { connected }, log: silent, observeRepository })
    return [...asked]
  }
  const vm = await text('VM.create', { memory_static_max: '67108864' })
  const vdis = [await text('VDI.create', { virtual_size: '2048' }), await text('VDI.create', { virtual_size: '2048' })]
  for (const vdi of vdis) await text('VBD.create', { VM: vm, VDI: vdi })
  assert.equal((await world.call('VM.start', [vm, false])).ok, true)
  await store.transact(transaction => {
    for (const vdi of vdis) transaction.patch(VDI, vdi, { physical_utilisation: 1n })
  })

  assert.deepEqual(await look(), ['all'])
  assert.deepEqual(looked, [store.get(VDI, vdis[0] ?? '')?.SR])
  // Its guest may have written meanwhile.
  for (const vdi of vdis) assert((store.get(VDI, vdi)?.physical_utilisation ?? 0n) > 1n)
  for (let more = 0; more < 3; more++) await text('VDI.create', { virtual_size: '2048' })
  assert.deepEqual(await look(), ['one', 'one'])
})
