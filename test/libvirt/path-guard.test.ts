import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { memoryDriver } from '../../src/drivers/memory/index.ts'
import type { Driver, SavedDomain } from '../../src/drivers/driver.ts'
import type { Company } from '../../src/libvirt/company.ts'
import { Connection } from '../../src/libvirt/connection.ts'
import { VIR_ERR_OPERATION_DENIED } from '../../src/libvirt/error-numbers.ts'
import { Host } from '../../src/libvirt/host.ts'
import { RememberedPools } from '../../src/libvirt/kept-pools.ts'
import { VIR_DOMAIN_RUNNING_BOOTED } from '../../src/libvirt/index.ts'
import { ALONE, followed, type PathUse } from '../../src/libvirt/rpc/index.ts'
import { guarded } from '../../src/libvirt/rpc/path-guard.ts'
import { domainXml, poolXml, rejectsWith, volumeXml } from './world.ts'

const MIB = 1024 * 1024
const REASON = /operation forbidden: not here: /

/** A host of which clients may name what is below `/allowed`, and drives; `openly` is the same without rules. */
async function world() {
  const driver = memoryDriver({ name: randomUUID() })
  const paths = (path: string, use: PathUse, pools: readonly string[]) => {
    const isInPool = pools.some(pool => path === pool || path.startsWith(`${pool}/`))
    const isAllowed = isInPool || path.startsWith('/allowed/') || (use === 'drive' && path.startsWith('/dev/sr'))
    return isAllowed ? undefined : `not here: ${path}`
  }
  const company = { ...ALONE, pools: new RememberedPools() }
  const signal = new AbortController().signal
  const managed = { scheme: 'memory', names: ['lab'], driver, company, paths, signal } as const
  const { driver: behind, company: pools } = guarded(managed)
  assert.equal(guarded(managed).driver, behind, 'one for each host, or what happens on it would be told twice')
  const [connection, openly] = [await connect(behind, pools), await connect(driver, company)]
  const denied = (promise: Promise<unknown>) => rejectsWith(VIR_ERR_OPERATION_DENIED, promise, REASON)
  return { connection, openly, driver, denied }
}

async function connect(driver: Driver, company: Company): Promise<Connection> {
  const use = { uri: 'memory:///lab', isReadOnly: false, warn: () => undefined, company }
  return new Connection(await Host.of(driver, use), false)
}

const disk = (path: string, device = 'disk', name = 'vda') =>
  `<disk type='file' device='${device}'><driver type='raw'/><source file='${path}'/><target dev='${name}'/></disk>`

test('what the operator does not allow is named by no definition, and what he allows is', async () => {
  const { connection, driver, denied } = await world()

  await denied(connection.domainDefineXML(domainXml({ devices: disk('/etc/shadow') })))
  await denied(connection.domainDefineXML(domainXml({ devices: disk('/dev/sr0') })))
  assert.deepEqual(await driver.domains.list(), [])

  await connection.domainDefineXML(domainXml({ devices: disk('/allowed/image') }))
  await connection.domainDefineXML(domainXml({ devices: disk('/dev/sr0', 'cdrom', 'hda') }))
  await connection.domainDefineXML(
    domainXml({ devices: "<disk type='file' device='cdrom'><target dev='hda'/></disk>" }),
  )
})

test('a kernel and its initial file system are looked at too', async () => {
  const { connection, denied } = await world()
  const xml = (kernel: string, initrd: string) =>
    domainXml().replace('</type>', `</type><kernel>${kernel}</kernel><initrd>${initrd}</initrd>`)

  await denied(connection.domainDefineXML(xml('/etc/shadow', '/allowed/initrd')))
  await denied(connection.domainDefineXML(xml('/allowed/kernel', '/etc/shadow')))
  await connection.domainDefineXML(xml('/allowed/kernel', '/allowed/initrd'))
})

test('what a domain has already, it keeps, whatever else of it is changed', async () => {
  const { connection, openly, denied } = await world()
  const uuid = randomUUID()
  const before = domainXml({ name: 'old', uuid, devices: disk('/elsewhere/image') })
  await openly.domainDefineXML(before)
  const domain = await connection.domainLookupByName('old')

  await domain.setVcpusFlags(2, 6)
  await connection.domainDefineXML(before.replace('65536', '131072'))
  await denied(domain.attachDeviceFlags(disk('/elsewhere/other', 'disk', 'vdb'), 2))
  await domain.attachDeviceFlags(disk('/allowed/other', 'disk', 'vdb'), 2)
})

test('nothing is plugged in and nothing inserted that is not allowed', async () => {
  const { connection, denied } = await world()
  const cdrom = "<disk type='file' device='cdrom'><target dev='hda'/></disk>"
  const domain = await connection.domainDefineXML(domainXml({ devices: cdrom }))
  await domain.create()

  await denied(domain.attachDeviceFlags(disk('/elsewhere/third', 'disk', 'vdc'), 1))
  await denied(domain.updateDeviceFlags(disk('/elsewhere/cd', 'cdrom', 'hda'), 1))
})

