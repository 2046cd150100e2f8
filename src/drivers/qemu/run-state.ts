import { type DomainEvent, DriverError, type DomainState, type PauseCause } from '../driver.ts'

/**
 * QEMU's run states in our words. Everything that holds the guest in memory with its CPUs stopped is `paused`, for
 * whatever reason; a guest that put itself to sleep (ACPI S3) has no word here.
 * Source: QEMU qapi/run-state.json, RunState.
 */
const STATES: ReadonlyMap<string, DomainState> = new Map([
  ['running', 'running'],
  ['paused', 'paused'],
  ['prelaunch', 'paused'],
  ['preconfig', 'paused'],
  ['inmigrate', 'paused'],
  ['postmigrate', 'paused'],
  ['finish-migrate', 'paused'],
  ['save-vm', 'paused'],
  ['restore-vm', 'paused'],
  ['colo', 'paused'],
  ['debug', 'paused'],
  ['watchdog', 'paused'],
  ['io-error', 'paused'],
  ['internal-error', 'paused'],
  ['guest-panicked', 'crashed'],
  // Shut down, while QEMU was told to stay until somebody decides.
  ['shutdown', 'paused'],
  ['suspended', 'unknown'],
])

/** The state of a domain whose QEMU reports `status`. */
export const stateOf = (status: string): DomainState => STATES.get(status) ?? 'unknown'

/** What QEMU's run states say of why a guest stands still; of the others there is no telling. */
const PAUSES: ReadonlyMap<string, PauseCause> = new Map<string, PauseCause>([
  ['paused', 'asked'],
  ['prelaunch', 'asked'],
  ['io-error', 'io-error'],
  ['watchdog', 'watchdog'],
  ['finish-migrate', 'saving'],
  ['postmigrate', 'saving'],
  ['save-vm', 'saving'],
  ['shutdown', 'ended'],
])

/** Why a domain is paused whose QEMU reports `status`, where that tells. */
export const pauseOf = (status: string): PauseCause | undefined => PAUSES.get(status)

/** QEMU took a command, yet says something else: then the guest has met with something in between. Throws as `refused`. */
export function assertLedTo(wanted: DomainState, actual: DomainState): void {
  if (actual !== wanted) throw new DriverError('refused', `QEMU says ${actual} where ${wanted} was to be expected`)
}

/** How a guest ends by itself. */
export type Exit = 'shutdown' | 'reboot' | 'suspend' | 'crash'

/**
 * How the guest ended by the reason that QEMU gave in its SHUTDOWN event; a reason without a line here, such as
 * `host-qmp-quit`, is the host's own doing.
 * Source: QEMU qapi/run-state.json, ShutdownCause.
 */
export const EXITS_BY_REASON: ReadonlyMap<string, Exit> = new Map([
  ['guest-shutdown', 'shutdown'],
  ['guest-reset', 'reboot'],
  ['guest-panic', 'crash'],
  ['host-error', 'crash'],
])

/** What is told when a guest ends. */
export const EXIT_EVENTS = {
  shutdown: 'guest-shutdown',
  reboot: 'guest-reset',
  suspend: 'guest-suspended',
  crash: 'crashed',
} as const satisfies Readonly<Record<Exit, DomainEvent['kind']>>
