import { type CimInstance, type EndpointReference, parseObjectPath, reference } from '../../../protocols/wsman/index.ts'
import type { MachineSnapshot, SnapshotTree } from '../snapshot-back-end.ts'
import { type Link, settingsIdOf, systemOf } from './link.ts'

// What snapshots are in both namespaces: settings of a machine beside those that it has.

export const SETTINGS = 'Msvm_VirtualSystemSettingData'

/** Source: Microsoft Learn, "Msvm_AffectedJobElement", in both namespaces. */
const AFFECTED = 'Msvm_AffectedJobElement'

/** The settings of a snapshot. */
export function snapshotOf({ namespace }: Link, guid: string): EndpointReference {
  return reference(namespace, SETTINGS, { InstanceID: settingsIdOf(guid) })
}

/** The GUID in the InstanceID of settings. */
export const guidIn = (row: CimInstance): string => guidOf(row.string('InstanceID') ?? '')

/** What settings tell of the snapshot that they are, but for what each namespace has in its own way. */
export function snapshotIn(row: CimInstance): Omit<MachineSnapshot, 'notes' | 'hasMemory'> {
  const parent = row.string('Parent') ?? ''
  return {
    guid: guidIn(row),
    name: row.string('ElementName') ?? '',
    createdMs: row.datetime('CreationTime')?.toDate().getTime() ?? 0,
    parent: parent === '' ? undefined : guidOf(String(parseObjectPath(parent)?.keys.get('InstanceID') ?? '')),
  }
}

/**
 * The snapshots among the settings of a machine, and the one that those which it has build on: by their own Parent, which
 * tells that of the branch which the machine is in, whatever other branches there are.
 * Source: Microsoft Learn, "Msvm_VirtualSystemSettingData", Parent, in both namespaces.
 */
export function treeAmong(
  rows: readonly CimInstance[],
  machineGuid: string,
  toSnapshot: (row: CimInstance) => MachineSnapshot | undefined,
): SnapshotTree {
  const own = rows.find(row => guidIn(row) === machineGuid)
  return { snapshots: rows.flatMap(row => toSnapshot(row) ?? []), current: own && snapshotIn(own).parent }
}

/** The snapshot that a job has made, by `isSnapshot`: what else it has touched are settings too. */
export async function madeSnapshot(link: Link, job: EndpointReference, isSnapshot: (row: CimInstance) => boolean) {
  const affected = await link.client.associators(job, { associationClass: AFFECTED, resultClass: SETTINGS })
  const made = affected.find(isSnapshot)
  return made && guidIn(made)
}

/**
 * OperationalStatus[1] of a machine whose snapshots something is done with: one is made, applied or deleted, or disks are
 * merged. Source: the ValueMap of Msvm_ComputerSystem.OperationalStatus, the same in both namespaces.
 */
const BUSY: ReadonlySet<number> = new Set([32_768, 32_769, 32_770, 32_772])

export async function isBusy(link: Link, machineGuid: string): Promise<boolean> {
  const system = await link.client.get(systemOf(link, machineGuid))
  return system.numbers('OperationalStatus').some(status => BUSY.has(status))
}

const guidOf = (instanceId: string): string => instanceId.replace(/^Microsoft:/i, '').toUpperCase()
