import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Domain,
  LibvirtError,
  VIR_DOMAIN_GET_HOSTNAME_AGENT,
  VIR_DOMAIN_GET_HOSTNAME_LEASE,
  VIR_DOMAIN_GUEST_INFO_DISKS,
  VIR_DOMAIN_GUEST_INFO_FILESYSTEM,
  VIR_DOMAIN_GUEST_INFO_HOSTNAME,
  VIR_DOMAIN_GUEST_INFO_INTERFACES,
  VIR_DOMAIN_GUEST_INFO_USERS,
  VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT,
  VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP,
  VIR_DOMAIN_REBOOT_GUEST_AGENT,
  VIR_DOMAIN_RUNNING,
  VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN,
  VIR_DOMAIN_SHUTDOWN_GUEST_AGENT,
  VIR_DOMAIN_TIME_SYNC,
  VIR_ERR_AGENT_UNRESPONSIVE,
  VIR_ERR_ARGUMENT_UNSUPPORTED,
  VIR_ERR_INTERNAL_ERROR,
  VIR_ERR_INVALID_ARG,
  VIR_ERR_NO_HOSTNAME,
  VIR_ERR_NO_SUPPORT,
  VIR_ERR_OPERATION_DENIED,
  VIR_ERR_OPERATION_INVALID,
  VIR_ERR_OPERATION_UNSUPPORTED,
  VIR_IP_ADDR_TYPE_IPV4,
  VIR_IP_ADDR_TYPE_IPV6,
  VIR_TYPED_PARAM_BOOLEAN,
} from '../../src/libvirt/index.ts'
import { hypervWorld, nicXml, switchXml } from './hyperv-world.ts'
import { domainXml, eachRejectsWith, poolXml, rejectsWith, until, volumeXml, world } from './world.ts'

const LAB = '11111111-2222-4333-8444-555555555555'
const MAC = '52:54:00:12:34:56'

/** A domain with an interface and a disk, whose guest is up. */
async function talking(name = 'Web 1') {
  const { connection, driver, again } = await world()
  await connection.networkCreateXML(`<network><name>lab</name><uuid>${LAB}</uuid><forward mode='nat'/></network>`)
  const pool = await connection.storagePoolCreateXML(poolXml('images', '/images'))
  const path = (await pool.storageVolCreateXML(volumeXml('a.qcow2', 1_048_576))).getPath()
  const devices = `<interface type='network'><mac address='${MAC}'/><source network='lab'/></interface>
    <disk type='file'><driver type='qcow2'/><source file='${path}'/><target dev='vda' bus='virtio'/></disk>`
  const domain = await connection.domainDefineXML(domainXml({ name, devices }))
  await domain.create()
  return { connection, driver, again, domain }
}

/** Waits until the guest answers. */
async function answering(domain: Domain): Promise<void> {
  await until(async () => {
    try {
      await domain.getHostname()
      return true
    } catch (error) {
      assert(error instanceof LibvirtError && error.code === VIR_ERR_AGENT_UNRESPONSIVE, String(error))
      return false
    }
  })
}

// Proves: virDomainInterfaceAddresses, virDomainGetHostname
test('addresses of a guest are told by its agent, by the network that leased them, and by its neighbours', async () => {
  const { domain } = await talking()
  await answering(domain)
  const own = { type: VIR_IP_ADDR_TYPE_IPV4, addr: '172.16.52.86', prefix: 16 }
  const link = { type: VIR_IP_ADDR_TYPE_IPV6, addr: 'fe80::5054:ff:fe12:3456', prefix: 64 }

  const [lo, eth0] = await domain.interfaceAddresses(VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT)
  assert.deepEqual([lo?.name, eth0], ['lo', { name: 'eth0', hwaddr: MAC, addrs: [own, link] }])
  assert.deepEqual(await domain.interfaceAddresses(), [{ name: 'eth0', hwaddr: MAC, addrs: [own] }])
  assert.deepEqual(await domain.interfaceAddresses(VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP), [
    { name: 'eth0', hwaddr: MAC, addrs: [{ ...own, prefix: 0 }] },
  ])
  await rejectsWith(VIR_ERR_ARGUMENT_UNSUPPORTED, domain.interfaceAddresses(9), /source 9: .* lease, agent, arp$/)
  assert.equal(await domain.getHostname(VIR_DOMAIN_GET_HOSTNAME_AGENT), 'web-1')
  await rejectsWith(VIR_ERR_NO_HOSTNAME, domain.getHostname(VIR_DOMAIN_GET_HOSTNAME_LEASE), /for domain Web 1$/)
  const both = VIR_DOMAIN_GET_HOSTNAME_LEASE | VIR_DOMAIN_GET_HOSTNAME_AGENT
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.getHostname(both), /mutually exclusive/)
})

