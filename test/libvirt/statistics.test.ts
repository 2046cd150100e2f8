import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeviceOps, MetricsOps } from '../../src/drivers/driver.ts'
import { memoryDriver } from '../../src/drivers/memory/index.ts'
import {
  type DomainStatsRecord,
  VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE,
  VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING,
  VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS,
  VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT,
  VIR_CONNECT_GET_ALL_DOMAINS_STATS_PAUSED,
  connectionOf,
  VIR_DOMAIN_AFFECT_CONFIG,
  VIR_DOMAIN_AFFECT_LIVE,
  VIR_DOMAIN_BLOCK_RESIZE_BYTES,
  VIR_DOMAIN_PAUSED,
  VIR_DOMAIN_SHUTOFF,
  VIR_DOMAIN_STATS_BLOCK,
  VIR_DOMAIN_STATS_DIRTYRATE,
  VIR_DOMAIN_STATS_STATE,
  VIR_DOMAIN_STATS_VCPU,
  VIR_ERR_ARGUMENT_UNSUPPORTED,
  VIR_DOMAIN_XML_INACTIVE,
  VIR_ERR_INVALID_ARG,
  VIR_ERR_NO_SUPPORT,
  VIR_ERR_OPERATION_FAILED,
  VIR_ERR_OPERATION_INVALID,
  VIR_ERR_OVERFLOW,
} from '../../src/libvirt/index.ts'
import { defined, networkXml, poolXml, rejectsWith, until, volumeXml, world } from './world.ts'

const MIB = 1_048_576
const ENFORCE = VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS
const PERF = 64

/** What is told of a domain, by its name: of a text in quotes. */
const told = (records: readonly DomainStatsRecord[], name: string): Record<string, bigint | string> =>
  Object.fromEntries(
    records
      .filter(({ dom }) => dom.getName() === name)
      .flatMap(({ params }) => params.map(({ field, value }) => [field, value])),
  )

/** A host with a domain that has a disk and an interface. */
async function busyHost() {
  const { connection, driver } = await world()
  await connection.networkDefineXML(networkXml('lan', crypto.randomUUID()))
  const pool = await connection.storagePoolCreateXML(poolXml('images', '/images'))
  const disk = await pool.storageVolCreateXML(volumeXml('disk.qcow2', 8 * MIB))
  const devices = `<disk type='file' device='disk'><driver type='qcow2'/><source file='${disk.getPath()}'/>
    <target dev='vda'/></disk><disk type='file' device='cdrom'><target dev='hdc'/></disk>
    <interface type='network'><source network='lan'/><target dev='eth0'/></interface>`
  const domain = await defined(connection, { name: 'busy', vcpus: 2, memoryKib: 131_072, devices })
  await defined(connection, { name: 'idle' })
  return { connection, driver, domain, path: disk.getPath() }
}

const VCPUS = ['0', '1'].flatMap(number => ['state', 'time', 'wait', 'delay'].map(of => `vcpu.${number}.${of}`))
const TRAFFIC = ['rx', 'tx'].flatMap(way => ['bytes', 'pkts', 'errs', 'drop'].map(of => `net.0.${way}.${of}`))
const REQUESTS = ['rd.reqs', 'rd.bytes', 'rd.times', 'wr.reqs', 'wr.bytes', 'wr.times', 'fl.reqs', 'fl.times']
const ofDisk = (number: number, names: readonly string[]) => names.map(name => `block.${number}.${name}`)
/** In libvirt's order. */
const NAMES = [
  'state.state',
  'state.reason',
  'cpu.time',
  'cpu.user',
  'cpu.system',
  ...'current maximum swap_in swap_out major_fault minor_fault unused available usable'
    .split(' ')
    .map(of => `balloon.${of}`),
  ...'last-update disk_caches hugetlb_pgalloc hugetlb_pgfail rss'.split(' ').map(of => `balloon.${of}`),
  'vcpu.current',
  'vcpu.maximum',
  ...VCPUS,
  'net.count',
  'net.0.name',
  ...TRAFFIC,
  'block.count',
  ...ofDisk(0, ['name', 'path', ...REQUESTS, 'allocation', 'capacity', 'physical']),
  ...ofDisk(1, ['name', ...REQUESTS]),
]

