import type { StorageOps } from '../drivers/driver.ts'
import { ConnectionWithNetworks } from './connection-networks.ts'
import {
  VIR_ERR_INVALID_ARG,
  VIR_ERR_NO_STORAGE_POOL,
  VIR_ERR_NO_STORAGE_VOL,
  VIR_ERR_OPERATION_FAILED,
} from './error-numbers.ts'
import { checkFlags, type FunctionName, has } from './flag-check.ts'
import {
  VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE,
  VIR_CONNECT_LIST_STORAGE_POOLS_AUTOSTART,
  VIR_CONNECT_LIST_STORAGE_POOLS_DIR,
  VIR_CONNECT_LIST_STORAGE_POOLS_INACTIVE,
  VIR_CONNECT_LIST_STORAGE_POOLS_NO_AUTOSTART,
  VIR_CONNECT_LIST_STORAGE_POOLS_OTHER_TYPES,
  VIR_CONNECT_LIST_STORAGE_POOLS_PERSISTENT,
  VIR_CONNECT_LIST_STORAGE_POOLS_TRANSIENT,
  VIR_STORAGE_POOL_CREATE_WITH_BUILD,
  VIR_STORAGE_POOL_CREATE_WITH_BUILD_NO_OVERWRITE,
  VIR_STORAGE_POOL_CREATE_WITH_BUILD_OVERWRITE,
} from './flags/index.ts'
import { createdPlace, folderKey, folderOf, type PoolPlace, poolsOf } from './pool-place.ts'
import { POOLS_MAX } from './remembered.ts'
import { firstOf } from './room.ts'
import { StoragePool } from './storage-pool.ts'
import { StorageVol } from './storage-vol.ts'
import { uuidOf } from './uuid.ts'
import { readPool } from './xml/storage-pool.ts'

const STATES = VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE | VIR_CONNECT_LIST_STORAGE_POOLS_INACTIVE
const TYPES = VIR_CONNECT_LIST_STORAGE_POOLS_DIR | VIR_CONNECT_LIST_STORAGE_POOLS_OTHER_TYPES
const KINDS = [
  [VIR_CONNECT_LIST_STORAGE_POOLS_PERSISTENT, VIR_CONNECT_LIST_STORAGE_POOLS_TRANSIENT],
  [VIR_CONNECT_LIST_STORAGE_POOLS_AUTOSTART, VIR_CONNECT_LIST_STORAGE_POOLS_NO_AUTOSTART],
] as const
const FILTERS = KINDS.flat().reduce((sum, flag) => sum | flag, STATES | TYPES)
// A folder that is missing is made in any case, and never written over.
const CREATE = {
  known: VIR_STORAGE_POOL_CREATE_WITH_BUILD | VIR_STORAGE_POOL_CREATE_WITH_BUILD_NO_OVERWRITE,
  refused: { VIR_STORAGE_POOL_CREATE_WITH_BUILD_OVERWRITE },
}

/** The storage pools and volumes of a host. */
export class ConnectionWithStorage extends ConnectionWithNetworks {
  /** How many pools can be used (virConnectNumOfStoragePools). */
  async numOfStoragePools(): Promise<number> {
    return this.#read('virConnectNumOfStoragePools', ({ length }) => length)
  }

