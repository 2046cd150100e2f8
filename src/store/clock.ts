/** Time, as the store is given it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Runs `run` once, `ms` from now; the function it returns takes that back. A waiting timer keeps no process alive. */
  after(ms: number, run: () => void): () => void
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms).unref()
    return () => clearTimeout(timer)
  },
}
