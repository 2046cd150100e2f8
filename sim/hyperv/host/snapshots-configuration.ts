import { datetimeOf } from '../cim/datetime.ts'
import type { CimValue } from '../cim/model.ts'
import type { Host } from './host.ts'
import type { Configuration, Settings, Vm } from './model.ts'
import { settingsPath, systemId } from './resources-ids.ts'
import { withValues } from './resources-settings.ts'
import { isList } from './settings.ts'
import { SYSTEM_TYPE } from './system-settings.ts'

// What a snapshot keeps of its machine, and what a machine becomes when it is applied.

/** What stays the machine's own whatever is applied. Source: Notes were seen to stay; the rest is what names it. */
const OWN = [
  'Caption',
  'ConfigurationDataRoot',
  'ConfigurationFile',
  'ConfigurationID',
  'CreationTime',
  'Description',
  'ElementName',
  'GuestStateDataRoot',
  'GuestStateFile',
  'InstanceID',
  'IsAutomaticSnapshot',
  'LogDataRoot',
  'Notes',
  'SnapshotDataRoot',
  'SuspendDataRoot',
  'SwapFileDataRoot',
  'UserSnapshotType',
  'VirtualSystemIdentifier',
  'VirtualSystemType',
]

/** A snapshot's configuration, of what its machine is now. */
export function snapshotConfiguration(
  host: Host,
  vm: Vm,
  { id, name }: { readonly id: string; readonly name: string },
): Configuration {
  const { system, resources } = renamed(vm.configuration, vm.id, id)
  const extension = host.state.build >= 10240 ? 'vmcx' : 'xml'
  return {
    system: withValues(system, {
      ConfigurationFile: `Snapshots\\${id}.${extension}`,
      ConfigurationID: id,
      CreationTime: datetimeOf(host.clock.now()),
      ElementName: name,
      GuestStateFile: `Snapshots\\${id}.vmgs`,
      Parent: pathOfSnapshot(host, vm.lastSnapshot),
      // Source: Microsoft Learn: a snapshot tells by it whose it is.
      VirtualSystemIdentifier: vm.id,
      VirtualSystemType: SYSTEM_TYPE.snapshot,
    }),
    resources,
  }
}

/** What a machine is when a snapshot of it is applied; its disks are still those of the snapshot. */
export function appliedConfiguration(host: Host, vm: Vm, id: string, snapshot: Configuration): Configuration {
  const { system, resources } = renamed(snapshot, id, vm.id)
  const own = Object.fromEntries(OWN.map(name => [name, vm.configuration.system.values[name] ?? null]))
  return { system: withValues(system, { ...own, Parent: pathOfSnapshot(host, id) }), resources }
}

/** The settings of a configuration that comes after another snapshot than before; after none, if undefined. */
export function withParent(host: Host, system: Settings, parent: string | undefined): Settings {
  return withValues(system, { Parent: pathOfSnapshot(host, parent) })
}

/** The path of a snapshot's settings, as hosts write it; null for none. */
function pathOfSnapshot(host: Host, id: string | undefined): string | null {
  return id === undefined ? null : settingsPath(host.state.name, 'Msvm_VirtualSystemSettingData', systemId(id))
}

/**
 * Settings as those of another machine or snapshot: its GUID stands in InstanceIDs and in paths to them, and nowhere
 * else, so that files whose names hold a GUID keep it.
 */
function renamed({ system, resources }: Configuration, from: string, to: string): Configuration {
  const pattern = new RegExp(String.raw`(Microsoft:(?:GuestNetwork\\+)?)${from}`, 'gi')
  const text = (value: string): string => value.replaceAll(pattern, (_all, start: string) => start + to)
  const value = (one: CimValue): CimValue => {
    if (typeof one === 'string') return text(one)
    return isList(one) ? one.map(item => (typeof item === 'string' ? text(item) : item)) : one
  }
  const settings = ({ className, values }: Settings): Settings => ({
    className,
    values: Object.fromEntries(Object.entries(values).map(([name, one]) => [name, value(one)])),
  })
  return { system: settings(system), resources: resources.map(settings) }
}
