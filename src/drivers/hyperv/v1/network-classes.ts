import { defineClass, defineMethod } from '../../../protocols/wsman/index.ts'

// What of root\virtualization is about networks. Source: Microsoft Learn, the pages of the same names (v1).

export const SWITCH = 'Msvm_VirtualSwitch'
export const SWITCH_PORT = 'Msvm_SwitchPort'
export const SWITCH_SERVICE = 'Msvm_VirtualSwitchManagementService'
export const EXTERNAL_PORT = 'Msvm_ExternalEthernetPort'
/** A card of the host that is on a switch. */
export const INTERNAL_PORT = 'Msvm_InternalEthernetPort'

/** What joins a card of the host to its end of the cable, and that end to a port of a switch. */
export const CARD_ENDPOINT = 'Msvm_GlobalEthernetPortSAPImplementation'
export const ACTIVE_CONNECTION = 'Msvm_ActiveConnection'

const ADAPTER = {
  InstanceID: 'string',
  ElementName: 'string',
  ResourceType: 'uint16',
  ResourceSubType: 'string',
  Address: 'string',
  StaticMacAddress: 'boolean',
  /** The path of the port of a switch that it is connected to. */
  Connection: 'string[]',
} as const

export const SYNTHETIC = defineClass('Msvm_SyntheticEthernetPortSettingData', {
  ...ADAPTER,
  VirtualSystemIdentifiers: 'string[]',
})
export const EMULATED = defineClass('Msvm_EmulatedEthernetPortSettingData', ADAPTER)

/** ResourceType of both, and the ResourceSubType of each. Source: the same pages; as clients of real hosts give them. */
export const ADAPTER_TYPE = 10
export const ADAPTER_SUB_TYPES = {
  paravirtualised: 'Microsoft Synthetic Ethernet Port',
  emulated: 'Microsoft Emulated Ethernet Port',
} as const

/** How many addresses a switch learns. Source: the same page, CreateSwitch, which gives it as an example. */
export const LEARNABLE_ADDRESSES = 1_024

const nothing = {} as const

export const CREATE_SWITCH = defineMethod(SWITCH_SERVICE, 'CreateSwitch', {
  input: { Name: 'string', FriendlyName: 'string', NumLearnableAddresses: 'uint32', ScopeOfResidence: 'string' },
  output: { CreatedVirtualSwitch: 'reference' },
})
export const DELETE_SWITCH = defineMethod(SWITCH_SERVICE, 'DeleteSwitch', {
  input: { VirtualSwitch: 'reference' },
  output: nothing,
})
export const CREATE_PORT = defineMethod(SWITCH_SERVICE, 'CreateSwitchPort', {
  input: { VirtualSwitch: 'reference', Name: 'string', FriendlyName: 'string', ScopeOfResidence: 'string' },
  output: { CreatedSwitchPort: 'reference' },
})
export const DELETE_PORT = defineMethod(SWITCH_SERVICE, 'DeleteSwitchPort', {
  input: { SwitchPort: 'reference' },
  output: nothing,
})
export const DISCONNECT_PORT = defineMethod(SWITCH_SERVICE, 'DisconnectSwitchPort', {
  input: { SwitchPort: 'reference' },
  output: nothing,
})
/** All that leads to the outside, in one job: what is sent through a card in between may be the host's own. */
export const SETUP_SWITCH = defineMethod(SWITCH_SERVICE, 'SetupSwitch', {
  input: { ExternalSwitchPort: 'reference', ExternalEthernetPort: 'reference' },
  output: { Job: 'reference' },
})
export const TEARDOWN_SWITCH = defineMethod(SWITCH_SERVICE, 'TeardownSwitch', {
  input: { ExternalEthernetPort: 'reference' },
  output: { Job: 'reference' },
})
