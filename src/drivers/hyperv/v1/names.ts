/** How the client of WS-Management names root\virtualization. */
export const V1 = 'root/virtualization'

/**
 * RequestedState of Msvm_ComputerSystem in v1; v2 has other numbers for pausing, saving and resetting.
 * Source: Microsoft Learn, "RequestStateChange method of the Msvm_ComputerSystem class" (v1).
 */
export const REQUESTED_STATE = { run: 2, 'turn-off': 3, reset: 10, pause: 32_768, save: 32_769 } as const

/** SettingType of what a machine has, as against its snapshots. Source: the ValueMap of Msvm_VirtualSystemSettingData (v1). */
export const CURRENT_SETTINGS = 3
