import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { MemoryHost } from '../../src/drivers/memory/index.ts'
import { watchMemory } from '../../src/handlers/memory.ts'
import { host_, VM } from '../../src/model/index.ts'
import { type EngineWorld, startEngine } from './engine-world.ts'

const GIB = 2n ** 30n

/** An engine whose host has eight GiB. */
async function smallWorld() {
  const world = await startEngine([], new MemoryHost({ name: 'small' }))
  after(() => world.close())
  const { store } = world.services
  const [host = ''] = store.all(host_)
  await store.transact(transaction => transaction.patch(host_, host, { memory: 8n * GIB }))
  return world
}

async function codeOf({ call }: EngineWorld, method: string, ...params: Parameters<EngineWorld['call']>[1]) {
  const answer = await call(method, params)
  return answer.ok ? 'Success' : answer.error[0]
}

async function makeVm({ call }: EngineWorld, max: bigint, min: bigint): Promise<string> {
  const made = await call('VM.create', [{ memory_static_max: String(max), memory_dynamic_min: String(min) }])
  return made.ok && typeof made.value === 'string' ? made.value : assert.fail(JSON.stringify(made))
}

/** The targets that the host is told while `work` is done, in GiB, by VM. */
async function targetsDuring({ driver }: EngineWorld, work: () => Promise<unknown>) {
  const devices = driver.devices ?? assert.fail('no devices')
  const told = new Map<string, number>()
  const listening: typeof devices = {
    ...devices,
    async setMemoryTarget(id, bytes) {
      told.set(id, bytes / 2 ** 30)
      await devices.setMemoryTarget(id, bytes)
    },
  }
  Object.assign(driver, { devices: listening })
  await work()
  Object.assign(driver, { devices })
  return told
}

describe('the memory of a host', () => {
  // Proves: VM.memory/static_max
  test('of two VMs that start at once where there is room for one, one starts', async () => {
    const world = await smallWorld()
    const vms = [await makeVm(world, 6n * GIB, 6n * GIB), await makeVm(world, 6n * GIB, 6n * GIB)]

    const codes = await Promise.all(vms.map(vm => codeOf(world, 'VM.start', vm, false)))

    assert.deepEqual(
      codes.toSorted((a = '', b = '') => (a < b ? -1 : 1)),
      ['HOST_NOT_ENOUGH_FREE_MEMORY', 'Success'],
    )
  })

  // Proves: VM.memory/dynamic_min
  test('what a VM gave way for another is given back where that one does not start', async () => {
    const world = await smallWorld()
    const [first, second] = [await makeVm(world, 8n * GIB, 2n * GIB), await makeVm(world, 6n * GIB, 6n * GIB)]
    assert.equal(await codeOf(world, 'VM.start', first, false), 'Success')
    world.driver.faults.plan({ operation: 'domains.start', nth: 1, when: 'before', kind: 'refused' })

    const told = await targetsDuring(world, async () => {
      assert.equal(await codeOf(world, 'VM.start', second, false), 'DRIVER_FAILED')
    })

    assert.equal(told.get(first), 8)
  })

  test('a VM that is resumed is given its share, and no more than the host has', async () => {
    const world = await smallWorld()
    const [first, second] = [await makeVm(world, 8n * GIB, 2n * GIB), await makeVm(world, 8n * GIB, 2n * GIB)]
    for (const [method, ...params] of [
      ['VM.start', first, false],
      ['VM.suspend', first, false],
      ['VM.start', second, false],
    ] as const) {
      assert.equal(await codeOf(world, method, ...params), 'Success')
    }

    const told = await targetsDuring(world, async () => {
      assert.equal(await codeOf(world, 'VM.resume', first, false), 'Success')
    })

    assert.deepEqual([told.get(first), told.get(second)], [4, 4])
  })

  test('no VM is told less than its minimum, also where the minimums are more than there is', async () => {
    const world = await smallWorld()
    const vms = [await makeVm(world, 8n * GIB, GIB), await makeVm(world, 8n * GIB, GIB)]
    for (const vm of vms) assert.equal(await codeOf(world, 'VM.start', vm, false), 'Success')
    const { store } = world.services
    await store.transact(transaction => transaction.patch(VM, vms[0] ?? '', { memory_dynamic_min: 7n * GIB }))

    const told = await targetsDuring(world, async () => {
      assert.equal(await codeOf(world, 'VM.set_memory_dynamic_min', vms[1] ?? '', String(6n * GIB)), 'Success')
    })

    assert.deepEqual(
      vms.map(vm => told.get(vm)),
      [7, 6],
    )
  })

  test('what a VM gave way for one that ends by itself is given back', async () => {
    const world = await smallWorld()
    const { services, driver } = world
    const [first, second] = [await makeVm(world, 8n * GIB, 2n * GIB), await makeVm(world, 6n * GIB, 6n * GIB)]
    for (const vm of [first, second]) assert.equal(await codeOf(world, 'VM.start', vm, false), 'Success')
    const { promise, resolve } = Promise.withResolvers<void>()
    const end = watchMemory(services, { debug() {}, info() {}, warn() {}, error: () => undefined })

    const told = await targetsDuring(world, async () => {
      const devices = driver.devices ?? assert.fail('no devices')
      const { setMemoryTarget } = { setMemoryTarget: devices.setMemoryTarget.bind(devices) }
      Object.assign(devices, {
        setMemoryTarget: async (id: string, bytes: number) => {
          await setMemoryTarget(id, bytes)
          resolve()
        },
      })
      await driver.domains.powerOff(second)
      await promise
    })
    end()

    assert.equal(told.get(first), 8)
  })
})
