import { setTimeout as pause } from 'node:timers/promises'
import { type DomainId, DriverError, type OperationOptions, type Snapshot, type SnapshotOps } from '../driver.ts'
import { isLost } from './again.ts'
import type { BackEnd } from './back-end.ts'
import type { Directory, Entry } from './directory.ts'
import type { Events } from './events.ts'
import type { Gate } from './gate.ts'
import type { Locks } from './locks.ts'
import type { MachineSnapshot, SnapshotBackEnd, SnapshotTree } from './snapshot-back-end.ts'
import { readSnapshotNotes, writeSnapshotNotes } from './snapshot-note.ts'
import { Reverting } from './snapshot-reverting.ts'
import { assertState } from './states.ts'
import type { ToldDevices } from './told-devices.ts'
import { takeBack } from './undo.ts'

/** What the group needs of a connection. */
export interface SnapshotParts {
  readonly snapshots: SnapshotBackEnd
  readonly backEnd: BackEnd
  readonly directory: Directory
  readonly events: Events
  readonly told: ToldDevices
  readonly locks: Locks
}

/** What is wanted of a snapshot. */
type Wish = Pick<Snapshot, 'name' | 'description'>

/** How long what is done with the snapshots of a machine may take, where the answer that names its job was lost. */
const BUSY_MS_MAX = 15 * 60_000
const PAUSE_MS = 50
const PAUSE_MS_MAX = 2_000
/** How often something that leads to the same is begun again, where its answers are lost. */
const LOST_MAX = 3

/** Snapshots of machines, whoever has taken them: Hyper-V's own, which are called checkpoints there. */
export function snapshotOps(parts: SnapshotParts, gate: Gate): SnapshotOps {
  const { snapshots, directory, locks } = parts
  const shelf = new Shelf(parts)
  return {
    list: id =>
      gate.pass(async () => {
        const { guid } = (await directory.get(id)).machine
        return listOf(guid, await snapshots.tree(guid))
      }),
    create(id, { name, description }, options) {
      return gate.pass(() => locks.run(id, () => shelf.create(id, { name, description }, options)))
    },
    revert: (id, snapshot, options) => gate.pass(() => locks.run(id, () => shelf.revert(id, snapshot, options))),
    remove: (id, snapshot, options) => gate.pass(() => locks.run(id, () => shelf.remove(id, snapshot, options))),
  }
}

/** Takes snapshots, goes back to them, and forgets them. */
class Shelf {
  readonly #parts: SnapshotParts

  constructor(parts: SnapshotParts) {
    this.#parts = parts
  }

  async create(id: DomainId, wish: Wish, options: OperationOptions = {}): Promise<Snapshot> {
    const entry = await this.#parts.directory.get(id)
    assertState(entry, 'take a snapshot of', ['halted', 'running', 'paused', 'suspended'])
    assertWanted(options)
    const { guid, notes, state } = entry.machine
    const isOn = state !== 'halted'
    const kept = state === 'paused' ? 'paused' : isOn ? 'memory' : 'nothing'
    const words = { name: wish.name, notes: writeSnapshotNotes(wish.description, kept, notes) }
    const before = await this.#parts.snapshots.tree(guid)
    const made = await this.#take(guid, isOn, before, options)
    try {
      await this.#parts.snapshots.describe(guid, made, words)
      return found(listOf(guid, await this.#parts.snapshots.tree(guid)), entry, made)
    } catch (error) {
      await this.#takeBack(guid, made, error)
      throw error
    }
  }

  async revert(id: DomainId, snapshot: string, options: OperationOptions = {}): Promise<void> {
    const { snapshots, directory } = this.#parts
    const entry = await directory.get(id)
    const { guid } = entry.machine
    const wanted = snapshotAmong(await snapshots.tree(guid), entry, snapshot)
    assertWanted(options)
    const apply = () => this.#untilAnswered(guid, () => snapshots.apply(guid, wanted.guid, options))
    await new Reverting(this.#parts, apply).revert(entry, wanted)
  }

  async remove(
    id: DomainId,
    snapshot: string,
    options: OperationOptions & { readonly children?: boolean } = {},
  ): Promise<void> {
    const { snapshots, directory } = this.#parts
    const entry = await directory.get(id)
    const { guid } = entry.machine
    const wanted = snapshotAmong(await snapshots.tree(guid), entry, snapshot)
    assertWanted(options)
    await this.#remove(guid, wanted.guid, options.children === true, options)
  }

  /** Takes one with the memory of the machine; what fails leaves none. */
  async #take(guid: string, isOn: boolean, before: SnapshotTree, options: OperationOptions): Promise<string> {
    const restore = isOn ? await this.#parts.snapshots.keepMemory(guid) : undefined
    const made = await this.#taken(guid, before, options).catch(async (error: unknown) => {
      if (restore !== undefined) await takeBack(restore, error, 'the kind of its snapshots remains changed')
      throw error
    })
    try {
      await restore?.()
    } catch (error) {
      await this.#takeBack(guid, made, error)
      throw error
    }
    return made
  }

