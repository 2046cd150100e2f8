import { defineClass, type EndpointReference } from '../../../protocols/wsman/index.ts'
import { settingsOf as settingsIn, systemOf as systemIn } from '../wmi/link.ts'
import { V1 } from './names.ts'

// Classes of root\virtualization, as far as they are used. Source: Microsoft Learn, the pages of the same names (v1).

/** What a machine is for all its life. */
export const GLOBAL_SETTINGS = defineClass('Msvm_VirtualSystemGlobalSettingData', {
  InstanceID: 'string',
  ElementName: 'string',
})

/** What a machine is now, or was when a snapshot of it was taken. */
export const SYSTEM_SETTINGS = defineClass('Msvm_VirtualSystemSettingData', {
  InstanceID: 'string',
  Notes: 'string',
  BootOrder: 'uint16[]',
})

export { settingsIdOf } from '../wmi/link.ts'

const NAMESPACE = { namespace: V1 }

/** InstanceID of what a machine is for all its life. */
export const globalIdOf = (guid: string): string => `Microsoft:${guid}\\Global`

/** The machine with this GUID. */
export const systemOf = (guid: string): EndpointReference => systemIn(NAMESPACE, guid)

/** The settings that a machine has. */
export const settingsOf = (guid: string): EndpointReference => settingsIn(NAMESPACE, guid)
