/** What the WinRM service of a host allows: `winrm get winrm/config`. */
export interface WinrmLimits {
  /** Of an envelope either way, in bytes; of a batch of items, counted as if it were UTF-16. */
  readonly maxEnvelopeBytes: number
  /** How long an operation may take that names no time of its own, and the longest it may name. */
  readonly maxTimeoutMs: number
  /** How long an enumeration waits for the next Pull. */
  readonly enumerationTimeoutMs: number
  /** Enumerations that are open count, besides what is under way. */
  readonly maxOperationsPerUser: number
  readonly maxBatchItems: number
}

const KB = 1024

/** Source: Microsoft Learn, "Installation and configuration for WinRM", default values of protocol and service. */
const SERVER_2008_R2: WinrmLimits = {
  maxEnvelopeBytes: 150 * KB,
  maxTimeoutMs: 60_000,
  enumerationTimeoutMs: 60_000,
  maxOperationsPerUser: 15,
  maxBatchItems: 32_000,
}

/** Server 2012 was recorded to cut its batches at 150 KB still; see docs/doubts.md on the enumeration's time. */
const SERVER_2012: WinrmLimits = { ...SERVER_2008_R2, enumerationTimeoutMs: 240_000, maxOperationsPerUser: 1_500 }
const SERVER_2012_R2: WinrmLimits = { ...SERVER_2012, maxEnvelopeBytes: 500 * KB }

const BUILD_2012 = 9200
const BUILD_2012_R2 = 9600

/** The defaults of a Windows build. */
export function limitsOf(build: number): WinrmLimits {
  if (build < BUILD_2012) return SERVER_2008_R2
  return build < BUILD_2012_R2 ? SERVER_2012 : SERVER_2012_R2
}

/** Whether the stack is that of Windows Server 2012 (WinRM 3.0) or newer; the one before is WinRM 2.0. */
export function isStack3(build: number): boolean {
  return build >= BUILD_2012
}

/** A client that takes less is refused. Source: DSP0226, R13.1-3. */
export const ENVELOPE_BYTES_MIN = 8192
