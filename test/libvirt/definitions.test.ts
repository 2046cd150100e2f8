import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Driver } from '../../src/drivers/driver.ts'
import { memoryDriver } from '../../src/drivers/memory/index.ts'
import { ALONE, type Company } from '../../src/libvirt/company.ts'
import { Connection } from '../../src/libvirt/connection.ts'
import { LibvirtError } from '../../src/libvirt/errors.ts'
import { Host } from '../../src/libvirt/host.ts'
import { Turns } from '../../src/libvirt/turns.ts'
import {
  VIR_DOMAIN_PAUSED,
  VIR_DOMAIN_START_AUTODESTROY,
  VIR_DOMAIN_START_PAUSED,
  VIR_DOMAIN_START_RESET_NVRAM,
  VIR_DOMAIN_UNDEFINE_KEEP_NVRAM,
  VIR_DOMAIN_UNDEFINE_MANAGED_SAVE,
  VIR_DOMAIN_XML_INACTIVE,
  VIR_ERR_ARGUMENT_UNSUPPORTED,
  VIR_ERR_CONFIG_UNSUPPORTED,
  VIR_ERR_INTERNAL_ERROR,
  VIR_ERR_INVALID_ARG,
  VIR_ERR_NO_DOMAIN,
  VIR_ERR_OPERATION_FAILED,
  VIR_ERR_OPERATION_INVALID,
  VIR_ERR_OPERATION_TIMEOUT,
  VIR_ERR_XML_DETAIL,
} from '../../src/libvirt/index.ts'
import { defined, domainXml, networkXml, rejectsWith, world } from './world.ts'

// Proves: virDomainDefineXML, virDomainDefineXMLFlags, virDomainGetXMLDesc, virDomainGetOSType
test('a domain is what it was described as, and its description makes the same domain elsewhere', async () => {
  const { connection, driver } = await world()
  const network = crypto.randomUUID()
  await connection.networkDefineXML(networkXml('lan', network))
  const devices = `<interface type='network'><source network='lan'/></interface>`
  const described = domainXml({ name: 'web', memoryKib: 131_072, vcpus: 3, devices })

  const domain = await connection.domainDefineXMLFlags(described, 1)
  const config = await driver.domains.config(domain.getUUIDString())
  const other = await world()
  await other.connection.networkDefineXML(networkXml('lan', network))
  const copy = await other.connection.domainDefineXML(await domain.getXMLDesc(VIR_DOMAIN_XML_INACTIVE))

  assert.deepEqual([config.memoryBytes, config.vcpus, config.nics?.[0]?.network], [134_217_728, 3, network])
  assert.deepEqual(await other.driver.domains.config(copy.getUUIDString()), config)
  assert.equal(await domain.getOSType(), 'hvm')
})

test('a description tells the number of a domain while it is active, and not what it is from its next start on', async () => {
  const domain = await defined((await world()).connection)
  await domain.create()

  assert.match(await domain.getXMLDesc(), new RegExp(`^<domain type='test' id='${domain.getID()}'>`))
  assert.match(await domain.getXMLDesc(VIR_DOMAIN_XML_INACTIVE), /^<domain type='test'>/)
  await rejectsWith(
    VIR_ERR_INVALID_ARG,
    domain.getXMLDesc(16),
    /unsupported flags \(0x10\) in function virDomainGetXMLDesc/,
  )
})

test('what is not XML, no domain, or no domain of such a host is not defined', async () => {
  const { connection } = await world()

  await rejectsWith(VIR_ERR_XML_DETAIL, connection.domainDefineXML('<domain'))
  await rejectsWith(
    VIR_ERR_CONFIG_UNSUPPORTED,
    connection.domainDefineXML(domainXml({ type: 'hyperv' })),
    /domain\/@type/,
  )
  await rejectsWith(
    VIR_ERR_CONFIG_UNSUPPORTED,
    connection.domainDefineXML(domainXml({ devices: '<hostdev/>' })),
    /hostdev/,
  )
  assert.equal(await connection.numOfDefinedDomains(), 0)
})

