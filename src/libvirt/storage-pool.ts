import type { ImageFormat, RepositoryConfig, StorageOps, StorageRoot, Volume } from '../drivers/driver.ts'
import {
  VIR_ERR_CONFIG_UNSUPPORTED,
  VIR_ERR_INTERNAL_ERROR,
  VIR_ERR_INVALID_ARG,
  VIR_ERR_NO_STORAGE_POOL,
  VIR_ERR_NO_STORAGE_VOL,
  VIR_ERR_NO_SUPPORT,
  VIR_ERR_OPERATION_INVALID,
  VIR_ERR_OPERATION_UNSUPPORTED,
  VIR_ERR_STORAGE_VOL_EXIST,
} from './error-numbers.ts'
import { checkFlags, type FunctionName, has } from './flag-check.ts'
import {
  VIR_STORAGE_POOL_DELETE_ZEROED,
  VIR_STORAGE_POOL_INACTIVE,
  VIR_STORAGE_POOL_RUNNING,
  VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA,
  VIR_STORAGE_VOL_CREATE_REFLINK,
  VIR_STORAGE_VOL_CREATE_VALIDATE,
  VIR_STORAGE_XML_INACTIVE,
} from './flags/index.ts'
import type { Host } from './host.ts'
import { checkBuild, checkCreation, refuseFormat } from './pool-building.ts'
import { fileName, type PoolPlace, poolKeeper, poolsOf, sizesOf } from './pool-place.ts'
import { firstOf } from './room.ts'
import { StorageVol } from './storage-vol.ts'
import { uuidBytes } from './uuid.ts'
import { type PoolSizes, writePool } from './xml/storage-pool.ts'
import { readVolume, type VolumeDescription } from './xml/storage-volume.ts'
import { volumeNamed } from './volume-name.ts'

/** What a pool has, in bytes. */
export interface StoragePoolInfo {
  /** `VIR_STORAGE_POOL_RUNNING`, or `VIR_STORAGE_POOL_INACTIVE`: then the rest is 0. */
  readonly state: number
  /** Of the file system that it is on. */
  readonly capacity: bigint
  /** What of that is taken, by whomever. */
  readonly allocation: bigint
  readonly available: bigint
}

const CREATE_VOL = {
  known: VIR_STORAGE_VOL_CREATE_VALIDATE | VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA,
  refused: { VIR_STORAGE_VOL_CREATE_REFLINK },
}

const NOTHING: PoolSizes = { capacityBytes: 0, allocationBytes: 0, availableBytes: 0 }

/** A volume of a pool, by the name that the pool has for it. */
type Member = { readonly name: string; readonly volume: Volume } | { readonly name: string; readonly root: StorageRoot }

/** A folder of a host with its images, or all its file systems (`Primordial`), as it was found. */
export class StoragePool {
  readonly #host: Host
  readonly #uuid: string
  readonly #name: string

  constructor(host: Host, { uuid, name }: Pick<PoolPlace, 'uuid' | 'name'>) {
    this.#host = host
    this.#uuid = uuid
    this.#name = name
  }

  /** The name that no other pool of its host has (virStoragePoolGetName). */
  getName(): string {
    return this.#name
  }

