import { DriverError, type OpenVolume, type StorageOps, type StorageRoot, type Volume } from '../drivers/driver.ts'
import {
  VIR_ERR_ARGUMENT_UNSUPPORTED,
  VIR_ERR_INVALID_ARG,
  VIR_ERR_NO_STORAGE_VOL,
  VIR_ERR_NO_SUPPORT,
  VIR_ERR_OPERATION_INVALID,
  VIR_ERR_OPERATION_UNSUPPORTED,
} from './error-numbers.ts'
import { LibvirtError } from './errors.ts'
import { checkFlags, type FunctionName, has } from './flag-check.ts'
import {
  VIR_STORAGE_VOL_DELETE_WITH_SNAPSHOTS,
  VIR_STORAGE_VOL_DELETE_ZEROED,
  VIR_STORAGE_VOL_DIR,
  VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM,
  VIR_STORAGE_VOL_FILE,
  VIR_STORAGE_VOL_GET_PHYSICAL,
  VIR_STORAGE_VOL_RESIZE_ALLOCATE,
  VIR_STORAGE_VOL_RESIZE_DELTA,
  VIR_STORAGE_VOL_RESIZE_SHRINK,
  VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM,
  VIR_STORAGE_VOL_WIPE_ALG_BSI,
  VIR_STORAGE_VOL_WIPE_ALG_DOD,
  VIR_STORAGE_VOL_WIPE_ALG_GUTMANN,
  VIR_STORAGE_VOL_WIPE_ALG_NNSA,
  VIR_STORAGE_VOL_WIPE_ALG_PFITZNER33,
  VIR_STORAGE_VOL_WIPE_ALG_PFITZNER7,
  VIR_STORAGE_VOL_WIPE_ALG_RANDOM,
  VIR_STORAGE_VOL_WIPE_ALG_SCHNEIER,
  VIR_STORAGE_VOL_WIPE_ALG_TRIM,
  VIR_STORAGE_VOL_WIPE_ALG_ZERO,
} from './flags/index.ts'
import type { Host } from './host.ts'
import { fileName, poolAround, poolKeeper, type PoolPlace } from './pool-place.ts'
import { type Bytes, Download, Upload } from './volume-bytes.ts'
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
  known: VIR_STORAGE_VOL_RESIZE_DELTA | VIR_STORAGE_VOL_RESIZE_ALLOCATE | VIR_STORAGE_VOL_RESIZE_SHRINK,
}
const DELETE = { refused: { VIR_STORAGE_VOL_DELETE_ZEROED, VIR_STORAGE_VOL_DELETE_WITH_SNAPSHOTS } }

