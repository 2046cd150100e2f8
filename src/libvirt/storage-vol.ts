import type { StorageOps, StorageRoot, Volume } from '../drivers/driver.ts'
import {
  VIR_ERR_INVALID_ARG,
  VIR_ERR_NO_STORAGE_VOL,
  VIR_ERR_NO_SUPPORT,
  VIR_ERR_OPERATION_UNSUPPORTED,
} from './error-numbers.ts'
import { checkFlags, type FunctionName, has } from './flag-check.ts'
import {
  VIR_STORAGE_VOL_DELETE_WITH_SNAPSHOTS,
  VIR_STORAGE_VOL_DELETE_ZEROED,
  VIR_STORAGE_VOL_DIR,
  VIR_STORAGE_VOL_FILE,
  VIR_STORAGE_VOL_GET_PHYSICAL,
  VIR_STORAGE_VOL_RESIZE_ALLOCATE,
  VIR_STORAGE_VOL_RESIZE_DELTA,
  VIR_STORAGE_VOL_RESIZE_SHRINK,
} from './flags/index.ts'
import type { Host } from './host.ts'
import { fileName } from './pool-place.ts'
import { writeFileSystem, writeVolume } from './xml/storage-volume.ts'

/** What a volume is and how large, in bytes. */
export interface StorageVolInfo {
  /** `VIR_STORAGE_VOL_FILE` for an image, `VIR_STORAGE_VOL_DIR` for a file system. */
  readonly type: number
  /** As a guest sees it; of a file system, all of it. */
  readonly capacity: bigint
  /** As it weighs on the host; of a file system, what is taken. */
  readonly allocation: bigint
}

const RESIZE = {
  known: VIR_STORAGE_VOL_RESIZE_DELTA,
  refused: { VIR_STORAGE_VOL_RESIZE_ALLOCATE, VIR_STORAGE_VOL_RESIZE_SHRINK },
}
const DELETE = { refused: { VIR_STORAGE_VOL_DELETE_ZEROED, VIR_STORAGE_VOL_DELETE_WITH_SNAPSHOTS } }

/** An image on a host, or one of its file systems, as it was found. Its key is its path. */
export class StorageVol {
  readonly #host: Host
  readonly #location: string
  /** Whether it is a file system, which is told about and not changed. */
  readonly #isRoot: boolean

  constructor(host: Host, location: string, isRoot = false) {
    this.#host = host
    this.#location = location
    this.#isRoot = isRoot
  }

  /** The name of its file; of a file system, where it begins (virStorageVolGetName). */
  getName(): string {
    return this.#isRoot ? this.#location : fileName(this.#host, this.#location)
  }

  /** What it is called by on all the host (virStorageVolGetKey). */
  getKey(): string {
    return this.#location
  }

  /** Where it lies on the host (virStorageVolGetPath). */
  getPath(): string {
    return this.#location
  }

  /** How large it is (virStorageVolGetInfo). */
  async getInfo(): Promise<StorageVolInfo> {
    return this.#read('virStorageVolGetInfo', storage => this.#info(storage))
  }