  /** Where the answer is lost, or does not say, the snapshot that was not there before is the one. */
  async #taken(guid: string, before: SnapshotTree, options: OperationOptions): Promise<string> {
    const { snapshots } = this.#parts
    let failure: unknown
    try {
      const made = await snapshots.take(guid, options)
      if (made !== undefined) return made
    } catch (error) {
      failure = error
    }
    if (isLost(failure)) await this.#untilIdle(guid)
    const made = await this.#newIn(guid, before)
    if (failure === undefined || isLost(failure)) {
      if (made !== undefined) return made
      throw failure ?? new DriverError('unreachable', 'the host does not show the snapshot that it took')
    }
    // It may have been taken before it was known to have failed, or was told to stop.
    if (made !== undefined) await this.#takeBack(guid, made, failure)
    throw failure
  }

  async #newIn(guid: string, before: SnapshotTree): Promise<string | undefined> {
    const known = new Set(before.snapshots.map(one => one.guid))
    const { snapshots } = await this.#parts.snapshots.tree(guid)
    return snapshots.find(one => !known.has(one.guid))?.guid
  }

  async #takeBack(guid: string, snapshot: string, cause: unknown): Promise<void> {
    await takeBack(() => this.#remove(guid, snapshot, false), cause, `the snapshot ${snapshot} remains`)
  }

  /** Where the answer is lost, it is gone or not. */
  async #remove(guid: string, snapshot: string, children: boolean, options?: OperationOptions): Promise<void> {
    const { snapshots } = this.#parts
    try {
      await snapshots.remove(guid, snapshot, children, options)
    } catch (error) {
      if (!isLost(error)) throw error
      await this.#untilIdle(guid)
      const left = (await snapshots.tree(guid)).snapshots
      if (left.some(one => one.guid === snapshot)) throw error
    }
  }

  /** Does what leads to the same however often it is done, and is not begun while it is still being done. */
  async #untilAnswered(guid: string, run: () => Promise<void>): Promise<void> {
    for (let left = LOST_MAX; ; left--) {
      try {
        return await run()
      } catch (error) {
        if (left === 0 || !isLost(error)) throw error
        await this.#untilIdle(guid)
      }
    }
  }

  /** Waits for what was begun and not answered. */
  async #untilIdle(guid: string): Promise<void> {
    const deadline = performance.now() + BUSY_MS_MAX
    for (let wait = PAUSE_MS; await this.#parts.snapshots.isBusy(guid); wait = Math.min(wait * 2, PAUSE_MS_MAX)) {
      if (performance.now() > deadline)
        throw new DriverError('unreachable', 'the host does not get done with a snapshot')
      await pause(wait)
    }
  }
}

/** Each after the one it builds on, else in the order in which they were taken. */
function listOf(machineGuid: string, { snapshots, current }: SnapshotTree): Snapshot[] {
  const known = new Set(snapshots.map(({ guid }) => guid))
  const left = snapshots.toSorted((one, other) => one.createdMs - other.createdMs)
  const listed: Snapshot[] = []
  while (left.length > 0) {
    // Clocks are set back: the oldest is not always the first.
    const at = left.findIndex(({ parent }) => !left.some(({ guid }) => guid === parent))
    for (const one of left.splice(Math.max(at, 0), 1)) {
      const parent = one.parent !== undefined && known.has(one.parent) ? one.parent : undefined
      listed.push(describe(machineGuid, one, parent, current))
    }
  }
  return listed
}

function describe(
  machineGuid: string,
  one: MachineSnapshot,
  parent: string | undefined,
  current: string | undefined,
): Snapshot {
  const note = readSnapshotNotes(machineGuid, one.notes)
  const hasMemory = one.hasMemory ?? note.hasMemory ?? false
  return {
    id: one.guid.toLowerCase(),
    name: one.name,
    description: note.description,
    createdMs: one.createdMs,
    state: hasMemory ? 'suspended' : 'halted',
    ...(hasMemory && note.wasPaused && { wasPaused: true }),
    parent: parent?.toLowerCase() ?? null,
    isCurrent: one.guid === current,
  }
}

function found(list: readonly Snapshot[], { machine: { name } }: Entry, guid: string): Snapshot {
  const one = list.find(({ id }) => id === guid.toLowerCase())
  if (one === undefined)
    throw new DriverError('refused', `somebody has deleted the snapshot of ${name} that was just taken`)
  return one
}

function snapshotAmong({ snapshots }: SnapshotTree, { machine: { name } }: Entry, id: string): MachineSnapshot {
  const one = snapshots.find(({ guid }) => guid.toLowerCase() === id)
  if (one === undefined) throw new DriverError('not-found', `${name} has no snapshot ${id}`)
  return one
}

function assertWanted({ signal }: OperationOptions): void {
  if (signal?.aborted === true) throw new DriverError('refused', 'aborted before it began')
}
