import { defineClass, type EndpointReference } from '../../../protocols/wsman/index.ts'
import { settingsOf as settingsIn, systemOf as systemIn } from '../wmi/link.ts'
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

export { MEMORY, PROCESSOR } from '../wmi/hardware.ts'
export { settingsIdOf } from '../wmi/link.ts'

const NAMESPACE = { namespace: V2 }

/** The machine with this GUID. */
export const systemOf = (guid: string): EndpointReference => systemIn(NAMESPACE, guid)

/** The settings that a machine has. */
export const settingsOf = (guid: string): EndpointReference => settingsIn(NAMESPACE, guid)