// Proves: virDomainGetGuestInfo, virDomainGetFSInfo
test('a guest tells what it is asked for, and of all else what it can', async () => {
  const { domain } = await talking()
  await answering(domain)
  const fields = async (types: number) => (await domain.getGuestInfo(types)).map(({ field, value }) => [field, value])

  assert.deepEqual(await fields(VIR_DOMAIN_GUEST_INFO_HOSTNAME | VIR_DOMAIN_GUEST_INFO_USERS), [
    ['user.count', 0n],
    ['hostname', 'web-1'],
  ])
  const fs = new Map(await fields(VIR_DOMAIN_GUEST_INFO_FILESYSTEM).then(list => list.map(([a, b]) => [String(a), b])))
  assert.deepEqual([fs.get('fs.count'), fs.get('fs.0.mountpoint'), fs.get('fs.0.disk.0.alias')], [1n, '/', 'vda'])
  const disks = await domain.getGuestInfo(VIR_DOMAIN_GUEST_INFO_DISKS)
  assert.deepEqual(
    disks.find(({ field }) => field === 'disk.1.partition'),
    { field: 'disk.1.partition', type: VIR_TYPED_PARAM_BOOLEAN, value: 1n },
  )
  const all = (await domain.getGuestInfo()).map(({ field }) => field)
  for (const field of ['os.id', 'timezone.offset', 'if.1.addr.0.prefix', 'disk.1.dependency.0.name']) {
    assert(all.includes(field), field)
  }
  await rejectsWith(VIR_ERR_INVALID_ARG, domain.getGuestInfo(0x180), /unsupported guest information types '0x180'/)
  assert.deepEqual(await domain.getFSInfo(), [{ mountpoint: '/', name: 'vda1', fstype: 'ext4', devAlias: ['vda'] }])
})

// Proves: virDomainGetTime, virDomainSetTime, virDomainFSFreeze, virDomainFSThaw, virDomainFSTrim
test('the clock of a guest is read and set, and its file systems are frozen, thawed and trimmed', async () => {
  const { domain } = await talking()
  await answering(domain)

  await domain.setTime({ seconds: 1_000_000_000n, nseconds: 500_000_000 })
  const { seconds } = await domain.getTime()
  assert(seconds >= 1_000_000_000n && seconds < 1_000_000_060n, String(seconds))
  await domain.setTime({ seconds: 0n, nseconds: 0 }, VIR_DOMAIN_TIME_SYNC)
  assert((await domain.getTime()).seconds > 1_500_000_000n)
  const late = domain.setTime({ seconds: 10_000_000_000n, nseconds: 0 })
  await rejectsWith(VIR_ERR_INVALID_ARG, late, /Time '10000000000' is too big for guest agent/)

  assert.equal(await domain.fsFreeze(['/nowhere']), 0)
  assert.equal(await domain.fsFreeze(), 1)
  await rejectsWith(VIR_ERR_INTERNAL_ERROR, domain.fsFreeze(), /frozen already/)
  await rejectsWith(VIR_ERR_INTERNAL_ERROR, domain.fsTrim(), /frozen/)
  await rejectsWith(VIR_ERR_ARGUMENT_UNSUPPORTED, domain.fsThaw(['/']), /specifying mountpoints is not supported/)
  assert.equal(await domain.fsThaw(), 1)
  await domain.fsTrim(null, 4096)
  await rejectsWith(VIR_ERR_ARGUMENT_UNSUPPORTED, domain.fsTrim('/'), /Specifying mount point is not supported/)
})

// Proves: virDomainShutdownFlags, virDomainReboot
test('an agent in the guest ends it, and where none answers the host does if it may', async () => {
  const { connection, domain } = await talking('vm-that-ignores-shutdown')
  await answering(domain)
  await domain.reboot(VIR_DOMAIN_REBOOT_GUEST_AGENT)
  assert.equal((await domain.getState()).state, VIR_DOMAIN_RUNNING)
  await answering(domain)
  await domain.shutdownFlags(VIR_DOMAIN_SHUTDOWN_GUEST_AGENT)
  await until(async () => !(await domain.isActive()))

  const silent = await connection.domainDefineXML(domainXml({ name: 'vm-without-agent' }))
  await silent.create()
  await rejectsWith(VIR_ERR_AGENT_UNRESPONSIVE, silent.shutdownFlags(VIR_DOMAIN_SHUTDOWN_GUEST_AGENT))
  await rejectsWith(VIR_ERR_AGENT_UNRESPONSIVE, silent.reboot(VIR_DOMAIN_REBOOT_GUEST_AGENT))
  assert.equal(await silent.isActive(), true)
  await silent.shutdownFlags(VIR_DOMAIN_SHUTDOWN_GUEST_AGENT | VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN)
  await until(async () => !(await silent.isActive()))
})