test('a pool is where pools may be, and what is in it is allowed for that', async () => {
  const { connection, openly, denied } = await world()

  await denied(connection.storagePoolDefineXML(poolXml('bad', '/etc')))
  await denied(connection.storagePoolCreateXML(poolXml('bad', '/etc')))
  await openly.storagePoolCreateXML(poolXml('given', '/elsewhere/pool'))
  const pool = await connection.storagePoolLookupByName('given')
  const vol = await pool.storageVolCreateXML(volumeXml('image', MIB, 'raw'))
  await connection.domainDefineXML(domainXml({ devices: disk(vol.getPath()) }))
  await vol.resize(2 * MIB)
  await denied(connection.domainDefineXML(domainXml({ devices: disk('/elsewhere/pools/image') })))
})

test('files that domains are saved and dumped to lie where files may, and what they say of disks is looked at', async () => {
  const driver = memoryDriver({ name: randomUUID() })
  const id = randomUUID()
  const openly = await connect(driver, ALONE)
  await openly.domainDefineXML(domainXml({ uuid: id, devices: disk('/elsewhere/image') }))
  const config = await driver.domains.config(id)
  const done: string[] = []
  const files = {
    save: async (_: string, location: string) => void done.push(`save ${location}`),
    read: async (): Promise<SavedDomain> => ({ config, paused: false }),
    change: async (location: string) => void done.push(`change ${location}`),
    restore: async (location: string) => (done.push(`restore ${location}`), id),
  }
  const dumps = {
    dump: async (_: string, { location = '' } = {}) => (done.push(`dump ${location}`), { location, bytes: 0 }),
    list: async () => [],
  }
  const suspension = { suspend: async () => undefined, resume: async () => undefined, files }
  const paths = (path: string) => (path.startsWith('/allowed/') ? undefined : `not here: ${path}`)
  const signal = new AbortController().signal
  const base = { scheme: 'memory', names: ['lab'], company: ALONE, paths, signal } as const
  const behind = guarded({ ...base, driver: { ...driver, suspension, dumps } }).driver
  const saved = behind.suspension?.files ?? assert.fail('no files')
  const denied = (promise: Promise<unknown> | undefined) =>
    rejectsWith(VIR_ERR_OPERATION_DENIED, promise ?? assert.fail('nothing'), REASON)
  const harmless = { ...config, disks: [] }

  for (const path of ['/etc/shadow', 'relative', '']) {
    await denied(saved.save(id, path))
    await denied(saved.read(path))
    await denied(saved.change(path, { paused: true }))
    await denied(saved.restore(path, { config: harmless }))
    await denied(behind.dumps?.dump(id, { location: path }))
  }
  await denied(saved.restore('/allowed/forged'))
  await denied(saved.change('/allowed/forged', { config }))
  assert.deepEqual(done, [])

  await saved.save(id, '/allowed/saved')
  await saved.restore('/allowed/saved', { config: harmless })
  await behind.dumps?.dump(id)
  assert.deepEqual(done, ['save /allowed/saved', 'restore /allowed/saved', 'dump '])
})

test('what a saved domain comes back as names nothing that it did not name and that is not allowed', async () => {
  const { connection, openly, driver, denied } = await world()
  const id = randomUUID()
  const described = (path: string) => domainXml({ name: 'web', uuid: id, devices: disk(path) })
  const pool = await openly.storagePoolCreateXML(poolXml('given', '/elsewhere/pool'))
  const [first, second] = [
    await pool.storageVolCreateXML(volumeXml('first', MIB, 'raw')),
    await pool.storageVolCreateXML(volumeXml('second', MIB, 'raw')),
  ].map(vol => vol.getPath())
  const domain = await connection.domainDefineXML(described(first ?? ''))
  await domain.create()
  await domain.managedSave()

  await denied(domain.managedSaveDefineXML(described('/etc/shadow')))
  assert.equal((await driver.suspension?.saved?.(id))?.config.disks[0]?.location, first)
  await domain.managedSaveDefineXML(described(second ?? ''))
  assert.equal((await driver.suspension?.saved?.(id))?.config.disks[0]?.location, second)
})

test('why a domain is what it is, is known behind the rules from what others have done to it before anybody asked', async () => {
  const driver = followed(memoryDriver({ name: randomUUID() }))
  const openly = await connect(driver, ALONE)
  const id = (await openly.domainDefineXML(domainXml({ name: 'web' }))).getUUIDString()
  await driver.domains.start(id)
  const signal = new AbortController().signal
  const managed = { scheme: 'memory', names: ['lab'], driver, company: ALONE, paths: () => undefined, signal } as const
  const connection = await connect(guarded(managed).driver, ALONE)

  const { reason } = await (await connection.domainLookupByName('web')).getState()
  assert.equal(reason, VIR_DOMAIN_RUNNING_BOOTED)
})