  /** Its UUID in 16 octets (virStoragePoolGetUUID). */
  getUUID(): Uint8Array {
    return uuidBytes(this.#uuid)
  }

  /** Its UUID in lower case with hyphens (virStoragePoolGetUUIDString). */
  getUUIDString(): string {
    return this.#uuid
  }

  /** What it has and has room for (virStoragePoolGetInfo). */
  async getInfo(): Promise<StoragePoolInfo> {
    return this.#read('virStoragePoolGetInfo', async (place, storage) => {
      const { capacityBytes, allocationBytes, availableBytes } = await sizes(place, storage)
      return {
        state: place.isActive ? VIR_STORAGE_POOL_RUNNING : VIR_STORAGE_POOL_INACTIVE,
        capacity: BigInt(capacityBytes),
        allocation: BigInt(allocationBytes),
        available: BigInt(availableBytes),
      }
    })
  }

  /** Describes it in libvirt's XML (virStoragePoolGetXMLDesc). */
  async getXMLDesc(flags = 0): Promise<string> {
    return this.#read('virStoragePoolGetXMLDesc', async (place, storage) => {
      checkFlags('virStoragePoolGetXMLDesc', flags, { known: VIR_STORAGE_XML_INACTIVE })
      const { name, uuid, repository } = place
      const top = this.#host.kind.hasWindowsPaths ? '\\\\.\\' : '/'
      // Its definition stays as it is while volumes come and grow: whoever edits it has to find it unchanged.
      const pool = { name, uuid, path: repository?.location ?? top }
      if (has(flags, VIR_STORAGE_XML_INACTIVE) || !place.isActive) return writePool(pool, NOTHING)
      const found = await sizes(place, storage)
      return writePool(pool, found, repository && (await storage.fileFacts?.(repository.location)))
    })
  }

  /** Whether it can be used (virStoragePoolIsActive). */
  async isActive(): Promise<boolean> {
    return this.#read('virStoragePoolIsActive', async ({ isActive }) => isActive)
  }

  /** Whether it stays when it is stopped (virStoragePoolIsPersistent). */
  async isPersistent(): Promise<boolean> {
    return this.#read('virStoragePoolIsPersistent', async ({ isPersistent }) => isPersistent)
  }

  /** Whether it is there when the host has started (virStoragePoolGetAutostart). */
  async getAutostart(): Promise<boolean> {
    return this.#read('virStoragePoolGetAutostart', async ({ autostart }) => autostart)
  }

  /** Whether it is to be started with its host, where it is not active (virStoragePoolSetAutostart). */
  async setAutostart(autostart: boolean | number): Promise<void> {
    const isWanted = autostart !== false && autostart !== 0
    return this.#change('virStoragePoolSetAutostart', async ({ isOwn, isPersistent, autostart: before }) => {
      if (isWanted === before) return
      if (isOwn) throw this.#own('it is always there')
      if (!isPersistent) throw this.#host.error(VIR_ERR_INVALID_ARG, 'pool has no config file')
      await poolKeeper(this.#host).setAutostart(this.#uuid, isWanted)
    })
  }

  /**
   * Looks at it again, as every function does, and rejects where it cannot be used; who listens is told, whether or not its
   * volumes are others (virStoragePoolRefresh).
   */
  async refresh(flags = 0): Promise<void> {
    await this.#changeVolumes('virStoragePoolRefresh', async ({ repository }, storage) => {
      checkFlags('virStoragePoolRefresh', flags, {})
      if (repository !== undefined) await storage.openRepository(repository)
    })
    // A server tells of those volumes by itself that are others.
    this.#host.company.pools?.tell(this.#uuid, 'refreshed')
  }

  /** Makes its folder where it is missing, and looks whether it can be used (virStoragePoolBuild). */
  async build(flags = 0): Promise<void> {
    return this.#change('virStoragePoolBuild', async ({ isActive, repository }, storage) => {
      checkBuild('virStoragePoolBuild', flags)
      this.#demandInactive(isActive, 'already active')
      refuseFormat(this.#host, this.#name, flags, 'build')
      if (repository !== undefined) await storage.openRepository(repository)
      poolKeeper(this.#host).tell(this.#uuid, 'created')
    })
  }

  /** Makes it active, and its folder where it is missing (virStoragePoolCreate). */
  async create(flags = 0): Promise<void> {
    return this.#change('virStoragePoolCreate', async ({ isActive, repository }, storage) => {
      checkCreation('virStoragePoolCreate', flags)
      this.#demandInactive(isActive, 'already active')
      refuseFormat(this.#host, this.#name, flags, 'create')
      if (repository !== undefined) await storage.openRepository(repository)
      await poolKeeper(this.#host).start(this.#uuid)
    })
  }

  /**
   * Makes it inactive, or forgets it where it is not persistent; its folder and images stay. One that the host has by itself
   * cannot be stopped (virStoragePoolDestroy).
   */
  async destroy(): Promise<void> {
    return this.#changeActive('virStoragePoolDestroy', async ({ isOwn }) => {
      if (isOwn) throw this.#own('it cannot be stopped')
      await poolKeeper(this.#host).stop(this.#uuid)
    })
  }

  /** Deletes the folder of one that is not active, which must be empty (virStoragePoolDelete). */
  async delete(flags = 0): Promise<void> {
    const name = 'virStoragePoolDelete'
    return this.#change(name, async ({ isActive, repository }, storage) => {
      checkFlags(name, flags, { refused: { VIR_STORAGE_POOL_DELETE_ZEROED } })
      this.#demandInactive(isActive, 'still active')
      if (storage.removeRepository === undefined) throw this.#host.error(VIR_ERR_NO_SUPPORT, name)
      if (repository !== undefined) await storage.removeRepository(repository)
      poolKeeper(this.#host).tell(this.#uuid, 'deleted')
    })
  }

  /** Forgets one that is not active; its folder and images stay (virStoragePoolUndefine). */
  async undefine(): Promise<void> {
    return this.#change('virStoragePoolUndefine', async ({ isActive }) => {
      this.#demandInactive(isActive, 'still active')
      await poolKeeper(this.#host).undefine(this.#uuid)
    })
  }

  /** How many volumes it has (virStoragePoolNumOfVolumes). */
  async numOfVolumes(): Promise<number> {
    const name = 'virStoragePoolNumOfVolumes'
    return this.#readActive(name, async ({ repository }, storage) => (await this.#members(storage, repository)).length)
  }

  /** The names of the first `maxnames` of its volumes (virStoragePoolListVolumes). */
  async listVolumes(maxnames?: number): Promise<string[]> {
    const name = 'virStoragePoolListVolumes'
    return this.#readActive(name, async ({ repository }, storage) => {
      const members = await this.#members(storage, repository)
      return firstOf(members, maxnames, name).map(member => member.name)
    })
  }

  /** Its volumes (virStoragePoolListAllVolumes). */
  async listAllVolumes(flags = 0): Promise<StorageVol[]> {
    return this.#readActive('virStoragePoolListAllVolumes', async ({ repository }, storage) => {
      checkFlags('virStoragePoolListAllVolumes', flags, {})
      return (await this.#members(storage, repository)).map(member => this.#vol(member))
    })
  }

  /** The volume of this name: that of its file, with its ending or without (virStorageVolLookupByName). */
  async storageVolLookupByName(name: string): Promise<StorageVol> {
    return this.#readActive('virStorageVolLookupByName', async ({ repository }, storage) => {
      const members = await this.#members(storage, repository)
      const found =
        members.find(member => member.name === name) ??
        members.find(member => 'volume' in member && member.volume.name === name)
      if (found !== undefined) return this.#vol(found)
      throw this.#host.error(VIR_ERR_NO_STORAGE_VOL, `no storage vol with matching name '${name}'`)
    })
  }

  /**
   * Makes an empty image. Its format is that of the description, else that of the ending of its name, else what the host
   * makes first; images grow as they are written, whatever allocation is wished for. Of qcow2, where each part of the image
   * goes can be laid down from the start, with `VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA` (virStorageVolCreateXML).
   */
  async storageVolCreateXML(xml: string, flags = 0): Promise<StorageVol> {
    return this.#changeVolumes('virStorageVolCreateXML', async ({ repository }, storage) => {
      checkFlags('virStorageVolCreateXML', flags, CREATE_VOL)
      const described = readVolume(xml)
      const { folder, isTaken, ...place } = await this.#placeFor(described, repository, storage)
      if (isTaken) {
        throw this.#host.error(VIR_ERR_STORAGE_VOL_EXIST, `storage volume '${described.name}' exists already`)
      }
      if (described.capacityBytes === 0)
        throw this.#host.error(VIR_ERR_INVALID_ARG, 'capacity of a volume must not be 0')
      const made = await storage.createVolume(folder, {
        ...place,
        virtualBytes: described.capacityBytes,
        ...this.#layout(flags, place.format),
      })
      return new StorageVol(this.#host, made.location)
    })
  }

  /** Makes an image with what another holds, at least as large, sharing nothing with it; flags as for `storageVolCreateXML` (virStorageVolCreateXMLFrom). */
  async storageVolCreateXMLFrom(xml: string, clonevol: StorageVol, flags = 0): Promise<StorageVol> {
    return this.#changeVolumes('virStorageVolCreateXMLFrom', async ({ repository }, storage) => {
      checkFlags('virStorageVolCreateXMLFrom', flags, CREATE_VOL)
      const described = readVolume(xml)
      const [original, { folder, isTaken, ...place }] = await Promise.all([
        this.#original(storage, clonevol),
        this.#placeFor(described, repository, storage),
      ])
      if (isTaken) {
        throw this.#host.error(VIR_ERR_INTERNAL_ERROR, `storage volume name '${described.name}' already in use.`)
      }
      const virtualBytes = Math.max(described.capacityBytes, original.virtualBytes)
      const copy = { ...place, virtualBytes, ...this.#layout(flags, place.format) }
      const made = await storage.copyVolume(original.location, folder, copy)
      return new StorageVol(this.#host, made.location)
    })
  }

  /** Source: libvirt, src/storage/storage_util.c, createRawFile, virStorageBackendCreateQemuImgCheckEncryption. */
  #layout(flags: number, format: ImageFormat): { readonly preallocation?: 'metadata' } {
    if (!has(flags, VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA)) return {}
    if (format === 'qcow2') return { preallocation: 'metadata' }
    const [ofRaw, ofOthers] = ['is not supported for raw volumes', 'only available with qcow2']
    const text = `metadata preallocation ${format === 'raw' ? ofRaw : ofOthers}`
    throw this.#host.error(VIR_ERR_CONFIG_UNSUPPORTED, text)
  }

  /** Where an image that is described goes, and whether there is one already. Rejects where it cannot be. */
  async #placeFor(described: VolumeDescription, repository: RepositoryConfig | undefined, storage: StorageOps) {
    if (repository === undefined) {
      throw this.#host.error(
        VIR_ERR_OPERATION_UNSUPPORTED,
        `volumes of ${this.#name} are file systems, none are created`,
      )
    }
    const place = volumeNamed(described, storage.formats)
    const { name, format } = place
    if (!storage.formats.includes(format)) {
      const text = `the host makes images of ${storage.formats.join(', ')}, not ${format}`
      throw this.#host.error(VIR_ERR_CONFIG_UNSUPPORTED, text)
    }
    if (described.name.includes('/')) {
      const text = `volume name '${described.name}' cannot contain '/'`
      throw this.#host.error(VIR_ERR_OPERATION_INVALID, text)
    }
    const present = await storage.listVolumes(repository)
    const isTaken = present.some(
      volume => volume.name === name || fileName(this.#host, volume.location) === described.name,
    )
    return { folder: repository, isTaken, ...place }
  }

  async #original(storage: StorageOps, clonevol: StorageVol): Promise<Volume> {
    return storage.getVolume(clonevol.getPath())
  }

  async #members(storage: StorageOps, repository: RepositoryConfig | undefined): Promise<readonly Member[]> {
    if (repository === undefined) {
      return ((await storage.roots?.()) ?? []).map(root => ({ name: root.location, root }))
    }
    const volumes = await storage.listVolumes(repository)
    return volumes.map(volume => ({ name: fileName(this.#host, volume.location), volume }))
  }

  #vol(member: Member): StorageVol {
    if ('root' in member) return new StorageVol(this.#host, member.root.location, true)
    return new StorageVol(this.#host, member.volume.location)
  }

  #own(text: string) {
    return this.#host.error(
      VIR_ERR_OPERATION_UNSUPPORTED,
      `the host has the storage pool '${this.#name}' by itself; ${text}`,
    )
  }

  #demandInactive(isActive: boolean, text: string): void {
    if (!isActive) return
    throw this.#host.error(VIR_ERR_OPERATION_INVALID, `storage pool '${this.#name}' is ${text}`)
  }

  #demandActive(isActive: boolean): void {
    if (isActive) return
    throw this.#host.error(VIR_ERR_OPERATION_INVALID, `storage pool '${this.#name}' is not active`)
  }

  #read<T>(name: FunctionName, run: (place: PoolPlace, storage: StorageOps) => Promise<T>): Promise<T> {
    return this.#host.read(name, VIR_ERR_NO_STORAGE_VOL, async () => run(...(await this.#place(name))))
  }

  #readActive<T>(name: FunctionName, run: (place: PoolPlace, storage: StorageOps) => Promise<T>): Promise<T> {
    return this.#read(name, async (place, storage) => {
      this.#demandActive(place.isActive)
      return run(place, storage)
    })
  }

  #change<T>(name: FunctionName, run: (place: PoolPlace, storage: StorageOps) => Promise<T>): Promise<T> {
    return this.#host.change(name, VIR_ERR_NO_STORAGE_VOL, async () => run(...(await this.#place(name))))
  }

  /** Changes what is in it, while nobody else does. */
  #changeVolumes<T>(name: FunctionName, run: (place: PoolPlace, storage: StorageOps) => Promise<T>): Promise<T> {
    return this.#changeActive(name, (place, storage) =>
      poolKeeper(this.#host).changing([this.#uuid], () => run(place, storage)),
    )
  }

  #changeActive<T>(name: FunctionName, run: (place: PoolPlace, storage: StorageOps) => Promise<T>): Promise<T> {
    return this.#change(name, async (place, storage) => {
      this.#demandActive(place.isActive)
      return run(place, storage)
    })
  }

  async #place(name: FunctionName): Promise<[PoolPlace, StorageOps]> {
    const found = (await poolsOf(this.#host, name)).find(({ uuid }) => uuid === this.#uuid)
    if (found !== undefined) return [found, this.#host.group(name, 'storage')]
    const text = `no storage pool with matching uuid '${this.#uuid}' (${this.#name})`
    throw this.#host.error(VIR_ERR_NO_STORAGE_POOL, text)
  }
}

/** Of one that is not active nothing is known. */
const sizes = async ({ isActive, repository }: PoolPlace, storage: StorageOps): Promise<PoolSizes> =>
  isActive ? sizesOf(storage, repository) : NOTHING
