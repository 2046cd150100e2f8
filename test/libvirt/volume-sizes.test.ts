import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StorageOps } from '../../src/drivers/driver.ts'
import {
  connectionOf,
  VIR_ERR_ARGUMENT_UNSUPPORTED,
  VIR_ERR_INVALID_ARG,
  VIR_ERR_OPERATION_INVALID,
  VIR_STORAGE_POOL_EVENT_ID_REFRESH,
  VIR_STORAGE_VOL_GET_PHYSICAL,
  VIR_STORAGE_VOL_RESIZE_ALLOCATE,
  VIR_STORAGE_VOL_RESIZE_SHRINK,
  VIR_STORAGE_VOL_WIPE_ALG_NNSA,
  VIR_STORAGE_VOL_WIPE_ALG_ZERO,
  VIR_STORAGE_XML_INACTIVE,
} from '../../src/libvirt/index.ts'
import { stored } from './stored.ts'
import { defined, poolXml, rejectsWith, volumeXml } from './world.ts'

const MIB = 1_048_576

// Proves: virStorageVolWipe, virStorageVolWipePattern
test('an image is wiped with zeros, by no other pattern, and not while a domain uses it', async () => {
  const { connection, pool } = await stored()
  const vol = await pool.storageVolCreateXML(volumeXml('a', MIB, 'raw'))
  const refreshed: string[] = []
  const told = (which: { getName: () => string }) => void refreshed.push(which.getName())
  await connection.storagePoolEventRegisterAny(pool, VIR_STORAGE_POOL_EVENT_ID_REFRESH, told)
  const bytes = async () => {
    const pieces: Uint8Array[] = []
    for await (const piece of await vol.download(0, 32)) pieces.push(piece)
    return Buffer.concat(pieces).toString('latin1')
  }
  for (const wipe of [() => vol.wipe(), () => vol.wipePattern(VIR_STORAGE_VOL_WIPE_ALG_ZERO)]) {
    const upload = await vol.upload()
    await upload.write(Buffer.from('what an image holds'))
    await upload.close()
    await wipe()
    assert.equal(await bytes(), '\0'.repeat(32))
  }
  assert.deepEqual(refreshed, ['images', 'images', 'images', 'images'])

  const other = vol.wipePattern(VIR_STORAGE_VOL_WIPE_ALG_NNSA)
  await rejectsWith(VIR_ERR_ARGUMENT_UNSUPPORTED, other, /'nnsa' algorithm not supported/)
  await rejectsWith(VIR_ERR_INVALID_ARG, vol.wipePattern(10), /wiping algorithm 10 not supported/)
  await rejectsWith(VIR_ERR_INVALID_ARG, vol.wipe(1), /unsupported flags \(0x1\) in function virStorageVolWipe/)
  const disk = `<disk type='file'><driver type='raw'/><source file='${vol.getPath()}'/><target dev='vda'/></disk>`
  const domain = await defined(connection, { devices: disk })
  await domain.create()
  await rejectsWith(VIR_ERR_OPERATION_INVALID, vol.wipe(), /running domain uses/)
})

test('all of a raw image has its place if somebody wants that, and it does not shrink below it', async () => {
  const { pool, driver } = await stored()
  const vol = await pool.storageVolCreateXML(volumeXml('a.raw', 2 * MIB))
  assert.equal((await vol.getInfo()).allocation, 0n)

  await vol.resize(4 * MIB, VIR_STORAGE_VOL_RESIZE_ALLOCATE)

  const { capacity, allocation } = await vol.getInfo()
  assert.deepEqual([capacity, allocation], [BigInt(4 * MIB), BigInt(4 * MIB)])
  const less = vol.resize(MIB, VIR_STORAGE_VOL_RESIZE_SHRINK)
  await rejectsWith(VIR_ERR_INVALID_ARG, less, /can't shrink capacity below existing allocation/)
  const storage: StorageOps = { ...driver.storage }
  delete storage.shrinkVolume
  delete storage.allocateVolume
  const poor = await connectionOf({ ...driver, storage }, { uri: 'memory:///poor' })
  await poor.storagePoolCreateXML(poolXml('poor', '/poor'))
  const other = await (await poor.storagePoolLookupByName('poor')).storageVolCreateXML(volumeXml('b.raw', 2 * MIB))
  for (const flag of [VIR_STORAGE_VOL_RESIZE_SHRINK, VIR_STORAGE_VOL_RESIZE_ALLOCATE]) {
    await rejectsWith(VIR_ERR_ARGUMENT_UNSUPPORTED, other.resize(MIB, flag | VIR_STORAGE_VOL_RESIZE_SHRINK), /RESIZE_/)
  }
})

test('what the file system says of images and folders is told, where a host tells it', async () => {
  const { driver } = await stored()
  const facts = {
    mode: 0o640,
    owner: 7,
    group: 8,
    accessedNs: 1_000_000_000n,
    modifiedNs: 1_000_000_001n,
    changedNs: 2n,
  }
  const storage = { ...driver.storage, fileFacts: async () => ({ bytes: 12_345, ...facts }) }
  const connection = await connectionOf({ ...driver, storage }, { uri: 'memory:///telling' })
  const pool = await connection.storagePoolCreateXML(poolXml('telling', '/telling'))
  const vol = await pool.storageVolCreateXML(volumeXml('a.raw', MIB))

  const permissions = /<permissions>\s*<mode>0640<\/mode>\s*<owner>7<\/owner>\s*<group>8<\/group>\s*<\/permissions>/
  const described = await vol.getXMLDesc()
  assert.match(described, permissions)
  assert.match(described, /<physical unit='bytes'>12345<\/physical>/)
  assert.match(described, /<atime>1<\/atime>\s*<mtime>1\.000000001<\/mtime>\s*<ctime>0\.000000002<\/ctime>/)
  assert.match(await pool.getXMLDesc(), permissions)
  assert.doesNotMatch(await pool.getXMLDesc(VIR_STORAGE_XML_INACTIVE), permissions)
  assert.equal((await vol.getInfoFlags(VIR_STORAGE_VOL_GET_PHYSICAL)).allocation, 12_345n)
  assert.equal((await vol.getInfoFlags()).allocation, 0n)
  const copy = await pool.storageVolCreateXMLFrom(described.replace('a.raw', 'b.raw'), vol)
  assert.equal(copy.getName(), 'b.raw')
})
