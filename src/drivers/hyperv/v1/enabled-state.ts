import type { DomainState } from '../../driver.ts'

/**
 * What EnabledState of v1 means for us; paused and saved have other numbers than in v2. Who is on the way somewhere is
 * still where it came from, but for a machine that is being started, which already has memory. A snapshot is taken of
 * machines in any state, so that it tells none.
 * Source: Microsoft Learn, "Msvm_ComputerSystem" (v1), EnabledState.
 */
const STATES: ReadonlyMap<number, DomainState> = new Map<number, DomainState>([
  [2, 'running'], // Enabled
  [3, 'halted'], // Disabled
  [32_768, 'paused'], // Paused
  [32_769, 'suspended'], // Suspended
  [32_770, 'running'], // Starting
  [32_773, 'running'], // Saving
  [32_774, 'running'], // Stopping
  [32_776, 'running'], // Pausing
  [32_777, 'paused'], // Resuming
])

/** The state of a domain whose machine has this EnabledState. */
export function stateOf(enabledState: number | undefined): DomainState {
  return STATES.get(enabledState ?? 0) ?? 'unknown'
}
