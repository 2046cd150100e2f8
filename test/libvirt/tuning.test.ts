import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  VIR_DOMAIN_AFFECT_CONFIG,
  VIR_DOMAIN_AFFECT_LIVE,
  VIR_ERR_ARGUMENT_UNSUPPORTED,
  VIR_ERR_CONFIG_UNSUPPORTED,
  VIR_ERR_INVALID_ARG,
  VIR_ERR_OPERATION_DENIED,
  VIR_ERR_OPERATION_INVALID,
  VIR_ERR_OPERATION_UNSUPPORTED,
  VIR_ERR_XML_ERROR,
  VIR_TYPED_PARAM_STRING,
  VIR_TYPED_PARAM_UINT,
  VIR_TYPED_PARAM_ULLONG,
} from '../../src/libvirt/index.ts'
import { defined, networkXml, poolXml, rejectsWith, volumeXml, world } from './world.ts'

const limit = (field: string, value: bigint) => ({ field, type: VIR_TYPED_PARAM_ULLONG, value })
const group = (value: string) => ({ field: 'group_name', type: VIR_TYPED_PARAM_STRING, value }) as const

/** A domain with two disks, of which nothing is limited. */
async function tunable() {
  const { connection, driver } = await world()
  const pool = await connection.storagePoolCreateXML(poolXml('images', `/images-${crypto.randomUUID()}`))
  const disks = []
  for (const target of ['vda', 'vdb']) {
    const path = (await pool.storageVolCreateXML(volumeXml(target, 1_048_576, 'qcow2'))).getPath()
    disks.push(`<disk type='file'><driver type='qcow2'/><source file='${path}'/><target dev='${target}'/></disk>`)
  }
  const domain = await defined(connection, { vcpus: 2, devices: disks.join('') })
  /** What is said of a disk but for zeros. */
  const told = async (disk: string, flags = 0) =>
    Object.fromEntries(
      (await domain.getBlockIoTune(disk, undefined, flags)).flatMap(({ field, value }) =>
        value === 0n || value === '' ? [] : [[field, value]],
      ),
    )
  return { connection, driver, domain, told }
}

// Proves: virDomainGetBlockIoTune, virDomainSetBlockIoTune
test('how fast a disk may be used is changed by the names of libvirt, now and from the next start', async () => {
  const { domain, told } = await tunable()
  await domain.setBlockIoTune('vda', [limit('total_iops_sec', 100n)])
  await domain.create()
  await domain.setBlockIoTune('vda', [limit('read_bytes_sec', 500n), limit('read_bytes_sec_max', 900n)])
  await domain.setBlockIoTune('vdb', [limit('total_iops_sec', 5n)], VIR_DOMAIN_AFFECT_CONFIG)

  const limits = { read_bytes_sec: 500n, total_iops_sec: 100n, read_bytes_sec_max: 900n }
  assert.deepEqual(await told('vda', VIR_DOMAIN_AFFECT_LIVE), limits)
  assert.deepEqual(await told('vda', VIR_DOMAIN_AFFECT_CONFIG), limits)
  assert.deepEqual(await told('vdb'), {})
  assert.deepEqual(await told('vdb', VIR_DOMAIN_AFFECT_CONFIG), { total_iops_sec: 5n })
  assert.equal((await domain.getBlockIoTune(null)).length, 20)
  assert.equal((await domain.getBlockIoTune('vda', 3)).length, 3)
  const xml = await domain.getXMLDesc()
  assert.match(xml, /<iotune>\s*<read_bytes_sec>500<[^]*<total_iops_sec>100<[^]*<read_bytes_sec_max>900<[^]*<\/iotune>/)

  await domain.setBlockIoTune('vda', [limit('read_bytes_sec', 0n), limit('read_bytes_sec_max', 0n)])
  await domain.setBlockIoTune('vda', [limit('write_iops_sec', 7n)])
  assert.deepEqual(await told('vda'), { write_iops_sec: 7n })
})

