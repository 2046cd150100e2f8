import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  connect,
  connectionOf,
  type Domain,
  VIR_DOMAIN_CORE_DUMP_FORMAT_KDUMP_ZLIB,
  VIR_DOMAIN_CORE_DUMP_FORMAT_RAW,
  VIR_DOMAIN_EVENT_STARTED,
  VIR_DOMAIN_EVENT_STARTED_RESTORED,
  VIR_DOMAIN_EVENT_STOPPED,
  VIR_DOMAIN_EVENT_STOPPED_SAVED,
  VIR_DOMAIN_EVENT_SUSPENDED,
  VIR_DOMAIN_EVENT_SUSPENDED_RESTORED,
  VIR_DOMAIN_PAUSED,
  VIR_DOMAIN_RUNNING,
  VIR_DOMAIN_SAVE_BYPASS_CACHE,
  VIR_DOMAIN_SAVE_IMAGE_XML_SECURE,
  VIR_DOMAIN_SAVE_PAUSED,
  VIR_DOMAIN_SAVE_RESET_NVRAM,
  VIR_DOMAIN_SAVE_RUNNING,
  VIR_DOMAIN_SHUTOFF,
  VIR_DUMP_BYPASS_CACHE,
  VIR_DUMP_CRASH,
  VIR_DUMP_LIVE,
  VIR_DUMP_MEMORY_ONLY,
  VIR_DUMP_RESET,
  VIR_ERR_ARGUMENT_UNSUPPORTED,
  VIR_ERR_INVALID_ARG,
  VIR_ERR_NO_SUPPORT,
  VIR_ERR_OPERATION_DENIED,
  VIR_ERR_OPERATION_FAILED,
  VIR_ERR_OPERATION_INVALID,
} from '../../src/libvirt/index.ts'
import { defined, domainXml, eachRejectsWith, rejectsWith, until, world } from './world.ts'

const FILE = '/saved/web'

async function running(host: Awaited<ReturnType<typeof world>>, name = 'web'): Promise<Domain> {
  const domain = await defined(host.connection, { name, devices: `<serial type='pty'/>` })
  await domain.create()
  return domain
}

const stateOf = async (domain: Domain) => (await domain.getState()).state

// Proves: virDomainSave, virDomainRestore
test('a domain is saved to a file that its client names, and restored from it, whether or not it is defined', async () => {
  const host = await world()
  const domain = await running(host)
  await domain.save(FILE)
  assert.equal(await stateOf(domain), VIR_DOMAIN_SHUTOFF)
  assert.equal(await domain.hasManagedSaveImage(), false)
  const again = await host.connection.restore(FILE)
  assert.equal(again.getUUIDString(), domain.getUUIDString())
  assert.equal(await stateOf(domain), VIR_DOMAIN_RUNNING)
  await rejectsWith(VIR_ERR_OPERATION_INVALID, host.connection.restore(FILE), /already active as 'web'/)
  await domain.destroy()
  await domain.undefine()
  await host.connection.restore(FILE)

  assert.equal(await stateOf(await host.connection.domainLookupByName('web')), VIR_DOMAIN_RUNNING)
})

// Proves: virDomainSaveFlags, virDomainRestoreFlags
test('a domain comes back as it was, as it was to be when it was saved, or as is asked for then', async () => {
  const host = await world()
  const domain = await running(host)
  const { connection } = host
  const comesBack = async (flags: number) => {
    await connection.restoreFlags(FILE, undefined, flags)
    return stateOf(domain)
  }
  await domain.saveFlags(FILE, undefined, VIR_DOMAIN_SAVE_PAUSED)
  assert.equal(await comesBack(0), VIR_DOMAIN_PAUSED)
  await domain.saveFlags(FILE)
  assert.equal(await comesBack(VIR_DOMAIN_SAVE_RUNNING), VIR_DOMAIN_RUNNING)
  await domain.saveFlags(FILE, undefined, 0)
  assert.equal(await comesBack(VIR_DOMAIN_SAVE_PAUSED), VIR_DOMAIN_PAUSED)
  await domain.saveFlags(FILE, undefined, VIR_DOMAIN_SAVE_RUNNING)

  assert.equal(await comesBack(0), VIR_DOMAIN_RUNNING)
})

