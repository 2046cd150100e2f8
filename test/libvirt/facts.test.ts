import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryDriver } from '../../src/drivers/memory/index.ts'
import { connectionOf, VIR_ERR_INVALID_ARG, VIR_ERR_NO_SUPPORT } from '../../src/libvirt/index.ts'
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
  assert.match(await connection.getCapabilities(), /<domain type="test"\/>/)
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
    virDomainManagedSave: () => domain.managedSave(),
    virDomainListAllSnapshots: () => domain.listAllSnapshots(),
    virDomainMemoryStats: () => domain.memoryStats(),
  }

  const refusal = (function_: string) =>
    new RegExp(`^this function is not supported by the connection driver: ${function_}$`)
  await eachRejectsWith(VIR_ERR_NO_SUPPORT, refused, refusal)
  assert.equal((await connection.nodeGetInfo()).cores, 16)
})
