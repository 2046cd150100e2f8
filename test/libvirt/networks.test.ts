import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Driver, DriverError } from '../../src/drivers/driver.ts'
import { ALONE } from '../../src/libvirt/company.ts'
import { Connection } from '../../src/libvirt/connection.ts'
import { Host } from '../../src/libvirt/host.ts'
import type { KeptNetwork } from '../../src/libvirt/kept-networks.ts'
import {
  VIR_CONNECT_LIST_NETWORKS_ACTIVE,
  VIR_CONNECT_LIST_NETWORKS_INACTIVE,
  VIR_CONNECT_LIST_NETWORKS_NO_AUTOSTART,
  VIR_CONNECT_LIST_NETWORKS_PERSISTENT,
  VIR_ERR_ARGUMENT_UNSUPPORTED,
  VIR_ERR_INTERNAL_ERROR,
  VIR_ERR_INVALID_ARG,
  VIR_ERR_NO_NETWORK,
  VIR_ERR_OPERATION_FAILED,
  VIR_ERR_OPERATION_INVALID,
  VIR_ERR_OPERATION_UNSUPPORTED,
  VIR_NETWORK_EVENT_DEFINED,
  VIR_NETWORK_EVENT_ID_LIFECYCLE,
  VIR_NETWORK_EVENT_STOPPED,
  VIR_NETWORK_EVENT_UNDEFINED,
} from '../../src/libvirt/index.ts'
import { defined, domainXml, namesOf, networkXml, rejectsWith, world } from './world.ts'

const [LAN, DMZ] = [crypto.randomUUID(), crypto.randomUUID()]

const CARD = "<interface type='network'><source network='lan'/></interface>"
const NETWORK = { id: LAN, name: 'lan', nic: '', vlan: null, gateway: '', netmask: '' }

/** A connection to a host beside which a network is kept. */
async function keeping(driver: Driver, network: KeptNetwork): Promise<Connection> {
  const never = () => assert.fail('nobody asked for it')
  const [define, create, start, stop, undefine] = [never, never, never, never, never]
  const keeper = { define, create, start, stop, undefine, setAutostart: never, listen: never }
  const networks = { ...keeper, list: () => [network] }
  const use = { uri: 'memory:///lab', isReadOnly: false, warn: never, company: { ...ALONE, networks } }
  return new Connection(await Host.of(driver, use), false)
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
