import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type DomainStatsRecord,
  VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE,
  VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING,
  VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS,
  VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT,
  VIR_CONNECT_GET_ALL_DOMAINS_STATS_PAUSED,
  VIR_DOMAIN_BLOCK_RESIZE_BYTES,
  VIR_DOMAIN_PAUSED,
  VIR_DOMAIN_SHUTOFF,
  VIR_DOMAIN_STATS_BLOCK,
  VIR_DOMAIN_STATS_STATE,
  VIR_DOMAIN_STATS_VCPU,
  VIR_ERR_ARGUMENT_UNSUPPORTED,
  VIR_ERR_INVALID_ARG,
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

// Proves: virConnectGetAllDomainStats
test('of all domains at once it is told what they are doing, have and have used', async () => {
  const { connection, domain, path } = await busyHost()
  await domain.create()
  await until(async () => {
    const { 'cpu.time': time, 'net.0.rx.bytes': bytes } = told(await connection.getAllDomainStats(), 'busy')
    return typeof time === 'bigint' && time > 0n && typeof bytes === 'bigint' && bytes > 0n
  })
  await domain.suspend()

  const all = await connection.getAllDomainStats()

  const {
    'cpu.time': cpuTime,
    'vcpu.0.time': first,
    'vcpu.1.time': second,
    'net.0.rx.bytes': received,
    'net.0.tx.bytes': sent,
    'block.0.rd.bytes': read,
    'block.0.wr.bytes': written,
    'block.0.allocation': allocation,
    'block.0.physical': physical,
    'block.1.rd.bytes': readOfCd,
    'block.1.wr.bytes': writtenOfCd,
    ...others
  } = told(all, 'busy')
  for (const value of [cpuTime, first, second, received, sent, read, written, allocation]) {
    assert.equal(typeof value, 'bigint')
  }
  assert(typeof first === 'bigint' && typeof second === 'bigint' && typeof cpuTime === 'bigint')
  assert(first + second - cpuTime <= 1n && cpuTime - first - second <= 1n)
  assert.equal(allocation, physical)
  assert.deepEqual([readOfCd ?? 0n, writtenOfCd ?? 0n], [0n, 0n])
  assert.deepEqual(others, {
    'state.state': BigInt(VIR_DOMAIN_PAUSED),
    'state.reason': 0n,
    'balloon.current': 131_072n,
    'balloon.maximum': 131_072n,
    'vcpu.current': 2n,
    'vcpu.maximum': 2n,
    'vcpu.0.state': 1n,
    'vcpu.1.state': 1n,
    'net.count': 1n,
    'net.0.name': 'eth0',
    'block.count': 2n,
    'block.0.name': 'vda',
    'block.0.path': path,
    'block.0.capacity': BigInt(8 * MIB),
    'block.1.name': 'hdc',
  })
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
  assert.equal(second?.params.length, 6)
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
