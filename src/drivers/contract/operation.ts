/** What long operations are given: a way to be told to stop, and a way to say how far they are (0 to 1). */
export interface OperationOptions {
  readonly signal?: AbortSignal
  readonly onProgress?: (share: number) => void
}
