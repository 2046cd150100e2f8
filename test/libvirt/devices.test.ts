import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Connection,
  VIR_DOMAIN_DEVICE_MODIFY_CONFIG,
  VIR_DOMAIN_DEVICE_MODIFY_FORCE,
  VIR_DOMAIN_DEVICE_MODIFY_LIVE,
  VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON,
  VIR_DOMAIN_XML_INACTIVE,
  VIR_ERR_ARGUMENT_UNSUPPORTED,
  VIR_ERR_DEVICE_MISSING,
  VIR_ERR_INVALID_ARG,
  VIR_ERR_NO_NETWORK,
  VIR_ERR_OPERATION_FAILED,
  VIR_ERR_OPERATION_INVALID,
  VIR_ERR_OPERATION_UNSUPPORTED,
} from '../../src/libvirt/index.ts'
import { defined, networkXml, poolXml, rejectsWith, until, volumeXml, world } from './world.ts'

const MAC = '52:54:00:12:34:56'
const nicXml = (network: string, more = '') =>
  `<interface type='network'><mac address='${MAC}'/><source network='${network}'/>${more}</interface>`
const diskXml = (path: string, target = 'vda', kind = 'disk') =>
  `<disk type='file' device='${kind}'><driver name='qemu' type='qcow2'/>${
    path === '' ? '' : `<source file='${path}'/>`
  }<target dev='${target}'/></disk>`

/** A host with two networks and images. */
async function furnished() {
  const made = await world()
  for (const name of ['lan', 'dmz']) await made.connection.networkDefineXML(networkXml(name, crypto.randomUUID()))
  const pool = await made.connection.storagePoolCreateXML(poolXml('images', `/images-${crypto.randomUUID()}`))
  const image = async (name: string) => (await pool.storageVolCreateXML(volumeXml(name, 1_048_576, 'qcow2'))).getPath()
  return { ...made, image }
}

const networksOf = async (connection: Connection, name: string): Promise<string[]> => {
  const xml = await (await connection.domainLookupByName(name)).getXMLDesc()
  return Array.from(xml.matchAll(/<source network='(\w+)'/g), ([, network]) => network ?? '')
}

// Proves: virDomainAttachDevice, virDomainAttachDeviceFlags
test('disks and interfaces are plugged into a domain whether it runs or not, and at its next start where that is said', async () => {
  const { connection, driver, image } = await furnished()
  const domain = await defined(connection, { name: 'web' })
  const disks = async () => (await driver.domains.config(domain.getUUIDString())).disks.map(({ device }) => device)

  await domain.attachDevice(diskXml(await image('first')))
  await domain.create()
  await domain.attachDeviceFlags(diskXml(await image('second'), 'vdb'), VIR_DOMAIN_DEVICE_MODIFY_LIVE)
  await domain.attachDevice(nicXml('lan'))
  await domain.attachDeviceFlags(diskXml(await image('third'), 'vdc'), VIR_DOMAIN_DEVICE_MODIFY_CONFIG)

  assert.deepEqual(await disks(), ['vda', 'vdb', 'vdc'])
  assert.deepEqual(await networksOf(connection, 'web'), ['lan'])
  assert.equal((await driver.metrics.domain(domain.getUUIDString())).disks.length, 2)
  assert.equal(await domain.isUpdated(), true)
})

// Proves: virDomainDetachDeviceAlias
test('a device is pulled by its alias, now or from the next start', async () => {
  const { connection, driver, image } = await furnished()
  const devices = diskXml(await image('first')) + diskXml(await image('second'), 'vdb') + nicXml('lan')
  const domain = await defined(connection, { devices })
  const { disks, nics = [] } = await driver.domains.config(domain.getUUIDString())
  const [first, second, nic] = [...disks, ...nics].map(({ id }) => `ua-${id}`)
  const left = async () => {
    const config = await driver.domains.config(domain.getUUIDString())
    return [...config.disks.map(({ device }) => device), ...(config.nics ?? []).map(({ mac }) => mac)]
  }

  await domain.detachDeviceAlias(first ?? '')
  assert.deepEqual(await left(), ['vdb', MAC])
  await rejectsWith(VIR_ERR_DEVICE_MISSING, domain.detachDeviceAlias(first ?? ''), /no device found with alias ua-/)
  await domain.create()
  await domain.detachDeviceAlias(second ?? '', VIR_DOMAIN_DEVICE_MODIFY_LIVE)
  await domain.detachDeviceAlias(nic ?? '', VIR_DOMAIN_DEVICE_MODIFY_CONFIG)
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.detachDeviceAlias(nic ?? '', 16), /unsupported flags \(0x10\)/)

  assert.deepEqual(await left(), [])
})

