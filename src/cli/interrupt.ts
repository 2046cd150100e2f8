/** A signal that Ctrl-C sets off, until it is released; a second Ctrl-C ends the process at once. */
export function catchInterrupt(): { readonly signal: AbortSignal; release(): void } {
  const abort = new AbortController()
  const onSignal = () => abort.abort()
  process.once('SIGINT', onSignal)
  return { signal: abort.signal, release: () => void process.off('SIGINT', onSignal) }
}
