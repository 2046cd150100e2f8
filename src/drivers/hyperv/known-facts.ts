import type { HostFile, ImageFacts } from './storage-back-end.ts'
import { pathKey } from './windows-path.ts'

/** How long it is believed that an image is as it was; a running machine may change one without its file looking any newer. */
const BELIEVED_MS = 10 * 60_000
const IMAGES_MAX = 50_000

interface Known {
  readonly facts: ImageFacts
  readonly stamp: string
  readonly readAt: number
}

/** What images were like whose files have not been written since: a host tells of files by the folder, but of images one by one. */
export class KnownFacts {
  readonly #known = new Map<string, Known>()

  /** Undefined where that must be read. */
  of({ path, stamp }: HostFile): ImageFacts | undefined {
    const known = this.#known.get(pathKey(path))
    const isNew = known !== undefined && known.stamp === stamp && performance.now() - known.readAt < BELIEVED_MS
    return isNew ? known.facts : undefined
  }

  remember({ path, stamp }: HostFile, facts: ImageFacts): void {
    if (this.#known.size >= IMAGES_MAX) this.#known.clear()
    this.#known.set(pathKey(path), { facts, stamp, readAt: performance.now() })
  }

  forget(path: string): void {
    this.#known.delete(pathKey(path))
  }
}
