import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { afterEach, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DomainId, DomainMetrics } from '../../src/drivers/driver.ts'
import { parseCpuTimes, parseDelay, parseWait } from '../../src/drivers/qemu/cpu-time.ts'
import { bootLinux, guestAgent } from '../guests/linux-shell.ts'
import { GuestShell } from '../guests/shell.ts'
import { TEST_MS, World } from './world.ts'

const MIB = 1_048_576

let world: World
beforeEach(async () => {
  world = await World.open()
})
afterEach(() => world.close())

function read(id: DomainId): Promise<DomainMetrics> {
  assert(world.driver.metrics !== undefined)
  return world.driver.metrics.domain(id)
}

test('each virtual CPU has a thread of its own, whose time is counted', { timeout: TEST_MS }, async () => {
  const id = await world.define({ vcpus: 2 }, 'busy')
  await world.driver.domains.start(id)
  await world.untilPrinted(id, 'TICK 0001')
  const before = await read(id)
  let now = before
  const grownSince = () => now.vcpuMs.map((ms, number) => ms - (before.vcpuMs[number] ?? 0))
  await world.until('its time passes', async () => {
    now = await read(id)
    return (grownSince()[0] ?? 0) > 200
  })

  assert.equal(now.vcpuMs.length, 2)
  const grown = grownSince()
  // The firmware leaves the second one halted.
  assert((grown[1] ?? 0) < (grown[0] ?? 0) / 4, grown.join())
  assert((grown[0] ?? 0) <= now.atMs - before.atMs + 20, `${grown[0]} of ${now.atMs - before.atMs} ms`)
  const tasks = await readdir(`/proc/${world.process().pid}/task`)
  assert(tasks.length > 2)
  assert.equal(now.memoryBytes, 16 * MIB)
})

test('a paused guest uses no CPU, and a halted one is not measured', { timeout: TEST_MS }, async () => {
  const id = await world.define({}, 'busy')
  await assert.rejects(read(id), { name: 'DriverError', kind: 'bad-state' })
  await world.driver.domains.start(id)
  await world.untilPrinted(id, 'BOOT-OK')
  await world.driver.domains.pause(id)
  const before = await read(id)
  await sleep(500)

  assert.deepEqual((await read(id)).vcpuMs, before.vcpuMs)

  await world.driver.domains.powerOff(id)
  await assert.rejects(read(id), { name: 'DriverError', kind: 'bad-state' })
})

test('what a guest reads and writes is counted for each disk by its id', { timeout: TEST_MS }, async () => {
  const [first] = (await world.config()).disks
  const [second] = (await world.config()).disks
  assert(first !== undefined && second !== undefined)
  const disks = [
    { ...first, id: 'first', device: 'xvda' },
    { ...second, id: 'second', device: 'xvdb' },
    { ...first, id: 'drive', kind: 'cdrom' as const, location: '', device: 'xvdc', readOnly: true },
  ]
  const id = await world.define({ ...(await bootLinux(world.dataDir)), disks })
  await world.driver.domains.start(id)
  const shell = await GuestShell.openBooting(world.files(id).serialSocket)
  const before = await read(id)
  assert.deepEqual(before.disks.map(disk => disk.id).sort(), ['drive', 'first', 'second'])

  await shell.run('dd if=/dev/vda of=/dev/null bs=64k count=4 skip=8')
  await shell.run('dd if=/dev/zero of=/dev/vdb bs=64k count=2 conv=fsync')
  const now = await read(id)

  const grown = (disk: string) => {
    const [was, is] = [before, now].map(metrics => metrics.disks.find(each => each.id === disk))
    assert(was !== undefined && is !== undefined)
    const { id: _, ...counted } = is
    return Object.fromEntries(
      Object.entries(counted).map(([name, value]) => [name, value - (new Map(Object.entries(was)).get(name) ?? 0)]),
    )
  }
  const [ofFirst, ofSecond] = [grown('first'), grown('second')]
  // Linux reads ahead.
  const { readBytes = 0, reads = 0, readNs = 0 } = ofFirst
  assert(readBytes >= 4 * 65_536 && reads > 0 && reads <= readBytes / 512 && readNs > 0, JSON.stringify(ofFirst))
  assert.deepEqual([ofFirst['writtenBytes'], ofFirst['writes'], ofFirst['errors']], [0, 0, 0])
  const { writtenBytes = 0, writes = 0, writeNs = 0, flushes = 0, flushNs = 0 } = ofSecond
  assert.equal(writtenBytes, 2 * 65_536)
  assert(writes > 0 && writeNs > 0 && flushes > 0 && flushNs > 0, JSON.stringify(ofSecond))
  assert(Object.values(grown('drive')).every(value => value === 0))
  shell.close()
})