/** As virsh calls them. Of these libvirt has a program `scrub` do all but the first and the last, which it has for no files. */
const WIPE_ALGORITHMS: Readonly<Record<number, string>> = {
  [VIR_STORAGE_VOL_WIPE_ALG_ZERO]: 'zero',
  [VIR_STORAGE_VOL_WIPE_ALG_NNSA]: 'nnsa',
  [VIR_STORAGE_VOL_WIPE_ALG_DOD]: 'dod',
  [VIR_STORAGE_VOL_WIPE_ALG_BSI]: 'bsi',
  [VIR_STORAGE_VOL_WIPE_ALG_GUTMANN]: 'gutmann',
  [VIR_STORAGE_VOL_WIPE_ALG_SCHNEIER]: 'schneier',
  [VIR_STORAGE_VOL_WIPE_ALG_PFITZNER7]: 'pfitzner7',
  [VIR_STORAGE_VOL_WIPE_ALG_PFITZNER33]: 'pfitzner33',
  [VIR_STORAGE_VOL_WIPE_ALG_RANDOM]: 'random',
  [VIR_STORAGE_VOL_WIPE_ALG_TRIM]: 'trim',
}

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

  /**
   * As `getInfo`; with `VIR_STORAGE_VOL_GET_PHYSICAL` the allocation is how long the file is, or where no host tells, what it
   * weighs (virStorageVolGetInfoFlags).
   */
  async getInfoFlags(flags = 0): Promise<StorageVolInfo> {
    return this.#read('virStorageVolGetInfoFlags', async storage => {
      checkFlags('virStorageVolGetInfoFlags', flags, { known: VIR_STORAGE_VOL_GET_PHYSICAL })
      const info = await this.#info(storage)
      if (!has(flags, VIR_STORAGE_VOL_GET_PHYSICAL) || this.#isRoot) return info
      const file = await storage.fileFacts?.(this.#location)
      return file === undefined ? info : { ...info, allocation: BigInt(file.bytes) }
    })
  }

  /** Describes it in libvirt's XML (virStorageVolGetXMLDesc). */
  async getXMLDesc(flags = 0): Promise<string> {
    return this.#read('virStorageVolGetXMLDesc', async storage => {
      checkFlags('virStorageVolGetXMLDesc', flags, {})
      if (this.#isRoot) return writeFileSystem(await this.#root(storage))
      const volume = await storage.getVolume(this.#location)
      return writeVolume(this.getName(), volume, await storage.fileFacts?.(this.#location))
    })
  }

  /**
   * Makes it as large as this, or with `VIR_STORAGE_VOL_RESIZE_DELTA` by so much larger; smaller with
   * `VIR_STORAGE_VOL_RESIZE_SHRINK`, which is refused below what it weighs. With `VIR_STORAGE_VOL_RESIZE_ALLOCATE` all of a raw
   * image has its place then (virStorageVolResize).
   */
  async resize(capacity: number | bigint, flags = 0): Promise<void> {
    return this.#change('virStorageVolResize', async storage => {
      checkFlags('virStorageVolResize', flags, RESIZE)
      const volume = await this.#volume(storage)
      const bytes = sizeOf(capacity, volume.virtualBytes, flags)
      if (!Number.isSafeInteger(bytes) || bytes <= 0) {
        throw this.#host.error(VIR_ERR_INVALID_ARG, `capacity in virStorageVolResize cannot be ${capacity}`)
      }
      this.#assertKept(bytes, volume, flags)
      if (has(flags, VIR_STORAGE_VOL_RESIZE_ALLOCATE)) await this.#allocate(storage, volume, bytes)
      if (bytes >= volume.virtualBytes) return void (await storage.resizeVolume(this.#location, bytes))
      if (storage.shrinkVolume !== undefined) return void (await storage.shrinkVolume(this.#location, bytes))
      throw this.#cannot('VIR_STORAGE_VOL_RESIZE_SHRINK')
    })
  }

  /** Deletes the image (virStorageVolDelete). */
  async delete(flags = 0): Promise<void> {
    return this.#change('virStorageVolDelete', storage => {
      checkFlags('virStorageVolDelete', flags, DELETE)
      return storage.deleteVolume(this.#location)
    })
  }

  /** As `wipePattern` with `VIR_STORAGE_VOL_WIPE_ALG_ZERO` (virStorageVolWipe). */
  async wipe(flags = 0): Promise<void> {
    return this.#wipe('virStorageVolWipe', VIR_STORAGE_VOL_WIPE_ALG_ZERO, flags)
  }

  /**
   * Overwrites what the image holds with zeros; its guest sees zeros then, and of a qcow2 image an empty one is left.
   * `VIR_STORAGE_VOL_WIPE_ALG_` other than `_ZERO` are refused with `VIR_ERR_ARGUMENT_UNSUPPORTED`. Rejects with
   * `VIR_ERR_OPERATION_INVALID` while a domain that is active uses it (virStorageVolWipePattern).
   */
  async wipePattern(algorithm: number, flags = 0): Promise<void> {
    return this.#wipe('virStorageVolWipePattern', algorithm, flags)
  }

  /**
   * Reads the file of the image as the host has it, from `offset` on, `length` bytes of it or with 0 all. Rejects with
   * `VIR_ERR_OPERATION_INVALID` while a domain that is active uses it; until what is answered has been read to its end or
   * closed, none starts with it (virStorageVolDownload).
   */
  async download(offset: number | bigint = 0, length: number | bigint = 0, flags = 0): Promise<Download> {
    return this.#changeFile('virStorageVolDownload', async storage => {
      checkFlags('virStorageVolDownload', flags, { known: VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM })
      const range = this.#range('virStorageVolDownload', offset, length)
      return new Download(await this.#open(storage, 'virStorageVolDownload', 'read'), range)
    })
  }

  /**
   * Writes to the file of the image as the host has it, from `offset` on, `length` bytes at most or with 0 as many as come.
   * Rejects as `download` does. What was written of an upload that is broken off stays (virStorageVolUpload).
   */
  async upload(offset: number | bigint = 0, length: number | bigint = 0, flags = 0): Promise<Upload> {
    return this.#changeFile('virStorageVolUpload', async storage => {
      checkFlags('virStorageVolUpload', flags, { known: VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM })
      const range = this.#range('virStorageVolUpload', offset, length)
      const file = await this.#open(storage, 'virStorageVolUpload', 'write')
      return new Upload(file, range, () => this.#finish(file))
    })
  }

  /** Takes long, so that others go on changing what is in the pool meanwhile. */
  #wipe(name: FunctionName, algorithm: number, flags: number): Promise<void> {
    return this.#changeFile(name, async storage => {
      checkFlags(name, flags, {})
      const called = WIPE_ALGORITHMS[algorithm]
      if (called === undefined) {
        throw this.#host.error(VIR_ERR_INVALID_ARG, `wiping algorithm ${algorithm} not supported`)
      }
      if (storage.wipeVolume === undefined) throw this.#host.error(VIR_ERR_NO_SUPPORT, name)
      if (called !== 'zero') {
        throw this.#host.error(VIR_ERR_ARGUMENT_UNSUPPORTED, `'${called}' algorithm not supported`)
      }
      await this.#activePool(name)
      try {
        await storage.wipeVolume(this.#location)
      } finally {
        await this.#tellOthers(name)
      }
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

  /** Source: libvirt, src/storage/storage_driver.c, storageVolResize. */
  #assertKept(bytes: number, { virtualBytes, physicalBytes }: Volume, flags: number): void {
    if (bytes >= virtualBytes) return
    if (bytes < physicalBytes) {
      throw this.#host.error(VIR_ERR_INVALID_ARG, "can't shrink capacity below existing allocation")
    }
    if (has(flags, VIR_STORAGE_VOL_RESIZE_SHRINK)) return
    const text = "Can't shrink capacity below current capacity unless shrink flag explicitly specified"
    throw this.#host.error(VIR_ERR_INVALID_ARG, text)
  }

  async #allocate(storage: StorageOps, { format }: Volume, bytes: number): Promise<void> {
    if (format !== 'raw') {
      throw this.#host.error(VIR_ERR_OPERATION_UNSUPPORTED, 'preallocate is only supported for raw type volume')
    }
    if (storage.allocateVolume === undefined) throw this.#cannot('VIR_STORAGE_VOL_RESIZE_ALLOCATE')
    await storage.allocateVolume(this.#location, bytes)
  }

  #cannot(flag: string) {
    return this.#host.error(VIR_ERR_ARGUMENT_UNSUPPORTED, `${flag} cannot be honoured by virStorageVolResize here`)
  }

  #volume(storage: StorageOps): Promise<Volume> {
    return storage.getVolume(this.#location)
  }

  async #root(storage: StorageOps): Promise<StorageRoot> {
    const root = (await storage.roots?.())?.find(({ location }) => location === this.#location)
    if (root !== undefined) return root
    throw this.#host.error(VIR_ERR_NO_STORAGE_VOL, `the host has no file system ${this.#location}`)
  }

  #range(name: FunctionName, offset: number | bigint, length: number | bigint): Bytes {
    const range = { offset: Number(offset), length: Number(length) }
    if (Object.values(range).every(count => Number.isSafeInteger(count) && count >= 0)) return range
    throw this.#host.error(VIR_ERR_INVALID_ARG, `${name} is from ${offset} on, of ${length} bytes`)
  }

  #open(storage: StorageOps, name: FunctionName, mode: 'read' | 'write'): Promise<OpenVolume> {
    if (storage.openVolume === undefined) throw this.#host.error(VIR_ERR_NO_SUPPORT, name)
    return storage.openVolume(this.#location, mode)
  }

  /** What came is there, whether or not others can be told of it now. */
  async #finish(file: OpenVolume): Promise<void> {
    await file.close()
    await this.#tellOthers('virStorageVolUpload')
  }

  async #tellOthers(name: FunctionName): Promise<void> {
    try {
      await this.#changing(name, async () => undefined)
    } catch (error) {
      if (!(error instanceof LibvirtError || error instanceof DriverError)) throw error
      this.#host.warn('what a volume holds now could not be told others', {
        volume: this.#location,
        error: error.message,
      })
    }
  }

  #read<T>(name: FunctionName, run: (storage: StorageOps) => Promise<T>): Promise<T> {
    return this.#host.read(name, VIR_ERR_NO_STORAGE_VOL, async () => run(this.#host.group(name, 'storage')))
  }

  #change<T>(name: FunctionName, run: (storage: StorageOps) => Promise<T>): Promise<T> {
    return this.#changeFile(name, storage => this.#changing(name, () => run(storage)))
  }

  #changeFile<T>(name: FunctionName, run: (storage: StorageOps) => Promise<T>): Promise<T> {
    return this.#host.change(name, VIR_ERR_NO_STORAGE_VOL, async () => {
      if (!this.#isRoot) return run(this.#host.group(name, 'storage'))
      throw this.#host.error(VIR_ERR_OPERATION_UNSUPPORTED, `${name} is for images; ${this.#location} is a file system`)
    })
  }

  /** The pool that it is in, which has to be active; undefined where there is none. */
  async #activePool(name: FunctionName): Promise<PoolPlace | undefined> {
    const pool = await poolAround(this.#host, name, this.#location)
    if (pool?.isActive !== false) return pool
    throw this.#host.error(VIR_ERR_OPERATION_INVALID, `storage pool '${pool.name}' is not active`)
  }

  /** Changes what is in the pool that it is in, while nobody else does. */
  async #changing<T>(name: FunctionName, run: () => Promise<T>): Promise<T> {
    const pool = await this.#activePool(name)
    return poolKeeper(this.#host).changing(pool === undefined ? [] : [pool.uuid], run)
  }
}

/** Source: libvirt, src/storage/storage_driver.c, storageVolResize: with both flags it is by how much less. */
function sizeOf(capacity: number | bigint, virtualBytes: number, flags: number): number {
  const bytes = Number(capacity)
  if (!has(flags, VIR_STORAGE_VOL_RESIZE_DELTA)) return bytes
  return has(flags, VIR_STORAGE_VOL_RESIZE_SHRINK) ? virtualBytes - Math.min(bytes, virtualBytes) : virtualBytes + bytes
}