test('disks of one group have their limits together, until one of them has none', async () => {
  const { domain, told } = await tunable()
  await domain.setBlockIoTune('vda', [limit('total_bytes_sec', 1_000n), group('slow')])
  await domain.setBlockIoTune('vdb', [group('slow')])
  assert.deepEqual(await told('vdb'), { total_bytes_sec: 1_000n, group_name: 'slow' })

  await domain.setBlockIoTune('vdb', [limit('total_bytes_sec', 2_000n)])
  assert.deepEqual(await told('vda'), { total_bytes_sec: 2_000n, group_name: 'slow' })
  await domain.setBlockIoTune('vdb', [limit('total_bytes_sec', 0n)])
  assert.deepEqual(await told('vdb'), {})
  assert.deepEqual(await told('vda'), { total_bytes_sec: 2_000n, group_name: 'slow' })
})

test('limits that cannot be are refused in the words of libvirt, and change nothing', async () => {
  const { domain, told } = await tunable()
  await domain.setBlockIoTune('vda', [limit('total_iops_sec', 10n), limit('total_iops_sec_max', 20n)])
  const refusals = [
    [
      [limit('total_iops_sec', 0n)],
      VIR_ERR_CONFIG_UNSUPPORTED,
      "cannot reset 'total_iops_sec' when 'total_iops_sec_max'",
    ],
    [
      [limit('total_iops_sec', 30n)],
      VIR_ERR_CONFIG_UNSUPPORTED,
      "'total_iops_sec_max' cannot be smaller than 'total_iops",
    ],
    [
      [limit('total_iops_sec', 1n), limit('read_iops_sec', 1n)],
      VIR_ERR_INVALID_ARG,
      'total and read/write of iops_sec',
    ],
    [[limit('total_iops_sec', 10n ** 16n)], VIR_ERR_ARGUMENT_UNSUPPORTED, 'must be no more than 1000000000000000'],
    [[limit('odd', 1n)], VIR_ERR_INVALID_ARG, "parameter 'odd' not supported"],
    [
      [{ ...limit('total_iops_sec', 1n), type: VIR_TYPED_PARAM_UINT }],
      VIR_ERR_INVALID_ARG,
      'invalid type for parameter',
    ],
    [[limit('size_iops_sec', 1n), limit('size_iops_sec', 1n)], VIR_ERR_INVALID_ARG, 'occurs multiple times'],
  ] as const
  for (const [params, code, text] of refusals) {
    await rejectsWith(code, domain.setBlockIoTune('vda', params), new RegExp(text))
  }
  await rejectsWith(VIR_ERR_OPERATION_UNSUPPORTED, domain.setBlockIoTune('vdb', [group('new')]), /creating a new group/)
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.setBlockIoTune('vdz', []), /disk 'vdz' was not found in the domain/)
  const live = domain.setBlockIoTune('vda', [limit('total_iops_sec', 15n)], VIR_DOMAIN_AFFECT_LIVE)
  await rejectsWith(VIR_ERR_OPERATION_INVALID, live, /domain is not running/)
  assert.deepEqual(await told('vda'), { total_iops_sec: 10n, total_iops_sec_max: 20n })
})