test('a guest that does not run, does not answer or may only be read is not asked', async () => {
  const { connection, again, domain } = await talking('vm-without-agent')
  const callsTo = (asked: Domain) => ({
    virDomainInterfaceAddresses: () => asked.interfaceAddresses(VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT),
    virDomainGetHostname: () => asked.getHostname(),
    virDomainGetGuestInfo: () => asked.getGuestInfo(),
    virDomainGetFSInfo: () => asked.getFSInfo(),
    virDomainGetTime: () => asked.getTime(),
    virDomainSetTime: () => asked.setTime({ seconds: 1n, nseconds: 0 }),
    virDomainFSFreeze: () => asked.fsFreeze(),
    virDomainFSThaw: () => asked.fsThaw(),
    virDomainFSTrim: () => asked.fsTrim(),
  })

  await eachRejectsWith(VIR_ERR_AGENT_UNRESPONSIVE, callsTo(domain), () => /^Guest agent is not responding: /)
  const reader = await again({ readOnly: true })
  const read = await reader.domainLookupByName('vm-without-agent')
  await eachRejectsWith(VIR_ERR_OPERATION_DENIED, callsTo(read), name => new RegExp(`prevents ${name}$`))
  assert.equal((await read.interfaceAddresses()).length, 1)
  await domain.destroy()
  await eachRejectsWith(VIR_ERR_OPERATION_INVALID, callsTo(domain), () => /: domain is not running$/)
  await rejectsWith(VIR_ERR_OPERATION_INVALID, domain.interfaceAddresses(), /domain is not running/)
  await reader.close()
  await connection.close()
})

test('a guest of Hyper-V tells its address, its name and its system, and what its host cannot ask is refused', async () => {
  const { connection, close } = await hypervWorld(20_348, '--guest', 'windows')
  try {
    await connection.networkCreateXML(switchXml('lab'))
    const domain = await connection.domainDefineXML(domainXml({ name: 'win', type: 'hyperv', devices: nicXml('lab') }))
    await domain.create()
    await answering(domain)

    const [eth0, ...others] = await domain.interfaceAddresses(VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT)
    assert.deepEqual([eth0?.name, others], ['eth0', []])
    assert.match(eth0?.addrs[0]?.addr ?? '', /^172\.16\.\d+\.\d+$/)
    assert.deepEqual([eth0?.addrs.length, eth0?.addrs[0]?.prefix], [1, 16])
    assert.equal(await domain.getHostname(), 'win')
    const told = new Map((await domain.getGuestInfo()).map(({ field, value }) => [field, value]))
    assert.deepEqual([told.get('os.id'), told.get('if.count')], ['mswindows', 1n])
    await rejectsWith(VIR_ERR_ARGUMENT_UNSUPPORTED, domain.interfaceAddresses(), /source lease: .* by agent$/)
    await rejectsWith(VIR_ERR_OPERATION_UNSUPPORTED, domain.getGuestInfo(VIR_DOMAIN_GUEST_INFO_USERS))
    await rejectsWith(VIR_ERR_NO_SUPPORT, domain.getTime(), /virDomainGetTime$/)
    await rejectsWith(VIR_ERR_ARGUMENT_UNSUPPORTED, domain.reboot(VIR_DOMAIN_REBOOT_GUEST_AGENT), /GUEST_AGENT/)
  } finally {
    await close()
  }
})

test('the older namespace of Hyper-V tells names of guests, and no addresses', async () => {
  const { connection, close } = await hypervWorld(7_601, '--guest', 'linux')
  try {
    const domain = await connection.domainDefineXML(domainXml({ name: 'old', type: 'hyperv' }))
    await domain.create()
    await answering(domain)

    assert.equal(await domain.getHostname(), 'old')
    const asked = domain.interfaceAddresses(VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT)
    await rejectsWith(VIR_ERR_ARGUMENT_UNSUPPORTED, asked, /this host tells no addresses$/)
    await rejectsWith(VIR_ERR_OPERATION_UNSUPPORTED, domain.getGuestInfo(VIR_DOMAIN_GUEST_INFO_INTERFACES))
  } finally {
    await close()
  }
})
