import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StorageOps } from '../../src/drivers/driver.ts'
import {
  connectionOf,
  VIR_CONNECT_LIST_STORAGE_POOLS_DIR,
  VIR_CONNECT_LIST_STORAGE_POOLS_INACTIVE,
  VIR_CONNECT_LIST_STORAGE_POOLS_OTHER_TYPES,
  VIR_CONNECT_LIST_STORAGE_POOLS_PERSISTENT,
  VIR_CONNECT_LIST_STORAGE_POOLS_TRANSIENT,
  VIR_ERR_ARGUMENT_UNSUPPORTED,
  VIR_ERR_CONFIG_UNSUPPORTED,
  VIR_ERR_INTERNAL_ERROR,
  VIR_ERR_INVALID_ARG,
  VIR_ERR_NO_STORAGE_POOL,
  VIR_ERR_NO_STORAGE_VOL,
  VIR_ERR_NO_SUPPORT,
  VIR_ERR_OPERATION_FAILED,
  VIR_ERR_OPERATION_INVALID,
  VIR_ERR_OPERATION_UNSUPPORTED,
  VIR_ERR_STORAGE_VOL_EXIST,
  VIR_STORAGE_POOL_BUILD_NO_OVERWRITE,
  VIR_STORAGE_POOL_BUILD_OVERWRITE,
  VIR_STORAGE_POOL_BUILD_REPAIR,
  VIR_STORAGE_POOL_CREATE_WITH_BUILD,
  VIR_STORAGE_POOL_CREATE_WITH_BUILD_OVERWRITE,
  VIR_STORAGE_POOL_EVENT_CREATED,
  VIR_STORAGE_POOL_EVENT_DEFINED,
  VIR_STORAGE_POOL_EVENT_DELETED,
  VIR_STORAGE_POOL_EVENT_ID_LIFECYCLE,
  VIR_STORAGE_XML_INACTIVE,
  VIR_STORAGE_POOL_EVENT_ID_REFRESH,
  VIR_STORAGE_POOL_EVENT_STARTED,
  VIR_STORAGE_POOL_EVENT_STOPPED,
  VIR_STORAGE_POOL_EVENT_UNDEFINED,
  VIR_STORAGE_POOL_INACTIVE,
  VIR_STORAGE_POOL_RUNNING,
  VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA,
  VIR_STORAGE_VOL_CREATE_REFLINK,
  VIR_STORAGE_VOL_DELETE_ZEROED,
  VIR_STORAGE_VOL_DIR,
  VIR_STORAGE_VOL_FILE,
  VIR_STORAGE_VOL_RESIZE_ALLOCATE,
  VIR_STORAGE_VOL_RESIZE_DELTA,
  VIR_STORAGE_VOL_RESIZE_SHRINK,
} from '../../src/libvirt/index.ts'
import { stored } from './stored.ts'
import { defined, namesOf, poolXml, rejectsWith, volumeXml, world } from './world.ts'

