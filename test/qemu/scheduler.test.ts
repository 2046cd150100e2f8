import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DomainId, Scheduling } from '../../src/drivers/driver.ts'
import { findCpuGroups } from '../../src/drivers/qemu/cgroup.ts'
import { allowedCpus, onlineCpus } from '../../src/drivers/qemu/cpu-affinity.ts'
import { connectQmp } from '../../src/protocols/qmp/client.ts'
import { TEST_MS, World } from './world.ts'

const PLAIN: Scheduling = { weight: 256, capPercent: null, affinity: null }
const MEASURE_MS = 3_000

let world: World
beforeEach(async () => {
  world = await World.open()
})
afterEach(async () => {
  // A QEMU that the world kills behind the driver's back would leave its control groups.
  for (const { id, state } of await world.driver.domains.list()) {
    if (state !== 'halted') await world.driver.domains.powerOff(id)
  }
  await world.close()
})

function set(id: DomainId, scheduling: Partial<Scheduling>): Promise<void> {
  assert(world.driver.scheduler !== undefined)
  return world.driver.scheduler.set(id, { ...PLAIN, ...scheduling })
}

/** A guest that always has something to do. */
async function busy(scheduling?: Partial<Scheduling>, vcpus = 1): Promise<DomainId> {
  const id = await world.define({ vcpus, ...(scheduling && { scheduling: { ...PLAIN, ...scheduling } }) }, 'busy')
  await world.driver.domains.start(id)
  await world.untilPrinted(id, 'BOOT-OK')
  return id
}

/** What each guest's first virtual CPU gets of a CPU over some seconds. */
async function shares(...ids: DomainId[]): Promise<number[]> {
  const read = () =>
    Promise.all(
      ids.map(async id => {
        assert(world.driver.metrics !== undefined)
        return world.driver.metrics.domain(id)
      }),
    )
  const before = await read()
  await sleep(MEASURE_MS)
  const now = await read()
  return now.map(({ atMs, vcpuMs }, index) => {
    const was = before[index]
    assert(was !== undefined)
    return ((vcpuMs[0] ?? 0) - (was.vcpuMs[0] ?? 0)) / (atMs - was.atMs)
  })
}

/** The process and the threads of the virtual CPUs of the only QEMU that runs. */
async function threads(id: DomainId): Promise<{ readonly pid: number; readonly threads: readonly number[] }> {
  const qmp = await connectQmp(world.files(id).rescue, { onEvent: () => undefined, onClose: () => undefined })
  const cpus = await qmp.execute('query-cpus-fast')
  qmp.close()
  return { pid: world.process().pid, threads: cpus.map(({ threadId }) => threadId) }
}

async function affinities(id: DomainId): Promise<(readonly number[])[]> {
  const qemu = await threads(id)
  return qemu.threads.map(thread => allowedCpus(qemu.pid, thread))
}

test('virtual CPUs are bound to CPUs of the host, and let go', { timeout: TEST_MS }, async () => {
  const [first = 0] = onlineCpus()
  const id = await busy({}, 2)
  const free = await affinities(id)

  await set(id, { affinity: [first] })
  assert.deepEqual(await affinities(id), [[first], [first]])

  await assert.rejects(set(id, { affinity: [] }), { kind: 'refused' })
  await assert.rejects(set(id, { affinity: [first, 4_000] }), { kind: 'refused', message: /no CPU 4000/ })
  await assert.rejects(set(id, { affinity: [first], weight: 65_536 }), { kind: 'refused' })
  await assert.rejects(set(id, { affinity: [first], capPercent: 0 }), { kind: 'refused' })
  assert.deepEqual(await affinities(id), [[first], [first]])

  await set(id, { affinity: null })
  assert.deepEqual(await affinities(id), free)
})

