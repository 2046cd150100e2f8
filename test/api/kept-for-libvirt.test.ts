import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { DriverError, type NetworkConfig } from '../../src/drivers/driver.ts'
import { KeptNetworks } from '../../src/handlers/kept-networks.ts'
import { KeptPools } from '../../src/handlers/kept-pools.ts'
import { SR, VDI } from '../../src/model/index.ts'
import { type EngineWorld, startEngine } from './engine-world.ts'
import { atEnd } from '../support/at-end.ts'

/** What clients of libvirt have of a host, whose driver refuses what `refusals` names: gateways, networks to forget, places. */
async function world(context: TestContext, refusals: ReadonlySet<string>) {
  const refuse = (name: string) => {
    if (refusals.has(name)) throw new DriverError('refused', `${name} is refused`)
  }
  const engine = await startEngine([], undefined, driver => ({
    ...driver,
    networks: {
      ...driver.networks,
      async define(config: NetworkConfig) {
        refuse(config.gateway)
        return driver.networks.define(config)
      },
      async undefine(id: string) {
        refuse(id)
        return driver.networks.undefine(id)
      },
    },
    storage: {
      ...driver.storage,
      async openRepository(repository) {
        refuse(repository.location)
        return driver.storage.openRepository(repository)
      },
    },
  }))
  atEnd(context, () => engine.close())
  const [host = ''] = engine.services.hosts.connected().map(each => each.host)
  return { engine, networks: new KeptNetworks(engine.services, host), pools: new KeptPools(engine.services, host) }
}

const networkOf = (name: string, gateway = ''): NetworkConfig => {
  return { id: crypto.randomUUID(), name, nic: '', vlan: null, gateway, netmask: '' }
}
const poolOf = (name: string, location: string) => ({ name, uuid: crypto.randomUUID(), type: 'memory', location })

test('a network that its host refuses keeps no other from being there when the server starts', async context => {
  const refusals = new Set<string>()
  const { networks } = await world(context, refusals)
  const [bad, good] = [networkOf('bad', '10.0.0.1'), networkOf('good')]
  for (const config of [bad, good]) {
    await networks.define(config)
    await networks.setAutostart(config.id, true)
  }
  refusals.add('10.0.0.1')
  const started: string[] = []
  networks.listen(({ network: { name }, deed }) => started.push(`${name} ${deed}`))

  await assert.rejects(networks.autostart(), { kind: 'refused' })
  assert.deepEqual(started, ['good started'])
})

test('a network that is created over one that is kept, and refused, leaves that as it was defined', async context => {
  const { networks } = await world(context, new Set(['10.0.0.2']))
  const kept = networkOf('kept', '10.0.0.1')
  await networks.define(kept)
  const before = networks.list()

  await assert.rejects(networks.create({ ...kept, name: 'other', gateway: '10.0.0.2' }), { kind: 'refused' })
  assert.deepEqual(networks.list(), before)
  await assert.rejects(networks.create(networkOf('new', '10.0.0.2')), { kind: 'refused' })
  assert.deepEqual(networks.list(), before)
})

test('a network of the host itself that cannot be stopped is not kept when the host has it no more', async context => {
  const refusals = new Set<string>()
  const { engine, networks } = await world(context, refusals)
  const { hosts } = engine.services
  const [host = ''] = hosts.connected().map(each => each.host)
  const config = networkOf('found')
  const names = async () => {
    await hosts.readNetworks(host)
    return networks.list().map(({ name }) => name)
  }
  await engine.driver.networks.define(config)
  assert.deepEqual(await names(), ['found'])
  refusals.add(config.id)
  await assert.rejects(networks.stop(config.id), { kind: 'refused' })
  assert.deepEqual(await names(), ['found'])
  await engine.driver.networks.undefine(config.id)
  assert.deepEqual(await names(), [])

  await engine.driver.networks.define(config)
  assert.deepEqual(await names(), ['found'])
  refusals.clear()
  await networks.stop(config.id)
  assert.deepEqual(await names(), ['found'])
})

