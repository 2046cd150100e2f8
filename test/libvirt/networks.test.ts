import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Driver, DriverError, type NetworkOps } from '../../src/drivers/driver.ts'
import { ALONE } from '../../src/libvirt/company.ts'
import { Connection } from '../../src/libvirt/connection.ts'
import { Host } from '../../src/libvirt/host.ts'
import type { KeptNetwork, NetworkKeeper } from '../../src/libvirt/kept-networks.ts'
import {
  VIR_CONNECT_LIST_NETWORKS_ACTIVE,
  VIR_CONNECT_LIST_NETWORKS_INACTIVE,
  VIR_CONNECT_LIST_NETWORKS_NO_AUTOSTART,
  VIR_CONNECT_LIST_NETWORKS_PERSISTENT,
  VIR_ERR_ARGUMENT_UNSUPPORTED,
  VIR_ERR_INTERNAL_ERROR,
  VIR_ERR_CONFIG_UNSUPPORTED,
  VIR_ERR_INVALID_ARG,
  VIR_ERR_INVALID_MAC,
  VIR_ERR_NO_NETWORK,
  VIR_ERR_NO_SUPPORT,
  VIR_ERR_OPERATION_FAILED,
  VIR_ERR_OPERATION_INVALID,
  VIR_ERR_OPERATION_UNSUPPORTED,
  VIR_ERR_XML_DETAIL,
  VIR_ERR_XML_ERROR,
  VIR_NETWORK_EVENT_DEFINED,
  VIR_NETWORK_EVENT_ID_LIFECYCLE,
  VIR_NETWORK_EVENT_STOPPED,
  VIR_NETWORK_EVENT_UNDEFINED,
  VIR_NETWORK_SECTION_FORWARD,
  VIR_NETWORK_SECTION_FORWARD_INTERFACE,
  VIR_NETWORK_SECTION_IP,
  VIR_NETWORK_SECTION_IP_DHCP_HOST,
  VIR_NETWORK_UPDATE_AFFECT_CONFIG,
  VIR_NETWORK_UPDATE_AFFECT_LIVE,
  VIR_NETWORK_UPDATE_COMMAND_ADD_LAST,
  VIR_NETWORK_UPDATE_COMMAND_DELETE,
  VIR_NETWORK_UPDATE_COMMAND_MODIFY,
} from '../../src/libvirt/index.ts'
import { defined, domainXml, namesOf, networkXml, rejectsWith, world } from './world.ts'

const [LAN, DMZ] = [crypto.randomUUID(), crypto.randomUUID()]

const CARD = "<interface type='network'><source network='lan'/></interface>"
const NETWORK = { id: LAN, name: 'lan', nic: '', vlan: null, gateway: '', netmask: '' }

const never = () => assert.fail('nobody asked for it')
const USE = { uri: 'memory:///lab', isReadOnly: false, warn: never }

/** A connection to a host beside which a network is kept. */
async function keeping(driver: Driver, network: KeptNetwork, asked: Partial<NetworkKeeper> = {}): Promise<Connection> {
  const [define, create, start, stop, undefine] = [never, never, never, never, never]
  const keeper = { define, create, start, stop, undefine, setAutostart: never, listen: never }
  const networks = { ...keeper, list: () => [network], ...asked }
  return new Connection(await Host.of(driver, { ...USE, company: { ...ALONE, networks } }), false)
}

async function wired() {
  const made = await world()
  const lan = await made.connection.networkDefineXML(networkXml('lan', LAN, 'eth0'))
  await made.connection.networkDefineXML(networkXml('dmz', DMZ))
  return { ...made, lan }
}

