import { setTimeout as pause } from 'node:timers/promises'
import { type DomainState, DriverError } from '../driver.ts'
import type { Directory, Entry } from './directory.ts'

/** How long a machine may take to be seen in the state that the host says it has reached. */
const SETTLE_MS_MAX = 30_000
const PAUSE_MS = 20
const PAUSE_MS_MAX = 1_000

/** Rejects as `bad-state` unless the domain is in one of the `allowed` states; `deed` is what it is wanted for. */
export function assertState({ machine: { name, state } }: Entry, deed: string, allowed: readonly DomainState[]): void {
  if (allowed.includes(state)) return
  throw new DriverError('bad-state', `cannot ${deed} ${name}: it is ${state}, not ${allowed.join(' or ')}`)
}

/**
 * Waits until a machine is in one of these states: a job may say that it has ended a moment before the machine is seen
 * where it led. Source: a stop was seen to be so on Server 2025.
 */
export async function untilState(directory: Directory, guid: string, states: readonly DomainState[]): Promise<Entry> {
  const deadline = performance.now() + SETTLE_MS_MAX
  for (let wait = PAUSE_MS; ; wait = Math.min(wait * 2, PAUSE_MS_MAX)) {
    const entry = await directory.at(guid)
    if (entry === undefined) throw new DriverError('not-found', `the machine ${guid} is gone`)
    if (states.includes(entry.machine.state)) return entry
    if (performance.now() > deadline) {
      throw new DriverError('refused', `${entry.machine.name} is ${entry.machine.state}, not ${states.join(' or ')}`)
    }
    await pause(wait)
  }
}

/** How long a machine stays as it was before it is said that it heard nothing. */
const UNMOVED_MS_MAX = 3_000

/** Whether a machine is in a state, or gets there before long; false where it stays in another. */
export async function gets(directory: Directory, guid: string, state: DomainState): Promise<boolean> {
  const begin = performance.now()
  for (let wait = PAUSE_MS; ; wait = Math.min(wait * 2, PAUSE_MS_MAX)) {
    const now = (await directory.at(guid))?.machine.state
    if (now === state || now === undefined) return now === state
    // One that is between two states has heard something.
    const most = now === 'unknown' ? SETTLE_MS_MAX : UNMOVED_MS_MAX
    if (performance.now() - begin > most) return false
    await pause(wait)
  }
}

/** Whether a machine is gone, or goes before long. */
export async function isGone(directory: Directory, guid: string): Promise<boolean> {
  const deadline = performance.now() + SETTLE_MS_MAX
  for (let wait = PAUSE_MS; (await directory.at(guid)) !== undefined; wait = Math.min(wait * 2, PAUSE_MS_MAX)) {
    if (performance.now() > deadline) return false
    await pause(wait)
  }
  return true
}
