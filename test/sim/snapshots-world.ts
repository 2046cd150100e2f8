import assert from 'node:assert/strict'
import type { CimValue, Instance } from '../../sim/hyperv/cim/model.ts'
import { pathOf } from '../../sim/hyperv/cim/path.ts'
import type { MethodResult } from '../../sim/hyperv/cim/provider.ts'
import type { Snapshot, Vm } from '../../sim/hyperv/host/model.ts'
import { call, onlyOne, query, systemOf, V2, type World } from './host-world.ts'
import { type End, ended } from './images-world.ts'

/** A method of the snapshot service. */
export function snapshotService(
  world: World,
  method: string,
  input: Readonly<Record<string, CimValue>>,
): Promise<MethodResult> {
  return call(world.v2, onlyOne(world.v2, 'SELECT * FROM Msvm_VirtualSystemSnapshotService'), method, input)
}

export function taking(world: World, vm: Vm, input: Readonly<Record<string, CimValue>> = {}): Promise<MethodResult> {
  const AffectedSystem = pathOf(systemOf(world, vm), world.v2.hostName, V2)
  return snapshotService(world, 'CreateSnapshot', { AffectedSystem, SnapshotType: 2, ...input })
}

/** Takes a snapshot, and expects that to go well. */
export async function take(world: World, vm: Vm, input: Readonly<Record<string, CimValue>> = {}): Promise<Snapshot> {
  const end = await ended(world, taking(world, vm, input))
  assert.equal(end.code, 0, end.text)
  const snapshot = vm.snapshots.at(-1)
  assert(snapshot !== undefined)
  return snapshot
}

export const snapshotPath = (id: string): string =>
  `\\\\HVHOST\\root\\virtualization\\v2:Msvm_VirtualSystemSettingData.InstanceID="Microsoft:${id}"`

export function apply(world: World, { id }: Snapshot): Promise<End> {
  return ended(world, snapshotService(world, 'ApplySnapshot', { Snapshot: snapshotPath(id) }))
}

export function destroy(world: World, { id }: Snapshot): Promise<End> {
  return ended(world, snapshotService(world, 'DestroySnapshot', { AffectedSnapshot: snapshotPath(id) }))
}

export function destroyTree(world: World, { id }: Snapshot): Promise<End> {
  return ended(world, snapshotService(world, 'DestroySnapshotTree', { SnapshotSettingData: snapshotPath(id) }))
}

/** What is joined to a machine by an association. */
export function joinedTo(world: World, vm: Vm, association: string): readonly Instance[] {
  const name = `Msvm_ComputerSystem.CreationClassName='Msvm_ComputerSystem',Name='${vm.id}'`
  return query(world.v2, `ASSOCIATORS OF {${name}} WHERE AssocClass = ${association}`)
}
