import { randomUUID } from 'node:crypto'
import { DriverError, type OperationOptions, type Snapshot } from '../driver.ts'
import { withRelocated } from './definition.ts'
import { type ImageKey, keysOf } from './images.ts'
import type { DomainFiles } from './layout.ts'
import { type QemuImg, qemuImgAt } from './qemu-img.ts'
import { assertKeepable, dropFrom, type Holder, keptDisks } from './snapshot-disks.ts'
import { removeSnapshotFiles, snapshotFilesOf } from './snapshot-files.ts'
import { keepAll } from './snapshot-keeping.ts'
import { forgetSaving } from './snapshot-memory.ts'
import {
  type Doomed,
  type KeptSnapshot,
  NO_SNAPSHOTS,
  readRecord,
  type SnapshotRecord,
  writeRecord,
} from './snapshot-record.ts'
import { assertWhole, goBack, NotSetBackError } from './snapshot-reverting.ts'
import { describe, withoutSnapshot, withSnapshot } from './snapshot-tree.ts'
import type { Surroundings } from './surroundings.ts'
import { madeOf, type WholeDomain } from './whole-domain.ts'

/** How many snapshots of a domain are kept. */
const SNAPSHOTS_MAX = 50

/** Whether another domain uses an image. */
export type IsTaken = (image: ImageKey) => boolean

/** The snapshots of a domain. Its caller sees to the order of operations. */
export class SnapshotShelf {
  readonly #files: DomainFiles
  readonly #qemuImg: QemuImg
  readonly #warn: (message: string) => void
  #record: SnapshotRecord = NO_SNAPSHOTS
  /** Why nothing is known; undefined where all is well. */
  #failure: DriverError | undefined

  constructor(files: DomainFiles, { installation, warn }: Pick<Surroundings, 'installation' | 'warn'>) {
    this.#files = files
    this.#qemuImg = qemuImgAt(installation.qemuImg)
    this.#warn = message => warn(`snapshots in ${files.folder}: ${message}`)
  }

  /** Reads what an earlier connection recorded. */
  async load(): Promise<void> {
    try {
      this.#record = await readRecord(this.#files.snapshots)
    } catch (error) {
      if (!(error instanceof DriverError)) throw error
      this.#failure = error
      this.#warn(error.message)
    }
  }

  /** Those that are kept, each after the one that it builds on. Throws as `refused` where nothing is known. */
  list(): Snapshot[] {
    const { snapshots, current } = this.#known()
    return snapshots.map(one => describe(one, current))
  }

  /** Whether an image holds one of them, or part of one. */
  holds(image: ImageKey): boolean {
    const { snapshots, doomed } = this.#record
    return keysOf([...new Set([...snapshots, ...doomed].flatMap(({ disks }) => disks))]).has(image)
  }

