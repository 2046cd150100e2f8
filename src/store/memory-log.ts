import { type Clock, systemClock } from './clock.ts'
import { type Delta, EncodedObjects, parseChanges } from './delta.ts'
import { type Batch, type Lease, type Log, LogFailure, type LogReader } from './log.ts'
import { StoreUnavailable } from './store.ts'

/** After how many deltas they are folded into the objects, so that a server without a disk does not grow for ever. */
const DELTAS_KEPT_MAX = 1_000

/** What a memory log keeps; as long as it lives, stores can be opened on it one after another. */
export class MemoryLogContents {
  readonly objects = new EncodedObjects()
  readonly leases = new Map<string, Lease & { readonly expiresAt: number }>()
  deltas: Delta[] = []
  generation = 0
  isHeld = false
}

/** A log that lasts as long as `contents` does: for tests, and for a server that shall forget everything. */
export function memoryLog(contents: MemoryLogContents = new MemoryLogContents(), clock: Clock = systemClock): Log {
  return new MemoryLog(contents, clock)
}

class MemoryLog implements Log {
  readonly place = 'the store in memory'
  readonly #contents: MemoryLogContents
  readonly #clock: Clock
  #isOpen = false

  constructor(contents: MemoryLogContents, clock: Clock) {
    this.#contents = contents
    this.#clock = clock
  }

  async load(reader: LogReader): Promise<number> {
    if (this.#contents.isHeld) throw new StoreUnavailable(`${this.place} is held by another server`)
    this.#contents.isHeld = true
    this.#isOpen = true
    const { objects, deltas, generation } = this.#contents
    for (const className of objects.classNames()) {
      for (const [ref, record] of objects.of(className)) reader.object(className, ref, record)
    }
    for (const delta of deltas) {
      for (const change of parseChanges(delta.changes)) reader.change(delta.generation, change)
    }
    return generation
  }

  async append({ after, deltas }: Batch): Promise<void> {
    this.#checkOpen()
    const contents = this.#contents
    if (after !== contents.generation) {
      throw new LogFailure(`the log is at generation ${contents.generation}, not ${after}`, { forGood: true })
    }
    contents.deltas.push(...deltas)
    contents.generation = deltas.at(-1)?.generation ?? after
    if (contents.deltas.length > DELTAS_KEPT_MAX) this.#fold()
  }

  async acquireLease(name: string, owner: string, ttlMs: number): Promise<Lease | undefined> {
    this.#checkOpen()
    const { leases } = this.#contents
    const held = leases.get(name)
    if (held !== undefined && held.owner !== owner && held.expiresAt > this.#clock.now()) return undefined
    const lease = { name, owner, fence: (held?.fence ?? 0) + 1 }
    leases.set(name, { ...lease, expiresAt: this.#clock.now() + ttlMs })
    return lease
  }

  async renewLease(lease: Lease, ttlMs: number): Promise<boolean> {
    this.#checkOpen()
    if (this.#contents.leases.get(lease.name)?.fence !== lease.fence) return false
    this.#contents.leases.set(lease.name, { ...lease, expiresAt: this.#clock.now() + ttlMs })
    return true
  }

  async releaseLease(lease: Lease): Promise<void> {
    this.#checkOpen()
    if (this.#contents.leases.get(lease.name)?.fence !== lease.fence) return
    this.#contents.leases.set(lease.name, { ...lease, expiresAt: 0 })
  }

  async close(): Promise<void> {
    if (this.#isOpen) this.#contents.isHeld = false
    this.#isOpen = false
  }

  #checkOpen(): void {
    if (!this.#isOpen) throw new LogFailure('the log is closed', { forGood: true })
  }

  #fold(): void {
    for (const delta of this.#contents.deltas) {
      for (const change of parseChanges(delta.changes)) this.#contents.objects.apply(change)
    }
    this.#contents.deltas = []
  }
}
