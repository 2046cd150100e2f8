import { type DiskConfig, DriverError } from '../driver.ts'
import type { DriveBackEnd } from './drive-back-end.ts'
import type { Images } from './images.ts'
import { pathKey } from './windows-path.ts'

/**
 * Finds images that a suspended domain goes on with when it is resumed: a host holds files open for machines that run, and
 * refuses them to others, but not for those that are saved.
 */
export class Rivals {
  readonly #backEnd: DriveBackEnd
  readonly #images: Images

  constructor(backEnd: DriveBackEnd, images: Images) {
    this.#backEnd = backEnd
    this.#images = images
  }

  /** Rejects as `refused` where a machine has an image of one that is saved, or one of these disks has. */
  async assertNone(guid: string, disks: readonly DiskConfig[] = []): Promise<void> {
    const saved = (await this.#backEnd.savedMachines()).filter(other => other !== guid)
    if (saved.length === 0) return
    const { [guid]: own = [], ...others } = Object.fromEntries(await this.#backEnd.writableMedia([guid, ...saved]))
    const written = disks.filter(({ kind }) => kind !== 'cdrom').map(({ location }) => location)
    const mine = new Set(await this.#keysOf([...own, ...written]))
    for (const [rival, paths] of Object.entries(others)) {
      const taken = (await this.#keysOf(paths)).find(key => mine.has(key))
      if (taken === undefined) continue
      throw new DriverError('refused', `the machine ${rival}, which is suspended, writes to ${taken}`)
    }
  }

  async #keysOf(paths: readonly string[]): Promise<string[]> {
    const images = paths.filter(path => path !== '')
    return (await Promise.all(images.map(path => this.#images.volumeOf(path)))).map(pathKey)
  }
}
