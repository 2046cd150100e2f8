import type { Definition } from './definition.ts'
import { filesOpenIn, filesWrittenBy, type ImageKey, keysOf } from './images.ts'
import type { Machine } from './machine.ts'
import { assertClosed } from './open-images.ts'
import type { RunningRecord } from './running.ts'
import type { Suspension } from './suspension.ts'

/** What of a domain has to do with images. */
export interface ImageUseOptions {
  readonly machine: () => Machine | undefined
  readonly stored: () => Definition | undefined
  readonly running: RunningRecord
  readonly suspension: Suspension
  readonly snapshots: { readonly names: (image: ImageKey) => boolean }
}

/** Which images a domain has to do with, by whatever path they are named. */
export class ImageUse {
  readonly #options: ImageUseOptions
  /** Images that QEMU was told to open and may not have opened yet. */
  #opening: ReadonlySet<ImageKey> = new Set()

  constructor(options: ImageUseOptions) {
    this.#options = options
  }

  /** QEMU is about to be told to open these. Throws as `bad-state` where somebody is reading or writing one as a file. */
  opens(images: Iterable<ImageKey>): void {
    for (const image of images) assertClosed(image, 'of a disk')
    this.#opening = new Set([...this.#opening, ...images])
  }

  /** QEMU has opened what it was told to, or will not. */
  opened(): void {
    this.#opening = new Set()
  }

  /** Whether QEMU has this image open, is just being told to, or will go on with it when it is resumed. */
  uses(image: ImageKey): boolean {
    if (this.#opening.has(image) || this.#options.suspension.uses(image)) return true
    const machine = this.#options.machine()
    return machine !== undefined && filesOpenIn(machine.process.pid).has(image)
  }

  /** Whether QEMU has this image open for writing, or is just being told to open it. */
  writes(image: ImageKey): boolean {
    if (this.#opening.has(image)) return true
    const machine = this.#options.machine()
    return machine !== undefined && filesWrittenBy(machine.process.pid).has(image)
  }

  /** Whether the definition, what QEMU is or will be made of, or a snapshot names this image. */
  names(image: ImageKey): boolean {
    const { machine, stored, running, suspension, snapshots } = this.#options
    if (suspension.uses(image) || snapshots.names(image)) return true
    const definitions = [stored(), machine() && running.definition]
    return definitions.some(each => each && keysOf(each.config.disks.map(disk => disk.location)).has(image))
  }
}
