import type { ObjectName } from '../cim/provider.ts'
import type { Host } from './host.ts'

/** Msvm_ComputerSystem of a machine, in either namespace. */
export function nameOfSystem(id: string): ObjectName {
  return named('Msvm_ComputerSystem', { CreationClassName: 'Msvm_ComputerSystem', Name: id })
}

/** Msvm_VirtualSystemSettingData of a machine or snapshot, in either namespace. */
export function nameOfSettings(id: string): ObjectName {
  return named('Msvm_VirtualSystemSettingData', { InstanceID: `Microsoft:${id}` })
}

/** One of the host's services, such as Msvm_VirtualSystemManagementService with the Name `vmms`. */
export function nameOfService(host: Host, className: string, name: string): ObjectName {
  return named(className, {
    CreationClassName: className,
    Name: name,
    SystemCreationClassName: 'Msvm_ComputerSystem',
    SystemName: host.state.name,
  })
}

/** The service that defines, changes and starts machines. */
export function nameOfManagement(host: Host): ObjectName {
  return nameOfService(host, 'Msvm_VirtualSystemManagementService', 'vmms')
}

/** Something whose keys are told in alphabetical order, as Windows prints them. */
export function named(className: string, keys: Readonly<Record<string, string>>): ObjectName {
  return { className, keys: new Map(Object.entries(keys)) }
}