// Proves: virConnectNumOfNetworks, virConnectListNetworks, virConnectNumOfDefinedNetworks, virConnectListDefinedNetworks, virConnectListAllNetworks
test('networks are counted and listed; all that there are carry packets', async () => {
  const { connection } = await wired()

  assert.equal(await connection.numOfNetworks(), 2)
  assert.deepEqual((await connection.listNetworks()).toSorted(), ['dmz', 'lan'])
  assert.equal((await connection.listNetworks(1)).length, 1)
  assert.deepEqual([await connection.numOfDefinedNetworks(), await connection.listDefinedNetworks(3)], [0, []])
  assert.deepEqual(namesOf(await connection.listAllNetworks()), ['dmz', 'lan'])
  const both = VIR_CONNECT_LIST_NETWORKS_ACTIVE | VIR_CONNECT_LIST_NETWORKS_INACTIVE
  assert.equal((await connection.listAllNetworks(both | VIR_CONNECT_LIST_NETWORKS_PERSISTENT)).length, 2)
  assert.deepEqual(await connection.listAllNetworks(VIR_CONNECT_LIST_NETWORKS_INACTIVE), [])
  assert.deepEqual(await connection.listAllNetworks(VIR_CONNECT_LIST_NETWORKS_NO_AUTOSTART), [])
  await rejectsWith(VIR_ERR_INVALID_ARG, connection.listAllNetworks(64), /unsupported flags/)
})

// Proves: virNetworkLookupByName, virNetworkLookupByUUID, virNetworkLookupByUUIDString, virNetworkGetName, virNetworkGetUUID, virNetworkGetUUIDString
test('a network is found by name and UUID', async () => {
  const { connection, lan } = await wired()

  const found = [
    await connection.networkLookupByName('lan'),
    await connection.networkLookupByUUID(lan.getUUID()),
    await connection.networkLookupByUUIDString(LAN.toUpperCase()),
  ]

  assert.deepEqual(
    found.map(each => [each.getName(), each.getUUIDString()]),
    Array.from(found, () => ['lan', LAN]),
  )
  await rejectsWith(VIR_ERR_NO_NETWORK, connection.networkLookupByName('wan'), /no network with matching name 'wan'/)
  await rejectsWith(VIR_ERR_NO_NETWORK, connection.networkLookupByUUIDString(crypto.randomUUID()))
  await rejectsWith(VIR_ERR_INVALID_ARG, connection.networkLookupByUUIDString('lan'))
})

// Proves: virNetworkDefineXML, virNetworkDefineXMLFlags, virNetworkGetXMLDesc
test('a description says what a network is bound to and which VLAN it is, and defines it again as it is', async () => {
  const { connection, driver } = await wired()
  const xml = `<network><name>tagged</name><forward mode='bridge' dev='eth1'/><vlan><tag id='42'/></vlan></network>`

  const tagged = await connection.networkDefineXMLFlags(xml, 1)
  const described = await tagged.getXMLDesc()
  await connection.networkDefineXML(described)

  assert.match(described, /<forward dev='eth1' mode='bridge'>[^]*<tag id='42'\/>/)
  const known = await driver.networks.list()
  assert.deepEqual(
    known.filter(({ name }) => name === 'tagged').map(({ nic, vlan }) => [nic, vlan]),
    [['eth1', 42]],
  )
  await rejectsWith(
    VIR_ERR_OPERATION_FAILED,
    connection.networkDefineXML(networkXml('tagged', LAN)),
    /already exists with uuid/,
  )
})

// Proves: virNetworkIsActive, virNetworkIsPersistent, virNetworkGetAutostart, virNetworkSetAutostart, virNetworkCreate, virNetworkDestroy, virNetworkGetBridgeName
test('a network carries packets, stays, and is there when the host has started; it is not made otherwise', async () => {
  const { lan } = await wired()

  assert.deepEqual([await lan.isActive(), await lan.isPersistent(), await lan.getAutostart()], [true, true, true])
  await lan.setAutostart(true)
  await rejectsWith(VIR_ERR_OPERATION_UNSUPPORTED, lan.setAutostart(0))
  await rejectsWith(VIR_ERR_OPERATION_UNSUPPORTED, lan.destroy())
  await rejectsWith(VIR_ERR_OPERATION_INVALID, lan.create(), /already active/)
  await rejectsWith(VIR_ERR_INTERNAL_ERROR, lan.getBridgeName(), /does not have a bridge name/)
})