test('a pool that is started again while its host refuses goes on, and one that was stopped stays so', async context => {
  const refusals = new Set<string>()
  const { pools } = await world(context, refusals)
  const pool = poolOf('images', '/images')
  await pools.define(pool)
  const isActive = () => pools.list().find(({ uuid }) => uuid === pool.uuid)?.isActive
  for (const before of [false, true]) {
    refusals.add('/images')
    await assert.rejects(pools.start(pool.uuid), { kind: 'refused' })
    assert.equal(isActive(), before)
    refusals.clear()
    await pools.start(pool.uuid)
  }
})

test('a pool that is defined at another place has none of the images that lie where it was', async context => {
  const { engine, pools } = await world(context, new Set())
  const pool = poolOf('images', '/images')
  await pools.create(pool)
  await pools.define(pool)
  await engine.driver.storage.createVolume(pool, { name: 'disk', format: 'raw', virtualBytes: 4_096 })
  await pools.changing([pool.uuid], async () => undefined)
  assert.equal(imagesOf(engine, pool.uuid).length, 1)
  await pools.stop(pool.uuid)

  await pools.define({ ...pool, location: '/images/' })
  assert.equal(imagesOf(engine, pool.uuid).length, 1)
  await pools.define({ ...pool, location: '/elsewhere' })
  assert.deepEqual(imagesOf(engine, pool.uuid), [])
  assert.deepEqual(engine.services.store.all(VDI), [])
})

test('an image that names no repository comes to the oldest that is not stopped', async context => {
  const { engine, pools } = await world(context, new Set())
  const [first, second] = [poolOf('first', '/first'), poolOf('second', '/second')]
  for (const pool of [first, second]) {
    await pools.define(pool)
    await pools.start(pool.uuid)
  }
  const make = () => engine.call('VDI.create', [{ virtual_size: '8192' }])
  await make()
  await pools.stop(first.uuid)
  await make()

  assert.deepEqual(
    [first, second].map(({ uuid }) => imagesOf(engine, uuid).length),
    [1, 1],
  )
})

/** These services, and how often their store was asked for all that there is of something. */
function counting({ services }: EngineWorld) {
  const counts = { lists: 0 }
  const store = new Proxy(services.store, {
    get(target, key) {
      if (key === 'findBy' || key === 'all') counts.lists++
      const value: unknown = Reflect.get(target, key)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { counted: { ...services, store }, counts }
}

test('however many listen to the pools and networks of a host, a change of either costs one look at them', async context => {
  const { engine, pools, networks } = await world(context, new Set())
  const { counted, counts } = counting(engine)
  const [host = ''] = engine.services.hosts.connected().map(each => each.host)
  const heard: string[][] = Array.from({ length: 100 }, () => [])
  const ends = heard.flatMap(mine => [
    // As each client has its own, who opens the host.
    new KeptPools(counted, host).listen(({ pool, deed }) => mine.push(`${pool.name} ${deed}`)),
    new KeptNetworks(counted, host).listen(({ network, deed }) => mine.push(`${network.name} ${deed}`)),
  ])

  counts.lists = 0
  const images = poolOf('images', '/images')
  await pools.define(images)
  await networks.define(networkOf('lan'))
  assert.equal(counts.lists, 2)
  for (const mine of heard) assert.deepEqual(mine, ['images defined', 'lan defined'])

  pools.tell('no pool', 'created')
  new KeptPools(counted, host).tell(images.uuid, 'refreshed')
  for (const mine of heard) assert.equal(mine.pop(), 'images refreshed')

  counts.lists = 2
  for (const end of ends.slice(2)) end()
  await pools.define(poolOf('others', '/others'))
  assert.equal(counts.lists, 3)
  for (const end of ends) end()
  await pools.define(poolOf('more', '/more'))
  assert.equal(counts.lists, 3)
  assert.deepEqual(
    heard.map(mine => mine.length),
    [3, ...Array.from({ length: 99 }, () => 2)],
  )
})

const imagesOf = ({ services: { store } }: EngineWorld, sr: string) => store.get(SR, sr)?.VDIs ?? []