const MIB = 1_048_576
const POOL_EVENTS = {
  CREATED: VIR_STORAGE_POOL_EVENT_CREATED,
  DELETED: VIR_STORAGE_POOL_EVENT_DELETED,
  DEFINED: VIR_STORAGE_POOL_EVENT_DEFINED,
  STARTED: VIR_STORAGE_POOL_EVENT_STARTED,
  STOPPED: VIR_STORAGE_POOL_EVENT_STOPPED,
  UNDEFINED: VIR_STORAGE_POOL_EVENT_UNDEFINED,
}
// Proves: virConnectNumOfStoragePools, virConnectListStoragePools, virConnectNumOfDefinedStoragePools, virConnectListDefinedStoragePools, virConnectListAllStoragePools
test('pools are the file systems of a host, its folders of images, and those that were created', async () => {
  const { connection } = await stored()

  assert.equal(await connection.numOfStoragePools(), 3)
  assert.deepEqual(await connection.listStoragePools(), ['Primordial', 'own', 'images'])
  assert.deepEqual(await connection.listStoragePools(1), ['Primordial'])
  assert.deepEqual([await connection.numOfDefinedStoragePools(), await connection.listDefinedStoragePools()], [0, []])
  const listed = async (flags: number) => namesOf(await connection.listAllStoragePools(flags))
  assert.deepEqual(await listed(VIR_CONNECT_LIST_STORAGE_POOLS_PERSISTENT), ['Primordial', 'own'])
  assert.deepEqual(await listed(VIR_CONNECT_LIST_STORAGE_POOLS_TRANSIENT | VIR_CONNECT_LIST_STORAGE_POOLS_DIR), [
    'images',
  ])
  assert.deepEqual(await listed(VIR_CONNECT_LIST_STORAGE_POOLS_INACTIVE), [])
  assert.deepEqual(await listed(VIR_CONNECT_LIST_STORAGE_POOLS_OTHER_TYPES & 128), [])
  await rejectsWith(VIR_ERR_INVALID_ARG, connection.listAllStoragePools(0x10_0000), /unsupported flags \(0x100000\)/)
})

// Proves: virStoragePoolLookupByName, virStoragePoolLookupByUUID, virStoragePoolLookupByUUIDString, virStoragePoolLookupByTargetPath, virStoragePoolLookupByVolume, virStoragePoolGetName, virStoragePoolGetUUID, virStoragePoolGetUUIDString
test('a pool is found by name, UUID, folder and volume, the same on every connection', async () => {
  const { connection, driver, pool } = await stored()
  const vol = await pool.storageVolCreateXML(volumeXml('disk', MIB))
  const other = await connectionOf(driver, { uri: 'memory:///other' })

  const found = [
    await connection.storagePoolLookupByName('images'),
    await other.storagePoolLookupByUUID(pool.getUUID()),
    await connection.storagePoolLookupByUUIDString(pool.getUUIDString()),
    await connection.storagePoolLookupByTargetPath('/images/'),
    await connection.storagePoolLookupByVolume(vol),
  ]

  const [name, uuid] = [pool.getName(), pool.getUUIDString()]
  assert.deepEqual(
    found.map(each => [each.getName(), each.getUUIDString()]),
    Array.from(found, () => [name, uuid]),
  )
  await rejectsWith(VIR_ERR_NO_STORAGE_POOL, connection.storagePoolLookupByName('nothing'))
  await rejectsWith(VIR_ERR_NO_STORAGE_POOL, connection.storagePoolLookupByTargetPath('/nowhere'))
})

// Proves: virStoragePoolGetInfo, virStoragePoolGetXMLDesc, virStoragePoolIsActive, virStoragePoolIsPersistent, virStoragePoolGetAutostart, virStoragePoolRefresh
test('a pool tells what its file system has, and whether the host has it by itself', async () => {
  const { connection, pool } = await stored()
  const own = await connection.storagePoolLookupByName('own')

  await pool.refresh()
  const info = {
    state: VIR_STORAGE_POOL_RUNNING,
    capacity: BigInt(100 * MIB),
    allocation: BigInt(40 * MIB),
    available: BigInt(60 * MIB),
  }
  assert.deepEqual(await pool.getInfo(), info)
  assert.match(await pool.getXMLDesc(), /<available unit='bytes'>62914560<\/available>[^]*<path>\/images<\/path>/)
  // Whoever edits it finds its definition unchanged while volumes grow.
  assert.match(await pool.getXMLDesc(VIR_STORAGE_XML_INACTIVE), /<available unit='bytes'>0<\/available>/)
  assert.deepEqual([await pool.isActive(), await pool.isPersistent(), await pool.getAutostart()], [true, false, false])
  assert.deepEqual([await own.isActive(), await own.isPersistent(), await own.getAutostart()], [true, true, true])
})

