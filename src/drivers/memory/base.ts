/**
 * Blocks that several volumes of a memory host share, and that none of them writes to any more. It is there for as long
 * as a volume, or another base, builds on it.
 */
export interface Base {
  readonly bytes: number
  readonly parent: Base | null
  /** How many volumes and bases build on it. */
  uses: number
}

/** What a base and all below it weigh: what a volume on it would hold if it shared with nobody. */
export function chainBytes(base: Base | null): number {
  let bytes = 0
  for (let next = base; next !== null; next = next.parent) bytes += next.bytes
  return bytes
}

/** Takes one user away from a base, and says how many bytes are nobody's now. */
export function release(base: Base | null): number {
  let freedBytes = 0
  for (let next = base; next !== null; next = next.parent) {
    next.uses -= 1
    if (next.uses > 0) break
    freedBytes += next.bytes
  }
  return freedBytes
}

/** Copies bases to another repository, each once, so that copies share what their originals share. */
export class BaseCopier {
  readonly #copies = new Map<Base, Base>()
  /** What the copies weigh. */
  bytes = 0

  /** The copy of a base, with one user more. */
  copy(base: Base | null): Base | null {
    if (base === null) return null
    const known = this.#copies.get(base)
    if (known !== undefined) {
      known.uses += 1
      return known
    }
    const copy = { bytes: base.bytes, parent: this.copy(base.parent), uses: 1 }
    this.#copies.set(base, copy)
    this.bytes += base.bytes
    return copy
  }
}