// Proves: virDomainCreateXML, virDomainIsPersistent
test('a description that is first created and then defined is one domain, under the UUID that its client chose', async () => {
  const { connection } = await world()
  const uuid = crypto.randomUUID()
  const described = domainXml({ name: 'installed', uuid })

  const created = await connection.domainCreateXML(described, VIR_DOMAIN_START_PAUSED)
  const again = await connection.domainDefineXML(described)

  assert.equal((await created.getState()).state, VIR_DOMAIN_PAUSED)
  assert.deepEqual([created.getUUIDString(), again.getUUIDString()], [uuid, uuid])
  assert.equal((await connection.listAllDomains()).length, 1)
  assert.equal(await created.isPersistent(), true)
})

test('a name keeps its UUID and a UUID its name, so that a description without a UUID makes no second domain', async () => {
  const { connection } = await world()
  const described = domainXml({ name: 'nameless' })
  const first = await connection.domainCreateXML(described)

  await rejectsWith(VIR_ERR_OPERATION_FAILED, connection.domainDefineXML(described), /already exists with uuid/)
  const renamed = domainXml({ name: 'other', uuid: first.getUUIDString() })
  await rejectsWith(VIR_ERR_OPERATION_FAILED, connection.domainDefineXML(renamed), /already defined with uuid/)
  await rejectsWith(
    VIR_ERR_OPERATION_INVALID,
    connection.domainCreateXML(domainXml({ name: 'nameless', uuid: first.getUUIDString() })),
    /already active/,
  )

  assert.equal((await connection.listAllDomains()).length, 1)
})

test('a domain that does not start leaves nothing behind, and one that was there is as it was', async () => {
  const { connection, driver } = await world()
  const old = await defined(connection, { name: 'vm-that-fails-to-start-old', vcpus: 1 })
  const before = await driver.domains.config(old.getUUIDString())

  await rejectsWith(VIR_ERR_OPERATION_FAILED, connection.domainCreateXML(domainXml({ name: 'vm-that-fails-to-start' })))
  const changed = domainXml({ name: 'vm-that-fails-to-start-old', uuid: old.getUUIDString(), vcpus: 4 })
  await rejectsWith(VIR_ERR_OPERATION_FAILED, connection.domainCreateXML(changed))
  await rejectsWith(VIR_ERR_ARGUMENT_UNSUPPORTED, connection.domainCreateXML(domainXml(), VIR_DOMAIN_START_RESET_NVRAM))
  driver.faults.plan({ operation: 'domains.undefine', nth: 1, when: 'before', kind: 'unreachable' })
  await rejectsWith(
    VIR_ERR_OPERATION_FAILED,
    connection.domainCreateXML(domainXml({ name: 'vm-that-fails-to-start-too' })),
    /the domain vm-that-fails-to-start-too \(.*\) remains/,
  )

  assert.deepEqual(
    (await driver.domains.list()).map(({ name }) => name),
    ['vm-that-fails-to-start-old', 'vm-that-fails-to-start-too'],
  )
  assert.deepEqual(await driver.domains.config(old.getUUIDString()), before)
})

test('a domain that is to end with its connection ends with it, unless somebody wanted it to stay', async () => {
  const { connection, driver } = await world()
  const names = async () => (await driver.domains.list()).map(({ name, state }) => `${name} ${state}`)
  const transient = await connection.domainCreateXML(domainXml({ name: 'transient' }), VIR_DOMAIN_START_AUTODESTROY)
  const stays = domainXml({ name: 'stays', uuid: crypto.randomUUID() })
  await connection.domainCreateXML(stays, VIR_DOMAIN_START_AUTODESTROY)
  await connection.domainDefineXML(stays)
  const old = await defined(connection, { name: 'old' })
  await old.createWithFlags(VIR_DOMAIN_START_AUTODESTROY)
  await (await defined(connection, { name: 'other' })).create()

  assert.equal(await transient.isPersistent(), false)
  await connection.close()

  assert.deepEqual(await names(), ['stays halted', 'old halted', 'other running'])
})

// Proves: virDomainIsUpdated
test('a domain that was given another definition while it runs is updated until it stops', async () => {
  const { connection } = await world()
  const domain = await defined(connection, { name: 'web' })
  assert.equal(await domain.isUpdated(), false)
  await domain.create()

  await connection.domainDefineXML(domainXml({ name: 'web', uuid: domain.getUUIDString(), vcpus: 2 }))
  assert.equal(await domain.isUpdated(), true)
  await domain.destroy()

  assert.equal(await domain.isUpdated(), false)
  assert.equal((await domain.getInfo()).nrVirtCpu, 2)
})

