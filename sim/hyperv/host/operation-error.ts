/** What Hyper-V's methods return. Source: Microsoft Learn, return values of the methods of both namespaces. */
export const Return = {
  ok: 0,
  jobStarted: 4096,
  failed: 32768,
  accessDenied: 32769,
  notSupported: 32770,
  unknown: 32771,
  timeout: 32772,
  invalidParameter: 32773,
  inUse: 32774,
  invalidState: 32775,
  incorrectType: 32776,
  notAvailable: 32777,
  outOfMemory: 32778,
  fileNotFound: 32779,
} as const

/** An operation that Hyper-V refuses or breaks off. A face makes a return value or a job in exception of it. */
export class OperationError extends Error {
  /** One of Return, or another that hosts are known to answer. */
  readonly code: number
  /** Whether real hosts say it in the answer itself, before any job. */
  readonly isImmediate: boolean
  /** Msvm_Error.MessageID, where it is known. */
  readonly messageId: number | undefined

  constructor(
    code: number,
    message: string,
    options: { readonly isImmediate?: boolean; readonly messageId?: number } = {},
  ) {
    super(message)
    this.name = 'OperationError'
    this.code = code
    this.isImmediate = options.isImmediate ?? false
    this.messageId = options.messageId
  }
}
