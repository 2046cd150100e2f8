import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryDriver } from '../../src/drivers/memory/index.ts'
import { disk, drive, nic } from '../conformance/parts.ts'
import { definition } from './definition.ts'
import { ManualClock } from './manual-clock.ts'

const MIB = 1_048_576
const REPOSITORY = { type: 'memory', location: '/sr' }

/** A running domain of this name with two virtual CPUs, a disk, a drive and an interface, and a hand on the clock. */
async function stage(name: string, seed = 'c0ffee00-0000-4000-8000-000000000000') {
  const clock = new ManualClock()
  const driver = memoryDriver({ clock })
  await driver.storage.openRepository(REPOSITORY)
  const volume = await driver.storage.createVolume(REPOSITORY, { name: 'v', format: 'raw', virtualBytes: MIB })
  const devices = {
    disks: [disk(volume, { id: 'disk' }), { ...drive('cdrom'), id: 'cd' }],
    nics: [nic(null, { id: 'nic' })],
  }
  const config = definition(name, { id: seed, vcpus: 2, ...devices })
  await driver.domains.define(config)
  await driver.domains.start(config.id)
  return { clock, driver, id: config.id, read: () => driver.metrics.domain(config.id) }
}

test('virtual CPUs use a share of the time that the guest runs, decided by its id, and nothing while it is paused', async () => {
  const { clock, driver, id, read } = await stage('web')
  await clock.advance(1000)
  const { atMs, vcpuMs } = await read()
  assert.equal(atMs, 1000)
  assert(vcpuMs.every(ms => ms > 0 && ms < 1000))
  assert.notEqual(vcpuMs[0], vcpuMs[1])
  assert.deepEqual((await (await sameAgain()).read()).vcpuMs, vcpuMs)

  await driver.domains.pause(id)
  await clock.advance(1000)
  assert.deepEqual((await read()).vcpuMs, vcpuMs)
  await driver.domains.reset(id)
  await clock.advance(1000)
  assert.deepEqual(
    (await read()).vcpuMs,
    vcpuMs.map(ms => ms * 2),
  )
})

async function sameAgain() {
  const again = await stage('web')
  await again.clock.advance(1000)
  return again
}

test('a cap counts from when it is set', async () => {
  const { clock, driver, id, read } = await stage('web')
  await clock.advance(1000)
  const before = (await read()).vcpuMs
  await driver.scheduler.set(id, { weight: 256, capPercent: 1, affinity: null })
  await clock.advance(1000)

  const grown = (await read()).vcpuMs.map((ms, number) => ms - (before[number] ?? 0))
  assert(grown.every(ms => ms <= 10.001))
})

test('disks and interfaces count what goes through them, and nothing where nothing is plugged in', async () => {
  const { clock, driver, id, read } = await stage('web')
  await clock.advance(1000)
  const first = await read()
  const [, cd] = first.disks
  const { id: _cd, ...ofCd } = cd ?? assert.fail('the drive is missing')
  const { id: _nic, ...ofNic } = first.nics[0] ?? assert.fail('the interface is missing')
  for (const count of [...Object.values(ofCd), ...Object.values(ofNic)]) assert.equal(count, 0)
  assert((first.disks[0]?.readBytes ?? 0) > 0 && (first.disks[0]?.writtenBytes ?? 0) > 0)

  const lab = { id: 'lab', name: 'lab', nic: '', vlan: null, gateway: '', netmask: '' }
  await driver.networks.define(lab)
  await driver.devices.connectNic(id, 'nic', 'lab')
  await clock.advance(1000)
  const [counted] = (await read()).nics
  assert((counted?.receivedBytes ?? 0) > 0 && (counted?.sentBytes ?? 0) > 0)
  await driver.devices.connectNic(id, 'nic', null)
  await clock.advance(1000)
  assert.deepEqual((await read()).nics, [counted])
})

test('requests and packets are as many as what they carry needs, and take their time', async () => {
  const { clock, driver, id, read } = await stage('web')
  await driver.networks.define({ id: 'lab', name: 'lab', nic: '', vlan: null, gateway: '', netmask: '' })
  await driver.devices.connectNic(id, 'nic', 'lab')
  await clock.advance(60_000)
  const { disks, nics } = await read()
  const [disk, packets] = [disks[0] ?? assert.fail(), nics[0] ?? assert.fail()]

  const { reads = 0, writes = 0, flushes = 0, readNs = 0, writeNs = 0, flushNs = 0 } = disk
  assert.deepEqual([reads, writes], [Math.ceil(disk.readBytes / 4_096), Math.ceil(disk.writtenBytes / 4_096)])
  assert(flushes > 0 && flushes < writes)
  assert(readNs > reads && writeNs > writes && flushNs > flushes)
  assert.equal(disk.errors, 0)
  const { receivedPackets = 0, sentPackets = 0, receivedDropped = 0 } = packets
  assert.deepEqual(
    [receivedPackets, sentPackets],
    [packets.receivedBytes, packets.sentBytes].map(bytes => Math.ceil(bytes / 512)),
  )
  assert(receivedDropped > 0 && receivedDropped < receivedPackets / 100)
})

test('a guest makes no more requests than it may', async () => {
  const { clock, driver, id, read } = await stage('web')
  await driver.devices.limitDisk?.(id, 'disk', { requests: { perSecond: 10 } })
  await clock.advance(100_000)
  const { reads = 0, writes = 0 } = (await read()).disks[0] ?? assert.fail()

  assert(reads > 0 && writes > 0 && reads + writes <= 1_002, `${reads} and ${writes}`)
})