// Proves: virStoragePoolCreateXML, virStoragePoolDestroy, virStoragePoolCreate
test('a folder becomes a pool until it is destroyed, and names, places and UUIDs are of one pool each', async () => {
  const { connection, driver, pool } = await stored()
  await pool.storageVolCreateXML(volumeXml('disk', MIB))

  const taken = connection.storagePoolCreateXML(poolXml('images', '/elsewhere'))
  await rejectsWith(VIR_ERR_OPERATION_FAILED, taken, /pool is already active as 'images'/)
  const there = connection.storagePoolCreateXML(poolXml('again', '/own/'))
  await rejectsWith(VIR_ERR_OPERATION_FAILED, there, /Storage source conflict with pool: 'own'/)
  const over = connection.storagePoolCreateXML(poolXml('new', '/new'), VIR_STORAGE_POOL_CREATE_WITH_BUILD_OVERWRITE)
  await rejectsWith(VIR_ERR_OPERATION_INVALID, over, /No source device specified when formatting pool 'new'/)
  await rejectsWith(VIR_ERR_OPERATION_INVALID, pool.create(), /already active/)
  await rejectsWith(VIR_ERR_OPERATION_UNSUPPORTED, (await connection.storagePoolLookupByName('own')).destroy())
  await connection.storagePoolCreateXML(poolXml('new', '/new'), VIR_STORAGE_POOL_CREATE_WITH_BUILD)
  await pool.destroy()

  await rejectsWith(VIR_ERR_NO_STORAGE_POOL, pool.getInfo())
  assert.equal((await driver.storage.listVolumes({ type: 'memory', location: '/images' })).length, 1)
})

// Proves: virStorageVolCreateXML, virStoragePoolNumOfVolumes, virStoragePoolListVolumes, virStoragePoolListAllVolumes, virStorageVolLookupByName, virStorageVolGetName
test('volumes are made, in the format that is said, that their name says, or that the host makes first', async () => {
  const { pool } = await stored()

  const said = await pool.storageVolCreateXML(volumeXml('a', MIB, 'vhdx'))
  const named = await pool.storageVolCreateXML(volumeXml('b.vhd', MIB))
  const both = await pool.storageVolCreateXML(volumeXml('c.raw', MIB, 'raw'))
  const neither = await pool.storageVolCreateXML(volumeXml('d', MIB))

  assert.deepEqual(namesOf([said, named, both, neither]), ['a.vhdx', 'b.vhd', 'c.raw', 'd.qcow2'])
  assert.equal(await pool.numOfVolumes(), 4)
  assert.deepEqual(await pool.listVolumes(2), (await pool.listVolumes()).slice(0, 2))
  assert.deepEqual(namesOf(await pool.listAllVolumes()), ['a.vhdx', 'b.vhd', 'c.raw', 'd.qcow2'])
  assert.equal(
    (await pool.storageVolLookupByName('d')).getPath(),
    (await pool.storageVolLookupByName('d.qcow2')).getPath(),
  )
  await rejectsWith(VIR_ERR_NO_STORAGE_VOL, pool.storageVolLookupByName('e'), /no storage vol with matching name 'e'/)
})

