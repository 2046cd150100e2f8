import {
  DriverError,
  type HostRepository,
  type ImageFormat,
  type Repository,
  type RepositoryConfig,
  type Volume,
  type VolumeEnding,
} from '../driver.ts'
import { type Base, BaseCopier, chainBytes, release } from './base.ts'
import { Contents } from './contents.ts'

/** The one repository type of a memory host. */
export const REPOSITORY_TYPE = 'memory'

/** How many volumes, and how many repositories, a memory host has room for. */
export const VOLUMES_MAX = 1_000_000
export const REPOSITORIES_MAX = 1000

/** How long the name of a volume may be, as most file systems have it. */
const NAME_BYTES_MAX = 255

// What an empty image weighs: nothing where it is raw, else its tables, as qemu-img and Hyper-V make them.
const EMPTY_BYTES: Readonly<Record<ImageFormat, number>> = { raw: 0, qcow2: 196_608, vhd: 2_048, vhdx: 4_194_304 }
/** The formats that a memory host makes images of: all. */
export const FORMATS: readonly ImageFormat[] = ['qcow2', 'raw', 'vhd', 'vhdx']

/** The volumes of one repository by name, and their sums. A volume is replaced when it changes, never written to. */
interface Shelf {
  readonly volumes: Map<string, Volume>
  virtualBytes: number
  physicalBytes: number
}

/** A volume where it lies, and the blocks it shares with others. */
interface Place {
  readonly shelf: Shelf
  readonly volume: Volume
  readonly base: Base | null
}

/** Repositories and volumes of a memory host. */
export class VolumeStore {
  readonly #capacityBytes: number
  /** By the location of the repository. */
  readonly #shelves = new Map<string, Shelf>()
  /** By the location of the volume. */
  readonly #places = new Map<string, Place>()
  readonly #contents = new Contents()