// Proves: virDomainSaveImageGetXMLDesc, virDomainSaveImageDefineXML
test('a file describes its domain, and takes another description of what its guest does not see', async () => {
  const host = await world()
  const { connection } = host
  const domain = await running(host)
  const described = await domain.getXMLDesc()
  await domain.save(FILE)
  const xml = await connection.saveImageGetXMLDesc(FILE, VIR_DOMAIN_SAVE_IMAGE_XML_SECURE)
  assert.equal(xml, await domain.getXMLDesc())
  assert.equal(xml, described.replace(/ id='\d+'/, ''))
  const titled = xml.replace('</uuid>', '</uuid><title>Shop</title>')
  await connection.saveImageDefineXML(FILE, titled, VIR_DOMAIN_SAVE_PAUSED)
  assert.match(await connection.saveImageGetXMLDesc(FILE), /<title>Shop<\/title>/)
  const other = xml.replace(/<vcpu[^]*<\/vcpu>/, '<vcpu>2</vcpu>')
  assert.notEqual(other, xml)
  await rejectsWith(VIR_ERR_OPERATION_FAILED, connection.saveImageDefineXML(FILE, other), /number of CPUs/)
  await domain.undefine()
  await rejectsWith(VIR_ERR_OPERATION_FAILED, connection.restoreFlags(FILE, other), /number of CPUs/)
  await connection.restore(FILE)

  assert.equal(await stateOf(domain), VIR_DOMAIN_PAUSED)
  assert.match(await domain.getXMLDesc(), /<title>Shop<\/title>/)
  await domain.saveFlags(FILE, xml)
  assert.equal(await connection.saveImageGetXMLDesc(FILE), xml)
})

test('that a domain was saved and restored is told as that', async () => {
  const host = await world()
  const domain = await running(host)
  const heard: number[][] = []
  await host.connection.domainEventRegister((_domain, event, detail) => void heard.push([event, detail]))
  await domain.save(FILE)
  await host.connection.restoreFlags(FILE, undefined, VIR_DOMAIN_SAVE_PAUSED)
  await until(() => heard.length >= 3)

  assert.deepEqual(heard, [
    [VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_SAVED],
    [VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_RESTORED],
    [VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_RESTORED],
  ])
})

test('what cannot be saved or restored is refused, and nothing has changed', async () => {
  const host = await world()
  const { connection } = host
  const [domain, halted] = [await running(host), await defined(connection, { name: 'off' })]
  const both = VIR_DOMAIN_SAVE_RUNNING | VIR_DOMAIN_SAVE_PAUSED
  await rejectsWith(VIR_ERR_OPERATION_INVALID, halted.save(FILE), /domain is not running/)
  await eachRejectsWith(
    VIR_ERR_INVALID_ARG,
    {
      virDomainSave: () => domain.save('web'),
      virDomainSaveFlags: () => domain.saveFlags(FILE, undefined, both),
      virDomainRestore: () => connection.restore('./web'),
      virDomainRestoreFlags: () => connection.restoreFlags(FILE, undefined, both),
      virDomainSaveImageGetXMLDesc: () => connection.saveImageGetXMLDesc(''),
      virDomainSaveImageDefineXML: () => connection.saveImageDefineXML(FILE, '<domain/>', both),
      virDomainCoreDump: () => domain.coreDump('core'),
      virDomainCoreDumpWithFormat: () => domain.coreDumpWithFormat('/core', 9),
    },
    name => new RegExp(`in ${name}|${name} `),
  )
  const refusals = [
    domain.saveFlags(FILE, undefined, VIR_DOMAIN_SAVE_BYPASS_CACHE),
    connection.restoreFlags(FILE, undefined, VIR_DOMAIN_SAVE_RESET_NVRAM),
    domain.coreDump('/core', VIR_DUMP_LIVE),
    domain.coreDump('/core', VIR_DUMP_BYPASS_CACHE),
    domain.coreDumpWithFormat('/core', VIR_DOMAIN_CORE_DUMP_FORMAT_KDUMP_ZLIB),
  ]
  for (const refusal of refusals) await rejectsWith(VIR_ERR_ARGUMENT_UNSUPPORTED, refusal)
  await rejectsWith(VIR_ERR_OPERATION_FAILED, connection.restore('/nothing'), /no domain was saved to \/nothing/)
  const onlooker = await host.again({ readOnly: true })
  await rejectsWith(VIR_ERR_OPERATION_DENIED, onlooker.saveImageGetXMLDesc(FILE))
  await rejectsWith(VIR_ERR_OPERATION_DENIED, onlooker.restore(FILE))

  assert.equal(await stateOf(domain), VIR_DOMAIN_RUNNING)
})

