import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Domain,
  VIR_CONNECT_LIST_DOMAINS_ACTIVE,
  VIR_CONNECT_LIST_DOMAINS_AUTOSTART,
  VIR_CONNECT_LIST_DOMAINS_HAS_CHECKPOINT,
  VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT,
  VIR_CONNECT_LIST_DOMAINS_INACTIVE,
  VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE,
  VIR_CONNECT_LIST_DOMAINS_NO_AUTOSTART,
  VIR_CONNECT_LIST_DOMAINS_NO_MANAGEDSAVE,
  VIR_CONNECT_LIST_DOMAINS_NO_SNAPSHOT,
  VIR_CONNECT_LIST_DOMAINS_OTHER,
  VIR_CONNECT_LIST_DOMAINS_PAUSED,
  VIR_CONNECT_LIST_DOMAINS_PERSISTENT,
  VIR_CONNECT_LIST_DOMAINS_RUNNING,
  VIR_CONNECT_LIST_DOMAINS_SHUTOFF,
  VIR_CONNECT_LIST_DOMAINS_TRANSIENT,
  VIR_ERR_INVALID_ARG,
  VIR_ERR_MULTIPLE_DOMAINS,
  VIR_ERR_NO_DOMAIN,
} from '../../src/libvirt/index.ts'
import { definition } from '../memory/definition.ts'
import { defined, eachRejectsWith, namesOf, rejectsWith, snapshotXml, type World, world } from './world.ts'

/** Domains in every state that there is for them, by what they do. */
async function populated(): Promise<World & { readonly of: Readonly<Record<string, Domain>> }> {
  const made = await world()
  const of: Record<string, Domain> = {}
  for (const name of ['running', 'paused', 'off', 'saved', 'starting', 'kept']) {
    of[name] = await defined(made.connection, { name })
  }
  await of['running']?.create()
  await of['paused']?.createWithFlags(1)
  await of['saved']?.create()
  await of['saved']?.managedSave()
  await of['starting']?.setAutostart(1)
  await of['kept']?.snapshotCreateXML(snapshotXml('once'))
  return { ...made, of }
}

// Proves: virConnectNumOfDomains, virConnectListDomains, virConnectNumOfDefinedDomains, virConnectListDefinedDomains
test('active domains are counted and listed by number, others by name, as many as there is room for', async () => {
  const { connection, of } = await populated()

  assert.equal(await connection.numOfDomains(), 2)
  assert.deepEqual(new Set(await connection.listDomains()), new Set([of['running']?.getID(), of['paused']?.getID()]))
  assert.equal((await connection.listDomains(1)).length, 1)
  assert.equal(await connection.numOfDefinedDomains(), 4)
  assert.deepEqual((await connection.listDefinedDomains()).toSorted(), ['kept', 'off', 'saved', 'starting'])
  assert.equal((await connection.listDefinedDomains(3)).length, 3)
  await rejectsWith(VIR_ERR_INVALID_ARG, connection.listDefinedDomains(-1))
})

test('a list tells the states of its domains once, and nothing that was changed here since', async () => {
  const { driver, connection, of, again } = await populated()
  const find = async () => (await connection.listAllDomains()).find(domain => domain.getName() === 'running')
  const id = of['running']?.getUUIDString() ?? ''
  const told = await find()
  const spoilt = await find()
  await driver.domains.powerOff(id)
  const other = await again()

  assert.equal(await told?.isActive(), true)
  assert.equal(await told?.isActive(), false)
  await (await other.domainLookupByUUIDString(id)).create()
  assert.equal(await spoilt?.isActive(), true)
  const last = await find()
  await of['running']?.destroy()
  assert.equal(await last?.isActive(), false)
})

// Proves: virConnectListAllDomains
test('flags choose among domains: of one kind any that fits, of several kinds all', async () => {
  const { connection } = await populated()
  const listed = async (flags: number) => namesOf(await connection.listAllDomains(flags))
  const all = ['kept', 'off', 'paused', 'running', 'saved', 'starting']

  assert.deepEqual(await listed(0), all)
  assert.deepEqual(await listed(VIR_CONNECT_LIST_DOMAINS_ACTIVE), ['paused', 'running'])
  assert.deepEqual(await listed(VIR_CONNECT_LIST_DOMAINS_INACTIVE), ['kept', 'off', 'saved', 'starting'])
  assert.deepEqual(await listed(VIR_CONNECT_LIST_DOMAINS_ACTIVE | VIR_CONNECT_LIST_DOMAINS_INACTIVE), all)
  assert.deepEqual(await listed(VIR_CONNECT_LIST_DOMAINS_PERSISTENT), all)
  assert.deepEqual(await listed(VIR_CONNECT_LIST_DOMAINS_TRANSIENT), [])
  assert.deepEqual(await listed(VIR_CONNECT_LIST_DOMAINS_RUNNING | VIR_CONNECT_LIST_DOMAINS_PAUSED), [
    'paused',
    'running',
  ])
  assert.deepEqual(await listed(VIR_CONNECT_LIST_DOMAINS_SHUTOFF), ['kept', 'off', 'saved', 'starting'])
  assert.deepEqual(await listed(VIR_CONNECT_LIST_DOMAINS_OTHER), [])
  assert.deepEqual(await listed(VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE), ['saved'])
  assert.deepEqual(await listed(VIR_CONNECT_LIST_DOMAINS_INACTIVE | VIR_CONNECT_LIST_DOMAINS_NO_MANAGEDSAVE), [
    'kept',
    'off',
    'starting',
  ])
  assert.deepEqual(await listed(VIR_CONNECT_LIST_DOMAINS_AUTOSTART), ['starting'])
  assert.deepEqual(await listed(VIR_CONNECT_LIST_DOMAINS_NO_AUTOSTART | VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT), [
    'kept',
  ])
  assert.equal((await listed(VIR_CONNECT_LIST_DOMAINS_NO_SNAPSHOT)).length, 5)
  assert.deepEqual(await listed(VIR_CONNECT_LIST_DOMAINS_HAS_CHECKPOINT), [])
  await rejectsWith(
    VIR_ERR_INVALID_ARG,
    connection.listAllDomains(0x1_0000),
    /unsupported flags \(0x10000\) in function virConnectListAllDomains/,
  )
})

