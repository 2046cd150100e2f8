import type { ObjectName } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import type { Configuration, Settings, Switch } from '../host/model.ts'
import { named } from '../host/names.ts'
import { guidOf } from '../host/random.ts'
import { sameId } from '../host/resources-ids.ts'
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
  const id = `${idOf(adapter)}\\C`
  return resources.find(one => one.className === 'Msvm_EthernetPortAllocationSettingData' && sameId(idOf(one), id))
}

/** Connection of an adapter's settings: the path of the port that it is at, or none. */
export function connectionPaths(host: Host, configuration: Configuration, adapter: Settings): string[] {
  const connection = connectionOf(configuration, adapter)
  const [path] = textsIn(connection, 'HostResource')
  const id = keyIn(path, /^Msvm_VirtualEthernetSwitch$/i, 'Name')
  const one = id === undefined ? undefined : switchNamed(host, id)
  if (connection === undefined || one === undefined) return []
  return [pathInV1(host, nameOfPort(one.id, portOfAdapter(one, adapter, connection)))]
}

/** The port that v1 made for the adapter, or the one that its connection is shown as. */
function portOfAdapter({ ports }: Switch, adapter: Settings, connection: Settings): string {
  const made = ports.find(({ connectedTo }) => connectedTo !== undefined && sameId(connectedTo, idOf(adapter)))
  return made?.id ?? guidOf(`port of ${idOf(connection)}`)
}
