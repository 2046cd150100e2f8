import type { RepositoryConfig, StorageOps, StorageRoot, Volume } from '../drivers/driver.ts'
import {
  VIR_ERR_CONFIG_UNSUPPORTED,
  VIR_ERR_INVALID_ARG,
  VIR_ERR_NO_STORAGE_POOL,
  VIR_ERR_NO_STORAGE_VOL,
  VIR_ERR_OPERATION_INVALID,
  VIR_ERR_OPERATION_UNSUPPORTED,
  VIR_ERR_STORAGE_VOL_EXIST,
} from './error-numbers.ts'
import { checkFlags, type FunctionName } from './flag-check.ts'
import {
  VIR_STORAGE_POOL_RUNNING,
  VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA,
  VIR_STORAGE_VOL_CREATE_REFLINK,
  VIR_STORAGE_VOL_CREATE_VALIDATE,
  VIR_STORAGE_XML_INACTIVE,
} from './flags/index.ts'
import type { Host } from './host.ts'
import { fileName, type PoolPlace, poolsOf, sizesOf } from './pool-place.ts'
import { firstOf } from './room.ts'
import { StorageVol } from './storage-vol.ts'
import { uuidBytes } from './uuid.ts'
import { writePool } from './xml/storage-pool.ts'
import { readVolume, type VolumeDescription } from './xml/storage-volume.ts'
import { volumeNamed } from './volume-name.ts'

/** What a pool has, in bytes. */
export interface StoragePoolInfo {
  /** One of `VIR_STORAGE_POOL_`: a pool that is found is running. */
  readonly state: number
  /** Of the file system that it is on. */
  readonly capacity: bigint
  /** What of that is taken, by whomever. */
  readonly allocation: bigint
  readonly available: bigint
}

