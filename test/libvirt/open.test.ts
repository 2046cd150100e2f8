import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  connect,
  connectReadOnly,
  LibvirtError,
  VIR_ERR_INTERNAL_ERROR,
  VIR_ERR_INVALID_ARG,
  VIR_ERR_INVALID_CONN,
  VIR_ERR_NO_CONNECT,
  VIR_ERR_OPERATION_DENIED,
  VIR_ERR_OPERATION_FAILED,
  VIR_FROM_TEST,
} from '../../src/libvirt/index.ts'
import { domainXml, eachRejectsWith, networkXml, poolXml, rejectsWith, snapshotXml, volumeXml, world } from './world.ts'

// Proves: virConnectOpen, virConnectClose, virConnectGetURI
test('a URI leads to a host, and closing the connection leaves it as it is', async () => {
  const first = await connect('memory:///libvirt-open?vms=2')
  assert.equal(await first.getURI(), 'memory:///libvirt-open?vms=2')
  await (await first.listAllDomains())[0]?.create()
  await first.close()
  await first.close()

  await using second = await connect('memory:///libvirt-open?vms=2')
  assert.equal(await second.numOfDomains(), 1)
  await rejectsWith(VIR_ERR_INVALID_CONN, first.numOfDomains(), /virConnectNumOfDomains/)
})

test('what is no URI, one that no driver is for, and one that the driver does not take are told apart', async () => {
  await rejectsWith(VIR_ERR_INVALID_ARG, connect('no uri'))
  await rejectsWith(VIR_ERR_NO_CONNECT, connect('xen:///system'), /^no connection driver available for xen:$/)
  await rejectsWith(VIR_ERR_INVALID_ARG, connect('qemu:///system'), /dataDir/)
  await rejectsWith(VIR_ERR_OPERATION_FAILED, connect('memory:///x?colour=red'), /colour/)
  await rejectsWith(VIR_ERR_INTERNAL_ERROR, connect('hyperv://a@127.0.0.1:1/', { password: () => 'secret' }))
  await rejectsWith(VIR_ERR_OPERATION_FAILED, connect('hyperv://a:secret@127.0.0.1:1/'), /^(?!.*:secret)/)
})

// Proves: virConnectOpenReadOnly
test('a connection that is read-only looks at everything and changes nothing', async () => {
  const { connection, driver, again } = await world({ vms: 1 })
  const [domain] = await connection.listAllDomains()
  assert(domain !== undefined)
  const pool = await connection.storagePoolCreateXML(poolXml('images', '/images'))
  const vol = await pool.storageVolCreateXML(volumeXml('a', 1_048_576))
  const snapshot = await domain.snapshotCreateXML(snapshotXml('first'))
  const network = await connection.networkDefineXML(networkXml('lan', crypto.randomUUID()))

  const readOnly = await again({ readOnly: true })
  const mine = await readOnly.domainLookupByName(domain.getName())
  const before = await driver.domains.config(domain.getUUIDString())
  const changes = {
    virDomainDefineXML: () => readOnly.domainDefineXML(domainXml()),
    virDomainCreateXML: () => readOnly.domainCreateXML(domainXml()),
    virDomainCreate: () => mine.create(),
    virDomainDestroy: () => mine.destroy(),
    virDomainShutdown: () => mine.shutdown(),
    virDomainUndefine: () => mine.undefine(),
    virDomainSetVcpus: () => mine.setVcpus(2),
    virDomainSetMemory: () => mine.setMemory(1_024),
    virDomainSetAutostart: () => mine.setAutostart(2),
    virDomainAttachDevice: () => mine.attachDevice('<disk/>'),
    virDomainManagedSave: () => mine.managedSave(),
    virDomainSendKey: () => mine.sendKey(0, 0, [28]),
    virDomainOpenConsole: () => mine.openConsole(),
    virDomainSnapshotCreateXML: () => mine.snapshotCreateXML(snapshotXml('second')),
    virDomainSnapshotDelete: async () => (await mine.snapshotLookupByName(snapshot.getName())).delete(),
    virNetworkUndefine: async () => (await readOnly.networkLookupByName(network.getName())).undefine(),
    virStoragePoolCreateXML: () => readOnly.storagePoolCreateXML(poolXml('other', '/other')),
    virStorageVolDelete: async () => (await readOnly.storageVolLookupByPath(vol.getPath())).delete(),
  }

  const denial = (name: string) => new RegExp(`^operation forbidden: read only access prevents ${name}$`)
  await eachRejectsWith(VIR_ERR_OPERATION_DENIED, changes, denial)
  await rejectsWith(VIR_ERR_OPERATION_DENIED, mine.getXMLDesc(1), /secure/)
  assert.deepEqual(await driver.domains.config(domain.getUUIDString()), before)
  assert.equal((await mine.getXMLDesc()).includes(domain.getName()), true)
  await using other = await connectReadOnly('memory:///libvirt-read-only')
  await rejectsWith(VIR_ERR_OPERATION_DENIED, other.domainDefineXML(domainXml()))
})

test('an error has a number, who says it, its message, and what the driver said', async () => {
  const { connection } = await world()

  const error: unknown = await connection
    .domainLookupByUUIDString(crypto.randomUUID())
    .catch((reason: unknown) => reason)

  assert(error instanceof LibvirtError)
  assert.deepEqual([error.code, error.domain, error.level], [42, VIR_FROM_TEST, 2])
  assert.match(error.message, /^Domain not found: the host has no domain /)
  assert.equal(error.detail, error.message.replace('Domain not found: ', ''))
  assert(error.cause instanceof Error)
})

test('a host that is cut off is an internal error, and closing then names the domains that remain', async () => {
  const { connection, driver } = await world({ vms: 1 })
  const [domain] = await connection.listAllDomains()
  await domain?.createWithFlags(2)

  driver.faults.cutLine()

  await rejectsWith(VIR_ERR_INTERNAL_ERROR, connection.numOfDomains())
  assert.equal(await connection.isAlive(), false)
  await rejectsWith(VIR_ERR_INTERNAL_ERROR, connection.close(), new RegExp(domain?.getUUIDString() ?? ''))
})
