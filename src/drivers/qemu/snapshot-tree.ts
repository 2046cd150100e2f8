import type { Snapshot } from '../driver.ts'
import type { KeptSnapshot, SnapshotRecord } from './snapshot-record.ts'

/** A snapshot as the contract tells of it. */
export function describe(kept: KeptSnapshot, current: string | null): Snapshot {
  const { id, name, description, createdMs, parent, memory } = kept
  const state = memory === null ? 'halted' : 'suspended'
  const told = { id, name, description, createdMs, state, parent, isCurrent: id === current } as const
  return memory?.paused === true ? { ...told, wasPaused: true } : told
}

/** With one more, on which what the domain is builds from now on. */
export const withSnapshot = (record: SnapshotRecord, kept: KeptSnapshot): SnapshotRecord => ({
  ...record,
  snapshots: [...record.snapshots, kept],
  current: kept.id,
  doomed: record.doomed.filter(({ id }) => id !== kept.id),
})

/** Without one, or with `children` without all that build on it either; what built on it builds on its parent then. */
export function withoutSnapshot(record: SnapshotRecord, wanted: KeptSnapshot, children: boolean): SnapshotRecord {
  const { snapshots, current, doomed } = record
  const gone = children ? treeOf(snapshots, wanted.id) : new Set([wanted.id])
  const { parent } = wanted
  return {
    ...record,
    snapshots: snapshots
      .filter(({ id }) => !gone.has(id))
      .map(one => (one.parent !== null && gone.has(one.parent) ? { ...one, parent } : one)),
    current: current !== null && gone.has(current) ? parent : current,
    doomed: [...doomed, ...snapshots.filter(({ id }) => gone.has(id)).map(({ id, disks }) => ({ id, disks }))],
  }
}

/** A snapshot and all that build on it, which come after it. */
function treeOf(snapshots: readonly KeptSnapshot[], root: string): ReadonlySet<string> {
  const found = new Set([root])
  for (const { id, parent } of snapshots) if (parent !== null && found.has(parent)) found.add(id)
  return found
}
