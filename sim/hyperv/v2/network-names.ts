import type { ObjectName } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import { named } from '../host/names.ts'

/** The name of a device of a system of any class. */
export const nameOfPort = (className: string, systemClass: string, systemName: string, DeviceID: string): ObjectName =>
  named(className, {
    CreationClassName: className,
    DeviceID,
    SystemCreationClassName: systemClass,
    SystemName: systemName,
  })

/** A network card of the host, by its DeviceID. */
export const nameOfHostPort = (host: Host, deviceId: string): ObjectName =>
  nameOfPort('Msvm_ExternalEthernetPort', 'Msvm_ComputerSystem', host.state.name, deviceId)

/** The host's own card on a switch, by its DeviceID. */
export const nameOfInternalPort = (host: Host, deviceId: string): ObjectName =>
  nameOfPort('Msvm_InternalEthernetPort', 'Msvm_ComputerSystem', host.state.name, deviceId)

/** Msvm_EthernetSwitchPort. */
export const nameOfSwitchPort = (switchId: string, portId: string): ObjectName =>
  nameOfPort('Msvm_EthernetSwitchPort', 'Msvm_VirtualEthernetSwitch', switchId, `Microsoft:${portId}`)

/** The end of a cable at a port: it is named as the port is. */
export function nameOfEndpoint(port: ObjectName): ObjectName {
  return named('Msvm_LANEndpoint', {
    CreationClassName: 'Msvm_LANEndpoint',
    Name: port.keys.get('DeviceID') ?? '',
    SystemCreationClassName: port.keys.get('SystemCreationClassName') ?? '',
    SystemName: port.keys.get('SystemName') ?? '',
  })
}