test('volumes that cannot be are not made', async () => {
  const { pool } = await stored()
  await pool.storageVolCreateXML(volumeXml('a.raw', MIB))

  await rejectsWith(
    VIR_ERR_STORAGE_VOL_EXIST,
    pool.storageVolCreateXML(volumeXml('a.raw', MIB)),
    /storage volume 'a.raw' exists already/,
  )
  await rejectsWith(VIR_ERR_INVALID_ARG, pool.storageVolCreateXML(volumeXml('b', 0)), /must not be 0/)
  const outside = pool.storageVolCreateXML(volumeXml('../b', MIB))
  await rejectsWith(VIR_ERR_OPERATION_INVALID, outside, /volume name '..\/b' cannot contain '\/'/)
  await rejectsWith(VIR_ERR_CONFIG_UNSUPPORTED, pool.storageVolCreateXML(volumeXml('b', MIB, 'vmdk')))
  const whole = pool.storageVolCreateXML(volumeXml('b', MIB, 'raw'), VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA)
  await rejectsWith(VIR_ERR_CONFIG_UNSUPPORTED, whole, /metadata preallocation is not supported for raw volumes/)
  const original = await pool.storageVolLookupByName('a.raw')
  const again = pool.storageVolCreateXMLFrom(volumeXml('a.raw', MIB), original)
  await rejectsWith(VIR_ERR_INTERNAL_ERROR, again, /storage volume name 'a.raw' already in use\./)
  for (const [format, text] of [
    ['raw', /metadata preallocation is not supported for raw volumes/],
    ['vhd', /metadata preallocation only available with qcow2/],
  ] as const) {
    const xml = volumeXml('b', MIB, format)
    const from = pool.storageVolCreateXMLFrom(xml, original, VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA)
    await rejectsWith(VIR_ERR_CONFIG_UNSUPPORTED, from, text)
  }
  const linked = pool.storageVolCreateXMLFrom(volumeXml('b', MIB), original, VIR_STORAGE_VOL_CREATE_REFLINK)
  await rejectsWith(VIR_ERR_ARGUMENT_UNSUPPORTED, linked, /CREATE_REFLINK/)

  assert.deepEqual(await pool.listVolumes(), ['a.raw'])
})

test('of a qcow2 image, where each part goes is laid down from the start if somebody wants that', async () => {
  const { pool } = await stored()

  await pool.storageVolCreateXML(volumeXml('laid', MIB, 'qcow2'), VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA)

  assert.deepEqual(await pool.listVolumes(), ['laid.qcow2'])
})

test('a raw image is called as it is described, be it .img, as is its copy', async () => {
  const { pool } = await stored()

  const made = await pool.storageVolCreateXML(volumeXml('web.img', MIB, 'raw'))
  await pool.storageVolCreateXMLFrom(volumeXml('copy.img', MIB, 'raw'), made)
  await pool.storageVolCreateXML(volumeXml('odd.img', MIB, 'qcow2'))

  assert.deepEqual((await pool.listVolumes()).toSorted(), ['copy.img', 'odd.img.qcow2', 'web.img'])
})

// Proves: virStorageVolLookupByPath, virStorageVolLookupByKey, virStorageVolGetKey, virStorageVolGetPath, virStorageVolGetInfo, virStorageVolGetInfoFlags, virStorageVolGetXMLDesc
test('a volume is found by its path in whatever folder, and tells how large it is', async () => {
  const { connection, driver } = await stored()
  await driver.storage.openRepository({ type: 'memory', location: '/hidden' })
  const image = { name: 'x', format: 'vhd', virtualBytes: 2 * MIB } as const
  const { location } = await driver.storage.createVolume({ type: 'memory', location: '/hidden' }, image)

  const vol = await connection.storageVolLookupByPath(location)

  assert.deepEqual([vol.getPath(), vol.getKey(), vol.getName()], [location, location, 'x.vhd'])
  assert.equal((await connection.storageVolLookupByKey(vol.getKey())).getPath(), location)
  const { type, capacity, allocation } = await vol.getInfo()
  assert.deepEqual([type, capacity, allocation < capacity], [VIR_STORAGE_VOL_FILE, BigInt(2 * MIB), true])
  assert.deepEqual(await vol.getInfoFlags(1), await vol.getInfo())
  assert.match(await vol.getXMLDesc(), /<capacity unit='bytes'>2097152<\/capacity>[^]*<format type='vpc'\/>/)
  await rejectsWith(VIR_ERR_NO_STORAGE_VOL, connection.storageVolLookupByPath('/hidden/y.vhd'))
  await rejectsWith(VIR_ERR_INVALID_ARG, connection.storageVolLookupByPath(''))
})