// Proves: virConnectGetAllDomainStats
test('of all domains at once it is told what they are doing, have and have used', async () => {
  const { connection, domain, path } = await busyHost()
  await domain.create()
  await until(async () => {
    const { 'net.0.rx.bytes': bytes, 'balloon.unused': unused } = told(await connection.getAllDomainStats(), 'busy')
    return typeof bytes === 'bigint' && bytes > 0n && unused !== undefined
  })
  await domain.suspend()

  const all = await connection.getAllDomainStats()

  const busy = told(all, 'busy')
  const count = (name: string) => {
    const value = busy[name]
    return typeof value === 'bigint' ? value : assert.fail(`${name}: ${value}`)
  }
  assert.deepEqual(Object.keys(busy), NAMES)
  const isNear = (one: bigint, other: bigint) => assert(one - other <= 2n && other - one <= 2n, `${one} and ${other}`)
  isNear(count('vcpu.0.time') + count('vcpu.1.time'), count('cpu.time'))
  isNear(count('cpu.user') + count('cpu.system'), count('cpu.time'))
  for (const name of [
    'cpu.system',
    'vcpu.0.wait',
    'vcpu.1.delay',
    'net.0.rx.pkts',
    'block.0.rd.reqs',
    'block.0.wr.times',
  ])
    assert(count(name) > 0n, name)
  assert(count('net.0.rx.bytes') >= count('net.0.rx.pkts') && count('block.0.wr.bytes') >= count('block.0.wr.reqs'))
  assert.equal(count('block.0.allocation'), count('block.0.physical'))
  assert.deepEqual([count('block.1.rd.bytes'), count('block.1.wr.reqs')], [0n, 0n])
  for (const [name, value] of Object.entries({
    'state.state': BigInt(VIR_DOMAIN_PAUSED),
    'balloon.current': 131_072n,
    'balloon.maximum': 131_072n,
    'balloon.rss': 131_072n,
    'vcpu.current': 2n,
    'vcpu.maximum': 2n,
    'vcpu.0.state': 1n,
    'vcpu.1.state': 1n,
    'net.count': 1n,
    'net.0.name': 'eth0',
    'net.0.rx.errs': 0n,
    'block.count': 2n,
    'block.0.name': 'vda',
    'block.0.path': path,
    'block.0.capacity': BigInt(8 * MIB),
    'block.1.name': 'hdc',
  }))
    assert.equal(busy[name], value, name)
  assert.deepEqual(told(all, 'idle'), {
    'state.state': BigInt(VIR_DOMAIN_SHUTOFF),
    'state.reason': 0n,
    'balloon.current': 65_536n,
    'balloon.maximum': 65_536n,
    'vcpu.current': 1n,
    'vcpu.maximum': 1n,
    'block.count': 0n,
  })
})

// Proves: virDomainBlockResize
test('the image of a disk grows under the eyes of the guest, in KiB or bytes', async () => {
  const { domain, path } = await busyHost()

  await rejectsWith(VIR_ERR_OPERATION_INVALID, domain.blockResize('vda', 16 * 1_024), /domain is not running/)
  await domain.create()
  await domain.blockResize('vda', 16 * 1_024)
  assert.equal((await domain.getBlockInfo(path)).capacity, BigInt(16 * MIB))
  await domain.blockResize(path, 24 * MIB, VIR_DOMAIN_BLOCK_RESIZE_BYTES)
  assert.equal((await domain.getBlockInfo('vda')).capacity, BigInt(24 * MIB))

  await rejectsWith(VIR_ERR_OPERATION_FAILED, domain.blockResize('vda', 1))
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.blockResize('vdb', 16 * 1_024), /invalid path: vdb/)
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.blockResize('hdc', 16 * 1_024), /does not currently have a source/)
  await rejectsWith(VIR_ERR_OVERFLOW, domain.blockResize('vda', 2 ** 60))
})

test('without a name the counters of all disks are told together', async () => {
  const { domain } = await busyHost()
  await domain.create()
  await until(async () => (await domain.blockStats('vda')).rdBytes > 0n)
  await domain.suspend()

  assert.deepEqual(await domain.blockStats(''), await domain.blockStats('vda'))
})

// Proves: virDomainGetCPUStats
test('CPU time is told of a domain, and of the CPUs of the host that it was used on', async () => {
  const { domain } = await busyHost()
  await rejectsWith(VIR_ERR_OPERATION_INVALID, domain.getCPUStats(), /domain is not running/)
  await domain.create()
  await until(async () => ((await domain.getCPUStats()).params[0]?.[0]?.value ?? 0n) > 0n)
  await domain.suspend()

  const { ncpus, params } = await domain.getCPUStats()
  const [[time, user, system] = []] = params
  assert.deepEqual([time?.field, user?.field, system?.field], ['cpu_time', 'user_time', 'system_time'])
  const each = await domain.getCPUStats(0)
  assert.equal(each.params.length, ncpus)
  const sum = each.params.flat().reduce((all, { value }) => all + value, 0n)
  assert(sum - (time?.value ?? 0n) <= BigInt(ncpus) && (time?.value ?? 0n) - sum <= BigInt(ncpus))
  assert.equal((await domain.getCPUStats(1, 2)).params.length, 2)
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.getCPUStats(ncpus), /start_cpu \d+ larger than maximum of/)
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.getCPUStats(-2))
})

