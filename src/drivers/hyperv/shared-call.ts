/** Calls once for all who ask while the call is under way. */
export function sharedCall<T>(call: () => Promise<T>): () => Promise<T> {
  let underWay: Promise<T> | undefined
  return () => {
    underWay ??= call().finally(() => {
      underWay = undefined
    })
    return underWay
  }
}
