/** How a guest of a memory host behaves. */
export interface Behaviour {
  /** Why the host refuses to start it; `null` where it does not. */
  readonly startRefusal: string | null
  /** How long a start takes, latency apart. */
  readonly startMs: number
  /** How long it runs until it crashes; `null` where it does not. */
  readonly crashAfterMs: number | null
  /** How long it takes to obey a request to shut down; `null` where it does not. */
  readonly shutdownAfterMs: number | null
}

const ORDINARY: Behaviour = { startRefusal: null, startMs: 0, crashAfterMs: null, shutdownAfterMs: 25 }

/**
 * Domains whose *name* begins like this misbehave, so that every client can show every failure without a broken
 * host: make a VM of that name on a memory host.
 */
export const FIXTURES = {
  /** Every start is refused. */
  'vm-that-fails-to-start': { startRefusal: 'the memory host refuses to start a domain of this name' },
  /** Runs, and ignores every request to shut down; only cutting its power halts it. */
  'vm-that-ignores-shutdown': { shutdownAfterMs: null },
  /** Starts, runs a moment, then crashes: it is halted. */
  'vm-that-crashes': { crashAfterMs: 50 },
  /** Takes seconds to start, telling how far it is, and seconds to shut down. */
  'vm-that-is-slow': { startMs: 3000, shutdownAfterMs: 3000 },
} as const satisfies Readonly<Record<string, Partial<Behaviour>>>

/** How a domain of this name behaves. */
export function behaviourOf(name: string): Behaviour {
  for (const [prefix, behaviour] of Object.entries(FIXTURES)) {
    if (name.startsWith(prefix)) return { ...ORDINARY, ...behaviour }
  }
  return ORDINARY
}
