import { defineClass, type EndpointReference, reference } from '../../../protocols/wsman/index.ts'
import { V2 } from './names.ts'

// Classes of root\virtualization\v2, as far as they are used. Source: Microsoft Learn, the pages of the same names (V2).

export const SYSTEM_SETTINGS = defineClass('Msvm_VirtualSystemSettingData', {
  InstanceID: 'string',
  ElementName: 'string',
  Notes: 'string[]',
  BootOrder: 'uint16[]',
  TurnOffOnGuestRestart: 'boolean',
  VirtualSystemSubType: 'string',
})

export const MEMORY = defineClass('Msvm_MemorySettingData', {
  InstanceID: 'string',
  VirtualQuantity: 'uint64',
  DynamicMemoryEnabled: 'boolean',
})

export const PROCESSOR = defineClass('Msvm_ProcessorSettingData', {
  InstanceID: 'string',
  VirtualQuantity: 'uint64',
  Limit: 'uint64',
  Weight: 'uint32',
})

/** The machine with this GUID. */
export function systemOf(guid: string): EndpointReference {
  return reference(V2, 'Msvm_ComputerSystem', { CreationClassName: 'Msvm_ComputerSystem', Name: guid })
}

/** InstanceID of the settings that a machine has, as against those of its snapshots. */
export const settingsIdOf = (guid: string): string => `Microsoft:${guid}`

/** The settings that a machine has. */
export function settingsOf(guid: string): EndpointReference {
  return reference(V2, SYSTEM_SETTINGS.name, { InstanceID: settingsIdOf(guid) })
}