test('a domain is described as it runs or as it starts next, and changed as it is described', async () => {
  const { connection, image } = await furnished()
  const [first, second] = [diskXml(await image('first')), diskXml(await image('second'), 'vdb')]
  const domain = await defined(connection, { name: 'web', devices: first + nicXml('lan') })
  await domain.create()
  const targets = async (flags = 0) =>
    Array.from((await domain.getXMLDesc(flags)).matchAll(/<target dev=['"](\w+)/g), ([, target]) => target)

  await domain.attachDeviceFlags(second, VIR_DOMAIN_DEVICE_MODIFY_CONFIG)
  await domain.detachDeviceFlags(nicXml('lan'), VIR_DOMAIN_DEVICE_MODIFY_CONFIG)
  assert.deepEqual(await targets(), ['vda', 'eth0'])
  assert.deepEqual(await targets(VIR_DOMAIN_XML_INACTIVE), ['vda', 'vdb'])
  const taken = domain.attachDeviceFlags(diskXml(await image('third'), 'vdb'), VIR_DOMAIN_DEVICE_MODIFY_LIVE)
  await rejectsWith(VIR_ERR_OPERATION_FAILED, taken, /target vdb already exists/)
  const later = domain.detachDeviceFlags(second, VIR_DOMAIN_DEVICE_MODIFY_LIVE)
  await rejectsWith(VIR_ERR_DEVICE_MISSING, later, /no target device vdb/)
  await domain.detachDeviceFlags(nicXml('lan'), VIR_DOMAIN_DEVICE_MODIFY_LIVE)

  assert.deepEqual(await targets(), ['vda'])
  await domain.destroy()
  assert.deepEqual(await targets(), ['vda', 'vdb'])
})

test('what cannot be plugged in is not, and nothing has changed', async () => {
  const { connection, driver, image } = await furnished()
  const domain = await defined(connection)
  await domain.attachDevice(diskXml(await image('first')))
  const before = await driver.domains.config(domain.getUUIDString())

  await rejectsWith(VIR_ERR_OPERATION_FAILED, domain.attachDevice(diskXml('/other')), /target vda already exists/)
  await rejectsWith(VIR_ERR_NO_NETWORK, domain.attachDevice(nicXml('nowhere')))
  await rejectsWith(
    VIR_ERR_OPERATION_INVALID,
    domain.attachDeviceFlags(nicXml('lan'), VIR_DOMAIN_DEVICE_MODIFY_LIVE),
    /domain is not running/,
  )
  await rejectsWith(
    VIR_ERR_INVALID_ARG,
    domain.attachDeviceFlags(nicXml('lan'), VIR_DOMAIN_DEVICE_MODIFY_FORCE),
    /unsupported flags \(0x4\)/,
  )
  await domain.create()
  await rejectsWith(VIR_ERR_OPERATION_FAILED, domain.attachDevice(diskXml('/nothing/there', 'vdb')))

  assert.deepEqual(await driver.domains.config(domain.getUUIDString()), before)
})

// Proves: virDomainDetachDevice, virDomainDetachDeviceFlags
test('disks and interfaces are pulled, and a guest that clings to one keeps it', async () => {
  const { connection, driver, image } = await furnished()
  const clinging = await defined(connection, { name: 'vm-that-clings' })
  const domain = await defined(connection)
  const [path, other] = [await image('first'), await image('second')]
  for (const each of [clinging, domain]) await each.attachDevice(nicXml('lan'))
  await domain.attachDevice(diskXml(path))
  await domain.attachDevice(diskXml(other, 'vdb'))
  const config = () => driver.domains.config(domain.getUUIDString())

  await domain.detachDevice(`<disk type='file' device='disk'><target dev='vda'/></disk>`)
  assert.deepEqual(
    (await config()).disks.map(({ device }) => device),
    ['vdb'],
  )
  await rejectsWith(VIR_ERR_DEVICE_MISSING, domain.detachDevice(diskXml(path)), /no target device vda/)
  await domain.create()
  await clinging.create()
  await domain.detachDevice(nicXml('lan'))
  await domain.detachDeviceFlags(diskXml(other, 'vdb'), VIR_DOMAIN_DEVICE_MODIFY_LIVE | VIR_DOMAIN_DEVICE_MODIFY_CONFIG)
  await rejectsWith(VIR_ERR_OPERATION_FAILED, clinging.detachDevice(nicXml('lan')))

  assert.deepEqual([(await config()).disks, (await config()).nics ?? []], [[], []])
  assert.deepEqual(await networksOf(connection, 'vm-that-clings'), ['lan'])
})

// Proves: virDomainUpdateDeviceFlags
test('the medium of a drive and the network of an interface are changed under the guest, and nothing else is', async () => {
  const { connection, driver, image } = await furnished()
  const domain = await defined(connection, { name: 'web' })
  const [first, second] = [await image('first'), await image('second')]
  await domain.attachDevice(diskXml(first, 'hdc', 'cdrom'))
  await domain.attachDevice(diskXml(second, 'vda'))
  await domain.attachDevice(nicXml('lan'))
  const medium = async () => (await driver.domains.config(domain.getUUIDString())).disks[0]?.location
  await domain.create()

  await domain.updateDeviceFlags(diskXml('', 'hdc', 'cdrom'), VIR_DOMAIN_DEVICE_MODIFY_FORCE)
  assert.equal(await medium(), '')
  await domain.updateDeviceFlags(diskXml(first, 'hdc', 'cdrom'), VIR_DOMAIN_DEVICE_MODIFY_LIVE)
  assert.equal(await medium(), first)
  await domain.updateDeviceFlags(nicXml('dmz'))
  assert.deepEqual(await networksOf(connection, 'web'), ['dmz'])
  await rejectsWith(
    VIR_ERR_OPERATION_UNSUPPORTED,
    domain.updateDeviceFlags(diskXml(first, 'vda')),
    /no drive for media/,
  )
  await rejectsWith(
    VIR_ERR_OPERATION_UNSUPPORTED,
    domain.updateDeviceFlags(nicXml('dmz', `<mtu size='9000'/>`)),
    /cannot modify MTU/,
  )
  await domain.updateDeviceFlags(nicXml('dmz', `<mtu size='9000'/>`), VIR_DOMAIN_DEVICE_MODIFY_CONFIG)

  assert.equal((await driver.domains.config(domain.getUUIDString())).nics?.[0]?.mtu, 9_000)
})

// Proves: virDomainBlockStats, virDomainBlockStatsFlags, virDomainInterfaceStats, virDomainMemoryStats, virDomainGetBlockInfo
test('what a guest does to disks, interfaces and memory is counted, and what the host does not count is said so', async () => {
  const { connection, image } = await furnished()
  const domain = await defined(connection, { memoryKib: 65_536 })
  const path = await image('first')
  await domain.attachDevice(diskXml(path))
  await domain.attachDevice(nicXml('lan'))

  assert.equal((await domain.getBlockInfo('vda')).capacity, 1_048_576n)
  assert.deepEqual(await domain.getBlockInfo(path), await domain.getBlockInfo('vda'))
  await rejectsWith(VIR_ERR_OPERATION_INVALID, domain.blockStats('vda'), /domain is not running/)
  await domain.create()
  await until(
    async () => (await domain.blockStats('vda')).wrBytes > 0n && (await domain.interfaceStats(MAC)).txBytes > 0n,
  )

  const { wrReq, wrBytes, errs } = await domain.blockStats(path)
  assert(wrReq > 0n && wrReq <= wrBytes)
  assert.equal(errs, 0n)
  assert.deepEqual(
    (await domain.blockStatsFlags('vda')).map(({ field }) => field),
    [
      'wr_bytes',
      'wr_operations',
      'rd_bytes',
      'rd_operations',
      'flush_operations',
      'wr_total_times',
      'rd_total_times',
      'flush_total_times',
      'errs',
    ],
  )
  const { txPackets, txErrs, rxDrop } = await domain.interfaceStats('eth0')
  assert(txPackets > 0n)
  assert.deepEqual([txErrs, rxDrop], [0n, 0n])
  assert.deepEqual(await domain.memoryStats(1), [{ tag: VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON, val: 65_536n }])
  assert.deepEqual(await domain.memoryStats(0), [])
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.blockStats('vdz'), /invalid path: vdz/)
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.interfaceStats('eth9'), /'eth9' is not a known interface/)
})

// Proves: virDomainScreenshot, virDomainSendKey
test('a guest is looked at, and keys are pressed for it', async () => {
  const domain = await defined((await world()).connection)
  await rejectsWith(VIR_ERR_OPERATION_INVALID, domain.screenshot())
  await domain.create()

  const { mimeType, data } = await domain.screenshot()
  const [, width = '', height = ''] = /^P6\n(\d+) (\d+)\n255\n/.exec(Buffer.from(data).toString('latin1')) ?? []
  const head = `P6\n${width} ${height}\n255\n`.length
  assert.deepEqual([mimeType, data.length - head], ['image/x-portable-pixmap', Number(width) * Number(height) * 3])
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.screenshot(1))
  await rejectsWith(VIR_ERR_ARGUMENT_UNSUPPORTED, domain.sendKey(3, 0, [13]), /VIR_KEYCODE_SET_ATSET2/)
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.sendKey(8, 0, [0]), /invalid keycode: '0' of set 8/)
  await domain.sendKey(8, 0, [13])
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.sendKey(0, 0, []), /from 1 to 16/)
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.sendKey(0, -1, [28]))
  await domain.sendKey(0, 1, [116])

  await until(async () => !(await domain.isActive()))
})