  /** The names of the first `maxnames` of these (virConnectListStoragePools). */
  async listStoragePools(maxnames?: number): Promise<string[]> {
    return this.#read('virConnectListStoragePools', pools =>
      firstOf(pools, maxnames, 'virConnectListStoragePools').map(({ name }) => name),
    )
  }

  /** How many cannot: none, since a pool that a host has can be used (virConnectNumOfDefinedStoragePools). */
  async numOfDefinedStoragePools(): Promise<number> {
    return this.#read('virConnectNumOfDefinedStoragePools', () => 0)
  }

  /** The names of the first `maxnames` of these (virConnectListDefinedStoragePools). */
  async listDefinedStoragePools(maxnames?: number): Promise<string[]> {
    const name = 'virConnectListDefinedStoragePools'
    return this.#read(name, () => firstOf([], maxnames, name))
  }

  /** All pools, or those that `VIR_CONNECT_LIST_STORAGE_POOLS_` flags are for (virConnectListAllStoragePools). */
  async listAllStoragePools(flags = 0): Promise<StoragePool[]> {
    return this.#read('virConnectListAllStoragePools', pools => {
      checkFlags('virConnectListAllStoragePools', flags, { known: FILTERS })
      const isActiveWanted = !has(flags, STATES) || has(flags, VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE)
      const isTypeWanted = !has(flags, TYPES) || has(flags, VIR_CONNECT_LIST_STORAGE_POOLS_DIR)
      if (!isActiveWanted || !isTypeWanted) return []
      const isWanted = ({ isPersistent }: PoolPlace) =>
        KINDS.every(([yes, no]) => !has(flags, yes | no) || has(flags, isPersistent ? yes : no))
      return pools.filter(isWanted).map(pool => new StoragePool(this.host, pool))
    })
  }

  /** The pool of this name; rejects with `VIR_ERR_NO_STORAGE_POOL` (virStoragePoolLookupByName). */
  async storagePoolLookupByName(name: string): Promise<StoragePool> {
    const missing = `no storage pool with matching name '${name}'`
    return this.#lookUp('virStoragePoolLookupByName', pool => pool.name === name, missing)
  }

  /** The pool of this UUID, text or 16 octets; rejects with `VIR_ERR_NO_STORAGE_POOL` (virStoragePoolLookupByUUID). */
  async storagePoolLookupByUUID(uuid: string | Uint8Array): Promise<StoragePool> {
    return this.#byUuid('virStoragePoolLookupByUUID', uuid)
  }

  /** As `storagePoolLookupByUUID`, of text (virStoragePoolLookupByUUIDString). */
  async storagePoolLookupByUUIDString(uuid: string): Promise<StoragePool> {
    return this.#byUuid('virStoragePoolLookupByUUIDString', uuid)
  }

  /** The pool whose folder a volume is in; rejects with `VIR_ERR_NO_STORAGE_POOL` (virStoragePoolLookupByVolume). */
  async storagePoolLookupByVolume(vol: StorageVol): Promise<StoragePool> {
    const folder = folderKey(this.host, folderOf(this.host, vol.getPath()))
    const missing = `no storage pool has the volume '${vol.getPath()}'`
    const isIt = ({ repository }: PoolPlace) =>
      StorageVol.isFileSystem(vol) ? repository === undefined : this.#isFolder(repository, folder)
    return this.#lookUp('virStoragePoolLookupByVolume', isIt, missing)
  }

  /** The pool of this folder; rejects with `VIR_ERR_NO_STORAGE_POOL` (virStoragePoolLookupByTargetPath). */
  async storagePoolLookupByTargetPath(path: string): Promise<StoragePool> {
    const folder = folderKey(this.host, path)
    const missing = `no storage pool with matching target path '${path}'`
    return this.#lookUp('virStoragePoolLookupByTargetPath', pool => this.#isFolder(pool.repository, folder), missing)
  }

  /**
   * Makes a folder of the host a pool, and the folder where it is missing. Hosts keep no such pools: this process remembers
   * it until it is destroyed (virStoragePoolCreateXML).
   */
  async storagePoolCreateXML(xml: string, flags = 0): Promise<StoragePool> {
    const name = 'virStoragePoolCreateXML'
    return this.host.change(name, VIR_ERR_NO_STORAGE_POOL, async () => {
      checkFlags(name, flags, CREATE)
      const storage = this.host.group(name, 'storage')
      const { name: called, uuid, path } = readPool(xml, { hostId: this.host.info.id, kind: this.host.kind })
      const pool = { name: called, uuid, type: storage.types[0] ?? '', location: path }
      this.#assertNew(await poolsOf(this.host, name), createdPlace(pool))
      await storage.openRepository({ type: pool.type, location: path })
      this.host.remembered.pools.set(uuid, pool)
      return new StoragePool(this.host, pool)
    })
  }

  /**
   * The image at this path, in whatever folder, or the file system that begins there; rejects with
   * `VIR_ERR_NO_STORAGE_VOL` (virStorageVolLookupByPath).
   */
  async storageVolLookupByPath(path: string): Promise<StorageVol> {
    return this.#volume('virStorageVolLookupByPath', path)
  }

  /** As `storageVolLookupByPath`: keys are paths (virStorageVolLookupByKey). */
  async storageVolLookupByKey(key: string): Promise<StorageVol> {
    return this.#volume('virStorageVolLookupByKey', key)
  }

  async #volume(name: FunctionName, path: string): Promise<StorageVol> {
    return this.host.read(name, VIR_ERR_NO_STORAGE_VOL, async () => {
      if (path === '') throw this.host.error(VIR_ERR_INVALID_ARG, `path in ${name} must not be empty`)
      const storage = this.host.group(name, 'storage')
      return (
        (await this.#fileSystem(storage, path)) ?? new StorageVol(this.host, (await storage.getVolume(path)).location)
      )
    })
  }

  /** Only where the path is as short as one can be: it is not worth a question else. */
  async #fileSystem(storage: StorageOps, path: string): Promise<StorageVol | undefined> {
    if (!/^([A-Za-z]:)?[\\/]?$/.test(path)) return undefined
    const key = folderKey(this.host, path)
    const root = (await storage.roots?.())?.find(({ location }) => folderKey(this.host, location) === key)
    return root && new StorageVol(this.host, root.location, true)
  }

  /** Source: libvirt, src/conf/virstorageobj.c: names, UUIDs and places are each of one pool. */
  #assertNew(pools: readonly PoolPlace[], pool: PoolPlace): void {
    if (this.host.remembered.pools.size >= POOLS_MAX) {
      throw this.host.error(VIR_ERR_OPERATION_FAILED, `there are ${POOLS_MAX} pools that were created already`)
    }
    const same = pools.find(({ name, uuid }) => name === pool.name || uuid === pool.uuid)
    if (same !== undefined) {
      throw this.host.error(VIR_ERR_OPERATION_FAILED, `pool '${same.name}' already exists with uuid ${same.uuid}`)
    }
    const folder = folderKey(this.host, pool.repository?.location ?? '')
    const there = pools.find(({ repository }) => this.#isFolder(repository, folder))
    if (there !== undefined) {
      throw this.host.error(VIR_ERR_OPERATION_FAILED, `Storage source conflict with pool: '${there.name}'`)
    }
  }

  #isFolder(repository: PoolPlace['repository'], folder: string): boolean {
    return repository !== undefined && folderKey(this.host, repository.location) === folder
  }

  async #byUuid(name: FunctionName, given: string | Uint8Array): Promise<StoragePool> {
    const uuid = await this.host.read(name, VIR_ERR_NO_STORAGE_POOL, async () => uuidOf(name, given))
    return this.#lookUp(name, pool => pool.uuid === uuid, `no storage pool with matching uuid '${uuid}'`)
  }

  #lookUp(name: FunctionName, isIt: (pool: PoolPlace) => boolean, missing: string): Promise<StoragePool> {
    return this.#read(name, pools => {
      const found = pools.find(isIt)
      if (found !== undefined) return new StoragePool(this.host, found)
      throw this.host.error(VIR_ERR_NO_STORAGE_POOL, missing)
    })
  }

  #read<T>(name: FunctionName, tell: (pools: readonly PoolPlace[]) => T): Promise<T> {
    return this.host.read(name, VIR_ERR_NO_STORAGE_POOL, async () => tell(await poolsOf(this.host, name)))
  }
}
