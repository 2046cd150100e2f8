import { DriverError, type StorageOps, type Volume } from '../drivers/driver.ts'
import { ConnectionWithNetworks, subscribe } from './connection-networks.ts'
import {
  VIR_ERR_ARGUMENT_UNSUPPORTED,
  VIR_ERR_INTERNAL_ERROR,
  VIR_ERR_INVALID_ARG,
  VIR_ERR_NO_STORAGE_POOL,
  VIR_ERR_NO_STORAGE_VOL,
  VIR_ERR_NO_SUPPORT,
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
  VIR_STORAGE_POOL_DEFINE_VALIDATE,
  VIR_STORAGE_POOL_EVENT_CREATED,
  VIR_STORAGE_POOL_EVENT_DEFINED,
  VIR_STORAGE_POOL_EVENT_DELETED,
  VIR_STORAGE_POOL_EVENT_ID_LIFECYCLE,
  VIR_STORAGE_POOL_EVENT_ID_REFRESH,
  VIR_STORAGE_POOL_EVENT_STARTED,
  VIR_STORAGE_POOL_EVENT_STOPPED,
  VIR_STORAGE_POOL_EVENT_UNDEFINED,
} from './flags/index.ts'
import type { NewPool, PoolDeed } from './kept-pools.ts'
import { checkCreation, refuseFormat } from './pool-building.ts'
import { folderKey, folderOf, hostPath, type PoolPlace, poolKeeper, poolsOf } from './pool-place.ts'
import { firstOf } from './room.ts'
import { StoragePool } from './storage-pool.ts'
import { StorageVol } from './storage-vol.ts'
import { uuidOf } from './uuid.ts'
import { POOL_TYPES, readPool, writePoolCapabilities } from './xml/storage-pool.ts'

const TYPES = VIR_CONNECT_LIST_STORAGE_POOLS_DIR | VIR_CONNECT_LIST_STORAGE_POOLS_OTHER_TYPES
/** Flags for what pools are and for what they are not, of which one that is given excludes the others. */
const KINDS = [
  [VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE, VIR_CONNECT_LIST_STORAGE_POOLS_INACTIVE, 'isActive'],
  [VIR_CONNECT_LIST_STORAGE_POOLS_PERSISTENT, VIR_CONNECT_LIST_STORAGE_POOLS_TRANSIENT, 'isPersistent'],
  [VIR_CONNECT_LIST_STORAGE_POOLS_AUTOSTART, VIR_CONNECT_LIST_STORAGE_POOLS_NO_AUTOSTART, 'autostart'],
] as const
const FILTERS = KINDS.reduce((sum, [yes, no]) => sum | yes | no, TYPES)
/** How much of a type that there is not an error repeats. */
const TYPE_SHOWN_MAX = 100
const DEFINE = { known: VIR_STORAGE_POOL_DEFINE_VALIDATE }
/** Told what has become of a pool: a `VIR_STORAGE_POOL_EVENT_`, and 0, since nothing more is ever said. */
export type PoolCallback = (pool: StoragePool, event: number, detail: number) => void

/** Told that the volumes of a pool may be others. */
export type PoolRefreshCallback = (pool: StoragePool) => void

/** Source: libvirt, include/libvirt/libvirt-storage.h (virStoragePoolEventLifecycleType). */
const EVENTS: Readonly<Record<Exclude<PoolDeed, 'refreshed'>, number>> = {
  defined: VIR_STORAGE_POOL_EVENT_DEFINED,
  undefined: VIR_STORAGE_POOL_EVENT_UNDEFINED,
  started: VIR_STORAGE_POOL_EVENT_STARTED,
  stopped: VIR_STORAGE_POOL_EVENT_STOPPED,
  created: VIR_STORAGE_POOL_EVENT_CREATED,
  deleted: VIR_STORAGE_POOL_EVENT_DELETED,
}

/** The storage pools and volumes of a host. */
export class ConnectionWithStorage extends ConnectionWithNetworks {
  /** How many pools can be used (virConnectNumOfStoragePools). */
  async numOfStoragePools(): Promise<number> {
    return this.#read('virConnectNumOfStoragePools', pools => pools.filter(isActive).length)
  }

