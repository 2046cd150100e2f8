import type { DomainState } from '../../driver.ts'

/**
 * What EnabledState of v2 means for us. Who is on the way somewhere is still where it came from, but for a machine
 * that is being started, which already has memory. A snapshot is taken of machines in any state, so that it tells none.
 * Source: the ValueMap of Msvm_ComputerSystem.EnabledState, v2; Microsoft Learn, for the values from 32768 on.
 */
const STATES: ReadonlyMap<number, DomainState> = new Map<number, DomainState>([
  [2, 'running'], // Enabled
  [3, 'halted'], // Disabled
  [4, 'running'], // Shutting Down
  [6, 'suspended'], // Enabled but Offline: saved
  [9, 'paused'], // Quiesce
  [10, 'running'], // Starting
  [32_770, 'running'], // Starting
  [32_773, 'running'], // Saving
  [32_774, 'running'], // Stopping
  [32_776, 'running'], // Pausing
  [32_777, 'paused'], // Resuming
  [32_779, 'suspended'], // FastSaved
  [32_780, 'running'], // FastSaving
])

/** The state of a domain whose machine has this EnabledState. */
export function stateOf(enabledState: number | undefined): DomainState {
  return STATES.get(enabledState ?? 0) ?? 'unknown'
}