const CREATE_VOL = {
  known: VIR_STORAGE_VOL_CREATE_VALIDATE,
  refused: { VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA, VIR_STORAGE_VOL_CREATE_REFLINK },
}

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

  /** Its UUID in lower case with hyphens; always that of its name on its host (virStoragePoolGetUUIDString). */
  getUUIDString(): string {
    return this.#uuid
  }

  /** What it has and has room for (virStoragePoolGetInfo). */
  async getInfo(): Promise<StoragePoolInfo> {
    return this.#read('virStoragePoolGetInfo', async ({ repository }, storage) => {
      const { capacityBytes, allocationBytes, availableBytes } = await sizesOf(storage, repository)
      return {
        state: VIR_STORAGE_POOL_RUNNING,
        capacity: BigInt(capacityBytes),
        allocation: BigInt(allocationBytes),
        available: BigInt(availableBytes),
      }
    })
  }

  /** Describes it in libvirt's XML (virStoragePoolGetXMLDesc). */
  async getXMLDesc(flags = 0): Promise<string> {
    return this.#read('virStoragePoolGetXMLDesc', async ({ name, uuid, repository }, storage) => {
      checkFlags('virStoragePoolGetXMLDesc', flags, { known: VIR_STORAGE_XML_INACTIVE })
      const top = this.#host.kind.hasWindowsPaths ? '\\\\.\\' : '/'
      return writePool({ name, uuid, path: repository?.location ?? top }, await sizesOf(storage, repository))
    })
  }

  /** Whether it can be used (virStoragePoolIsActive). */
  async isActive(): Promise<boolean> {
    return this.#read('virStoragePoolIsActive', async () => true)
  }

  /** Whether the host has it by itself; else it is remembered by this process alone (virStoragePoolIsPersistent). */
  async isPersistent(): Promise<boolean> {
    return this.#read('virStoragePoolIsPersistent', async ({ isPersistent }) => isPersistent)
  }

  /** Whether it is there when the host has started: where the host has it by itself (virStoragePoolGetAutostart). */
  async getAutostart(): Promise<boolean> {
    return this.#read('virStoragePoolGetAutostart', async ({ isPersistent }) => isPersistent)
  }

  /** Looks at it again, as every function does, and rejects where it cannot be used (virStoragePoolRefresh). */
  async refresh(flags = 0): Promise<void> {
    return this.#change('virStoragePoolRefresh', async ({ repository }, storage) => {
      checkFlags('virStoragePoolRefresh', flags, {})
      if (repository !== undefined) await storage.openRepository(repository)
    })
  }

  /** Rejects with `VIR_ERR_OPERATION_INVALID`, since it is active (virStoragePoolCreate). */
  async create(flags = 0): Promise<void> {
    return this.#change('virStoragePoolCreate', async () => {
      checkFlags('virStoragePoolCreate', flags, {})
      throw this.#host.error(VIR_ERR_OPERATION_INVALID, `storage pool '${this.#name}' is already active`)
    })
  }

  /** Forgets one that was created here; its folder and images stay. One that the host has by itself cannot be stopped (virStoragePoolDestroy). */
  async destroy(): Promise<void> {
    return this.#change('virStoragePoolDestroy', async ({ isPersistent }) => {
      if (!isPersistent) return void this.#host.remembered.pools.delete(this.#uuid)
      const text = `the host has the storage pool '${this.#name}' by itself; it cannot be stopped`
      throw this.#host.error(VIR_ERR_OPERATION_UNSUPPORTED, text)
    })
  }

  /** How many volumes it has (virStoragePoolNumOfVolumes). */
  async numOfVolumes(): Promise<number> {
    const name = 'virStoragePoolNumOfVolumes'
    return this.#read(name, async ({ repository }, storage) => (await this.#members(storage, repository)).length)
  }

  /** The names of the first `maxnames` of its volumes (virStoragePoolListVolumes). */
  async listVolumes(maxnames?: number): Promise<string[]> {
    const name = 'virStoragePoolListVolumes'
    return this.#read(name, async ({ repository }, storage) => {
      const members = await this.#members(storage, repository)
      return firstOf(members, maxnames, name).map(member => member.name)
    })
  }

  /** Its volumes (virStoragePoolListAllVolumes). */
  async listAllVolumes(flags = 0): Promise<StorageVol[]> {
    return this.#read('virStoragePoolListAllVolumes', async ({ repository }, storage) => {
      checkFlags('virStoragePoolListAllVolumes', flags, {})
      return (await this.#members(storage, repository)).map(member => this.#vol(member))
    })
  }

  /** The volume of this name: that of its file, with its ending or without (virStorageVolLookupByName). */
  async storageVolLookupByName(name: string): Promise<StorageVol> {
    return this.#read('virStorageVolLookupByName', async ({ repository }, storage) => {
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
   * makes first; images grow as they are written, whatever allocation is wished for (virStorageVolCreateXML).
   */
  async storageVolCreateXML(xml: string, flags = 0): Promise<StorageVol> {
    return this.#change('virStorageVolCreateXML', async ({ repository }, storage) => {
      checkFlags('virStorageVolCreateXML', flags, CREATE_VOL)
      const described = readVolume(xml)
      const { folder, name, format } = await this.#placeFor(described, repository, storage)
      if (described.capacityBytes === 0)
        throw this.#host.error(VIR_ERR_INVALID_ARG, 'capacity of a volume must not be 0')
      const made = await storage.createVolume(folder, { name, format, virtualBytes: described.capacityBytes })
      return new StorageVol(this.#host, made.location)
    })
  }

  /** Makes an image with what another holds, at least as large, sharing nothing with it (virStorageVolCreateXMLFrom). */
  async storageVolCreateXMLFrom(xml: string, clonevol: StorageVol, flags = 0): Promise<StorageVol> {
    return this.#change('virStorageVolCreateXMLFrom', async ({ repository }, storage) => {
      checkFlags('virStorageVolCreateXMLFrom', flags, CREATE_VOL)
      const described = readVolume(xml)
      const [original, { folder, name, format }] = await Promise.all([
        this.#original(storage, clonevol),
        this.#placeFor(described, repository, storage),
      ])
      const virtualBytes = Math.max(described.capacityBytes, original.virtualBytes)
      const made = await storage.copyVolume(original.location, folder, { name, format, virtualBytes })
      return new StorageVol(this.#host, made.location)
    })
  }

  /** Where an image that is described goes. Rejects where there is one already, or it cannot be. */
  async #placeFor(described: VolumeDescription, repository: RepositoryConfig | undefined, storage: StorageOps) {
    if (repository === undefined) {
      throw this.#host.error(
        VIR_ERR_OPERATION_UNSUPPORTED,
        `volumes of ${this.#name} are file systems, none are created`,
      )
    }
    const { name, format } = volumeNamed(described, storage.formats)
    if (!storage.formats.includes(format)) {
      const text = `the host makes images of ${storage.formats.join(', ')}, not ${format}`
      throw this.#host.error(VIR_ERR_CONFIG_UNSUPPORTED, text)
    }
    const present = await storage.listVolumes(repository)
    if (present.some(volume => volume.name === name || fileName(this.#host, volume.location) === described.name)) {
      throw this.#host.error(VIR_ERR_STORAGE_VOL_EXIST, `'${described.name}'`)
    }
    return { folder: repository, name, format }
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

  #read<T>(name: FunctionName, run: (place: PoolPlace, storage: StorageOps) => Promise<T>): Promise<T> {
    return this.#host.read(name, VIR_ERR_NO_STORAGE_VOL, async () => run(...(await this.#place(name))))
  }

  #change<T>(name: FunctionName, run: (place: PoolPlace, storage: StorageOps) => Promise<T>): Promise<T> {
    return this.#host.change(name, VIR_ERR_NO_STORAGE_VOL, async () => run(...(await this.#place(name))))
  }

  async #place(name: FunctionName): Promise<[PoolPlace, StorageOps]> {
    const found = (await poolsOf(this.#host, name)).find(({ uuid }) => uuid === this.#uuid)
    if (found !== undefined) return [found, this.#host.group(name, 'storage')]
    const text = `no storage pool with matching uuid '${this.#uuid}' (${this.#name})`
    throw this.#host.error(VIR_ERR_NO_STORAGE_POOL, text)
  }
}