// Proves: virStorageVolCreateXMLFrom, virStorageVolResize, virStorageVolDelete
test('a volume is copied, grows, and is deleted, but not while a domain uses it', async () => {
  const { connection, pool } = await stored()
  const vol = await pool.storageVolCreateXML(volumeXml('first.vhd', 2 * MIB))

  const copy = await pool.storageVolCreateXMLFrom(volumeXml('second.vhdx', 1), vol)
  const larger = await pool.storageVolCreateXMLFrom(volumeXml('third.vhd', 4 * MIB), vol)
  const sizes = await Promise.all([copy, larger].map(async each => (await each.getInfo()).capacity))
  assert.deepEqual(
    [copy.getName(), larger.getName(), ...sizes],
    ['second.vhdx', 'third.vhd', BigInt(2 * MIB), BigInt(4 * MIB)],
  )

  await vol.resize(3 * MIB)
  await vol.resize(BigInt(MIB), VIR_STORAGE_VOL_RESIZE_DELTA)
  assert.equal((await vol.getInfo()).capacity, BigInt(4 * MIB))
  await rejectsWith(VIR_ERR_INVALID_ARG, vol.resize(MIB), /shrink/)
  await rejectsWith(VIR_ERR_INVALID_ARG, vol.resize(-1, VIR_STORAGE_VOL_RESIZE_DELTA), /shrink/)
  await vol.resize(MIB, VIR_STORAGE_VOL_RESIZE_SHRINK | VIR_STORAGE_VOL_RESIZE_DELTA)
  assert.equal((await vol.getInfo()).capacity, BigInt(3 * MIB))
  await vol.resize(MIB, VIR_STORAGE_VOL_RESIZE_SHRINK)
  assert.equal((await vol.getInfo()).capacity, BigInt(MIB))
  await rejectsWith(VIR_ERR_INVALID_ARG, vol.resize(0), /below existing allocation|cannot be 0/)
  const whole = vol.resize(2 * MIB, VIR_STORAGE_VOL_RESIZE_ALLOCATE)
  await rejectsWith(VIR_ERR_OPERATION_UNSUPPORTED, whole, /preallocate is only supported for raw type volume/)

  const disk = `<disk type='file' device='disk'><driver type='vpc'/><source file='${vol.getPath()}'/><target dev='vda'/></disk>`
  const domain = await defined(connection, { devices: disk })
  await domain.create()
  await rejectsWith(VIR_ERR_OPERATION_INVALID, vol.delete())
  await domain.destroy()
  await rejectsWith(VIR_ERR_ARGUMENT_UNSUPPORTED, vol.delete(VIR_STORAGE_VOL_DELETE_ZEROED), /ZEROED/)
  await vol.delete()
  await rejectsWith(VIR_ERR_NO_STORAGE_VOL, vol.getInfo())
})

test('a folder that was made a pool goes on being called so once the host has it by itself', async () => {
  const { connection } = await world()

  const pool = await connection.storagePoolCreateXML(poolXml('chosen', '/images'))

  assert.deepEqual(await connection.listStoragePools(), ['chosen'])
  assert.equal((await connection.storagePoolLookupByUUIDString(pool.getUUIDString())).getName(), 'chosen')
  assert.equal(await pool.isPersistent(), true)
})

// Proves: virStorageVolDownload, virStorageVolUpload
test('the file of an image is read and written, in parts too, and nobody else has it meanwhile', async () => {
  const { connection, pool } = await stored()
  const vol = await pool.storageVolCreateXML(volumeXml('a', MIB, 'raw'))
  const words = Buffer.from('what an image holds')

  const upload = await vol.upload(10, words.length)
  await upload.write(words.subarray(0, 4))
  await rejectsWith(VIR_ERR_OPERATION_INVALID, vol.download(), /being read or written/)
  await rejectsWith(VIR_ERR_OPERATION_INVALID, vol.delete(), /being read or written/)
  await upload.write(words.subarray(4))
  assert.equal(upload.room, 0)
  await upload.close()
  const pieces: Uint8Array[] = []
  for await (const piece of await vol.download(10n, BigInt(words.length))) pieces.push(piece)

  assert.deepEqual(Buffer.concat(pieces), words)
  const [first, second] = [await vol.download(), await vol.download()]
  await rejectsWith(VIR_ERR_OPERATION_INVALID, vol.upload(), /being read or written/)
  for (const each of [first, second]) await each.close()
  await rejectsWith(VIR_ERR_INVALID_ARG, vol.upload(-1), /from -1 on/)
  const other = await pool.storageVolCreateXML(volumeXml('b', MIB, 'vhd'))
  await rejectsWith(VIR_ERR_OPERATION_FAILED, other.download(), /raw volumes alone/)
  const disk = `<disk type='file'><driver type='raw'/><source file='${vol.getPath()}'/><target dev='vda'/></disk>`
  const domain = await defined(connection, { devices: disk })
  await domain.create()
  await rejectsWith(VIR_ERR_OPERATION_INVALID, vol.upload(), /running domain uses/)
  await domain.destroy()
  const read = await vol.download()
  await rejectsWith(VIR_ERR_OPERATION_INVALID, domain.create(), /being read or written/)
  await read.close()
  await domain.create()
})