test('what a guest says of its memory and sends is counted, with what the host spends on it', {
  timeout: TEST_MS,
}, async () => {
  const network = { id: crypto.randomUUID(), name: 'lan', nic: '', vlan: null, gateway: '', netmask: '' }
  await world.driver.networks?.define(network)
  const mac = '52:54:00:12:34:56'
  const nic = { id: 'nic', mac, mtu: 1500, model: 'paravirtualised', device: 'eth0', network: network.id } as const
  const changes = { ...(await bootLinux(world.dataDir)), nics: [nic], platform: { memoryStatsSeconds: 1 } }
  const id = await world.define(changes)
  await world.driver.domains.start(id)
  const shell = await GuestShell.openBooting(world.files(id).serialSocket)
  await shell.run('ip link set eth0 up; for n in 1 2 3; do arping -c 1 -w 1 -I eth0 10.0.0.9; done; true')
  await world.until('the guest has told of its memory', async () => (await read(id)).guestMemory?.atMs !== undefined)
  const told = Number(/^MemTotal: +(\d+)/m.exec(await shell.run('cat /proc/meminfo'))?.[1]) * 1_024
  const now = await read(id)

  const { availableBytes = 0, unusedBytes = 0, usableBytes = 0, minorFaults = 0, atMs = 0 } = now.guestMemory ?? {}
  assert.equal(availableBytes, told)
  assert(unusedBytes > 0 && unusedBytes < usableBytes && usableBytes < availableBytes && minorFaults > 0)
  assert(Math.abs(Date.now() - atMs) < 60_000, `${atMs}`)
  const [traffic] = now.nics
  assert(
    (traffic?.sentPackets ?? 0) > 0 && (traffic?.sentBytes ?? 0) > (traffic?.sentPackets ?? 0),
    JSON.stringify(traffic),
  )
  assert.deepEqual([traffic?.sentErrors, traffic?.receivedErrors, traffic?.receivedDropped], [0, 0, 0])
  const { totalMs = 0, userMs = 0, systemMs = 0 } = now.cpu ?? {}
  assert.equal(totalMs, userMs + systemMs)
  assert(totalMs >= now.vcpuMs.reduce((sum, ms) => sum + ms, 0))
  assert((now.residentBytes ?? 0) > 16 * MIB)

  await world.driver.devices?.setMemoryStatsPeriod?.(id, null)
  await world.driver.devices?.setMemoryStatsPeriod?.(id, 2)
  const since = (await read(id)).guestMemory?.atMs ?? 0
  await world.until('it has told again', async () => ((await read(id)).guestMemory?.atMs ?? 0) > since)
  shell.close()
})

test('what runs in a guest for our sake is told by its agent', { timeout: TEST_MS }, async () => {
  const id = await world.define(await bootLinux(world.dataDir, [], await guestAgent()))
  await world.driver.domains.start(id)
  assert.deepEqual((await read(id)).tools, {})

  await world.until('the agent answers', async () => 'qemu-guest-agent' in (await read(id)).tools)
  const { tools } = await read(id)
  assert.match(tools['qemu-guest-agent'] ?? '', /^\d+\.\d+/)
  assert.match(tools['kernel'] ?? '', /^\d+\.\d+/)

  await world.reconnect()
  await world.until('the agent answers again', async () => 'qemu-guest-agent' in (await read(id)).tools)
})

test('a guest without an agent says nothing, and nobody waits for it', { timeout: TEST_MS }, async () => {
  const id = await world.booted()
  await read(id)
  const began = performance.now()
  const { tools } = await read(id)

  assert.deepEqual(tools, {})
  assert(performance.now() - began < 2_000)
})

test('the CPUs of this machine grow by the time that passes', { timeout: TEST_MS }, async () => {
  assert(world.driver.metrics !== undefined)
  const before = await world.driver.metrics.cpus()
  await sleep(500)
  const now = await world.driver.metrics.cpus()

  assert.equal(now.length, parseCpuTimes(await readFile('/proc/stat', 'utf8')).length)
  assert(now.length >= availableParallelism())
  for (const [index, { number, busyMs, idleMs }] of now.entries()) {
    assert.equal(before[index]?.number, number)
    const passed = busyMs + idleMs - (before[index]?.busyMs ?? 0) - (before[index]?.idleMs ?? 0)
    assert(passed > 100 && passed < 60_000, `${passed} ms on CPU ${number}`)
  }
})

test('how long threads wait is read where a kernel counts it', () => {
  assert.equal(parseDelay('1000 2500000 7\n'), 2.5)
  assert.equal(parseDelay('0 0 0\n'), undefined)
  assert.equal(parseDelay(undefined), undefined)
  assert.equal(
    parseWait('nr_switches : 3\nse.statistics.wait_sum                       :           12.345678\n'),
    12.345678,
  )
  assert.equal(
    parseWait('wait_sum                                     :             7.000001\nwait_count : 3\n'),
    7.000001,
  )
  assert.equal(parseWait('nr_switches : 3\n'), undefined)
})

test('CPU times are read whatever columns a kernel has', () => {
  const text = 'cpu  9 9 9 9\ncpu0 1 2 3 4 5 6 7 8 9 10\ncpu12 1 1 1 1\nintr 5\n'

  assert.deepEqual(parseCpuTimes(text), [
    { number: 0, busyMs: 270, idleMs: 90, kernelMs: 160 },
    { number: 12, busyMs: 30, idleMs: 10, kernelMs: 10 },
  ])
})
