import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { type MemoryDriverOptions, memoryDriver } from '../../src/drivers/memory/index.ts'
import { Random } from '../../src/drivers/memory/random.ts'

/** What a driver answers to a fixed series of calls: results, or the kinds and texts of failures. */
async function story(options: MemoryDriverOptions): Promise<string> {
  const driver = memoryDriver(options)
  const told: unknown[] = []
  for (let round = 0; round < 20; round++) {
    const domains = await driver.domains.list().catch(String)
    told.push(domains)
    const id = typeof domains === 'string' ? '' : (domains[round % domains.length]?.id ?? '')
    for (const operation of ['start', 'pause', 'unpause', 'powerOff', 'config'] as const) {
      told.push(await driver.domains[operation](id).catch(String))
    }
  }
  await driver.close()
  return JSON.stringify(told)
}

test('the same seed and the same calls have the same history, faults included', async () => {
  const options = { seed: 42, vms: 5, faultRate: 0.3 }

  assert.equal(await story(options), await story(options))
})

test('another seed has another history', async () => {
  assert.notEqual(await story({ seed: 1, vms: 5 }), await story({ seed: 2, vms: 5 }))
})

test('the name and the seed of a host decide its id', async () => {
  const id = async (options: MemoryDriverOptions) => (await memoryDriver(options).host.info()).id

  assert.equal(await id({ name: 'a', seed: 1 }), await id({ name: 'a', seed: 1, vms: 9 }))
  assert.notEqual(await id({ name: 'a', seed: 1 }), await id({ name: 'b', seed: 1 }))
  assert.notEqual(await id({ name: 'a', seed: 1 }), await id({ name: 'a', seed: 2 }))
})

test('a host has as many halted domains as it is told to, no two of one name or id', async () => {
  const driver = memoryDriver({ vms: 1000 })
  const domains = await driver.domains.list()

  assert.equal(domains.length, 1000)
  assert.equal(new Set(domains.map(domain => domain.name)).size, 1000)
  assert.equal(new Set(domains.map(domain => domain.id)).size, 1000)
  assert(domains.every(domain => domain.state === 'halted'))
  assert(domains.every(domain => /^[a-z]+-[a-z]+-\d{2,}$/.test(domain.name)))
})

test('a hundred thousand domains are made and listed at little cost', async () => {
  const CPU_MS_MAX = 3000 // Five times what it takes; time of the processor, so that a busy machine does not count.
  const begin = process.cpuUsage()
  const driver = memoryDriver({ vms: 100_000 })
  const domains = await driver.domains.list()
  const { user, system } = process.cpuUsage(begin)

  assert.equal(domains.length, 100_000)
  assert((user + system) / 1000 < CPU_MS_MAX, `${(user + system) / 1000} ms`)
})

test('numbers of a stream are even and within bounds, and its UUIDs are of version 4', () => {
  fc.assert(
    fc.property(fc.string(), seed => {
      const random = new Random(seed)
      const numbers = Array.from({ length: 200 }, () => random.next())
      const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length

      assert(numbers.every(number => number >= 0 && number < 1))
      assert(mean > 0.3 && mean < 0.7)
      assert.match(random.uuid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    }),
    { seed: 1 },
  )
})