// Proves: virDomainUndefine, virDomainUndefineFlags
test('a domain is forgotten, but not while it is active, and not with a saved state unless that is said', async () => {
  const { connection } = await world()
  const domain = await defined(connection)
  await domain.create()

  await rejectsWith(VIR_ERR_OPERATION_INVALID, domain.undefine(), /cannot undefine an active domain/)
  await domain.managedSave()
  await rejectsWith(VIR_ERR_OPERATION_INVALID, domain.undefine(), /managed save image exists/)
  await rejectsWith(VIR_ERR_ARGUMENT_UNSUPPORTED, domain.undefineFlags(VIR_DOMAIN_UNDEFINE_KEEP_NVRAM), /KEEP_NVRAM/)
  assert.equal(await domain.hasManagedSaveImage(), true)
  await domain.undefineFlags(VIR_DOMAIN_UNDEFINE_MANAGED_SAVE)

  await rejectsWith(VIR_ERR_NO_DOMAIN, connection.domainLookupByUUID(domain.getUUID()))
})

test('clients that describe a domain and change it at the same time do not wait for each other for ever', async () => {
  const driver = memoryDriver({ name: crypto.randomUUID() })
  const asked = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<void>()
  let isSlow = false
  const list = async () => {
    if (isSlow) asked.resolve()
    if (isSlow) await answer.promise
    return driver.domains.list()
  }
  const { connection, forgotten } = await besideOthers({ ...driver, domains: { ...driver.domains, list } })
  const uuid = crypto.randomUUID()
  const domain = await connection.domainDefineXML(domainXml({ name: 'web', uuid }))

  isSlow = true
  const describing = connection.domainDefineXML(domainXml({ name: 'web', uuid, vcpus: 2 }))
  await asked.promise
  const changing = domain.setMaxMemory(131_072)
  await turn()
  answer.resolve()
  await Promise.all([describing, changing])
  await assert.rejects(connection.domainCreateXML(domainXml({ name: 'vm-that-fails-to-start' })))

  assert.deepEqual([await domain.getMaxMemory(), await domain.getVcpusFlags()], [131_072, 2])
  assert.equal(forgotten.length, 1, 'what was made and could not start is forgotten everywhere')
})

// Proves: virDomainRename, virDomainPinVcpu
test('a domain is renamed and pinned while nobody else changes it', async () => {
  const driver = memoryDriver({ name: crypto.randomUUID() })
  const { connection, alone } = await besideOthers(driver)
  const domain = await connection.domainDefineXML(domainXml({ name: 'web' }))
  const before = alone.length

  await domain.rename('shop')
  await domain.pinVcpu(0, Uint8Array.of(1))

  assert.deepEqual(alone.slice(before), [domain.getUUIDString(), domain.getUUIDString()])
})

test('a domain that ends with its connection goes while nobody else changes it, and who keeps others from it is named', async () => {
  const driver = memoryDriver({ name: crypto.randomUUID() })
  const { connection, company, forgotten } = await besideOthers(driver)
  const busy = await connection.domainCreateXML(domainXml({ name: 'busy' }), VIR_DOMAIN_START_AUTODESTROY)
  const free = await connection.domainCreateXML(domainXml({ name: 'free' }), VIR_DOMAIN_START_AUTODESTROY)
  const others = company.alone?.bind(company)
  company.alone = (domain, change) => {
    if (domain !== busy.getUUIDString()) return others?.(domain, change) ?? change()
    throw new LibvirtError(VIR_ERR_OPERATION_TIMEOUT, 'somebody else is at it')
  }

  await rejectsWith(VIR_ERR_INTERNAL_ERROR, connection.close(), /remain: .*somebody else is at it$/)

  assert.deepEqual(forgotten, [free.getUUIDString()])
  assert.deepEqual(
    (await driver.domains.list()).map(({ name }) => name),
    ['busy'],
  )
})

/** A connection to a host that others use too, each of whom has a domain for itself while it changes it. */
async function besideOthers(driver: Driver) {
  const locks = new Turns()
  const alone: string[] = []
  const forgotten: string[] = []
  const company: Company = {
    ...ALONE,
    alone(domain, change) {
      alone.push(domain)
      return locks.run(domain, change)
    },
    forget: async domain => void forgotten.push(domain),
  }
  const use = { uri: 'memory:///x', isReadOnly: false, warn: () => undefined, company }
  return { connection: new Connection(await Host.of(driver, use), false), alone, forgotten, company }
}
