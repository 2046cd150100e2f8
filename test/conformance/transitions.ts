import type { DomainId, DomainOps } from '../../src/drivers/driver.ts'

/** The states that the operations of the contract lead to. */
export type PowerState = 'halted' | 'running' | 'paused'

/** An operation that changes the state at once; what a guest does with `requestShutdown` is its own affair. */
export type Transition = 'start' | 'startPaused' | 'pause' | 'unpause' | 'powerOff' | 'reset'

/** Where each operation leads from each state; a state that is not named is `bad-state`. */
export const TRANSITIONS: Readonly<Record<Transition, Readonly<Partial<Record<PowerState, PowerState>>>>> = {
  start: { halted: 'running' },
  startPaused: { halted: 'paused' },
  pause: { running: 'paused' },
  unpause: { paused: 'running' },
  powerOff: { running: 'halted', paused: 'halted' },
  reset: { running: 'running', paused: 'running' },
}

export const TRANSITION_NAMES = ['start', 'startPaused', 'pause', 'unpause', 'powerOff', 'reset'] as const
export const POWER_STATES = ['halted', 'running', 'paused'] as const

export function perform(domains: DomainOps, transition: Transition, id: DomainId): Promise<void> {
  return transition === 'startPaused' ? domains.start(id, { paused: true }) : domains[transition](id)
}

/** What came of operations that were called at once: which of them were done, and the state afterwards. */
export interface Outcome {
  readonly done: readonly boolean[]
  readonly state: PowerState
}

/** Every outcome that some order of the operations explains. */
export function legalOutcomes(from: PowerState, transitions: readonly Transition[]): Outcome[] {
  return permutations(transitions.map((_, index) => index)).map(order => {
    const done = transitions.map(() => false)
    let state = from
    for (const index of order) {
      const transition = transitions[index]
      const next = transition && TRANSITIONS[transition][state]
      if (next === undefined) continue
      done[index] = true
      state = next
    }
    return { done, state }
  })
}

function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]]
  return items.flatMap(first => permutations(items.filter(item => item !== first)).map(rest => [first, ...rest]))
}