  /** Whether the definition of one of them names this image. */
  names(image: ImageKey): boolean {
    const disks = this.#record.snapshots.flatMap(({ definition, memory }) =>
      [definition, ...(memory === null ? [] : [memory.definition])].flatMap(({ config }) => config.disks),
    )
    return keysOf([...new Set(disks.map(({ location }) => location))].filter(location => location !== '')).has(image)
  }

  /** Names `place` where one of them names this image, in the same folder; durable when it resolves. */
  async relocate(image: ImageKey, place: string): Promise<void> {
    if (!this.names(image)) return
    const snapshots = this.#record.snapshots.map(one => ({
      ...one,
      definition: withRelocated(one.definition, image, place),
      memory: one.memory && { ...one.memory, definition: withRelocated(one.memory.definition, image, place) },
    }))
    await this.#write({ ...this.#record, snapshots })
  }

  /** Keeps what a domain is; see `SnapshotOps.create`. */
  async create(
    whole: WholeDomain,
    wish: Pick<Snapshot, 'name' | 'description'>,
    { isTaken, ...options }: OperationOptions & { readonly isTaken: IsTaken },
  ): Promise<Snapshot> {
    const { snapshots, current } = this.#known()
    assertWanted(options)
    assertKnownState(whole)
    if (snapshots.length >= SNAPSHOTS_MAX) throw refused(`there are ${SNAPSHOTS_MAX} snapshots of it already`)
    const disks = keptDisks(madeOf(whole).config)
    for (const disk of disks) await assertKeepable(disk)
    const { id, locations } = { id: randomUUID(), locations: [...new Set(disks.map(({ location }) => location))] }
    this.#take(whole, locations, isTaken)
    await this.#clear(whole)
    await this.#write({ ...this.#record, doomed: [...this.#record.doomed, { id, disks: locations }] })
    try {
      const files = snapshotFilesOf(this.#files, id)
      const parts = { id, disks, files, domainFiles: this.#files, qemuImg: this.#qemuImg }
      const memory = await keepAll(whole, { ...parts, ...options })
      assertWanted(options)
      const { definition } = whole
      const kept = { id, ...wish, createdMs: Date.now(), parent: current, definition, memory, disks: locations }
      await this.#write(withSnapshot(this.#record, kept))
      return describe(kept, id)
    } catch (error) {
      await this.#clear(whole).catch((failure: unknown) => this.#warn(String(failure)))
      throw error
    }
  }

  /** Makes a domain what it was; see `SnapshotOps.revert`. What is missing for it is said before anything is changed. */
  async revert(
    whole: WholeDomain,
    id: string,
    {
      isTaken,
      isAgain = false,
      ...options
    }: OperationOptions & { readonly isTaken: IsTaken; readonly isAgain?: boolean },
  ): Promise<void> {
    const kept = this.#find(id)
    assertWanted(options)
    this.#take(whole, kept.disks, isTaken)
    const files = snapshotFilesOf(this.#files, id)
    await assertWhole(kept, files)
    // What it is half-way is nothing to keep.
    const undo = isAgain ? undefined : { id: randomUUID(), disks: kept.disks }
    await this.#write({ ...this.#record, reverting: id, doomed: [...this.#record.doomed, ...(undo ? [undo] : [])] })
    const parts = { files, domainFiles: this.#files, qemuImg: this.#qemuImg, ...(undo && { undoId: undo.id }) }
    try {
      await goBack(whole, kept, { ...parts, ...options })
      await this.#write({ ...this.#record, reverting: null, current: id })
    } catch (error) {
      const lost = error instanceof NotSetBackError ? error.disks : []
      const doomed = this.#record.doomed.map(one => (one.id === undo?.id ? withoutDisks(one, lost) : one))
      await this.#write({ ...this.#record, reverting: null, doomed })
      throw error
    } finally {
      await this.#sweep(undefined).catch((failure: unknown) => this.#warn(String(failure)))
    }
    whole.tellChanged()
  }

  /** Forgets one, or one and all that build on it; see `SnapshotOps.remove`. */
  async remove(
    whole: WholeDomain,
    id: string,
    { children = false, ...options }: OperationOptions & { readonly children?: boolean },
  ): Promise<void> {
    const kept = this.#find(id)
    assertWanted(options)
    await this.#write(withoutSnapshot(this.#record, kept, children))
    await this.#clear(whole, options.onProgress)
  }

  /** Forgets all of a halted domain that is to be forgotten itself; what images go on holding is told to the operator. */
  async drop(): Promise<void> {
    const { snapshots, doomed } = this.#record
    if (snapshots.length + doomed.length === 0) return
    await this.#write({ ...NO_SNAPSHOTS, doomed: [...doomed, ...snapshots.map(({ id, disks }) => ({ id, disks }))] })
    await this.#sweep(undefined)
    this.#record = NO_SNAPSHOTS
  }

  /** Whether somebody was killed in the middle of something. */
  get isUnfinished(): boolean {
    return this.#record.reverting !== null || this.#record.doomed.length > 0
  }

  /** Goes on where somebody was killed: takes back what was being kept, and goes back where that had been begun. */
  async heal(whole: WholeDomain, isTaken: IsTaken): Promise<void> {
    const { reverting } = this.#record
    if (reverting !== null) {
      try {
        await this.revert(whole, reverting, { isTaken, isAgain: true })
      } catch (error) {
        // Nor to resume memory of before, with disks that went back.
        if (whole.suspension.saved !== undefined) await whole.suspension.discard()
        // Whoever uses the domain from now on is not to lose what they do to another attempt.
        if (this.#record.reverting !== null) await this.#write({ ...this.#record, reverting: null })
        throw error
      }
    }
    await this.#clear(whole)
  }

  /** Sweeps, and takes away first what a QEMU was left with. */
  async #clear(whole: WholeDomain, onProgress?: (share: number) => void): Promise<void> {
    const { machine } = whole
    if (this.#record.doomed.length > 0 && machine !== undefined) {
      await forgetSaving(machine).catch((error: unknown) => this.#warn(String(error)))
    }
    await this.#sweep({ machine, madeOf: madeOf(whole) }, onProgress)
  }

  /** Deletes what is there of snapshots that are not, or no more. What cannot be deleted stays known, for the next time. */
  async #sweep(holder: Holder | undefined, onProgress?: (share: number) => void): Promise<void> {
    const { doomed } = this.#record
    if (doomed.length === 0) return
    const left: Doomed[] = []
    for (const [index, one] of doomed.entries()) {
      const disks = await this.#dropAll(one, holder)
      await removeSnapshotFiles(snapshotFilesOf(this.#files, one.id))
      if (disks.length > 0) left.push({ ...one, disks })
      onProgress?.((index + 1) / doomed.length)
    }
    await this.#write({ ...this.#record, doomed: left })
  }

  /** Gives the images that go on holding it. */
  async #dropAll({ id, disks }: Doomed, holder: Holder | undefined): Promise<string[]> {
    const left: string[] = []
    for (const location of disks) {
      try {
        await dropFrom(location, id, holder, this.#qemuImg)
      } catch (error) {
        this.#warn(`the snapshot ${id} cannot be deleted from ${location}: ${String(error)}`)
        left.push(location)
      }
    }
    return left
  }

  /** Keeps images from whoever would change them meanwhile. Throws as `bad-state` where another domain uses one. */
  #take({ images }: WholeDomain, locations: readonly string[], isTaken: IsTaken): void {
    for (const location of locations) {
      const keys = keysOf([location])
      if ([...keys].some(isTaken)) throw new DriverError('bad-state', `another domain uses ${location}`)
      images.opens(keys)
    }
  }

  #find(id: string): KeptSnapshot {
    const found = this.#known().snapshots.find(one => one.id === id)
    if (found === undefined) throw new DriverError('not-found', `the domain has no snapshot ${JSON.stringify(id)}`)
    return found
  }

  #known(): SnapshotRecord {
    if (this.#failure !== undefined) throw this.#failure
    return this.#record
  }

  async #write(record: SnapshotRecord): Promise<void> {
    await writeRecord(this.#files.snapshots, record)
    this.#record = record
  }
}

const refused = (message: string) => new DriverError('refused', message)

/** What stays in some disks is the operator's. */
const withoutDisks = ({ id, disks }: Doomed, kept: readonly string[]): Doomed => ({
  id,
  disks: disks.filter(location => !kept.includes(location)),
})

/** A machine that does not answer says so itself. */
function assertKnownState({ summary: { state }, machine }: WholeDomain): void {
  if (machine === undefined || !machine.isReached || state === 'running' || state === 'paused') return
  throw new DriverError('bad-state', `the domain is ${state}, not halted, running, paused or suspended`)
}

function assertWanted({ signal }: OperationOptions): void {
  if (signal?.aborted === true) throw new DriverError('refused', 'the operation was aborted', { cause: signal.reason })
}
