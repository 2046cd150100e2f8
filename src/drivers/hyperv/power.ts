import { setTimeout as pause } from 'node:timers/promises'
import { type DomainId, type DomainState, DriverError, type OperationOptions } from '../driver.ts'
import { isLost, LOST_MAX } from './again.ts'
import type { BackEnd, PowerRequest } from './back-end.ts'
import type { Definitions } from './definitions.ts'
import type { Directory, Entry } from './directory.ts'
import type { Events } from './events.ts'
import type { Locks } from './locks.ts'
import { assertState, gets, untilState } from './states.ts'

/** A change of power: what it is called, from which states it leads, what is asked for, and where it leads. */
interface Transition {
  readonly deed: string
  readonly from: readonly DomainState[]
  readonly request: PowerRequest
  readonly to: DomainState
}

const PAUSE: Transition = { deed: 'pause', from: ['running'], request: 'pause', to: 'paused' }
const UNPAUSE: Transition = { deed: 'unpause', from: ['paused'], request: 'run', to: 'running' }
const START: Transition = { deed: 'start', from: ['halted'], request: 'run', to: 'running' }
const SUSPEND: Transition = { deed: 'suspend', from: ['running', 'paused'], request: 'save', to: 'suspended' }
const RESUME: Transition = { deed: 'resume', from: ['suspended'], request: 'run', to: 'running' }
const RESET: Transition = { deed: 'reset', from: ['running', 'paused'], request: 'reset', to: 'running' }
const POWER_OFF: Transition = {
  deed: 'cut the power of',
  from: ['running', 'paused', 'suspended'],
  request: 'turn-off',
  to: 'halted',
}

/** How long a guest that still boots is waited for before it is said that nobody hears. */
const GUEST_MS_MAX = 30_000
const GUEST_PAUSE_MS = 50
const GUEST_PAUSE_MS_MAX = 1_000

export interface PowerParts {
  readonly backEnd: BackEnd
  readonly directory: Directory
  readonly definitions: Definitions
  readonly events: Events
  readonly locks: Locks
}

/** Changes the power of machines, one change of a domain after another. */
export class Power {
  readonly #parts: PowerParts

  constructor(parts: PowerParts) {
    this.#parts = parts
  }

  pause = (id: DomainId): Promise<void> => this.#change(id, PAUSE)
  unpause = (id: DomainId): Promise<void> => this.#change(id, UNPAUSE)
  powerOff = (id: DomainId): Promise<void> => this.#change(id, POWER_OFF)
  suspend = (id: DomainId, options: OperationOptions = {}): Promise<void> => this.#change(id, SUSPEND, options)

  /** A machine that was paused is paused still after a reset, or not, as its host has it. */
  async reset(id: DomainId, { keepsPaused = false }: { readonly keepsPaused?: boolean } = {}): Promise<void> {
    await this.#locked(id, RESET, async entry => {
      const { guid, state } = entry.machine
      await this.#parts.backEnd.request(guid, 'reset')
      const { machine } = await untilState(this.#parts.directory, guid, ['running', 'paused'])
      const wanted = keepsPaused && state === 'paused' ? 'paused' : 'running'
      if (machine.state !== wanted) await this.#parts.backEnd.request(guid, wanted === 'paused' ? 'pause' : 'run')
      return wanted
    })
  }

  /** Hyper-V has no way to hold a machine before its first instruction: it is paused as soon as it has started. */
  async start(id: DomainId, options: OperationOptions & { readonly paused?: boolean } = {}): Promise<void> {
    await this.#locked(id, { ...START, to: options.paused === true ? 'paused' : 'running' }, async entry => {
      assertWanted(options.signal)
      await this.#parts.definitions.realise(entry)
      await this.#run(entry, options, 'turn-off')
    })
  }

  async resume(id: DomainId, options: OperationOptions & { readonly paused?: boolean } = {}): Promise<void> {
    await this.#locked(id, { ...RESUME, to: options.paused === true ? 'paused' : 'running' }, async entry => {
      assertWanted(options.signal)
      await this.#run(entry, options, 'save')
    })
  }

  /** A guest that still boots hears nothing yet, and is asked again until it does. */
  async requestShutdown(id: DomainId): Promise<void> {
    const { locks, backEnd, directory, events } = this.#parts
    const deadline = performance.now() + GUEST_MS_MAX
    for (let wait = GUEST_PAUSE_MS; ; wait = Math.min(wait * 1.5, GUEST_PAUSE_MS_MAX)) {
      const isAsked = await locks.run(id, async () => {
        const entry = await directory.get(id)
        assertState(entry, 'shut down', ['running'])
        const isHeard = await backEnd.shutDownGuest(entry.machine.guid)
        if (isHeard) events.expectShutdown(id)
        return isHeard
      })
      if (isAsked) return
      if (performance.now() > deadline) {
        throw new DriverError('refused', 'no guest answers that could be asked to shut down')
      }
      await pause(wait)
    }
  }

  async #change(id: DomainId, transition: Transition, options: OperationOptions = {}): Promise<void> {
    await this.#locked(id, transition, async ({ machine: { guid } }) => {
      assertWanted(options.signal)
      await this.#ask(guid, transition.request, transition.to, options)
    })
  }

  /** Where the answer is lost, what has become of the machine tells whether the host was told; if not, it is told again. */
  async #ask(guid: string, request: PowerRequest, to: DomainState, options: OperationOptions = {}): Promise<void> {
    for (let left = LOST_MAX; ; left--) {
      try {
        return await this.#parts.backEnd.request(guid, request, options)
      } catch (error) {
        if (!isLost(error) || options.signal?.aborted === true) throw error
        if (await gets(this.#parts.directory, guid, to)) return
        if (left === 0) throw error
      }
    }
  }

  /** Does something to a domain that is in the right state, and waits until it is where that leads, or where it says. */
  async #locked(
    id: DomainId,
    { deed, from, to }: Transition,
    run: (entry: Entry) => Promise<DomainState | void>,
  ): Promise<void> {
    const { locks, directory, events } = this.#parts
    await locks.run(id, async () => {
      const entry = await directory.get(id)
      assertState(entry, deed, from)
      const led = await run(entry)
      events.saw(await untilState(directory, entry.machine.guid, [led ?? to]))
    })
  }

  /** Runs a machine, and pauses it where that is wanted; `back` leads to where it was if that fails half-way. */
  async #run({ machine: { guid } }: Entry, options: RunOptions, back: PowerRequest): Promise<void> {
    try {
      await this.#ask(guid, 'run', 'running', options)
      if (options.paused === true) await this.#ask(guid, 'pause', 'paused')
    } catch (error) {
      await this.#takeBack(guid, back, error)
      throw error
    }
  }

  async #takeBack(guid: string, back: PowerRequest, cause: unknown): Promise<void> {
    const { backEnd, directory } = this.#parts
    if (cause instanceof DriverError && cause.kind === 'unreachable') return
    const { machine } = await untilState(directory, guid, ['halted', 'suspended', 'running', 'paused'])
    if (machine.state === 'halted' || machine.state === 'suspended') return
    await backEnd.request(guid, back)
  }
}

type RunOptions = OperationOptions & { readonly paused?: boolean }

function assertWanted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new DriverError('refused', 'aborted before it began')
}
