import { DriverError, type ImageFormat } from '../driver.ts'
import { toDriverError } from './gate.ts'
import type { ImageBackEnd } from './storage-back-end.ts'

/** How deep a chain of images is followed; a machine has 50 snapshots at most. */
const CHAIN_MAX = 64
/** Of how many images it is remembered what they hold the changes of. */
const REMEMBERED_MAX = 20_000

/** What Hyper-V calls the images that it makes for snapshots. */
const AUTOMATIC = /\.avhdx?$/i
/** A disk of the host itself, as Windows names it. */
const HOST_DISK = /^\\\\\.\\PHYSICALDRIVE(\d{1,4})$/i
const ABSOLUTE = /^(?:[a-z]:\\|\\\\[^\\.?][^\\]*\\[^\\]+\\)/i

/** A path as a host is told it: of slashes and of backslashes that somebody has doubled, single backslashes. */
export function plainPath(path: string): string {
  return path.replaceAll('/', '\\').replaceAll(/(?<=.)(?<!^\\)\\{2,}/g, '\\')
}

export const isAbsolutePath = (path: string): boolean => ABSOLUTE.test(plainPath(path))

/** The number of the host's own disk that a location names; undefined for a file. */
export function hostDiskNumber(location: string): number | undefined {
  const number = HOST_DISK.exec(location)?.[1]
  return number === undefined ? undefined : Number(number)
}

export const hostDiskLocation = (number: number): string => `\\\\.\\PHYSICALDRIVE${number}`

/** The format of an image, by the name of its file, as Hyper-V goes by it. */
export function formatOf(path: string): ImageFormat {
  if (/\.a?vhd$/i.test(path)) return 'vhd'
  return /\.(?:a?vhdx|vhds)$/i.test(path) ? 'vhdx' : 'raw'
}

/** Which volumes the images in drives are of: a snapshot puts an image in the place of another, to hold the changes from then on. */
export class Images {
  readonly #backEnd: Pick<ImageBackEnd, 'image'>
  /** By image, in lower case. Whatever is merged meanwhile, an image that a snapshot made is of the same volume for good. */
  readonly #volumes = new Map<string, string>()

  constructor(backEnd: Pick<ImageBackEnd, 'image'>) {
    this.#backEnd = backEnd
  }

  /** The volume that an image is of; itself unless a snapshot made it, or where there is no telling. */
  async volumeOf(path: string): Promise<string> {
    if (!AUTOMATIC.test(path)) return path
    const known = this.#volumes.get(path.toLowerCase())
    if (known !== undefined) return known
    const volume = await this.#lookUp(path)
    if (volume === undefined) return path
    if (this.#volumes.size >= REMEMBERED_MAX) this.#volumes.clear()
    this.#volumes.set(path.toLowerCase(), volume)
    return volume
  }

  async #lookUp(path: string): Promise<string | undefined> {
    let image: string | undefined = path
    for (let depth = 0; depth < CHAIN_MAX && image !== undefined; depth++) {
      if (!AUTOMATIC.test(image)) return image
      image = await this.#parentOf(image)
    }
    return undefined
  }

  /** Of an image that cannot be opened, nobody can tell. */
  async #parentOf(path: string): Promise<string | undefined> {
    try {
      return (await this.#backEnd.image(path)).parent
    } catch (error) {
      const reason = toDriverError(error)
      if (reason instanceof DriverError && reason.kind !== 'unreachable') return undefined
      throw error
    }
  }
}