test('the link of an interface goes down and up, and what else is changed of one that runs is refused by name', async () => {
  const { connection, domain, driver } = await tunable()
  await connection.networkDefineXML(networkXml('lan', crypto.randomUUID()))
  const nic = (more = '', mac = '52:54:00:00:00:01') =>
    `<interface type='network'><mac address='${mac}'/><source network='lan'/>${more}</interface>`
  const isDown = async () => (await driver.domains.config(domain.getUUIDString())).nics?.[0]?.linkDown === true
  await domain.attachDevice(nic("<link state='down'/>"))
  assert.equal(await isDown(), true)
  await domain.create()

  await domain.updateDeviceFlags(nic())
  assert.equal(await isDown(), false)
  await domain.updateDeviceFlags(nic("<link state='down'/>"))
  assert.equal(await isDown(), true)
  assert.match(await domain.getXMLDesc(), /<source network='lan'\/>[^]*<link state='down'\/>/)
  for (const [more, why] of [
    ["<model type='e1000'/>", /cannot modify network device model from virtio to e1000$/],
    ["<mtu size='9000'/>", /cannot modify MTU/],
    ["<target dev='lan9'/>", /cannot modify network device tap name/],
  ] as const) {
    await rejectsWith(VIR_ERR_OPERATION_UNSUPPORTED, domain.updateDeviceFlags(nic(more)), why)
  }
  assert.equal(await isDown(), true)
})

// Proves: virDomainSetVcpu, virDomainInjectNMI
test('all virtual CPUs stay enabled, and a guest is interrupted while it runs', async () => {
  const { domain, driver } = await tunable()
  await domain.setVcpu('0-1', 1)
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.setVcpu('0', 0), /vCPU '0' can't be modified/)
  await rejectsWith(VIR_ERR_OPERATION_UNSUPPORTED, domain.setVcpu('1', 0), /single virtual CPUs are not disabled here/)
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.setVcpu('1-2', 1), /vcpu 2 is not present in persistent config/)
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.setVcpu('1', 2), /unsupported state value/)
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.setVcpu('0,^0', 1), /no vcpus selected for modification/)
  for (const list of ['', 'x', '2-1', '1-', '99999', `${'1,'.repeat(2_000)}1`]) {
    await rejectsWith(VIR_ERR_INVALID_ARG, domain.setVcpu(list, 1), /Failed to parse bitmap/)
  }
  await rejectsWith(VIR_ERR_OPERATION_INVALID, domain.injectNMI(), /domain is not running/)
  await domain.create()
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.setVcpu('1', 1), /vcpu '1' is already in requested state/)

  await domain.injectNMI()
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.injectNMI(1), /unsupported flags/)
  const printed = await driver.consoles.readSerial(domain.getUUIDString(), 0, 65_536)
  assert.match(Buffer.from(printed.data).toString('latin1'), /NMI/)
})

test('a device is known by what its user calls it, which nobody else is called, until it is pulled', async () => {
  const { connection, domain, driver } = await tunable()
  await connection.networkDefineXML(networkXml('lan', crypto.randomUUID()))
  const nic = (alias: string, more = '') =>
    `<interface type='network'><source network='lan'/><alias name='${alias}'/>${more}</interface>`
  await domain.attachDevice(nic('ua-uplink'))
  await domain.attachDevice(nic('net7'))
  const aliases = async () => (await driver.domains.config(domain.getUUIDString())).nics?.map(({ alias }) => alias)

  assert.deepEqual(await aliases(), ['uplink', undefined])
  const xml = await domain.getXMLDesc()
  assert.match(xml, /<alias name='ua-uplink'\/>/)
  await connection.domainDefineXML(xml)
  assert.deepEqual(await aliases(), ['uplink', undefined])
  await rejectsWith(VIR_ERR_XML_ERROR, domain.attachDevice(nic('ua-uplink')), /non unique alias detected: ua-uplink/)
  const twice = xml.replace('</devices>', `${nic('ua-uplink')}</devices>`)
  await rejectsWith(VIR_ERR_XML_ERROR, connection.domainDefineXML(twice), /non unique alias detected: ua-uplink/)

  await domain.create()
  const mac = /<mac address='([^']+)'/.exec(xml)?.[1] ?? ''
  const renamed = domain.updateDeviceFlags(nic('ua-other', `<mac address='${mac}'/>`))
  await rejectsWith(VIR_ERR_OPERATION_DENIED, renamed, /changing device alias is not allowed/)
  await domain.detachDeviceAlias('ua-uplink')
  assert.deepEqual(await aliases(), [undefined])
})