test('a guest is bound before it executes anything, and at every start', { timeout: TEST_MS }, async () => {
  const last = onlineCpus().at(-1) ?? 0
  const scheduling = { ...PLAIN, affinity: [last] }
  const id = await world.define({ scheduling })
  await world.driver.domains.start(id, { paused: true })
  assert.deepEqual(await affinities(id), [[last]])
  assert.equal(await world.serial(id), '')
  assert.equal(await world.state(id), 'paused')

  await world.driver.domains.powerOff(id)
  await world.driver.domains.start(id)
  assert.deepEqual(await affinities(id), [[last]])
  assert.equal(await world.state(id), 'running')
})

test('a start with what the host cannot do is refused before the guest runs', { timeout: TEST_MS }, async () => {
  const id = await world.define({ scheduling: { ...PLAIN, affinity: [4_000] } })

  await assert.rejects(world.driver.domains.start(id), { kind: 'refused', message: /no CPU 4000/ })
  assert.equal(await world.state(id), 'halted')
  assert.equal(await world.serial(id), '')
  assert.deepEqual(world.processes(), [])
})

// Only a server that may make control groups can promise more than affinity.
const groups = findCpuGroups()
if (groups !== undefined) {
  describe('with control groups', () => {
    test('a cap is the most that a guest gets, from its start and while it runs', { timeout: TEST_MS }, async () => {
      const id = await busy({ capPercent: 20 })
      const [capped = 1] = await shares(id)
      assert(capped < 0.24 && capped > 0.02, `${capped}`)

      await set(id, { capPercent: 5 })
      const [less = 1] = await shares(id)
      assert(less < 0.07 && less > 0.005, `${less}`)

      await set(id, {})
      await world.until('it gets more', async () => ((await shares(id))[0] ?? 0) > 0.24)
    })

    test('weights share out a CPU that two guests want', { timeout: TEST_MS }, async () => {
      const affinity = [onlineCpus()[0] ?? 0]
      const heavy = await busy({ weight: 1024, affinity })
      const light = await busy({ affinity })
      const [more = 0, less = 1] = await shares(heavy, light)

      assert(more / less > 2.5 && more / less < 6, `${more} to ${less}`)
    })

    test('groups go when the guest does, and those of a dead one when the driver comes', {
      timeout: TEST_MS,
    }, async () => {
      const id = await busy({ weight: 512 }, 2)
      const qemu = await threads(id)
      const groupOf = (thread: number) => /:cpu:(.*)$/m.exec(proc(qemu.pid, thread, 'cgroup'))?.[1] ?? ''
      assert(groups.has(id))
      assert.equal(new Set(qemu.threads.map(groupOf)).size, 2)

      await world.driver.domains.powerOff(id)
      assert(!groups.has(id))

      await world.driver.domains.start(id)
      assert(groups.has(id))
      await world.driver.close()
      process.kill(world.process().pid, 'SIGKILL')
      await world.until('QEMU is gone', () => world.processes().length === 0)
      assert(groups.has(id))
      await world.connect()
      assert(!groups.has(id))
    })

    test('a start that fails later on leaves no groups', { timeout: TEST_MS }, async () => {
      const id = await world.define({ scheduling: { ...PLAIN, weight: 512 }, memoryTargetBytes: 0 })

      await assert.rejects(world.driver.domains.start(id), { kind: 'refused', message: /balloon/ })
      assert(!groups.has(id))
      assert.equal(await world.state(id), 'halted')
    })

    test('the next connection gives a guest what an interrupted one did not', { timeout: TEST_MS }, async () => {
      const id = await busy({ weight: 512, affinity: [onlineCpus()[0] ?? 0] })
      const qemu = await threads(id)
      await world.driver.close()
      groups.release(id, qemu)
      assert(!groups.has(id))

      await world.connect()
      assert(groups.has(id))
      assert.deepEqual(world.warnings, [])
    })
  })
}

const proc = (pid: number, thread: number, name: string) => readFileSync(`/proc/${pid}/task/${thread}/${name}`, 'utf8')
