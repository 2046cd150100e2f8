import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Driver } from '../../src/drivers/driver.ts'
import { MemoryHost, type MemoryDriver } from '../../src/drivers/memory/index.ts'
import { ensureNetwork } from '../../src/handlers/first-network.ts'
import { network } from '../../src/model/index.ts'
import { startEngine } from './engine-world.ts'

/** A host whose machines are to find a network from the start. */
function networked(driver: MemoryDriver): Driver {
  assert.ok(driver.networks)
  return { ...driver, networks: { ...driver.networks, first: 'default' } }
}

test('a new host has the network that its machines are to find, which is there whenever it starts', async () => {
  const world = await startEngine([], new MemoryHost({ name: 'networked' }), networked)
  after(() => world.close())
  const { store, hosts } = world.services
  const [host = ''] = hosts.connected().map(connection => connection.host)

  await ensureNetwork(world.services, host)
  await ensureNetwork(world.services, host)

  const records = store.all(network).map(ref => store.get(network, ref))
  assert.deepEqual(
    records.map(record => [record?.name_label, record?.told, record?.kept, record?.autostart, record?.transient]),
    [['default', [host], true, true, false]],
  )
  const found = (await world.driver.networks?.list()) ?? []
  assert.deepEqual(
    found.map(({ name, nic }) => [name, nic]),
    [['default', '']],
  )
})

test('a host that comes without a network of its own is given none', async () => {
  const world = await startEngine()
  after(() => world.close())
  const [host = ''] = world.services.hosts.connected().map(connection => connection.host)

  await ensureNetwork(world.services, host)

  assert.deepEqual(world.services.store.all(network), [])
})
