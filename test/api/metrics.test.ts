import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type CpuTime,
  type DomainConfig,
  type DomainMetrics,
  type Driver,
  DriverError,
} from '../../src/drivers/driver.ts'
import { memoryDriver } from '../../src/drivers/memory/index.ts'
import { Hosts } from '../../src/engine/hosts.ts'
import { Locks } from '../../src/engine/locks.ts'
import { lookAtImages } from '../../src/engine/image-use.ts'
import { RATE_MS_MIN, Sampler } from '../../src/engine/metrics.ts'
import { host_, host_cpu, storedClasses, VBD, VDI, VIF, VM } from '../../src/model/index.ts'
import { newRecord } from '../../src/model/kernel/operations.ts'
import { memoryLog } from '../../src/store/memory-log.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'

const EVERY_MS = 20
const PATIENCE_MS = 30_000
const POLL_MS = 5
const KIB = 1024
const ID = '11111111-1111-4111-8111-111111111111'
const DISK = '22222222-2222-4222-8222-222222222222'
const VIF_REF = '33333333-3333-4333-8333-333333333333'

const config = (location: string): DomainConfig => ({
  id: ID,
  name: 'measured',
  description: '',
  memoryBytes: 64 * KIB * KIB,
  vcpus: 2,
  boot: { kind: 'firmware', device: 'disk' },
  disks: [{ id: DISK, location, format: 'raw', readOnly: false, device: 'hda', bus: 'emulated' }],
})

const silent = { debug() {}, info() {}, warn() {}, error: (details: object) => assert.fail(JSON.stringify(details)) }
const none: DomainMetrics = { atMs: 0, memoryBytes: 0, vcpuMs: [0, 0], disks: [], nics: [], tools: {} }

/** A host whose figures are the test's to say. */
class World {
  readonly store: Store
  readonly hosts: Hosts
  readonly sampler: Sampler
  readonly logged: string[] = []
  answer: DomainMetrics | DriverError = none
  cpus: readonly CpuTime[] = []
  asked = 0

  constructor(store: Store, driver: Driver) {
    this.store = store
    const metrics = {
      domain: async () => {
        this.asked += 1
        if (this.answer instanceof DriverError) throw this.answer
        return this.answer
      },
      vcpus: async () => [],
      cpus: async () => this.cpus,
    }
    const log = { ...silent, error: (details: object) => void this.logged.push(JSON.stringify(details)) }
    this.hosts = new Hosts({
      store,
      locks: new Locks(),
      log,
      owner: 'test',
      connect: async () => ({ ...driver, metrics }),
    })
    this.sampler = new Sampler({ store, hosts: this.hosts, log, everyMs: EVERY_MS })
  }

  /** One VM that runs, with a disk and an interface. */
  static async open(): Promise<World> {
    const driver = memoryDriver({ name: 'measured' })
    const repository = { type: 'memory', location: driver.storage.defaultLocation('images') }
    await driver.storage.openRepository(repository)
    const disk = await driver.storage.createVolume(repository, { name: 'disk', format: 'raw', virtualBytes: 4096 })
    await driver.domains.define(config(disk.location))
    await driver.domains.start(ID)
    const store = await openStore({ classes: storedClasses, log: memoryLog() })
    const world = new World(store, driver)
    await world.hosts.add('memory:///measured')
    await store.transact(tx => tx.insert(VIF, newRecord(VIF, { uuid: VIF_REF, VM: ID })))
    return world
  }

  async close(): Promise<void> {
    this.sampler.close()
    await this.hosts.close()
    await this.store.close()
    assert.deepEqual(this.logged, [])
  }

  /** Lets everything be read at least once more, after what is said now. */
  async read(answer?: DomainMetrics | DriverError): Promise<void> {
    if (answer !== undefined) this.answer = answer
    const enough = this.asked + 2
    await this.until(() => this.asked >= enough)
  }

  async until(isSo: () => boolean): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS
    while (!isSo()) {
      assert(performance.now() < deadline, `not within ${PATIENCE_MS} ms: ${isSo.toString()}`)
      await sleep(POLL_MS)
    }
  }

  vm() {
    const record = this.store.get(VM, ID)
    assert(record !== undefined)
    return record
  }

  vbd() {
    const record = this.store.get(VBD, DISK)
    assert(record !== undefined)
    return record
  }

  vif() {
    const record = this.store.get(VIF, VIF_REF)
    assert(record !== undefined)
    return record
  }
}

