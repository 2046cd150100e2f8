import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryDriver } from '../../src/drivers/memory/index.ts'
import {
  connectionOf,
  VIR_DOMAIN_XML_INACTIVE,
  VIR_ERR_INTERNAL_ERROR,
  VIR_ERR_INVALID_ARG,
  VIR_ERR_NO_SUPPORT,
} from '../../src/libvirt/index.ts'
import { defined, eachRejectsWith, rejectsWith, world } from './world.ts'

const GIB = 2 ** 30

// Proves: virConnectGetType, virConnectGetVersion, virConnectGetLibVersion, virConnectGetHostname, virConnectIsAlive, virConnectIsEncrypted, virConnectIsSecure
test('a connection tells what it leads to, and whether the way there is safe', async () => {
  const { connection } = await world({ name: 'facts-of-a-host' })

  assert.equal(await connection.getType(), 'TEST')
  assert.equal(await connection.getVersion(), 1_000_000)
  assert.equal(await connection.getLibVersion(), 9_000_000)
  assert.equal(await connection.getHostname(), 'facts-of-a-host')
  assert.deepEqual(
    [await connection.isAlive(), await connection.isEncrypted(), await connection.isSecure()],
    [true, false, true],
  )
  await connection.close()
  assert.equal(await connection.isAlive(), false)
})

// Proves: virNodeGetInfo, virNodeGetFreeMemory, virConnectGetMaxVcpus, virConnectGetCapabilities
test('a host tells of its machine, and what of its memory domains have left free', async () => {
  const { connection } = await world()
  const domain = await defined(connection, { memoryKib: 2 * 1_048_576 })

  const free = await connection.nodeGetFreeMemory()
  await domain.create()

  assert.deepEqual(await connection.nodeGetInfo(), {
    model: 'memory',
    memory: (256 * GIB) / 1_024,
    cpus: 16,
    mhz: 2_400,
    nodes: 1,
    sockets: 1,
    cores: 16,
    threads: 1,
  })
  assert.equal(await connection.nodeGetFreeMemory(), free - BigInt(2 * GIB))
  assert.equal(await connection.getMaxVcpus(), 240)
  assert.equal(await connection.getMaxVcpus('test'), 240)
  await rejectsWith(VIR_ERR_INVALID_ARG, connection.getMaxVcpus('hyperv'), /unknown type 'hyperv'/)
  assert.match(await connection.getCapabilities(), /<domain type=.test.\/>/)
})

// Proves: virNodeGetCPUStats, virNodeGetCPUMap, virNodeGetMemoryStats, virNodeGetCellsFreeMemory
test('a host tells what its CPUs have done and which there are, and of its memory as of its one node', async () => {
  const { connection, driver } = await world()
  const free = await connection.nodeGetFreeMemory()

  const before = await connection.nodeGetCPUStats()
  const one = await connection.nodeGetCPUStats(15)
  const after = await connection.nodeGetCPUStats(-1)

  const [cpu] = (await driver.metrics?.cpus()) ?? []
  assert(cpu !== undefined && cpu.kernelMs === undefined)
  assert.deepEqual(Object.keys(one), ['user', 'idle'])
  assert(before.idle >= one.idle && after.idle >= before.idle)
  assert.deepEqual(await connection.nodeGetCPUMap(), {
    cpus: 16,
    map: Array.from({ length: 16 }, () => true),
    online: 16,
  })
  const memory = { total: BigInt(256 * GIB) / 1_024n, free: free / 1_024n }
  assert.deepEqual(await connection.nodeGetMemoryStats(), memory)
  assert.deepEqual(await connection.nodeGetMemoryStats(0), memory)
  assert.deepEqual(await connection.nodeGetCellsFreeMemory(0, 8), [free])
  await rejectsWith(VIR_ERR_INVALID_ARG, connection.nodeGetCPUStats(16), /Invalid cpuNum/)
  await rejectsWith(VIR_ERR_INVALID_ARG, connection.nodeGetMemoryStats(1), /cellNum/)
  await rejectsWith(VIR_ERR_INVALID_ARG, connection.nodeGetCellsFreeMemory(0, 0), /maxCells/)
  await rejectsWith(VIR_ERR_INTERNAL_ERROR, connection.nodeGetCellsFreeMemory(1, 1), /start cell 1/)
})

