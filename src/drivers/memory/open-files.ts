import { DriverError } from '../driver.ts'

/** Volumes that somebody reads or writes as files, by their locations; 0 where one is written, else by how many it is read. */
export class OpenFiles {
  readonly #open = new Map<string, number>()

  /** Throws as `bad-state` where it is being read or written. */
  assertClosed(location: string): void {
    if (this.#open.has(location)) {
      throw new DriverError('bad-state', `the volume at ${location} is being read or written as a file`)
    }
  }

  /** Until what is answered is called. Throws as `assertClosed`, unless all only read. */
  open(location: string, mode: 'read' | 'write'): () => void {
    const readers = this.#open.get(location) ?? 0
    if (mode === 'write' || readers === 0) this.assertClosed(location)
    this.#open.set(location, mode === 'write' ? 0 : readers + 1)
    return () => {
      const left = (this.#open.get(location) ?? 0) - 1
      if (left > 0) this.#open.set(location, left)
      else this.#open.delete(location)
    }
  }
}
