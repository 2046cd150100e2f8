import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DomainMetrics } from '../../src/drivers/driver.ts'
import { memoryDriver, MemoryHost } from '../../src/drivers/memory/index.ts'
import { Sampler } from '../../src/engine/metrics.ts'
import { VM } from '../../src/model/index.ts'
import { startEngine } from './engine-world.ts'

const EVERY_MS = 10
const READING_MS = 40
const LOOKS = 4

test('a host that tells of many VMs is asked once for all, and left in peace for longer than it took to answer', async () => {
  const memoryHost = new MemoryHost({ name: 'many' })
  const before = memoryDriver({ host: memoryHost })
  const ids = Array.from({ length: 3 }, () => crypto.randomUUID())
  for (const id of ids) {
    const boot = { kind: 'firmware', device: 'disk' } as const
    await before.domains.define({ id, name: id, description: '', memoryBytes: 67_108_864, vcpus: 1, boot, disks: [] })
    await before.domains.start(id)
  }
  const asked: { readonly ids: readonly string[]; readonly atMs: number }[] = []
  const reading: DomainMetrics = { atMs: 0, memoryBytes: 7, vcpuMs: [0], disks: [], nics: [], tools: {} }
  const world = await startEngine([], memoryHost, driver => ({
    ...driver,
    metrics: {
      ...driver.metrics,
      domain: () => assert.fail('a VM was asked about alone'),
      async domains(some) {
        asked.push({ ids: some, atMs: performance.now() })
        await sleep(READING_MS)
        return some.slice(1).map(id => ({ ...reading, id }))
      },
    },
  }))
  const { store, hosts } = world.services
  const silent = { debug() {}, info() {}, warn() {}, error: assert.fail }
  const sampler = new Sampler({ store, hosts, log: silent, everyMs: EVERY_MS })
  after(async () => {
    sampler.close()
    await world.close()
    await before.close()
  })

  sampler.start()
  while (asked.length < LOOKS) await sleep(EVERY_MS)

  for (const each of asked) assert.deepEqual(each.ids.toSorted(), ids.toSorted())
  const [left = '', ...told] = asked[0]?.ids ?? []
  assert.deepEqual(
    [left, ...told].map(vm => store.get(VM, vm)?.memory_actual),
    [0n, 7n, 7n],
  )
  const pauses = asked.slice(1).map(({ atMs }, at) => atMs - (asked[at]?.atMs ?? 0))
  assert(Math.min(...pauses) > 5 * READING_MS, pauses.join())
})