test('what a driver has no way for is not supported', async () => {
  const { driver } = await stored()
  const storage: StorageOps = { ...driver.storage }
  delete storage.openVolume
  delete storage.wipeVolume
  delete storage.removeRepository
  const connection = await connectionOf({ ...driver, storage }, { uri: 'memory:///poor' })
  const pool = await connection.storagePoolDefineXML(poolXml('poor', '/poor'))
  await pool.create()
  const vol = await pool.storageVolCreateXML(volumeXml('a', MIB))

  await rejectsWith(VIR_ERR_NO_SUPPORT, vol.download(), /virStorageVolDownload/)
  await rejectsWith(VIR_ERR_NO_SUPPORT, vol.upload(), /virStorageVolUpload/)
  await rejectsWith(VIR_ERR_NO_SUPPORT, vol.wipe(), /virStorageVolWipe/)
  await pool.destroy()
  await rejectsWith(VIR_ERR_NO_SUPPORT, pool.delete(), /virStoragePoolDelete/)
  await pool.undefine()
})

// Proves: virStoragePoolDefineXML, virStoragePoolBuild, virStoragePoolSetAutostart, virStoragePoolDelete, virStoragePoolUndefine, virConnectStoragePoolEventRegisterAny, virConnectStoragePoolEventDeregisterAny
test('a pool is defined, built, started, stopped, deleted and undefined, and who listens is told', async () => {
  const { connection, driver } = await stored()
  const told: (number | string)[] = []
  const [LIFE, REFRESH] = [VIR_STORAGE_POOL_EVENT_ID_LIFECYCLE, VIR_STORAGE_POOL_EVENT_ID_REFRESH]
  const numbers = [
    await connection.storagePoolEventRegisterAny(null, LIFE, (_, event) => told.push(event)),
    await connection.storagePoolEventRegisterAny(null, REFRESH, found => told.push(found.getName())),
  ]

  const pool = await connection.storagePoolDefineXML(poolXml('kept', '/kept'))
  assert.deepEqual([await pool.isActive(), await pool.isPersistent(), await pool.getAutostart()], [false, true, false])
  assert.deepEqual(await connection.listDefinedStoragePools(), ['kept'])
  assert.equal((await pool.getInfo()).state, VIR_STORAGE_POOL_INACTIVE)
  await rejectsWith(VIR_ERR_OPERATION_INVALID, pool.listAllVolumes(), /storage pool 'kept' is not active/)
  const [over, not] = [VIR_STORAGE_POOL_BUILD_OVERWRITE, VIR_STORAGE_POOL_BUILD_NO_OVERWRITE]
  for (const flag of [over, not]) {
    await rejectsWith(VIR_ERR_OPERATION_INVALID, pool.build(flag), /No source device specified when formatting pool/)
  }
  await rejectsWith(VIR_ERR_INVALID_ARG, pool.build(over | not), /mutually exclusive/)
  await rejectsWith(VIR_ERR_ARGUMENT_UNSUPPORTED, pool.build(VIR_STORAGE_POOL_BUILD_REPAIR), /BUILD_REPAIR/)
  await pool.build()
  await pool.create()
  await pool.setAutostart(true)
  assert.deepEqual([await pool.isActive(), await pool.getAutostart()], [true, true])
  await rejectsWith(VIR_ERR_OPERATION_INVALID, pool.build(), /already active/)
  await rejectsWith(VIR_ERR_OPERATION_INVALID, pool.undefine(), /still active/)
  const vol = await pool.storageVolCreateXML(volumeXml('a', MIB))
  await pool.destroy()
  await rejectsWith(VIR_ERR_OPERATION_INVALID, vol.delete(), /storage pool 'kept' is not active/)
  await rejectsWith(VIR_ERR_OPERATION_FAILED, pool.delete(), /not empty/)
  await pool.create()
  await vol.delete()
  await pool.refresh()
  await pool.destroy()
  await pool.delete()
  await pool.undefine()
  for (const number of numbers) await connection.storagePoolEventDeregisterAny(number)
  await connection.storagePoolCreateXML(poolXml('unheard', '/unheard'))

  const { CREATED, DEFINED, DELETED, STARTED, STOPPED, UNDEFINED } = POOL_EVENTS
  const life = [DEFINED, CREATED, STARTED, 'kept', STOPPED, STARTED, 'kept', 'kept', STOPPED, DELETED, UNDEFINED]
  assert.deepEqual(told, life)
  await rejectsWith(VIR_ERR_NO_STORAGE_POOL, pool.getInfo())
  const places = (await driver.storage.repositories()).map(({ location }) => location)
  assert(!places.includes('/kept'))
  await rejectsWith(VIR_ERR_INVALID_ARG, connection.storagePoolEventDeregisterAny(99), /no event callback 99/)
  await rejectsWith(
    VIR_ERR_ARGUMENT_UNSUPPORTED,
    connection.storagePoolEventRegisterAny(null, 7, () => undefined),
  )
})

