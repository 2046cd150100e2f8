import type { Driver, HostRepository, StorageRoot } from '../../src/drivers/driver.ts'
import { connectionOf } from '../../src/libvirt/index.ts'
import { poolXml, world } from './world.ts'

const MIB = 1_048_576
const OWN: HostRepository = { type: 'memory', location: '/own', name: 'own' }
const ROOT: StorageRoot = { location: '/', capacityBytes: 100 * MIB, freeBytes: 60 * MIB }

/** A host with a pool that was created, one that it has by itself, and a file system to tell of. */
export async function stored() {
  const { driver } = await world()
  await driver.storage.openRepository({ type: 'memory', location: OWN.location })
  const storage = { ...driver.storage, roots: async () => [ROOT], repositories: async () => [OWN] }
  const withRoots: Driver = { ...driver, storage }
  const connection = await connectionOf(withRoots, { uri: 'memory:///stored' })
  const pool = await connection.storagePoolCreateXML(poolXml('images', '/images'))
  return { driver, connection, pool }
}
