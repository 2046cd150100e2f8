/** How a guest ends by itself; a `suspend` is one by ACPI S4. */
export type Ending = 'shutdown' | 'reboot' | 'suspend' | 'crash'

/** How a guest of a memory host behaves. */
export interface Behaviour {
  /** Why the host refuses to start it; `null` where it does not. */
  readonly startRefusal: string | null
  /** Why the host refuses to suspend it; `null` where it does not. */
  readonly suspendRefusal: string | null
  /** How long a start, a suspension, a resume or a dump takes, latency apart. */
  readonly workMs: number
  /** How it ends by itself, and how long it runs until then; `null` where it does not. */
  readonly end: { readonly afterMs: number; readonly ending: Ending } | null
  /** How long it takes to obey a request to shut down; `null` where it does not. */
  readonly shutdownAfterMs: number | null
  /** Whether it lets go of devices that are pulled, and of memory that its balloon is to take. */
  readonly isYielding: boolean
  /** Whether something in it answers what its host asks of the guest. */
  readonly hasAgent: boolean
}

const ORDINARY: Behaviour = {
  startRefusal: null,
  suspendRefusal: null,
  workMs: 0,
  end: null,
  shutdownAfterMs: 25,
  isYielding: true,
  hasAgent: true,
}

const END_AFTER_MS = 50

/**
 * Domains whose *name* begins like this misbehave, so that every client can show every failure without a broken
 * host: make a VM of that name on a memory host.
 */
export const FIXTURES = {
  /** Every start is refused. */
  'vm-that-fails-to-start': { startRefusal: 'the memory host refuses to start a domain of this name' },
  /** Every suspension is refused. */
  'vm-that-fails-to-suspend': { suspendRefusal: 'the memory host refuses to suspend a domain of this name' },
  /** Runs, and ignores every request to shut down; only cutting its power halts it. */
  'vm-that-ignores-shutdown': { shutdownAfterMs: null },
  /** Starts, runs a moment, then crashes; likewise after each restart. */
  'vm-that-crashes': { end: { afterMs: END_AFTER_MS, ending: 'crash' } },
  /** Starts, runs a moment, then suspends itself. */
  'vm-that-suspends': { end: { afterMs: END_AFTER_MS, ending: 'suspend' } },
  /** Starts, runs a moment, then reboots; and again, and again. */
  'vm-that-reboots': { end: { afterMs: END_AFTER_MS, ending: 'reboot' } },
  /** Keeps its devices and its memory, whatever it is asked. */
  'vm-that-clings': { isYielding: false },
  /** Runs, and nothing in it answers what its host asks of the guest. */
  'vm-without-agent': { hasAgent: false },
  /** Takes seconds to start, to suspend, to resume and to dump, telling how far it is, and seconds to shut down. */
  'vm-that-is-slow': { workMs: 3000, shutdownAfterMs: 3000 },
} as const satisfies Readonly<Record<string, Partial<Behaviour>>>

/** How a domain of this name behaves. */
export function behaviourOf(name: string): Behaviour {
  for (const [prefix, behaviour] of Object.entries(FIXTURES)) {
    if (name.startsWith(prefix)) return { ...ORDINARY, ...behaviour }
  }
  return ORDINARY
}
