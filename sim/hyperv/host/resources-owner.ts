import type { Host } from './host.ts'
import type { Configuration, Settings, Snapshot, Vm } from './model.ts'
import { ownerOfId } from './resources-ids.ts'
import { settingsById } from './resources-settings.ts'

/** Whose settings something is among: a machine's own, or those of one of its snapshots. */
export interface Owner {
  readonly vm: Vm
  readonly snapshot?: Snapshot
  /** A GUID in upper case: the machine's or the snapshot's. */
  readonly id: string
  readonly configuration: Configuration
}

/** All machines and snapshots of a host, each machine before its snapshots. */
export function* ownersOf(host: Host): Generator<Owner> {
  for (const vm of host.state.vms) {
    yield ownVm(vm)
    for (const snapshot of vm.snapshots) yield ownSnapshot(vm, snapshot)
  }
}

/** By the GUID of the machine or snapshot, in upper case. */
export function ownerNamed(host: Host, id: string): Owner | undefined {
  const vm = host.vm(id)
  if (vm !== undefined) return ownVm(vm)
  for (const one of host.state.vms) {
    const snapshot = one.snapshots.find(each => each.id === id)
    if (snapshot !== undefined) return ownSnapshot(one, snapshot)
  }
  return undefined
}

/** By the InstanceID of any of its settings, its system settings among them. */
export function ownerOf(host: Host, instanceId: string): Owner | undefined {
  const named = ownerOfId(instanceId)
  return named === undefined ? undefined : ownerNamed(host, named.owner)
}

/** Settings and whose they are. */
export interface Owned {
  readonly owner: Owner
  readonly settings: Settings
}

/** By InstanceID, in whatever case. */
export function findOwned(host: Host, instanceId: string): Owned | undefined {
  const owner = ownerOf(host, instanceId)
  if (owner === undefined) return undefined
  const settings = settingsById(owner.configuration, instanceId)
  return settings === undefined ? undefined : { owner, settings }
}

export const ownVm = (vm: Vm): Owner => ({ vm, id: vm.id, configuration: vm.configuration })

const ownSnapshot = (vm: Vm, snapshot: Snapshot): Owner => ({
  vm,
  snapshot,
  id: snapshot.id,
  configuration: snapshot.configuration,
})