// Proves: virConnectGetStoragePoolCapabilities, virConnectFindStoragePoolSources
test('a host tells what pools and volumes there can be', async () => {
  const { connection } = await stored()

  const told = await connection.getStoragePoolCapabilities()

  assert.match(told, /<pool type=.dir. supported=.yes.>[^]*<defaultFormat type=.qcow2.[^]*<value>vpc<\/value>/)
  assert.match(told, /<pool type='iscsi-direct' supported='no'\/>/)
  const ofFolders = connection.findStoragePoolSources('dir')
  await rejectsWith(VIR_ERR_NO_SUPPORT, ofFolders, /pool type 'dir' does not support source discovery/)
  await rejectsWith(VIR_ERR_INTERNAL_ERROR, connection.findStoragePoolSources('foo'), /unknown storage pool type foo/)
})

test('the file systems of a host are volumes of the pool Primordial, and are looked at only', async () => {
  const { connection } = await stored()
  const primordial = await connection.storagePoolLookupByName('Primordial')
  const [root] = await primordial.listAllVolumes()
  assert(root !== undefined)

  assert.deepEqual(await primordial.listVolumes(), ['/'])
  assert.deepEqual(await root.getInfo(), {
    type: VIR_STORAGE_VOL_DIR,
    capacity: BigInt(100 * MIB),
    allocation: BigInt(40 * MIB),
  })
  assert.match(await root.getXMLDesc(), /^<volume type='dir'>/)
  assert.equal((await connection.storageVolLookupByPath('/')).getName(), '/')
  assert.equal((await connection.storagePoolLookupByVolume(root)).getName(), 'Primordial')
  assert.equal((await primordial.getInfo()).available, BigInt(60 * MIB))
  await rejectsWith(VIR_ERR_OPERATION_UNSUPPORTED, root.delete(), /is a file system/)
  await rejectsWith(VIR_ERR_OPERATION_UNSUPPORTED, primordial.storageVolCreateXML(volumeXml('a', MIB)))
})