test('a guest tells of its memory when it has booted, and then as often as it is to', async () => {
  const { clock, driver, id, read } = await stage('web')
  const told = async () => (await read()).guestMemory
  assert.deepEqual(await told(), {})
  await clock.advance(10_000)
  const first = await told()
  assert.equal(first?.atMs, performance.timeOrigin + 50)
  assert(first.availableBytes !== undefined && first.unusedBytes !== undefined && first.usableBytes !== undefined)
  assert(first.unusedBytes < first.usableBytes && first.usableBytes < first.availableBytes)
  assert(first.availableBytes < 64 * MIB)

  await driver.devices.setMemoryStatsPeriod?.(id, 2)
  await driver.devices.setMemoryTarget(id, 32 * MIB)
  await clock.advance(3_000)
  const second = await told()
  assert.equal(second?.atMs, performance.timeOrigin + 12_050)
  assert((second.availableBytes ?? 0) <= 32 * MIB && (second.minorFaults ?? 0) > (first.minorFaults ?? 0))
  await driver.domains.pause(id)
  await clock.advance(10_000)
  assert.deepEqual(await told(), second)

  await driver.domains.reset(id)
  assert.deepEqual(await told(), {})
  assert.equal((await driver.domains.config(id)).platform?.memoryStatsSeconds, 2)
  await driver.devices.setMemoryStatsPeriod?.(id, null)
  assert.equal((await driver.domains.config(id)).platform?.memoryStatsSeconds, undefined)
})

test('what a host spends on a guest is told by program and system, and by CPU', async () => {
  const { clock, read } = await stage('web')
  await clock.advance(1_000)
  const { vcpuMs, vcpus = [], cpu } = await read()

  const used = vcpuMs.reduce((sum, ms) => sum + ms, 0)
  assert(cpu !== undefined)
  const { totalMs, userMs = 0, systemMs = 0, onCpus = [] } = cpu
  assert.equal(totalMs, used)
  assert(Math.abs(userMs + systemMs - totalMs) < 1e-6 && systemMs > 0)
  assert(Math.abs(onCpus.reduce((sum, ms) => sum + ms, 0) - totalMs) < 1e-6)
  assert.deepEqual(
    vcpus.map(({ cpu: on }) => on),
    [0, 1],
  )
  for (const { waitMs = 0, delayMs = 0 } of vcpus) assert(waitMs > 0 && delayMs > 0)
})

test('a balloon reaches its target in a moment of the time that the guest runs, and begins anew with a reset', async () => {
  const { clock, driver, id, read } = await stage('web')
  const has = async () => (await read()).memoryBytes / MIB
  await driver.devices.setMemoryTarget(id, 32 * MIB)
  assert.equal(await has(), 64)
  await clock.advance(50)
  assert.equal(await has(), 48)
  await driver.domains.pause(id)
  await clock.advance(1000)
  assert.equal(await has(), 48)
  await driver.domains.unpause(id)
  await clock.advance(50)
  assert.equal(await has(), 32)

  await driver.domains.reset(id)
  assert.equal(await has(), 64)
  await clock.advance(100)
  assert.equal(await has(), 32)
})

test('a guest that clings keeps its memory and its devices', async () => {
  const { clock, driver, id, read } = await stage('vm-that-clings')
  await driver.devices.setMemoryTarget(id, MIB)
  await clock.advance(10_000)
  assert.equal((await read()).memoryBytes, 64 * MIB)

  const pull = assert.rejects(driver.devices.detachDisk(id, 'disk'), { kind: 'refused', message: /does not let go/ })
  await clock.advance(10_000)
  await pull
  assert.equal((await driver.domains.config(id)).disks.length, 2)
})

test('the CPUs of the host are as busy as the guests make them, and never more than all of the time', async () => {
  const { clock, driver, id, read } = await stage('web')
  await clock.advance(1000)
  const used = (await read()).vcpuMs.reduce((sum, ms) => sum + ms, 0)
  const [cpu] = await driver.metrics.cpus()
  const count = (await driver.metrics.cpus()).length
  assert(cpu !== undefined)
  assert(Math.abs(cpu.busyMs - used / count) < 1e-6 && Math.abs(cpu.busyMs + cpu.idleMs - 1000) < 1e-6)

  await driver.domains.powerOff(id)
  await clock.advance(1000)
  const [later] = await driver.metrics.cpus()
  assert.equal(later?.busyMs, cpu.busyMs)
  assert.equal(later?.idleMs, cpu.idleMs + 1000)

  const many = Array.from({ length: 100 }, (_, number) => definition(`busy-${number}`, { vcpus: 8 }))
  for (const config of many) await driver.domains.define(config)
  for (const config of many) await driver.domains.start(config.id)
  await clock.advance(1000)
  const [full] = await driver.metrics.cpus()
  assert.equal(full?.busyMs, cpu.busyMs + 1000)
  assert.equal(full?.idleMs, later?.idleMs)
})

test('the metrics of two thousand domains are read in a second of CPU time', async () => {
  const CPU_MS_MAX = 1000
  const driver = memoryDriver({ vms: 2000 })
  const domains = await driver.domains.list()
  for (const { id } of domains) await driver.domains.start(id)
  await driver.metrics.domain(domains[0]?.id ?? '')
  const begin = process.cpuUsage()
  const read = await Promise.all(domains.map(({ id }) => driver.metrics.domain(id)))
  const { user, system } = process.cpuUsage(begin)

  assert.equal(read.length, 2000)
  assert.equal((await driver.metrics.domains?.(domains.map(({ id }) => id)))?.length, 2000)
  assert((user + system) / 1000 < CPU_MS_MAX, `${(user + system) / 1000} ms`)
})