// Proves: virNetworkUndefine
test('a network is forgotten, but not while a domain is plugged into it', async () => {
  const { connection, lan } = await wired()
  const devices = `<interface type='network'><source network='lan'/></interface>`
  const domain = await defined(connection, { devices })
  await domain.create()

  await rejectsWith(VIR_ERR_OPERATION_INVALID, lan.undefine())
  await domain.destroy()
  await lan.undefine()

  await rejectsWith(VIR_ERR_NO_NETWORK, lan.getXMLDesc())
  assert.deepEqual(await connection.listNetworks(), ['dmz'])
})

// Proves: virNetworkCreateXML, virNetworkCreateXMLFlags
test('a network that is created carries packets, and is not created again', async () => {
  const { connection } = await wired()

  const made = await connection.networkCreateXML(networkXml('made', crypto.randomUUID()))

  assert.deepEqual([await made.isActive(), (await connection.listNetworks()).includes('made')], [true, true])
  const again = connection.networkCreateXMLFlags(await made.getXMLDesc(), 1)
  await rejectsWith(VIR_ERR_OPERATION_FAILED, again, /network is already active as 'made'/)
})

// Proves: virConnectNetworkEventRegisterAny, virConnectNetworkEventDeregisterAny
test('who listens is told what becomes of all networks, or of one', async () => {
  const { connection, again, lan } = await wired()
  const other = await again()
  const [all, ofLan]: [string[], number[]] = [[], []]
  const LIFE = VIR_NETWORK_EVENT_ID_LIFECYCLE
  const number = await other.networkEventRegisterAny(null, LIFE, (network, event) => {
    all.push(`${network.getName()} ${event}`)
  })
  await other.networkEventRegisterAny(lan, LIFE, (_, event) => ofLan.push(event))

  await connection.networkDefineXML(networkXml('wan', crypto.randomUUID()))
  await lan.undefine()
  await other.networkEventDeregisterAny(number)
  await connection.networkDefineXML(networkXml('unheard', crypto.randomUUID()))

  const [DEFINED, GONE, STOPPED] = [VIR_NETWORK_EVENT_DEFINED, VIR_NETWORK_EVENT_UNDEFINED, VIR_NETWORK_EVENT_STOPPED]
  assert.deepEqual(all, [`wan ${DEFINED}`, `lan ${STOPPED}`, `lan ${GONE}`])
  assert.deepEqual(ofLan, [STOPPED, GONE])
  await rejectsWith(VIR_ERR_INVALID_ARG, other.networkEventDeregisterAny(number), /no event callback/)
  await rejectsWith(
    VIR_ERR_ARGUMENT_UNSUPPORTED,
    other.networkEventRegisterAny(null, 1, () => undefined),
  )
})

// Proves: virNetworkGetDHCPLeases
test('a network tells which addresses guests have by DHCP, all or by hardware address', async () => {
  const { connection, lan, driver } = await wired()
  const mac = '52:54:00:00:00:01'
  const devices = `<interface type='network'><mac address='${mac}'/><source network='lan'/></interface>`
  const domain = await defined(connection, { devices })
  assert.deepEqual(await lan.getDHCPLeases(), [])
  await domain.create()

  const [lease, ...others] = await lan.getDHCPLeases()
  assert.deepEqual(others, [])
  const { expirytime, ...told } = lease ?? assert.fail('there is one')
  const known = { iface: '', type: 0, mac, iaid: null, hostname: null, clientid: null }
  assert.deepEqual(told, { ...known, ipaddr: '172.16.0.1', prefix: 16 })
  assert(expirytime > BigInt(Math.floor(Date.now() / 1_000)))
  assert.equal((await lan.getDHCPLeases('52:54:0:0:0:1')).length, 1)
  assert.deepEqual(await lan.getDHCPLeases('52:54:00:00:00:02'), [])
  await rejectsWith(VIR_ERR_INVALID_MAC, lan.getDHCPLeases('lan'), /invalid MAC address: lan/)
  await rejectsWith(VIR_ERR_INVALID_ARG, lan.getDHCPLeases(null, 1))
  const networks: NetworkOps = { ...driver.networks }
  delete networks.leases
  const poor = new Connection(await Host.of({ ...driver, networks }, USE), false)
  await rejectsWith(VIR_ERR_NO_SUPPORT, (await poor.networkLookupByName('lan')).getDHCPLeases())
  const kept = await keeping(driver, {
    ...NETWORK,
    id: crypto.randomUUID(),
    name: 'off',
    isPersistent: true,
    autostart: false,
  })
  assert.deepEqual(await (await kept.networkLookupByName('off')).getDHCPLeases(), [])
})