// Proves: virDomainLookupByID, virDomainLookupByName, virDomainLookupByUUID, virDomainLookupByUUIDString, virDomainGetName, virDomainGetUUID, virDomainGetUUIDString, virDomainGetID
test('a domain is found by number, name and UUID, however the UUID is written', async () => {
  const { connection, of } = await populated()
  const domain = of['running']
  assert(domain !== undefined)
  const uuid = domain.getUUIDString()

  const found = [
    await connection.domainLookupByID(domain.getID()),
    await connection.domainLookupByName('running'),
    await connection.domainLookupByUUID(domain.getUUID()),
    await connection.domainLookupByUUID(uuid),
    await connection.domainLookupByUUIDString(uuid.replaceAll('-', '').toUpperCase()),
  ]

  assert.deepEqual(
    found.map(each => [each.getName(), each.getUUIDString()]),
    Array.from(found, () => ['running', uuid]),
  )
  assert.equal(Buffer.from(domain.getUUID()).toString('hex'), uuid.replaceAll('-', ''))
  assert.equal(of['off']?.getID(), -1)
  await rejectsWith(VIR_ERR_NO_DOMAIN, connection.domainLookupByID(-1))
  await rejectsWith(VIR_ERR_NO_DOMAIN, connection.domainLookupByName('nobody'), /no domain with matching name 'nobody'/)
  await rejectsWith(VIR_ERR_NO_DOMAIN, connection.domainLookupByUUIDString(crypto.randomUUID()))
  await rejectsWith(VIR_ERR_INVALID_ARG, connection.domainLookupByUUIDString('what'), /must be a valid UUID/)
  await rejectsWith(VIR_ERR_INVALID_ARG, connection.domainLookupByUUID(new Uint8Array(15)))
})

test('a name that several domains have leads to none of them', async () => {
  const { connection, driver } = await world()
  await driver.domains.define(definition('twin'))
  await driver.domains.define(definition('twin'))

  await rejectsWith(VIR_ERR_MULTIPLE_DOMAINS, connection.domainLookupByName('twin'), /2 domains are called 'twin'/)
})

test('a domain keeps its number while it is active, on every connection, and gets another when it starts again', async () => {
  const { connection, again, of } = await populated()
  const mine = of['running']
  assert(mine !== undefined)
  const number = mine.getID()

  await mine.suspend()
  await mine.resume()
  const other = await (await again()).domainLookupByName('running')

  assert.equal(mine.getID(), number)
  assert.equal(other.getID(), number)
  await other.destroy()
  assert.equal(mine.getID(), -1)
  await mine.create()
  assert.notEqual(mine.getID(), number)
  assert.equal((await connection.domainLookupByID(mine.getID())).getName(), 'running')
})

test('a domain that is gone is not found by any of its functions', async () => {
  const { connection } = await world()
  const domain = await defined(connection)
  await (await connection.domainLookupByUUID(domain.getUUID())).undefine()

  const calls = {
    virDomainGetInfo: () => domain.getInfo(),
    virDomainGetState: () => domain.getState(),
    virDomainGetXMLDesc: () => domain.getXMLDesc(),
    virDomainCreate: () => domain.create(),
    virDomainSuspend: () => domain.suspend(),
    virDomainUndefine: () => domain.undefine(),
    virDomainIsActive: () => domain.isActive(),
    virDomainSetVcpus: () => domain.setVcpus(2),
    virDomainGetVcpus: () => domain.getVcpus(),
    virDomainGetAutostart: () => domain.getAutostart(),
    virDomainListAllSnapshots: () => domain.listAllSnapshots(),
  }

  await eachRejectsWith(VIR_ERR_NO_DOMAIN, calls, () => /^Domain not found: /)
})
