import { defineClass, defineMethod } from '../../../protocols/wsman/index.ts'

// What of root\virtualization\v2 is about networks. Source: Microsoft Learn, the pages of the same names (V2).

export const SWITCH = 'Msvm_VirtualEthernetSwitch'
export const SWITCH_SERVICE = 'Msvm_VirtualEthernetSwitchManagementService'
export const EXTERNAL_PORT = 'Msvm_ExternalEthernetPort'
/** What a port of a switch leads to that leads to the host itself. */
export const COMPUTER = 'Msvm_ComputerSystem'

export const SWITCH_SETTINGS = defineClass('Msvm_VirtualEthernetSwitchSettingData', {
  InstanceID: 'string',
  VirtualSystemIdentifier: 'string',
  ElementName: 'string',
  Notes: 'string[]',
})

/** A cable of an adapter, or a port of a switch to its host. */
export const ALLOCATION = defineClass('Msvm_EthernetPortAllocationSettingData', {
  InstanceID: 'string',
  ElementName: 'string',
  ResourceType: 'uint16',
  ResourceSubType: 'string',
  Parent: 'string',
  HostResource: 'string[]',
  EnabledState: 'uint16',
})

/** ResourceType and ResourceSubType of it. Source: as real hosts have it, v2. */
export const CONNECTION = { ResourceType: 33, ResourceSubType: 'Microsoft:Hyper-V:Ethernet Connection' } as const

const ADAPTER = {
  InstanceID: 'string',
  ElementName: 'string',
  ResourceType: 'uint16',
  ResourceSubType: 'string',
  Address: 'string',
  StaticMacAddress: 'boolean',
} as const

export const SYNTHETIC = defineClass('Msvm_SyntheticEthernetPortSettingData', {
  ...ADAPTER,
  VirtualSystemIdentifiers: 'string[]',
})
export const EMULATED = defineClass('Msvm_EmulatedEthernetPortSettingData', ADAPTER)

/** ResourceType of both, and the ResourceSubType of each. Source: as real hosts have it, v2. */
export const ADAPTER_TYPE = 10
export const ADAPTER_SUB_TYPES = {
  paravirtualised: 'Microsoft:Hyper-V:Synthetic Ethernet Port',
  emulated: 'Microsoft:Hyper-V:Emulated Ethernet Port',
} as const

export const VLAN = defineClass('Msvm_EthernetSwitchPortVlanSettingData', {
  InstanceID: 'string',
  OperationMode: 'uint32',
  AccessVlanId: 'uint16',
})
/** OperationMode of a port whose frames all have one tag outside. */
export const ACCESS = 1

const input = { AffectedConfiguration: 'reference', ResourceSettings: 'instance[]' } as const
const output = { ResultingResourceSettings: 'reference[]', Job: 'reference' } as const
const job = { Job: 'reference' } as const
const MACHINES = 'Msvm_VirtualSystemManagementService'

export const ADD_RESOURCES = defineMethod(MACHINES, 'AddResourceSettings', { input, output })
export const REMOVE_RESOURCES = defineMethod(MACHINES, 'RemoveResourceSettings', {
  input: { ResourceSettings: 'reference[]' },
  output: job,
})
export const ADD_FEATURES = defineMethod(MACHINES, 'AddFeatureSettings', {
  input: { AffectedConfiguration: 'reference', FeatureSettings: 'instance[]' },
  output: job,
})
export const REMOVE_FEATURES = defineMethod(MACHINES, 'RemoveFeatureSettings', {
  input: { FeatureSettings: 'reference[]' },
  output: job,
})

export const DEFINE_SWITCH = defineMethod(SWITCH_SERVICE, 'DefineSystem', {
  input: { SystemSettings: 'instance', ResourceSettings: 'instance[]' },
  output: { ResultingSystem: 'reference', Job: 'reference' },
})
export const MODIFY_SWITCH = defineMethod(SWITCH_SERVICE, 'ModifySystemSettings', {
  input: { SystemSettings: 'instance' },
  output: job,
})
export const DESTROY_SWITCH = defineMethod(SWITCH_SERVICE, 'DestroySystem', {
  input: { AffectedSystem: 'reference' },
  output: job,
})