  /** A repository promises no more virtual bytes than `capacityBytes`: it does not overcommit. */
  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes
  }

  open({ type, location }: RepositoryConfig): Repository {
    if (type !== REPOSITORY_TYPE)
      throw refused(`the host knows the repository type ${REPOSITORY_TYPE} only, not ${type}`)
    if (location === '') throw refused('the location of a repository is empty')
    let shelf = this.#shelves.get(location)
    if (shelf === undefined) {
      if (this.#shelves.size >= REPOSITORIES_MAX) throw refused(`the host has ${REPOSITORIES_MAX} repositories already`)
      shelf = { volumes: new Map(), virtualBytes: 0, physicalBytes: 0 }
      this.#shelves.set(location, shelf)
    }
    return { capacityBytes: this.#capacityBytes, usedBytes: shelf.physicalBytes }
  }

  /** The repositories that were ever opened, each called after the end of its location. */
  opened(): HostRepository[] {
    return Array.from(this.#shelves.keys(), location => {
      const name = location.slice(location.lastIndexOf('/') + 1) || location
      return { type: REPOSITORY_TYPE, location, name }
    })
  }

  /** Forgets a repository that is empty. */
  remove({ location }: RepositoryConfig): void {
    const shelf = this.#shelves.get(location)
    if (shelf === undefined) throw new DriverError('not-found', `the host has no repository at ${location}`)
    if (shelf.volumes.size > 0) throw refused(`the repository at ${location} is not empty`)
    this.#shelves.delete(location)
  }

  /** How many volumes a repository has; none where it is not open. */
  count({ location }: RepositoryConfig): number {
    return this.#shelves.get(location)?.volumes.size ?? 0
  }

  list(repository: RepositoryConfig): Volume[] {
    return [...this.#shelf(repository).volumes.values()]
  }

  create(
    repository: RepositoryConfig,
    wanted: Pick<Volume, 'name' | 'format' | 'virtualBytes'> & {
      readonly preallocation?: 'metadata'
      readonly ending?: VolumeEnding | undefined
    },
  ): Volume {
    const shelf = this.#shelf(repository)
    const { name, format, virtualBytes, preallocation, ending } = wanted
    // An image of which nothing is kept weighs no more for it.
    if (preallocation !== undefined && format !== 'qcow2') throw refused(`${format} has no metadata to preallocate`)
    if (ending !== undefined && format !== 'raw') throw refused(`no ${format} image ends with ${ending}`)
    this.#assertFree(shelf, name, virtualBytes)
    const location = locationOf(repository.location, name, format, ending)
    return this.#put(shelf, { location, name, format, virtualBytes, physicalBytes: EMPTY_BYTES[format] })
  }

  /**
   * Makes a second volume with the content of the first. What the first holds becomes a base of both, as it would with
   * images of type qcow2: a raw one becomes such an image, and so has another location.
   */
  clone(
    location: string,
    wanted: { readonly name: string; readonly virtualBytes?: number },
  ): { original: Volume; clone: Volume } {
    const { shelf, volume, base: parent } = this.#place(location)
    const virtualBytes = wanted.virtualBytes ?? volume.virtualBytes
    this.#assertFree(shelf, wanted.name, virtualBytes)
    if (virtualBytes < volume.virtualBytes) {
      throw refused(`the volume has ${volume.virtualBytes} bytes, and its clone cannot have ${virtualBytes}`)
    }
    const folder = location.slice(0, location.lastIndexOf('/'))
    const layer = (name: string, bytes: number): Volume => ({
      location: locationOf(folder, name, 'qcow2'),
      name,
      format: 'qcow2',
      virtualBytes: bytes,
      physicalBytes: EMPTY_BYTES.qcow2,
    })
    const base = { bytes: volume.physicalBytes, parent, uses: 2 }
    this.#take(location)
    shelf.physicalBytes += base.bytes
    const original = this.#put(shelf, layer(volume.name, volume.virtualBytes), base)
    const clone = this.#put(shelf, layer(wanted.name, virtualBytes), base)
    this.#contents.rename(location, original.location)
    this.#contents.copy(original.location, clone.location)
    return { original, clone }
  }

  /** Copies all volumes of a repository; where one is refused, none is made. */
  copyAll(
    from: RepositoryConfig,
    to: RepositoryConfig,
    nameOf: (name: string) => string,
  ): { from: string; volume: Volume }[] {
    const originals = this.list(from)
    this.open(to)
    const shelf = this.#shelf(to)
    if (shelf.volumes.size > 0) throw refused(`the repository at ${to.location} is not empty`)
    const copier = new BaseCopier()
    const made: { from: string; volume: Volume }[] = []
    try {
      for (const { location, format, virtualBytes, physicalBytes } of originals) {
        const { volume, base } = this.#place(location)
        const name = nameOf(volume.name)
        this.#assertFree(shelf, name, virtualBytes)
        const copy = { location: locationOf(to.location, name, format), name, format, virtualBytes, physicalBytes }
        made.push({ from: location, volume: this.#put(shelf, copy, copier.copy(base)) })
        this.#contents.copy(location, copy.location)
      }
    } catch (error) {
      for (const { volume } of made) {
        this.#take(volume.location)
        this.#contents.delete(volume.location)
      }
      throw error
    }
    shelf.physicalBytes += copier.bytes
    return made
  }

  has(location: string): boolean {
    return this.#places.has(location)
  }

  get(location: string): Volume {
    return this.#place(location).volume
  }

  /** As `get`; undefined where there is none. */
  find(location: string): Volume | undefined {
    return this.#places.get(location)?.volume
  }

  resize(location: string, virtualBytes: number): Volume {
    const { shelf, volume, base } = this.#place(location)
    assertSize(virtualBytes)
    if (virtualBytes < volume.virtualBytes) {
      throw refused(`the volume has ${volume.virtualBytes} bytes and cannot shrink to ${virtualBytes}`)
    }
    this.#assertRoom(shelf, virtualBytes - volume.virtualBytes)
    this.#take(location)
    return this.#put(shelf, { ...volume, virtualBytes }, base)
  }

  shrink(location: string, virtualBytes: number): Volume {
    const { shelf, volume, base } = this.#place(location)
    assertSize(virtualBytes)
    if (virtualBytes > volume.virtualBytes) {
      throw refused(`the volume has ${volume.virtualBytes} bytes, which are fewer than ${virtualBytes}`)
    }
    const keptBytes = Math.max(virtualBytes, EMPTY_BYTES[volume.format])
    this.#contents.cut(location, virtualBytes)
    this.#take(location)
    return this.#put(shelf, { ...volume, virtualBytes, physicalBytes: Math.min(volume.physicalBytes, keptBytes) }, base)
  }

  /** Gives the first bytes of a raw volume their place, as far as it is large. */
  allocate(location: string, bytes: number): void {
    const { shelf, volume, base } = this.#place(location)
    if (volume.format !== 'raw') throw refused(`the volume at ${location} is not raw`)
    assertSize(bytes)
    const wanted = Math.max(volume.physicalBytes, bytes)
    const freeBytes = this.#capacityBytes - shelf.physicalBytes
    if (wanted - volume.physicalBytes > freeBytes) throw refused(`the repository has room for ${freeBytes} bytes`)
    this.#take(location)
    this.#put(shelf, { ...volume, physicalBytes: wanted }, base)
  }

  /** Blocks of an image that had none get some, up to its size and to the room that the repository has. */
  write(location: string, bytes: number): void {
    const { shelf, volume, base } = this.#place(location)
    const roomBytes = Math.min(volume.virtualBytes - volume.physicalBytes, this.#capacityBytes - shelf.physicalBytes)
    const grownBytes = Math.min(bytes, Math.max(0, roomBytes))
    if (grownBytes === 0) return
    // In its place: neither its name nor its location changes, nor the order of the list.
    const grown = { ...volume, physicalBytes: volume.physicalBytes + grownBytes }
    shelf.volumes.set(grown.name, grown)
    shelf.physicalBytes += grownBytes
    this.#places.set(location, { shelf, volume: grown, base })
  }

  /** Makes a volume as large, and as heavy, as it was. */
  setBack({ location, virtualBytes, physicalBytes }: Volume): void {
    const { shelf, volume, base } = this.#place(location)
    this.#take(location)
    this.#put(shelf, { ...volume, virtualBytes, physicalBytes }, base)
  }

  /** Makes the new one first: where it is refused, nothing has changed. There it shares blocks with nobody. */
  move(location: string, repository: RepositoryConfig): Volume {
    const { volume, base } = this.#place(location)
    const { location: place } = this.create(repository, volume)
    const { shelf, volume: moved } = this.#place(place)
    this.#take(place)
    this.#contents.rename(location, place)
    this.delete(location)
    return this.#put(shelf, { ...moved, physicalBytes: volume.physicalBytes + chainBytes(base) })
  }

  /** Makes a second volume with the content of the first, and no block in common with it. */
  copy(
    location: string,
    repository: RepositoryConfig,
    wanted: {
      readonly name: string
      readonly format?: ImageFormat
      readonly virtualBytes?: number
      readonly preallocation?: 'metadata'
      readonly ending?: VolumeEnding
    },
  ): Volume {
    const { volume, base } = this.#place(location)
    const { name, format = volume.format, virtualBytes = volume.virtualBytes, preallocation, ending } = wanted
    if (virtualBytes < volume.virtualBytes) {
      throw refused(`the volume has ${volume.virtualBytes} bytes, and its copy cannot have ${virtualBytes}`)
    }
    const { location: place } = this.create(repository, {
      name,
      format,
      virtualBytes,
      ending,
      ...(preallocation !== undefined && { preallocation }),
    })
    this.#copyContents(location, place)
    const { shelf, volume: made } = this.#place(place)
    this.#take(place)
    const dataBytes = volume.physicalBytes - EMPTY_BYTES[volume.format] + chainBytes(base)
    return this.#put(shelf, { ...made, physicalBytes: EMPTY_BYTES[format] + Math.max(0, dataBytes) })
  }

  delete(location: string): void {
    const { shelf, base } = this.#place(location)
    this.#take(location)
    this.#contents.delete(location)
    shelf.physicalBytes -= release(base)
  }

  /** What a volume holds; less than `length` at its end. */
  readBytes(location: string, position: number, length: number): Uint8Array {
    const { virtualBytes } = this.get(location)
    return this.#contents.read(location, position, Math.max(0, Math.min(length, virtualBytes - position)))
  }

  /** A volume that is written to beyond its end grows. */
  writeBytes(location: string, position: number, bytes: Uint8Array): void {
    const end = position + bytes.length
    if (end > this.get(location).virtualBytes) this.resize(location, end)
    this.write(location, this.#contents.write(location, position, bytes))
  }

  /** Makes a volume hold zeros. A raw one weighs what it weighed; of others nothing is left but that they are. */
  wipe(location: string): void {
    const { shelf, volume, base } = this.#place(location)
    if (volume.readOnly === true) throw refused(`the volume at ${location} cannot be written`)
    if (base !== null) throw refused(`the volume at ${location} shares what it holds with others`)
    this.#contents.delete(location)
    if (volume.format === 'raw') return
    this.#take(location)
    this.#put(shelf, { ...volume, physicalBytes: EMPTY_BYTES[volume.format] })
  }

  #copyContents(location: string, place: string): void {
    try {
      this.#contents.copy(location, place)
    } catch (error) {
      this.delete(place)
      throw error
    }
  }

  #put(shelf: Shelf, volume: Volume, base: Base | null = null): Volume {
    shelf.volumes.set(volume.name, volume)
    shelf.virtualBytes += volume.virtualBytes
    shelf.physicalBytes += volume.physicalBytes
    this.#places.set(volume.location, { shelf, volume, base })
    return volume
  }

  /** Takes a volume off its shelf; its base stays as it was. */
  #take(location: string): void {
    const { shelf, volume } = this.#place(location)
    shelf.volumes.delete(volume.name)
    shelf.virtualBytes -= volume.virtualBytes
    shelf.physicalBytes -= volume.physicalBytes
    this.#places.delete(location)
  }

  #shelf({ location }: RepositoryConfig): Shelf {
    const shelf = this.#shelves.get(location)
    if (shelf === undefined) throw refused(`the host has no open repository at ${location}`)
    return shelf
  }

  #place(location: string): Place {
    const place = this.#places.get(location)
    if (place === undefined) throw new DriverError('not-found', `the host has no volume at ${location}`)
    return place
  }

  /** That a volume of this name and size can be made. */
  #assertFree(shelf: Shelf, name: string, virtualBytes: number): void {
    assertName(name)
    assertSize(virtualBytes)
    if (shelf.volumes.has(name)) throw refused(`the repository has a volume named ${name} already`)
    if (this.#places.size >= VOLUMES_MAX) throw refused(`the host has ${VOLUMES_MAX} volumes already`)
    this.#assertRoom(shelf, virtualBytes)
  }

  #assertRoom(shelf: Shelf, moreBytes: number): void {
    const freeBytes = this.#capacityBytes - shelf.virtualBytes
    if (moreBytes > freeBytes) throw refused(`the repository has room for ${freeBytes} bytes, not for ${moreBytes}`)
  }
}

function locationOf(folder: string, name: string, format: ImageFormat, ending?: VolumeEnding): string {
  return `${folder.replace(/\/$/, '')}/${name}${ending ?? `.${format}`}`
}

function assertName(name: string): void {
  if (name === '' || name === '.' || name === '..' || /[/\\\0]/.test(name)) {
    throw refused(`not the name of a volume: ${JSON.stringify(name)}`)
  }
  if (Buffer.byteLength(name) > NAME_BYTES_MAX) throw refused(`the name has more than ${NAME_BYTES_MAX} bytes`)
}

function assertSize(virtualBytes: number): void {
  if (!Number.isSafeInteger(virtualBytes) || virtualBytes < 0)
    throw refused(`not the size of a volume: ${virtualBytes}`)
}

function refused(message: string): DriverError {
  return new DriverError('refused', message)
}
