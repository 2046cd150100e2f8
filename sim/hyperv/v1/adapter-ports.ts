import type { ObjectName } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import type { Configuration, Settings, Switch } from '../host/model.ts'
import { named } from '../host/names.ts'
import { guidOf } from '../host/random.ts'
import { connectionId, sameId } from '../host/resources-ids.ts'
import type { Owner } from '../host/resources-owner.ts'
import { keyIn } from '../host/resources-references.ts'
import { idOf } from '../host/resources-settings.ts'
import { textsIn } from '../host/settings.ts'
import { switchNamed } from '../host/switches.ts'
import { pathInV1 } from './translate-paths.ts'

// What an adapter is connected to. In v2, and in configurations, its connection is an object of its own that names the
// switch; here the adapter names a port of the switch.

/** Msvm_VirtualSwitch. */
export const nameOfSwitch = (id: string): ObjectName =>
  named('Msvm_VirtualSwitch', { CreationClassName: 'Msvm_VirtualSwitch', Name: id })

/** Msvm_SwitchPort. */
export const nameOfPort = (switchId: string, portId: string): ObjectName =>
  named('Msvm_SwitchPort', {
    CreationClassName: 'Msvm_SwitchPort',
    Name: portId,
    SystemCreationClassName: 'Msvm_VirtualSwitch',
    SystemName: switchId,
  })

/** The connection of an adapter, if it has one. */
export function connectionOf({ resources }: Configuration, adapter: Settings): Settings | undefined {
  const id = connectionId(idOf(adapter))
  return resources.find(one => one.className === 'Msvm_EthernetPortAllocationSettingData' && sameId(idOf(one), id))
}

/** Whose settings an adapter's are: a machine's own, or those of a snapshot of it. */
export type AdapterOwner = Pick<Owner, 'configuration' | 'vm'>

/**
 * Connection of an adapter's settings: the path of the port that it is at, or none. One in a snapshot names the port of
 * the machine's own adapter.
 */
export function connectionPaths(host: Host, { vm, configuration }: AdapterOwner, adapter: Settings): string[] {
  const connection = connectionOf(configuration, adapter)
  const [path] = textsIn(connection, 'HostResource')
  const id = keyIn(path, /^Msvm_VirtualEthernetSwitch$/i, 'Name')
  const one = id === undefined ? undefined : switchNamed(host, id)
  if (connection === undefined || one === undefined) return []
  return [
    pathInV1(
      host,
      nameOfPort(one.id, portOfAdapter(one, idOf(adapter).replace(/^Microsoft:[^\\]+/, `Microsoft:${vm.id}`))),
    ),
  ]
}

/** The port that v1 made for the adapter, or the one that its connection is shown as. */
function portOfAdapter({ ports }: Switch, adapterId: string): string {
  const made = ports.find(({ connectedTo }) => connectedTo !== undefined && sameId(connectedTo, adapterId))
  return made?.id ?? guidOf(`port of ${connectionId(adapterId)}`)
}
