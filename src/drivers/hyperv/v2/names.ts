/** How the client of WS-Management names root\virtualization\v2. */
export const V2 = 'root/virtualization/v2'

/**
 * RequestedState of Msvm_ComputerSystem in v2; v1 has other numbers for pausing and saving.
 * Source: Microsoft Learn, "RequestStateChange method of the Msvm_ComputerSystem class (V2)".
 */
export const REQUESTED_STATE = { run: 2, 'turn-off': 3, save: 6, pause: 9, reset: 11 } as const