  /** As `getInfo`; the file is as long as it weighs, with `VIR_STORAGE_VOL_GET_PHYSICAL` or without (virStorageVolGetInfoFlags). */
  async getInfoFlags(flags = 0): Promise<StorageVolInfo> {
    return this.#read('virStorageVolGetInfoFlags', storage => {
      checkFlags('virStorageVolGetInfoFlags', flags, { known: VIR_STORAGE_VOL_GET_PHYSICAL })
      return this.#info(storage)
    })
  }

  /** Describes it in libvirt's XML (virStorageVolGetXMLDesc). */
  async getXMLDesc(flags = 0): Promise<string> {
    return this.#read('virStorageVolGetXMLDesc', async storage => {
      checkFlags('virStorageVolGetXMLDesc', flags, {})
      if (this.#isRoot) return writeFileSystem(await this.#root(storage))
      return writeVolume(this.getName(), await storage.getVolume(this.#location))
    })
  }

  /**
   * Makes it larger: this many bytes, or with `VIR_STORAGE_VOL_RESIZE_DELTA` this many more. No host makes one smaller
   * (virStorageVolResize).
   */
  async resize(capacity: number | bigint, flags = 0): Promise<void> {
    return this.#change('virStorageVolResize', async storage => {
      checkFlags('virStorageVolResize', flags, RESIZE)
      const { virtualBytes } = await this.#volume(storage)
      const bytes = Number(capacity) + (has(flags, VIR_STORAGE_VOL_RESIZE_DELTA) ? virtualBytes : 0)
      if (!Number.isSafeInteger(bytes) || bytes <= 0) {
        throw this.#host.error(VIR_ERR_INVALID_ARG, `capacity in virStorageVolResize cannot be ${capacity}`)
      }
      // Source: libvirt, src/storage/storage_driver.c, storageVolResize.
      if (bytes < virtualBytes) {
        throw this.#host.error(VIR_ERR_INVALID_ARG, `can't shrink capacity below current capacity (${virtualBytes})`)
      }
      await storage.resizeVolume(this.#location, bytes)
    })
  }

  /** Deletes the image (virStorageVolDelete). */
  async delete(flags = 0): Promise<void> {
    return this.#change('virStorageVolDelete', storage => {
      checkFlags('virStorageVolDelete', flags, DELETE)
      return storage.deleteVolume(this.#location)
    })
  }

  /** Rejects with `VIR_ERR_NO_SUPPORT`: no driver has a way to read an image (virStorageVolDownload). */
  async download(): Promise<never> {
    return this.#read('virStorageVolDownload', async () => {
      throw this.#host.error(VIR_ERR_NO_SUPPORT, 'virStorageVolDownload')
    })
  }

  /** Rejects with `VIR_ERR_NO_SUPPORT`: no driver has a way to write an image (virStorageVolUpload). */
  async upload(): Promise<never> {
    return this.#change('virStorageVolUpload', async () => {
      throw this.#host.error(VIR_ERR_NO_SUPPORT, 'virStorageVolUpload')
    })
  }

  /** Whether a volume is a file system: for functions of its connection. */
  static isFileSystem(vol: StorageVol): boolean {
    return vol.#isRoot
  }

  async #info(storage: StorageOps): Promise<StorageVolInfo> {
    if (this.#isRoot) {
      const { capacityBytes, freeBytes } = await this.#root(storage)
      const capacity = BigInt(capacityBytes)
      return { type: VIR_STORAGE_VOL_DIR, capacity, allocation: capacity - BigInt(freeBytes) }
    }
    const { virtualBytes, physicalBytes } = await this.#volume(storage)
    return { type: VIR_STORAGE_VOL_FILE, capacity: BigInt(virtualBytes), allocation: BigInt(physicalBytes) }
  }

  #volume(storage: StorageOps): Promise<Volume> {
    return storage.getVolume(this.#location)
  }

  async #root(storage: StorageOps): Promise<StorageRoot> {
    const root = (await storage.roots?.())?.find(({ location }) => location === this.#location)
    if (root !== undefined) return root
    throw this.#host.error(VIR_ERR_NO_STORAGE_VOL, `the host has no file system ${this.#location}`)
  }

  #read<T>(name: FunctionName, run: (storage: StorageOps) => Promise<T>): Promise<T> {
    return this.#host.read(name, VIR_ERR_NO_STORAGE_VOL, async () => run(this.#host.group(name, 'storage')))
  }

  #change<T>(name: FunctionName, run: (storage: StorageOps) => Promise<T>): Promise<T> {
    return this.#host.change(name, VIR_ERR_NO_STORAGE_VOL, async () => {
      if (!this.#isRoot) return run(this.#host.group(name, 'storage'))
      throw this.#host.error(VIR_ERR_OPERATION_UNSUPPORTED, `${name} is for images; ${this.#location} is a file system`)
    })
  }
}