  /** The names of the first `maxnames` of these (virConnectListStoragePools). */
  async listStoragePools(maxnames?: number): Promise<string[]> {
    return this.#read('virConnectListStoragePools', pools =>
      firstOf(pools.filter(isActive), maxnames, 'virConnectListStoragePools').map(({ name }) => name),
    )
  }

  /** How many cannot (virConnectNumOfDefinedStoragePools). */
  async numOfDefinedStoragePools(): Promise<number> {
    return this.#read('virConnectNumOfDefinedStoragePools', pools => pools.filter(isInactive).length)
  }

  /** The names of the first `maxnames` of these (virConnectListDefinedStoragePools). */
  async listDefinedStoragePools(maxnames?: number): Promise<string[]> {
    const name = 'virConnectListDefinedStoragePools'
    return this.#read(name, pools => firstOf(pools.filter(isInactive), maxnames, name).map(pool => pool.name))
  }

  /** All pools, or those that `VIR_CONNECT_LIST_STORAGE_POOLS_` flags are for (virConnectListAllStoragePools). */
  async listAllStoragePools(flags = 0): Promise<StoragePool[]> {
    return this.#read('virConnectListAllStoragePools', pools => {
      checkFlags('virConnectListAllStoragePools', flags, { known: FILTERS })
      if (has(flags, TYPES) && !has(flags, VIR_CONNECT_LIST_STORAGE_POOLS_DIR)) return []
      const isWanted = (pool: PoolPlace) =>
        KINDS.every(([yes, no, field]) => !has(flags, yes | no) || has(flags, pool[field] ? yes : no))
      return pools.filter(isWanted).map(pool => new StoragePool(this.host, pool))
    })
  }

  /** What pools and volumes there can be, in libvirt's XML (virConnectGetStoragePoolCapabilities). */
  async getStoragePoolCapabilities(flags = 0): Promise<string> {
    const name = 'virConnectGetStoragePoolCapabilities'
    return this.host.read(name, VIR_ERR_NO_STORAGE_POOL, async () => {
      checkFlags(name, flags, {})
      return writePoolCapabilities(this.host.group(name, 'storage').formats)
    })
  }

  /**
   * What pools of a type could be made of: of folders nothing is told, as by libvirt, and other types there are not. It
   * rejects, with `VIR_ERR_NO_SUPPORT` where libvirt has the type (virConnectFindStoragePoolSources).
   */
  async findStoragePoolSources(type: string, _srcSpec: string | null = null, flags = 0): Promise<string> {
    const name = 'virConnectFindStoragePoolSources'
    return this.host.change(name, VIR_ERR_NO_STORAGE_POOL, async () => {
      checkFlags(name, flags, {})
      this.host.group(name, 'storage')
      if (!POOL_TYPES.includes(type)) {
        throw this.host.error(VIR_ERR_INTERNAL_ERROR, `unknown storage pool type ${type.slice(0, TYPE_SHOWN_MAX)}`)
      }
      throw this.host.error(VIR_ERR_NO_SUPPORT, `pool type '${type}' does not support source discovery`)
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
    const folder = folderKey(this.host, hostPath(this.host, path))
    const missing = `no storage pool with matching target path '${path}'`
    return this.#lookUp('virStoragePoolLookupByTargetPath', pool => this.#isFolder(pool.repository, folder), missing)
  }

  /**
   * Keeps a folder of the host as a pool that is not active, or one that is active also when it is stopped
   * (virStoragePoolDefineXML).
   */
  async storagePoolDefineXML(xml: string, flags = 0): Promise<StoragePool> {
    const name = 'virStoragePoolDefineXML'
    return this.host.change(name, VIR_ERR_NO_STORAGE_POOL, async () => {
      checkFlags(name, flags, DEFINE)
      const { pool, present } = await this.#described(name, xml)
      if (present?.isActive === true && present.repository?.location !== pool.location) {
        const text = `storage pool '${pool.name}' is active; it cannot get another folder now`
        throw this.host.error(VIR_ERR_OPERATION_FAILED, text)
      }
      await poolKeeper(this.host).define(pool)
      return new StoragePool(this.host, pool)
    })
  }

  /**
   * Makes a folder of the host a pool that is active, and the folder where it is missing. A server keeps it until it is
   * destroyed; elsewhere this process remembers it so long (virStoragePoolCreateXML).
   */
  async storagePoolCreateXML(xml: string, flags = 0): Promise<StoragePool> {
    const name = 'virStoragePoolCreateXML'
    return this.host.change(name, VIR_ERR_NO_STORAGE_POOL, async () => {
      checkCreation(name, flags)
      const { pool, present } = await this.#described(name, xml)
      refuseFormat(this.host, pool.name, flags, 'create')
      if (present?.isActive === true) {
        throw this.host.error(VIR_ERR_OPERATION_FAILED, `pool is already active as '${present.name}'`)
      }
      const { type, location } = pool
      await this.host.group(name, 'storage').openRepository({ type, location })
      await poolKeeper(this.host).create(pool)
      return new StoragePool(this.host, pool)
    })
  }

  /**
   * Calls `callback`, which must not throw, for one pool, or all where it is null, until `storagePoolEventDeregisterAny`
   * with the number that is given: for what becomes of it (`VIR_STORAGE_POOL_EVENT_ID_LIFECYCLE`), or where its volumes may
   * be others (`VIR_STORAGE_POOL_EVENT_ID_REFRESH`). Of hosts that no server manages, what this process does is told
   * (virConnectStoragePoolEventRegisterAny).
   */
  async storagePoolEventRegisterAny(
    pool: StoragePool | null,
    eventID: typeof VIR_STORAGE_POOL_EVENT_ID_LIFECYCLE,
    callback: PoolCallback,
  ): Promise<number>
  async storagePoolEventRegisterAny(
    pool: StoragePool | null,
    eventID: typeof VIR_STORAGE_POOL_EVENT_ID_REFRESH,
    callback: PoolRefreshCallback,
  ): Promise<number>
  async storagePoolEventRegisterAny(pool: StoragePool | null, eventID: number, callback: PoolCallback): Promise<number>
  async storagePoolEventRegisterAny(
    pool: StoragePool | null,
    eventID: number,
    callback: PoolCallback,
  ): Promise<number> {
    const name = 'virConnectStoragePoolEventRegisterAny'
    return this.host.read(name, VIR_ERR_NO_STORAGE_POOL, async () => {
      this.host.group(name, 'storage')
      const isOfLife = eventID === VIR_STORAGE_POOL_EVENT_ID_LIFECYCLE
      if (!isOfLife && eventID !== VIR_STORAGE_POOL_EVENT_ID_REFRESH) {
        const text = `pools have no events ${eventID}; there are VIR_STORAGE_POOL_EVENT_ID_LIFECYCLE and VIR_STORAGE_POOL_EVENT_ID_REFRESH`
        throw this.host.error(VIR_ERR_ARGUMENT_UNSUPPORTED, text)
      }
      return subscribe(this.host, this.subscriptions, () =>
        poolKeeper(this.host).listen(({ pool: which, deed }) => {
          const isMeant = pool === null || pool.getUUIDString() === which.uuid
          if (!isMeant || isOfLife === (deed === 'refreshed')) return
          callback(new StoragePool(this.host, which), deed === 'refreshed' ? 0 : EVENTS[deed], 0)
        }),
      )
    })
  }

  /** Ends that (virConnectStoragePoolEventDeregisterAny). */
  async storagePoolEventDeregisterAny(callbackID: number): Promise<void> {
    return this.host.read('virConnectStoragePoolEventDeregisterAny', VIR_ERR_NO_STORAGE_POOL, async () => {
      if (this.subscriptions.end(callbackID)) return
      throw this.host.error(VIR_ERR_INVALID_ARG, `no event callback ${callbackID}`)
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
      const place = hostPath(this.host, path)
      const root = await this.#fileSystem(storage, place)
      return root ?? new StorageVol(this.host, (await this.#image(name, path, storage.getVolume(place))).location)
    })
  }

  /** The image that is found; where there is none, that is said in libvirt's words, whatever the host calls the place. */
  async #image(name: FunctionName, path: string, found: Promise<Volume>): Promise<Volume> {
    try {
      return await found
    } catch (error) {
      if (!(error instanceof DriverError) || error.kind !== 'not-found') throw error
      const by = name === 'virStorageVolLookupByKey' ? 'key' : 'path'
      throw this.host.error(VIR_ERR_NO_STORAGE_VOL, `no storage vol with matching ${by} '${path}'`, error)
    }
  }

  /** Only where the path is as short as one can be: it is not worth a question else. */
  async #fileSystem(storage: StorageOps, path: string): Promise<StorageVol | undefined> {
    if (!/^([A-Za-z]:)?[\\/]?$/.test(path)) return undefined
    const key = folderKey(this.host, path)
    const root = (await storage.roots?.())?.find(({ location }) => folderKey(this.host, location) === key)
    return root && new StorageVol(this.host, root.location, true)
  }

  /**
   * A pool as it is described, and the one of its name and UUID. Source: libvirt, src/conf/virstorageobj.c: names, UUIDs
   * and places are each of one pool.
   */
  async #described(name: FunctionName, xml: string): Promise<{ pool: NewPool; present: PoolPlace | undefined }> {
    const storage = this.host.group(name, 'storage')
    const pools = await poolsOf(this.host, name)
    const { name: called, uuid, path } = readPool(xml, { hostId: this.host.info.id, kind: this.host.kind })
    const present = pools.find(pool => pool.name === called || pool.uuid === uuid)
    if (present !== undefined && (present.name !== called || present.uuid !== uuid || present.isOwn)) {
      const text = `pool '${present.name}' already exists with uuid ${present.uuid}`
      throw this.host.error(VIR_ERR_OPERATION_FAILED, text)
    }
    const folder = folderKey(this.host, path)
    const there = pools.find(pool => pool !== present && this.#isFolder(pool.repository, folder))
    if (there !== undefined) {
      throw this.host.error(VIR_ERR_OPERATION_FAILED, `Storage source conflict with pool: '${there.name}'`)
    }
    return { pool: { name: called, uuid, type: storage.types[0] ?? '', location: path }, present }
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

const isActive = (pool: PoolPlace): boolean => pool.isActive
const isInactive = (pool: PoolPlace): boolean => !pool.isActive
