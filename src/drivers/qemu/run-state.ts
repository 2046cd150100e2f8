import type { DomainState } from '../driver.ts'

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
  ['guest-panicked', 'paused'],
  // Shut down, while QEMU was told to stay: it can be reset and continued.
  ['shutdown', 'paused'],
  ['suspended', 'unknown'],
])

/** The state of a domain whose QEMU reports `status`. */
export const stateOf = (status: string): DomainState => STATES.get(status) ?? 'unknown'

/**
 * What the end of QEMU means by the reason it gave in its SHUTDOWN event; a reason without a line here, such as
 * `host-qmp-quit`, is the host's own doing.
 * Source: QEMU qapi/run-state.json, ShutdownCause.
 */
export const ENDINGS: ReadonlyMap<string, 'crashed' | 'guest-shutdown'> = new Map([
  ['guest-shutdown', 'guest-shutdown'],
  ['guest-panic', 'crashed'],
  ['host-error', 'crashed'],
])