// Proves: virDomainSetMemoryStatsPeriod, virDomainGetDiskErrors
test('a guest tells of its memory as often as it is to, now or from its next start, and of its disks nothing is amiss', async () => {
  const { connection, domain } = await busyHost()
  const period = async (flags = 0) => /<stats period=.(\d+)./.exec(await domain.getXMLDesc(flags))?.[1]
  await rejectsWith(VIR_ERR_OPERATION_INVALID, domain.getDiskErrors(), /domain is not running/)
  await rejectsWith(VIR_ERR_OPERATION_INVALID, domain.setMemoryStatsPeriod(5, VIR_DOMAIN_AFFECT_LIVE))
  await domain.setMemoryStatsPeriod(5)
  await domain.create()
  assert.equal(await period(), '5')
  await domain.setMemoryStatsPeriod(9, VIR_DOMAIN_AFFECT_CONFIG)
  assert.deepEqual([await period(), await period(VIR_DOMAIN_XML_INACTIVE)], ['5', '9'])
  await domain.setMemoryStatsPeriod(0)

  assert.deepEqual([await period(), await period(VIR_DOMAIN_XML_INACTIVE)], [undefined, undefined])
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.setMemoryStatsPeriod(-1), /must be zero or greater/)
  assert.deepEqual(await domain.getDiskErrors(), [])
  await until(async () => (await domain.memoryStats()).length > 2)
  assert.deepEqual(
    (await domain.memoryStats()).map(({ tag }) => tag),
    [6, 0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 7],
  )
  const idle = await connection.domainLookupByName('idle')
  await idle.setMemoryStatsPeriod(3)
  assert.match(await idle.getXMLDesc(), /<stats period=.3./)
})

/** Counters of a host that does not know how its disks are. */
function withoutErrors(metrics: MetricsOps): MetricsOps {
  const less = { ...metrics }
  delete less.diskErrors
  return less
}

/** Devices of a host whose guests tell nothing of their memory. */
function withoutPeriod(devices: DeviceOps): DeviceOps {
  const less = { ...devices }
  delete less.setMemoryStatsPeriod
  return less
}

test('a host that knows of no errors of disks, and no times of guests, says so', async () => {
  const { connection, driver } = await busyHost()
  const { metrics, devices } = driver
  const less = {
    ...driver,
    metrics: withoutErrors(metrics),
    devices: withoutPeriod(devices),
  }
  const other = await connectionOf(less, { uri: 'memory:///other' })
  const domain = await other.domainLookupByName('busy')

  await rejectsWith(VIR_ERR_NO_SUPPORT, domain.getDiskErrors(), /virDomainGetDiskErrors/)
  await rejectsWith(VIR_ERR_NO_SUPPORT, domain.setMemoryStatsPeriod(1), /virDomainSetMemoryStatsPeriod/)
  await connection.close()
})

// Proves: virDomainListGetStats
test('it is told of the domains and the groups that are asked for, in the order of the domains, without those that are gone', async () => {
  const { connection, driver, domain } = await busyHost()
  const idle = await connection.domainLookupByName('idle')
  const gone = await defined(connection, { name: 'gone' })
  await gone.undefine()
  await domain.create()

  const names = (records: readonly DomainStatsRecord[]) => records.map(({ dom }) => dom.getName())
  const [first, second] = await connection.domainListGetStats([idle, gone, domain], VIR_DOMAIN_STATS_VCPU)
  assert.deepEqual(
    [first?.dom.getName(), first?.params.map(({ field }) => field)],
    ['idle', ['vcpu.current', 'vcpu.maximum']],
  )
  assert.equal(second?.params.length, 10)
  const active = VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE | VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
  assert.deepEqual(names(await connection.getAllDomainStats(0, active)), ['busy'])
  assert.deepEqual(names(await connection.domainListGetStats([idle, domain], 0, active)), ['busy'])
  assert.deepEqual(await connection.getAllDomainStats(0, VIR_CONNECT_GET_ALL_DOMAINS_STATS_PAUSED), [])

  driver.faults.plan({ operation: 'domains.configs', nth: 1, when: 'before', kind: 'unreachable' })
  const states = await connection.getAllDomainStats(VIR_DOMAIN_STATS_STATE)
  assert.deepEqual(
    states.map(({ params }) => params.length),
    [2, 2],
  )
})