const [MODIFY, DELETE, ADD] = [
  VIR_NETWORK_UPDATE_COMMAND_MODIFY,
  VIR_NETWORK_UPDATE_COMMAND_DELETE,
  VIR_NETWORK_UPDATE_COMMAND_ADD_LAST,
]

// Proves: virNetworkUpdate
test('parts of a network become others, as if it were edited', async () => {
  const { connection, driver } = await wired()
  const dmz = await connection.networkLookupByName('dmz')
  const gateway = async () => (await driver.networks.list()).find(({ name }) => name === 'dmz')?.gateway
  const ip = (command: number, xml: string, flags = 0) => dmz.update(command, VIR_NETWORK_SECTION_IP, -1, xml, flags)
  await ip(ADD, `<?xml version='1.0'?><ip address='10.0.0.1' netmask='255.255.255.0'/>`)
  assert.equal(await gateway(), '10.0.0.1')
  await rejectsWith(VIR_ERR_OPERATION_INVALID, ip(ADD, `<ip address='10.0.1.1'/>`), /there is an existing ip entry/)
  const both = VIR_NETWORK_UPDATE_AFFECT_LIVE | VIR_NETWORK_UPDATE_AFFECT_CONFIG
  await ip(MODIFY, `<ip address='10.0.1.1' prefix='24'/>`, both)
  assert.equal(await gateway(), '10.0.1.1')
  await rejectsWith(VIR_ERR_XML_ERROR, ip(MODIFY, `<ip address='10.0.2'/>`))
  await rejectsWith(VIR_ERR_OPERATION_INVALID, ip(DELETE, `<ip address='10.0.2.1'/>`), /couldn't find a matching ip/)
  await ip(DELETE, `<ip address='10.0.1.1'/>`)
  assert.equal(await gateway(), '')
  await rejectsWith(VIR_ERR_OPERATION_INVALID, ip(MODIFY, `<ip address='10.0.0.1'/>`))

  const FORWARD = VIR_NETWORK_SECTION_FORWARD
  await dmz.update(MODIFY, FORWARD, -1, `<forward mode='bridge'><interface dev='eth1'/></forward>`)
  assert.match(await dmz.getXMLDesc(), /<interface dev='eth1'\/>/)
})

test('what no host has of a network is not updated, in the words of libvirt', async () => {
  const { lan } = await wired()
  const before = await lan.getXMLDesc()
  const HOST = VIR_NETWORK_SECTION_IP_DHCP_HOST
  const INTERFACE = VIR_NETWORK_SECTION_FORWARD_INTERFACE
  const card = (dev: string) => `<interface dev='${dev}'/>`

  for (const [code, command, section, xml, message] of [
    [VIR_ERR_OPERATION_UNSUPPORTED, ADD, HOST, '<host/>', /can't update 'ip dhcp host' section of network 'lan'/],
    [VIR_ERR_INTERNAL_ERROR, ADD, 99, '<x/>', /can't update unrecognized section of network/],
    [VIR_ERR_NO_SUPPORT, 0, VIR_NETWORK_SECTION_IP, '<ip/>', /unrecognized network update command code 0/],
    [
      VIR_ERR_OPERATION_UNSUPPORTED,
      MODIFY,
      INTERFACE,
      card('eth0'),
      /entries cannot be modified, only added or deleted/,
    ],
    [
      VIR_ERR_OPERATION_INVALID,
      ADD,
      INTERFACE,
      card('eth0'),
      /existing interface entry in network 'lan' that matches "<int/,
    ],
    [VIR_ERR_OPERATION_INVALID, DELETE, INTERFACE, card('eth9'), /couldn't find an interface entry in network 'lan'/],
    [VIR_ERR_CONFIG_UNSUPPORTED, ADD, INTERFACE, card('eth1'), /a network is bound to one card/],
    [VIR_ERR_CONFIG_UNSUPPORTED, DELETE, INTERFACE, card('eth0'), /it names no card of the host/],
    [VIR_ERR_XML_ERROR, ADD, INTERFACE, '<interface/>', /missing dev attribute in <interface> element/],
    [
      VIR_ERR_XML_ERROR,
      ADD,
      INTERFACE,
      '<x/>',
      /unexpected element <x>, expecting <interface>, while updating network 'lan'/,
    ],
    [VIR_ERR_XML_DETAIL, ADD, INTERFACE, '<x', /./],
    [
      VIR_ERR_CONFIG_UNSUPPORTED,
      ADD,
      VIR_NETWORK_SECTION_IP,
      '<ip address="10.0.0.1"><x/></ip>',
      /ip\/x is not supported/,
    ],
  ] as const) {
    await rejectsWith(code, lan.update(command, section, -1, xml), message)
  }
  await rejectsWith(VIR_ERR_INVALID_ARG, lan.update(ADD, HOST, -1, '<host/>', 4), /unsupported flags/)
  await rejectsWith(VIR_ERR_INVALID_ARG, lan.update(ADD, HOST, 1.5, '<host/>'), /parentIndex/)
  assert.equal(await lan.getXMLDesc(), before)
})

test('a network that is not active is updated as it is to be, and one that is not kept as it is', async () => {
  const { driver } = await world()
  const asked: string[] = []
  const ask = (what: string) => async (network: { gateway: string }) => void asked.push(`${what} ${network.gateway}`)
  const keep = (network: KeptNetwork) => keeping(driver, network, { define: ask('define'), create: ask('create') })
  const ip = [ADD, VIR_NETWORK_SECTION_IP, -1, `<ip address='10.0.0.1' netmask='255.0.0.0'/>`] as const

  const off = await (await keep({ ...NETWORK, isPersistent: true, autostart: false })).networkLookupByName('lan')
  await rejectsWith(
    VIR_ERR_OPERATION_INVALID,
    off.update(...ip, VIR_NETWORK_UPDATE_AFFECT_LIVE),
    /network is not running/,
  )
  await off.update(...ip)
  await driver.networks.define(NETWORK)
  const made = await (await keep({ ...NETWORK, isPersistent: false, autostart: false })).networkLookupByName('lan')
  await rejectsWith(
    VIR_ERR_OPERATION_INVALID,
    made.update(...ip, VIR_NETWORK_UPDATE_AFFECT_CONFIG),
    /of a transient network/,
  )
  await made.update(...ip, VIR_NETWORK_UPDATE_AFFECT_LIVE)

  assert.deepEqual(asked, ['define 10.0.0.1', 'create 10.0.0.1'])
})

test('a domain whose network was not started is not started, and it is the network that is told', async () => {
  const { driver, connection } = await world()
  await driver.networks?.define(NETWORK)
  const domain = await defined(connection, { devices: CARD })
  await driver.networks?.undefine(LAN)
  const served = await keeping(driver, { ...NETWORK, isPersistent: true, autostart: false })

  const found = await served.domainLookupByUUIDString(domain.getUUIDString())

  await rejectsWith(VIR_ERR_OPERATION_INVALID, found.create(), /network 'lan' is not active/)
  await driver.networks?.define(NETWORK)
  await found.create()
})

test('a network that was not started is told where an interface is to be plugged into it', async () => {
  const { driver, connection } = await world()
  const domain = await defined(connection)
  await domain.create()
  const served = await keeping(driver, { ...NETWORK, isPersistent: true, autostart: false })

  const plugged = (await served.domainLookupByUUIDString(domain.getUUIDString())).attachDevice(CARD)

  await rejectsWith(VIR_ERR_OPERATION_INVALID, plugged, /network 'lan' is not active/)
})

test('a network that was not started is told where a host wants those that a definition names', async () => {
  const { driver } = await world()
  const define = () => Promise.reject(new DriverError('refused', `the host has no network ${LAN}`))
  const strict = { ...driver, domains: { ...driver.domains, define } }
  const served = await keeping(strict, { ...NETWORK, isPersistent: true, autostart: false })

  const made = served.domainDefineXML(domainXml({ devices: CARD }))

  await rejectsWith(VIR_ERR_OPERATION_INVALID, made, /network 'lan' is not active/)
})
