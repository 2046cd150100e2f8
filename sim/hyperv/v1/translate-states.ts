import type { PowerState } from '../host/model.ts'
import type { PowerRequest } from '../host/power.ts'
import { ENABLED_STATE } from '../v2/computer-system.ts'

/** EnabledState here: paused and saved have other numbers than in v2. Source: Microsoft Learn, Msvm_ComputerSystem (v1). */
export const V1_ENABLED_STATE: Readonly<Record<PowerState, number>> = {
  ...ENABLED_STATE,
  paused: 32768,
  saved: 32769,
}

/**
 * RequestedState of a machine that is on its way to another state, by the state that lies between; v2 does not tell it.
 * Source: Microsoft Learn, Msvm_ComputerSystem (v1): while a change is in progress, the state that was requested.
 */
export const V1_WANTED: Readonly<Partial<Record<PowerState, number>>> = {
  starting: 2,
  resuming: 2,
  stopping: 3,
  pausing: 32768,
  saving: 32769,
}

/** What RequestedState asks for. Source: Microsoft Learn, RequestStateChange of Msvm_ComputerSystem (v1). */
export const V1_REQUESTS: Readonly<Record<number, PowerRequest>> = {
  2: 'run',
  3: 'turn-off',
  10: 'reset',
  32768: 'pause',
  32769: 'save',
}

/** Known and refused: the codes of v2, what is kept for later, and states that only lie between. */
export const V1_REFUSED_STATES: ReadonlySet<number> = new Set([
  4, 5, 6, 7, 8, 9, 11, 32770, 32771, 32773, 32774, 32776, 32777,
])
