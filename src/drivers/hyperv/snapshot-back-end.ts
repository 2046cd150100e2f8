import type { OperationOptions } from '../driver.ts'
import type { Undo } from './undo.ts'

// What the snapshots of machines need of a host, whichever of its namespaces it is told through.

/** A snapshot of a machine. */
export interface MachineSnapshot {
  /** How the host names it, in upper case. */
  readonly guid: string
  readonly name: string
  readonly notes: string
  /** Since 1970. */
  readonly createdMs: number
  /** The GUID of the one that it builds on; undefined for the first. */
  readonly parent: string | undefined
  /** Whether the memory of the machine is in it; undefined where the host does not tell. */
  readonly hasMemory: boolean | undefined
}

/** The snapshots of a machine. */
export interface SnapshotTree {
  /** In any order. */
  readonly snapshots: readonly MachineSnapshot[]
  /** The GUID of the one that what the machine is now builds on. */
  readonly current: string | undefined
}

/** The part of a back end that is about snapshots. */
export interface SnapshotBackEnd {
  tree(machineGuid: string): Promise<SnapshotTree>
  /** Has the host keep the memory of a machine in its next snapshots; gives what takes that back. */
  keepMemory(machineGuid: string): Promise<Undo>
  /** Gives the GUID of what was made; undefined where the host does not tell. */
  take(machineGuid: string, options?: OperationOptions): Promise<string | undefined>
  describe(machineGuid: string, snapshot: string, words: Pick<MachineSnapshot, 'name' | 'notes'>): Promise<void>
  /** Of a machine that is off or saved. */
  apply(machineGuid: string, snapshot: string, options?: OperationOptions): Promise<void>
  /** With `children`, all that build on it too. */
  remove(machineGuid: string, snapshot: string, children: boolean, options?: OperationOptions): Promise<void>
  /** Whether something is being done with the snapshots of a machine. */
  isBusy(machineGuid: string): Promise<boolean>
}