test('a host that saves domains nowhere but where it wants says so, as libvirt does', async () => {
  const { driver } = await world()
  const { files: _files, ...suspension } = driver.suspension
  const warn = () => assert.fail('nothing is to be complained of')
  const connection = await connectionOf({ ...driver, suspension }, { uri: 'memory:///world', warn })
  const domain = await defined(connection)
  await domain.create()

  await eachRejectsWith(
    VIR_ERR_NO_SUPPORT,
    {
      virDomainSave: () => domain.save(FILE),
      virDomainSaveFlags: () => domain.saveFlags(FILE),
      virDomainRestore: () => connection.restore(FILE),
      virDomainRestoreFlags: () => connection.restoreFlags(FILE),
      virDomainSaveImageGetXMLDesc: () => connection.saveImageGetXMLDesc(FILE),
      virDomainSaveImageDefineXML: () => connection.saveImageDefineXML(FILE, domainXml()),
    },
    name => new RegExp(`not supported by the connection driver: ${name}$`),
  )
})

test('a domain whose name is another one’s by now is not restored', async () => {
  const host = await world()
  const domain = await running(host)
  await domain.save(FILE)
  await domain.undefine()
  const rival = await running(host)

  await rejectsWith(VIR_ERR_OPERATION_FAILED, host.connection.restore(FILE), /already exists with uuid/)
  assert.equal(await stateOf(rival), VIR_DOMAIN_RUNNING)
})

// Proves: virDomainCoreDump, virDomainCoreDumpWithFormat
test('memory is dumped, and the guest goes on, is reset or loses its power, as is asked for', async () => {
  const host = await world()
  const domain = await running(host)
  await domain.coreDump('/core', VIR_DUMP_MEMORY_ONLY)
  assert.equal(await stateOf(domain), VIR_DOMAIN_RUNNING)
  await domain.suspend()
  await domain.coreDumpWithFormat('/core', VIR_DOMAIN_CORE_DUMP_FORMAT_RAW)
  assert.equal(await stateOf(domain), VIR_DOMAIN_PAUSED)
  await domain.coreDump('/core', VIR_DUMP_RESET)
  assert.equal(await stateOf(domain), VIR_DOMAIN_RUNNING)
  host.driver.faults.plan({ operation: 'dumps.dump', nth: 1, when: 'before', kind: 'refused' })
  await rejectsWith(VIR_ERR_OPERATION_FAILED, domain.coreDump('/core', VIR_DUMP_CRASH))
  assert.equal(await stateOf(domain), VIR_DOMAIN_RUNNING)
  await domain.coreDump('/core', VIR_DUMP_CRASH)

  assert.equal(await stateOf(domain), VIR_DOMAIN_SHUTOFF)
  await rejectsWith(VIR_ERR_OPERATION_INVALID, domain.coreDump('/core'), /domain is not running/)
})

test('a machine of QEMU is saved with a drive and a display, described, restored and dumped', async () => {
  const folder = await mkdtemp('/tmp/pv-')
  const connection = await connect('qemu:///system', { dataDir: folder })
  try {
    const [file, core] = [join(folder, 'web.saved'), join(folder, 'web.core')]
    const devices = `<disk type='file' device='cdrom'><target dev='hda' bus='ide'/></disk>
      <serial type='pty'/><video><model type='vga'/></video>`
    const domain = await connection.domainCreateXML(domainXml({ type: 'qemu', name: 'web', devices }))
    const described = await domain.getXMLDesc()
    await domain.save(file)
    const xml = await connection.saveImageGetXMLDesc(file)
    assert.equal(xml, described.replace(/ id='\d+'/, '').replace(" state='disconnected'", ''))
    await connection.saveImageDefineXML(file, xml.replaceAll(/<alias [^>]*\/>/g, ''), VIR_DOMAIN_SAVE_PAUSED)
    await domain.undefine()
    await connection.restore(file)
    assert.equal(await stateOf(domain), VIR_DOMAIN_PAUSED)
    await domain.resume()
    await domain.coreDump(core, VIR_DUMP_MEMORY_ONLY)

    assert.equal((await readFile(core)).toString('latin1', 0, 4), '\u007fELF')
    assert.equal(statSync(core).mode & 0o777, 0o600)
    assert.equal(await stateOf(domain), VIR_DOMAIN_RUNNING)
    await domain.destroy()
  } finally {
    await connection.close()
    await rm(folder, { recursive: true, force: true })
  }
})
