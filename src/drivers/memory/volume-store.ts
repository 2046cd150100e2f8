import { DriverError, type ImageFormat, type Repository, type RepositoryConfig, type Volume } from '../driver.ts'

/** The one repository type of a memory host. */
export const REPOSITORY_TYPE = 'memory'

/** How many volumes, and how many repositories, a memory host has room for. */
export const VOLUMES_MAX = 1_000_000
export const REPOSITORIES_MAX = 1000

/** How long the name of a volume may be, as most file systems have it. */
const NAME_BYTES_MAX = 255

// What an empty image weighs: nothing where it is raw, its tables where it is qcow2.
const EMPTY_BYTES: Readonly<Record<ImageFormat, number>> = { raw: 0, qcow2: 196_608 }

/** The volumes of one repository by name, and their sums. A volume is replaced when it changes, never written to. */
interface Shelf {
  readonly volumes: Map<string, Volume>
  virtualBytes: number
  physicalBytes: number
}

/** Repositories and volumes of a memory host. */
export class VolumeStore {
  readonly #capacityBytes: number
  /** By the location of the repository. */
  readonly #shelves = new Map<string, Shelf>()
  /** By the location of the volume. */
  readonly #places = new Map<string, { readonly shelf: Shelf; readonly volume: Volume }>()

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

  list(repository: RepositoryConfig): Volume[] {
    return [...this.#shelf(repository).volumes.values()]
  }

  create(repository: RepositoryConfig, wanted: Pick<Volume, 'name' | 'format' | 'virtualBytes'>): Volume {
    const shelf = this.#shelf(repository)
    const { name, format, virtualBytes } = wanted
    assertName(name)
    assertSize(virtualBytes)
    if (shelf.volumes.has(name)) throw refused(`the repository has a volume named ${name} already`)
    if (this.#places.size >= VOLUMES_MAX) throw refused(`the host has ${VOLUMES_MAX} volumes already`)
    this.#assertRoom(shelf, virtualBytes)

    const location = `${repository.location.replace(/\/$/, '')}/${name}.${format}`
    return this.#put(shelf, { location, name, format, virtualBytes, physicalBytes: EMPTY_BYTES[format] })
  }

  has(location: string): boolean {
    return this.#places.has(location)
  }

  get(location: string): Volume {
    return this.#place(location).volume
  }

  resize(location: string, virtualBytes: number): Volume {
    const { shelf, volume } = this.#place(location)
    assertSize(virtualBytes)
    if (virtualBytes < volume.virtualBytes) {
      throw refused(`the volume has ${volume.virtualBytes} bytes and cannot shrink to ${virtualBytes}`)
    }
    this.#assertRoom(shelf, virtualBytes - volume.virtualBytes)
    this.delete(location)
    return this.#put(shelf, { ...volume, virtualBytes })
  }

  /** Makes the new one first: where it is refused, nothing has changed. */
  move(location: string, repository: RepositoryConfig): Volume {
    const { volume } = this.#place(location)
    const moved = this.create(repository, volume)
    this.delete(location)
    return moved
  }

  delete(location: string): void {
    const { shelf, volume } = this.#place(location)
    shelf.volumes.delete(volume.name)
    shelf.virtualBytes -= volume.virtualBytes
    shelf.physicalBytes -= volume.physicalBytes
    this.#places.delete(location)
  }

  #put(shelf: Shelf, volume: Volume): Volume {
    shelf.volumes.set(volume.name, volume)
    shelf.virtualBytes += volume.virtualBytes
    shelf.physicalBytes += volume.physicalBytes
    this.#places.set(volume.location, { shelf, volume })
    return volume
  }

  #shelf({ location }: RepositoryConfig): Shelf {
    const shelf = this.#shelves.get(location)
    if (shelf === undefined) throw refused(`the host has no open repository at ${location}`)
    return shelf
  }

  #place(location: string): { readonly shelf: Shelf; readonly volume: Volume } {
    const place = this.#places.get(location)
    if (place === undefined) throw new DriverError('not-found', `the host has no volume at ${location}`)
    return place
  }

  #assertRoom(shelf: Shelf, moreBytes: number): void {
    const freeBytes = this.#capacityBytes - shelf.virtualBytes
    if (moreBytes > freeBytes) throw refused(`the repository has room for ${freeBytes} bytes, not for ${moreBytes}`)
  }
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
