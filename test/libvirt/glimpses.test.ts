import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Driver } from '../../src/drivers/driver.ts'
import { memoryDriver } from '../../src/drivers/memory/index.ts'
import { connectionOf, VIR_DOMAIN_SHUTOFF } from '../../src/libvirt/index.ts'
import { defined } from './world.ts'

const STEP_MS = 100
const PAUSE_MS = 10_000

/** A host of ten domains whose questions are counted, and a clock that goes on only when it is told to. */
async function countedHost(context: TestContext) {
  const memory = memoryDriver({ name: crypto.randomUUID(), vms: 10 })
  const asked = { lists: 0, looks: 0 }
  const domains: Driver['domains'] = {
    ...memory.domains,
    list: () => {
      asked.lists++
      return memory.domains.list()
    },
    get: id => {
      asked.looks++
      return memory.domains.get(id)
    },
  }
  const connection = await connectionOf({ ...memory, domains }, { uri: 'memory:///counted' })
  const clock = { nowMs: 0 }
  context.mock.method(performance, 'now', () => clock.nowMs)
  return { asked, connection, clock }
}

test('who walks over a list for longer than it is good for is told by another', async context => {
  const { asked, connection, clock } = await countedHost(context)

  for (const domain of await connection.listAllDomains()) {
    assert.equal((await domain.getState()).state, VIR_DOMAIN_SHUTOFF)
    assert.equal(await domain.isActive(), false)
    clock.nowMs += STEP_MS
  }

  // A list is good for the time of three steps.
  assert.deepEqual(asked, { lists: 4, looks: 0 })
})

test('a list tells nothing to who comes later, asks again, or has changed something', async context => {
  const { asked, connection, clock } = await countedHost(context)
  const [first, second, third, fourth] = await connection.listAllDomains()

  await first?.getState()
  await first?.getState()
  assert.deepEqual(asked, { lists: 1, looks: 1 })
  clock.nowMs += PAUSE_MS
  await second?.getState()
  assert.deepEqual(asked, { lists: 1, looks: 2 })

  await connection.listAllDomains()
  await third?.hasManagedSaveImage()
  assert.deepEqual(asked, { lists: 2, looks: 2 })
  await defined(connection)
  const { looks } = asked
  await fourth?.getState()
  assert.equal(asked.looks, looks + 1)
})
