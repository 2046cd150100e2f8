/**
 * Return values of Hyper-V's methods, the same in both namespaces. Source: Microsoft Learn, the return values of
 * Msvm_VirtualSystemManagementService.
 */
export const RETURN = { ok: 0, started: 4_096, invalidStateOfCim: 5, invalidState: 32_775 } as const

/** The return codes that have words. Source: the ValueMaps of Msvm_VirtualSystemManagementService. */
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
