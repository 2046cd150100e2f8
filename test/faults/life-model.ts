/** Figure 1.1 of the draft as a model, and whether what clients saw of a VM fits some order of their calls. */

/** The states of the figure, and `Gone` for a VM that was deleted. */
export type State = 'Halted' | 'Paused' | 'Running' | 'Suspended' | 'Gone'

/** A call as a client saw it; the moments are counted, not measured. */
export interface Seen {
  readonly step: StepName
  readonly began: number
  readonly ended: number
  /** Empty where it succeeded. */
  readonly error: readonly string[]
}

interface Step {
  readonly method: string
  readonly args: readonly (boolean | string)[]
  readonly from: readonly State[]
  readonly to: readonly State[]
}

const ALIVE = ['Halted', 'Paused', 'Running', 'Suspended'] as const

const step = (method: string, from: readonly State[], to: readonly State[], ...args: Step['args']): Step => ({
  method: `VM.${method}`,
  args,
  from,
  to,
})

/** What clients do. Where `actions/after_*` decide, either state may follow. Source: Xen Management API rev 0.2, §1.5. */
export const STEPS = {
  start: step('start', ['Halted'], ['Running'], false),
  startPaused: step('start', ['Halted'], ['Paused'], true),
  pause: step('pause', ['Running'], ['Paused']),
  unpause: step('unpause', ['Paused'], ['Running']),
  suspend: step('suspend', ['Running', 'Paused'], ['Suspended'], false),
  suspendLive: step('suspend', ['Running', 'Paused'], ['Suspended'], true),
  resume: step('resume', ['Suspended'], ['Running'], false),
  resumePaused: step('resume', ['Suspended'], ['Paused'], true),
  cleanShutdown: step('clean_shutdown', ['Running'], ['Halted', 'Running']),
  cleanReboot: step('clean_reboot', ['Running'], ['Running', 'Halted']),
  hardShutdown: step('hard_shutdown', ['Running', 'Paused', 'Suspended'], ['Halted', 'Running']),
  hardReboot: step('hard_reboot', ['Running', 'Paused'], ['Running', 'Halted']),
  clone: step('clone', ['Halted'], ['Halted'], 'copy'),
  delete: step('delete', ['Halted'], ['Gone']),
  restartAfterShutdown: step('set_actions_after_shutdown', ALIVE, [], 'restart'),
  endAfterShutdown: step('set_actions_after_shutdown', ALIVE, [], 'destroy'),
  endAfterReboot: step('set_actions_after_reboot', ALIVE, [], 'destroy'),
} as const satisfies Readonly<Record<string, Step>>

/** The name of what a client does. */
export type StepName = keyof typeof STEPS

/** The names of all steps. */
export const STEP_NAMES: readonly StepName[] = Object.keys(STEPS).filter((name): name is StepName => name in STEPS)

/** What may be true of a VM between two calls. */
interface Moment {
  readonly state: State
  /** Its guest may end by itself: it was asked to shut down by a call that failed, or it is of that sort. */
  readonly mayEnd: boolean
}

/** Where any VM may be once its guest has ended by itself. */
const ENDS: readonly State[] = ['Halted', 'Running', 'Paused']

/**
 * Whether there is an order of the calls, each between its beginning and its end, in which every answer follows from
 * the figure; and the VM is in `last` after them. `ends`: where this VM may be once its guest has ended by itself.
 */
export function fits(calls: readonly Seen[], last: State, endsByItself: boolean, ends = ENDS): boolean {
  const tried = new Set<string>()
  const search = (left: readonly Seen[], now: Moment): boolean => {
    const key = `${left.map(call => call.began).join()} ${now.state} ${now.mayEnd}`
    if (tried.has(key)) return false
    tried.add(key)
    if (left.length === 0 && now.state === last) return true
    if (now.mayEnd && now.state === 'Running' && ends.some(state => search(left, { ...now, state }))) return true
    const firstEnd = Math.min(...left.map(call => call.ended))
    return left
      .filter(call => call.began < firstEnd)
      .some(call => after(call, now, calls, endsByItself).some(next => search(without(left, call), next)))
  }
  return search(calls, { state: 'Halted', mayEnd: endsByItself })
}

const without = (calls: readonly Seen[], call: Seen): readonly Seen[] => calls.filter(other => other !== call)

/** The moments that may follow a call with this answer; none where it cannot have been answered so. */
function after(call: Seen, now: Moment, calls: readonly Seen[], endsByItself: boolean): readonly Moment[] {
  const { from, to }: Step = STEPS[call.step]
  const [code, , , actual = ''] = call.error
  const isAllowed = from.includes(now.state)
  const results: readonly State[] = to.length === 0 ? [now.state] : to
  const mayEnd = (state: State) => endsByItself || (now.mayEnd && state !== 'Halted')
  if (code === undefined) return isAllowed ? results.map(state => ({ state, mayEnd: mayEnd(state) })) : []
  if (code === 'HANDLE_INVALID') return now.state === 'Gone' ? [now] : []
  if (now.state === 'Gone') return []
  // A state that could not be read back says nothing of what was done before.
  if (code === 'VM_BAD_POWER_STATE' && actual !== 'Unknown') {
    const isOnTheWay =
      (actual === 'ShuttingDown' && isDuring(call, CLEAN, calls)) ||
      (actual === 'Halted' && isDuring(call, REBOOT, calls))
    const isSeen = actual === now.state || isOnTheWay
    return isSeen ? [now] : []
  }
  if (!isAllowed) return actual === 'Unknown' ? [now] : []
  const isClean = CLEAN.includes(call.step)
  const broken: readonly State[] =
    call.step === 'cleanReboot' || call.step === 'hardReboot' ? [...results, 'Halted'] : results
  return [now.state, ...broken].map(state => ({ state, mayEnd: mayEnd(state) || (isClean && state !== 'Halted') }))
}

/** Steps during which a guest shuts down, and those of them after which it is started again. */
const CLEAN: readonly StepName[] = ['cleanShutdown', 'cleanReboot']
const REBOOT: readonly StepName[] = ['cleanReboot']

/** Whether one of these steps may have been under way while the call was. */
const isDuring = ({ began, ended }: Seen, steps: readonly StepName[], calls: readonly Seen[]): boolean =>
  calls.some(other => steps.includes(other.step) && other.began < ended && began < other.ended)
