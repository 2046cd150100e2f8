import { DriverError } from '../driver.ts'

/** What is kept of a volume is kept in blocks of this size. */
const BLOCK_BYTES = 65_536
/** How much of all volumes is kept: this host has no disks. */
export const CONTENTS_BYTES_MAX = 2 ** 28

type Blocks = Map<number, Uint8Array>

/** What was written to volumes, by their locations; all the rest is zeros. */
export class Contents {
  readonly #volumes = new Map<string, Blocks>()
  #blocks = 0

  read(location: string, position: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    const blocks = this.#volumes.get(location)
    for (const { block, start, from, to } of pieces(position, length)) {
      const kept = blocks?.get(block)
      if (kept !== undefined) bytes.set(kept.subarray(from, to), start)
    }
    return bytes
  }

  /** Answers for how many bytes there was no room before. Throws as `refused` where the host has no more. */
  write(location: string, position: number, bytes: Uint8Array): number {
    const blocks = this.#volumes.get(location) ?? new Map<number, Uint8Array>()
    this.#volumes.set(location, blocks)
    let added = 0
    for (const { block, start, from, to } of pieces(position, bytes.length)) {
      const kept = blocks.get(block)
      const target = kept ?? this.#newBlock()
      if (kept === undefined) added += BLOCK_BYTES
      target.set(bytes.subarray(start, start + to - from), from)
      blocks.set(block, target)
    }
    return added
  }

  rename(location: string, place: string): void {
    const blocks = this.#volumes.get(location)
    if (blocks === undefined || location === place) return
    this.#volumes.delete(location)
    this.#volumes.set(place, blocks)
  }

  /** Throws as `refused` where the host has no more room, and leaves none of the copy. */
  copy(location: string, place: string): void {
    const blocks = this.#volumes.get(location)
    if (blocks === undefined) return
    this.#demandRoom(blocks.size)
    this.#blocks += blocks.size
    this.#volumes.set(place, new Map(Array.from(blocks, ([block, bytes]) => [block, bytes.slice()])))
  }

  /** Forgets what is there from `end` on. */
  cut(location: string, end: number): void {
    const blocks = this.#volumes.get(location)
    for (const [block, bytes] of blocks ?? []) {
      const start = block * BLOCK_BYTES
      bytes.fill(0, Math.max(0, end - start))
      if (start < end) continue
      blocks?.delete(block)
      this.#blocks--
    }
  }

  delete(location: string): void {
    this.#blocks -= this.#volumes.get(location)?.size ?? 0
    this.#volumes.delete(location)
  }

  #newBlock(): Uint8Array {
    this.#demandRoom(1)
    this.#blocks++
    return new Uint8Array(BLOCK_BYTES)
  }

  #demandRoom(blocks: number): void {
    if ((this.#blocks + blocks) * BLOCK_BYTES <= CONTENTS_BYTES_MAX) return
    throw new DriverError('refused', `a memory host keeps ${CONTENTS_BYTES_MAX} bytes of what is in volumes, not more`)
  }
}

/** The parts of blocks that a range is made of: `start` is where they are in the range, `from` and `to` in the block. */
function* pieces(position: number, length: number) {
  for (let start = 0; start < length; ) {
    const block = Math.floor((position + start) / BLOCK_BYTES)
    const from = position + start - block * BLOCK_BYTES
    const to = Math.min(BLOCK_BYTES, from + length - start)
    yield { block, start, from, to }
    start += to - from
  }
}