test('of a host of several nodes, whose memory is not told apart, no node tells of its own', async () => {
  const whole = memoryDriver({ vms: 0 })
  const hardware = async () => ({
    model: '',
    mhz: 0,
    nodes: 2,
    socketsPerNode: 1,
    coresPerSocket: 1,
    threadsPerCore: 1,
  })
  const cpus = async () => [{ number: 3, busyMs: 30, idleMs: 70, kernelMs: 10 }]
  const info = async () => ({ ...(await whole.host.info()), cpus: [{ number: 3, features: [] }] })
  assert(whole.metrics !== undefined)
  const host = { ...whole.host, hardware, info }
  const connection = await connectionOf(
    { ...whole, host, metrics: { ...whole.metrics, cpus } },
    { uri: 'memory:///two' },
  )

  await rejectsWith(VIR_ERR_NO_SUPPORT, connection.nodeGetCellsFreeMemory(0, 2), /virNodeGetCellsFreeMemory/)
  await rejectsWith(VIR_ERR_NO_SUPPORT, connection.nodeGetMemoryStats(0), /virNodeGetMemoryStats/)
  assert((await connection.nodeGetMemoryStats()).free > 0n)
  assert.doesNotMatch(await connection.getCapabilities(), /topology/)
  assert.deepEqual(await connection.nodeGetCPUStats(), { kernel: 10_000_000n, user: 20_000_000n, idle: 70_000_000n })
  assert.deepEqual(await connection.nodeGetCPUMap(), { cpus: 4, map: [false, false, false, true], online: 1 })
  await connection.close()
  await whole.close()
})

// Proves: virConnectGetDomainCapabilities
test('a host tells what its machines can have, and of which there are none', async () => {
  const { connection } = await world()

  assert.match(
    await connection.getDomainCapabilities(),
    /<domain>test<\/domain>\s+<arch>x86_64<\/arch>\s+<vcpu max=.240.\/>/,
  )
  assert.equal(
    await connection.getDomainCapabilities(undefined, 'x86_64', undefined, 'test'),
    await connection.getDomainCapabilities(),
  )
  for (const [choice, text] of [
    [['/usr/bin/other'], /not run by \/usr\/bin\/other/],
    [[undefined, 'aarch64'], /x86_64, not aarch64/],
    [[undefined, undefined, 'q35'], /no machine here is q35/],
    [[undefined, undefined, undefined, 'kvm'], /of type test, not kvm/],
  ] as const) {
    await rejectsWith(VIR_ERR_INVALID_ARG, connection.getDomainCapabilities(...choice), text)
  }
})

test('what a driver cannot tell or do is not supported, by the name of the function', async () => {
  const whole = memoryDriver({ vms: 1 })
  const { host, domains, name } = whole
  const driver = { name, domains, close: () => whole.close(), host: { info: () => host.info() } }
  const connection = await connectionOf(driver, { uri: 'memory:///bare' })
  const [domain] = await connection.listAllDomains()
  assert(domain !== undefined)

  const refused = {
    virNodeGetFreeMemory: () => connection.nodeGetFreeMemory(),
    virConnectGetMaxVcpus: () => connection.getMaxVcpus(),
    virConnectNumOfNetworks: () => connection.numOfNetworks(),
    virConnectListStoragePools: () => connection.listStoragePools(),
    virStorageVolLookupByPath: () => connection.storageVolLookupByPath('/x'),
    virConnectDomainEventRegister: () => connection.domainEventRegister(() => undefined),
    virDomainGetVcpus: () => domain.getVcpus(),
    virDomainGetAutostart: () => domain.getAutostart(),
    virDomainSetAutostart: () => domain.setAutostart(true),
    virDomainGetSchedulerType: () => domain.getSchedulerType(),
    virDomainScreenshot: () => domain.screenshot(),
    virDomainSendKey: () => domain.sendKey(0, 0, [28]),
    virDomainOpenGraphicsFD: () => domain.openGraphicsFD(),
    virDomainOpenConsole: () => domain.openConsole(),
    virDomainManagedSave: () => domain.managedSave(),
    virDomainListAllSnapshots: () => domain.listAllSnapshots(),
    virDomainMemoryStats: () => domain.memoryStats(),
  }

  const refusal = (function_: string) =>
    new RegExp(`^this function is not supported by the connection driver: ${function_}$`)
  await eachRejectsWith(VIR_ERR_NO_SUPPORT, refused, refusal)
  assert.equal((await connection.nodeGetInfo()).cores, 16)
})

test('a machine that runs tells of the serial port that it has, also where its description does not ask for one', async () => {
  const { connection } = await world()
  const [domain, without] = [
    await defined(connection),
    await defined(connection, { devices: `<serial type='null'/><console type='null'/>` }),
  ]
  assert.doesNotMatch(await domain.getXMLDesc(), /<serial|<console/)
  for (const one of [domain, without]) await one.create()
  const xml = await domain.getXMLDesc()

  assert.match(xml, /<serial type='pty'>\s*<target port='0'\/>\s*<\/serial>/)
  assert.match(xml, /<console type='pty'>\s*<target type='serial' port='0'\/>\s*<\/console>/)
  assert.doesNotMatch(await domain.getXMLDesc(VIR_DOMAIN_XML_INACTIVE), /<serial|<console/)
  assert.match(await without.getXMLDesc(), /<serial type='null'>/)
  await connection.domainDefineXML(xml)
})