describe('what VMs use', () => {
  let world: World
  beforeEach(async () => {
    world = await World.open()
  })
  afterEach(() => world.close())

  const first: DomainMetrics = {
    atMs: 1_000,
    memoryBytes: 48 * KIB * KIB,
    vcpuMs: [100, 0],
    disks: [{ id: DISK, readBytes: 0, writtenBytes: 10 * KIB }],
    nics: [{ id: VIF_REF, receivedBytes: 0, sentBytes: 0 }],
    tools: { 'qemu-guest-agent': '7.2.22' },
  }
  const second: DomainMetrics = {
    ...first,
    atMs: 3_000,
    vcpuMs: [1_100, 4_000],
    disks: [{ id: DISK, readBytes: 20 * KIB, writtenBytes: 11 * KIB }],
    nics: [{ id: VIF_REF, receivedBytes: 6 * KIB, sentBytes: 8 * KIB }],
  }

  it('shows from the first reading on, rates from the second', async () => {
    world.answer = first
    world.sampler.start()
    await world.read()

    assert.equal(world.vm().memory_actual, BigInt(first.memoryBytes))
    assert.deepEqual(world.vm().tools_version, new Map([['qemu-guest-agent', '7.2.22']]))
    assert.deepEqual(
      world.vm().VCPUs_utilisation,
      new Map([
        [0n, 0],
        [1n, 0],
      ]),
    )
    assert.equal(world.vbd().IO_bandwidth_outgoing_kbs, 0)

    await world.read(second)
    // A virtual CPU is one thread; more than all of it is a matter of rounding.
    assert.deepEqual(
      world.vm().VCPUs_utilisation,
      new Map([
        [0n, 0.5],
        [1n, 1],
      ]),
    )
    const { IO_bandwidth_incoming_kbs: read, IO_bandwidth_outgoing_kbs: written } = world.vbd()
    assert.deepEqual([read, written], [10, 0.5])
    const vif = world.vif()
    assert.deepEqual([vif.IO_bandwidth_incoming_kbs, vif.IO_bandwidth_outgoing_kbs], [3, 4])
    assert.deepEqual([vif.network_read_kbs, vif.network_write_kbs], [3, 4])
  })

  it('is zero when the VM has halted, and begins anew when it starts', async () => {
    world.answer = first
    world.sampler.start()
    await world.read()
    await world.read(second)

    const driver = world.hosts.driver(world.vm().affinity)
    await driver.domains.powerOff(ID)
    await world.hosts.observe(ID)

    assert.deepEqual([world.vm().memory_actual, world.vm().VCPUs_utilisation.size], [0n, 0])
    assert.equal(world.vm().tools_version.size, 0)
    assert.equal(world.vbd().IO_bandwidth_incoming_kbs + world.vif().network_read_kbs, 0)

    world.answer = { ...first, atMs: 9_000 }
    await driver.domains.start(ID)
    await world.hosts.observe(ID)
    await world.read()
    assert.equal(world.vm().memory_actual, BigInt(first.memoryBytes))
    assert.equal(world.vbd().IO_bandwidth_outgoing_kbs, 0)
  })

  it('is no rate where two readings are too close together, or a counter began again', async () => {
    world.answer = first
    world.sampler.start()
    await world.read()
    await world.read({ ...second, atMs: first.atMs + RATE_MS_MIN - 1 })
    assert.equal(world.vbd().IO_bandwidth_incoming_kbs, 0)

    await world.read(second)
    assert.equal(world.vbd().IO_bandwidth_incoming_kbs, 10)

    await world.read({ ...first, atMs: 5_000 })
    assert.deepEqual(
      [...world.vm().VCPUs_utilisation.values(), world.vbd().IO_bandwidth_incoming_kbs, world.vif().network_read_kbs],
      [0, 0, 0, 0],
    )
  })

  it('stays as it was read last while the host does not answer', async () => {
    world.answer = first
    world.sampler.start()
    await world.read()
    await world.read(second)
    await world.read(new DriverError('unreachable', 'the line is cut'))

    assert.equal(world.vm().memory_actual, BigInt(first.memoryBytes))
    assert.equal(world.vbd().IO_bandwidth_incoming_kbs, 10)

    await world.read(new DriverError('bad-state', 'it has halted'))
    assert.deepEqual([world.vm().memory_actual, world.vbd().IO_bandwidth_incoming_kbs], [0n, 0])
  })

  it('is read at once for a VM that was given a device', async () => {
    const { store, hosts } = world
    const rare = new Sampler({ store, hosts, log: silent, everyMs: 3_600_000 })
    world.answer = first
    rare.start()
    await world.until(() => world.vm().memory_actual > 0n)
    const { asked } = world

    await store.transact(tx => tx.insert(VIF, newRecord(VIF, { uuid: DISK, VM: ID })))
    await world.until(() => world.asked === asked + 1)
    rare.close()
    rare.close()
  })

  it('is no matter for the log', async () => {
    world.answer = first
    world.sampler.start()
    const { generation } = world.store
    await world.read()
    await world.read(second)

    assert.equal(world.store.generation, generation)
  })

  it('shows of the CPUs of the host, too', async () => {
    const cpus = world.store.get(host_, world.vm().affinity)?.host_CPUs ?? []
    const number = Number(world.store.get(host_cpu, cpus[0] ?? '')?.number)
    world.cpus = [{ number, busyMs: 1_000, idleMs: 1_000 }]
    world.sampler.start()
    await world.read()
    assert.equal(world.store.get(host_cpu, cpus[0] ?? '')?.utilisation, 0)

    world.cpus = [{ number, busyMs: 1_250, idleMs: 1_750 }]
    await world.read()
    assert.equal(world.store.get(host_cpu, cpus[0] ?? '')?.utilisation, 0.25)
  })

  it('counts the room that images take, and of those that do not run nothing', async () => {
    const { store, hosts } = world
    const driver = hosts.driver(world.vm().affinity)
    const vdi = world.vbd().VDI
    await store.transact(tx => tx.patch(VDI, vdi, { physical_utilisation: 1n }))
    const look = { store, hosts, log: silent, observeRepository: assert.fail }
    const physicalBytes = async () =>
      (await driver.storage?.getVolume(store.get(VDI, vdi)?.location ?? ''))?.physicalBytes ?? -1

    await lookAtImages(look)
    assert.equal(store.get(VDI, vdi)?.physical_utilisation, BigInt(await physicalBytes()))
    const { generation } = store
    await lookAtImages(look)
    assert.equal(store.generation, generation)

    await store.transact(tx => tx.patch(VDI, vdi, { physical_utilisation: 1n }))
    await driver.domains.powerOff(ID)
    await hosts.observe(ID)
    await lookAtImages(look)
    assert.equal(store.get(VDI, vdi)?.physical_utilisation, 1n)
  })
})
