/** How the client of WS-Management names root\virtualization\v2. */
export const V2 = 'root/virtualization/v2'

/**
 * RequestedState of Msvm_ComputerSystem in v2; v1 has other numbers for pausing and saving.
 * Source: Microsoft Learn, "RequestStateChange method of the Msvm_ComputerSystem class (V2)".
 */
export const REQUESTED_STATE = { run: 2, 'turn-off': 3, save: 6, pause: 9, reset: 11 } as const

/**
 * Return values of Hyper-V's methods. Source: Microsoft Learn, the return values of
 * Msvm_VirtualSystemManagementService (V2).
 */
export const RETURN = { ok: 0, started: 4_096, invalidStateOfCim: 5, invalidState: 32_775 } as const

/** JobState of Msvm_ConcreteJob. Source: the ValueMap of the MOF, v2. */
export const JOB_STATE = {
  completed: 7,
  terminated: 8,
  killed: 9,
  exception: 10,
  completedWithWarnings: 32_768,
} as const

/** RequestedState of Msvm_ConcreteJob. Source: Microsoft Learn, "RequestStateChange method of Msvm_ConcreteJob". */
export const TERMINATE_JOB = 4

/** What GetSummaryInformation is asked for. Source: Microsoft Learn, "GetSummaryInformation (V2)". */
export const SUMMARY = { name: 0, elementName: 1, notes: 3, enabledState: 100 } as const

/** The return codes that have words. Source: the ValueMaps of Msvm_VirtualSystemManagementService, v2. */
export const RETURN_TEXTS: Readonly<Record<number, string>> = {
  1: 'not supported',
  2: 'failed',
  3: 'timeout',
  4: 'invalid parameter',
  5: 'invalid state',
  6: 'incompatible parameters',
  32_768: 'failed',
  32_769: 'access denied',
  32_770: 'not supported',
  32_771: 'status is unknown',
  32_772: 'timeout',
  32_773: 'invalid parameter',
  32_774: 'the system is in use',
  32_775: 'invalid state for this operation',
  32_776: 'incorrect data type',
  32_777: 'the system is not available',
  32_778: 'out of memory',
  32_779: 'file not found',
}