test('what images build on is told where that is asked for and the host tells it', async () => {
  const { driver, path } = await busyHost()
  const bases = ['first', 'second'].map(name => {
    const location = `/images/${name}.qcow2`
    return { location, name, format: 'qcow2', virtualBytes: 8 * MIB, physicalBytes: 4_096 } as const
  })
  const storage = { ...driver.storage, volumesBelow: async (of: string) => (of === path ? bases : []) }
  const connection = await connectionOf({ ...driver, storage }, { uri: 'memory:///overlays' })

  const whole = told(
    await connection.getAllDomainStats(VIR_DOMAIN_STATS_BLOCK, VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING),
    'busy',
  )
  const plain = told(await connection.getAllDomainStats(VIR_DOMAIN_STATS_BLOCK), 'busy')

  const named = (of: string) => [0, 1, 2, 3].map(number => whole[`block.${number}.${of}`])
  assert.deepEqual([plain['block.count'], whole['block.count']], [2n, 4n])
  assert.deepEqual(named('name'), ['vda', 'vda', 'vda', 'hdc'])
  assert.deepEqual(named('path'), [path, '/images/first.qcow2', '/images/second.qcow2', undefined])
  assert.deepEqual(named('backingIndex'), [undefined, 1n, 2n, undefined])
  assert.deepEqual(named('physical').slice(1), [4_096n, 4_096n, undefined])
  await connection.close()
})

test('how fast a guest writes to its memory is told as a host found it', async () => {
  const { driver, domain } = await busyHost()
  await domain.create()
  const found = { status: 'measured', startS: 9, periodS: 2, mode: 'page-sampling', mibPerS: 30 } as const
  const metrics = { ...driver.metrics, dirtyRate: async () => found }
  const connection = await connectionOf({ ...driver, metrics }, { uri: 'memory:///writing' })

  const all = await connection.getAllDomainStats(VIR_DOMAIN_STATS_DIRTYRATE, ENFORCE)

  assert.deepEqual(told(all, 'busy'), {
    'dirtyrate.calc_status': 2n,
    'dirtyrate.calc_start_time': 9n,
    'dirtyrate.calc_period': 2n,
    'dirtyrate.calc_mode': 'page-sampling',
    'dirtyrate.megabytes_per_second': 30n,
  })
  assert.deepEqual(told(all, 'idle'), {})
  await connection.close()
})

test('many domains are told of at the cost of few questions', async () => {
  const memory = memoryDriver({ name: crypto.randomUUID(), vms: 1_000 })
  await Promise.all((await memory.domains.list()).map(({ id }) => memory.domains.start(id)))
  const asked: string[] = []
  const counted = <G extends object>(group: string, ops: G): G =>
    new Proxy(ops, {
      get(target, name, receiver) {
        asked.push(`${group}.${String(name)}`)
        const value: unknown = Reflect.get(target, name, receiver)
        return value
      },
    })
  const { domains, metrics, storage } = memory
  const driver = {
    ...memory,
    domains: counted('domains', domains),
    metrics: counted('metrics', metrics),
    storage: counted('storage', storage),
  }
  const connection = await connectionOf(driver, { uri: 'memory:///many' })
  asked.length = 0

  const all = await connection.getAllDomainStats()

  assert.equal(all.length, 1_000)
  assert(all.every(({ params }) => params.some(({ field }) => field === 'cpu.time')))
  // Looking whether there is a function is counted, too.
  assert(asked.length < 10, asked.join())
  await connection.close()
})

test('groups that there are not are left out, or refused by their number where that is asked for', async () => {
  const { connection, domain } = await busyHost()
  await domain.create()

  const backing = VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING
  const some = await connection.getAllDomainStats(VIR_DOMAIN_STATS_BLOCK | PERF, backing)
  assert.equal(told(some, 'busy')['block.count'], 2n)
  const strict = connection.getAllDomainStats(VIR_DOMAIN_STATS_BLOCK | PERF, ENFORCE)
  await rejectsWith(
    VIR_ERR_ARGUMENT_UNSUPPORTED,
    strict,
    /^argument unsupported: Stats types bits 0x40 are not supported by this daemon$/,
  )
  assert.equal((await connection.getAllDomainStats(VIR_DOMAIN_STATS_BLOCK, ENFORCE)).length, 2)
  await rejectsWith(VIR_ERR_INVALID_ARG, connection.getAllDomainStats(0, 256), /unsupported flags \(0x100\)/)
})
