import type { CimInstance } from '../../protocols/wsman/index.ts'

/** Architecture of Win32_Processor. Source: Microsoft Learn, "Win32_Processor class". */
const X64 = 9

/**
 * What every processor of this architecture has, and Hyper-V does not hide from guests: Windows tells of no others.
 * Source: AMD64 Architecture Programmer's Manual, volume 2, "Long-Mode Feature Identification" and what long mode needs;
 * CMPXCHG16B and NX are demanded by Windows Server 2012 R2 and Hyper-V themselves.
 */
const OF_X64: readonly string[] = [
  'FPU',
  'TSC',
  'MSR',
  'PAE',
  'CX8',
  'APIC',
  'PGE',
  'CMOV',
  'PAT',
  'CLFLSH',
  'MMX',
  'FXSR',
  'XMM',
  'XMM2',
  'SYSCALL',
  'NX',
  'LM',
]

/** The features that all processors of a host have, by the draft's names. */
export function featuresOf(processors: readonly CimInstance[]): readonly string[] {
  return processors.every(processor => processor.number('Architecture') === X64) ? OF_X64 : []
}
