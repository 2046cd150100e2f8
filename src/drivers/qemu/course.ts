import type { QmpEvent } from '../../protocols/qmp/commands.ts'
import type { DomainState, PauseCause } from '../driver.ts'
import { ResetCounter } from './reset-counter.ts'
import { type Exit, EXITS_BY_REASON, pauseOf, stateOf } from './run-state.ts'

/** Who is told how a guest fares. */
export interface CourseWitness {
  readonly changed: () => void
  readonly guestReset: () => void
  /** The guest has ended, and QEMU stands still until it is told what to do. */
  readonly held: (exit: Exit) => void
}

/** How a guest fares, as QEMU's events and answers tell. */
export class Course {
  readonly #witness: CourseWitness
  readonly #resets = new ResetCounter()
  #state: DomainState = 'unknown'
  #exit: Exit | undefined
  #isSavedByGuest = false
  #isEnding = false
  /** Whether a stop that follows means that QEMU stays. */
  #stays = false
  /** Why it stands still, or will at once. */
  #pause: PauseCause | undefined
  #isWakeUp = false

  constructor(witness: CourseWitness) {
    this.#witness = witness
  }

  get state(): DomainState {
    return this.#state
  }

  /** Why it is paused, where it is and QEMU tells. */
  get pause(): PauseCause | undefined {
    return this.#state === 'paused' ? this.#pause : undefined
  }

  /** Whether it runs since it woke up. */
  get isWakeUp(): boolean {
    return this.#isWakeUp
  }

  /** How the guest has ended; undefined while it goes on, and where the host ended it. */
  get exit(): Exit | undefined {
    return this.#exit
  }

  /** Whether the guest has ended and nobody has decided yet; its state is that of before. */
  get isEnding(): boolean {
    return this.#isEnding
  }

  /** QEMU was asked for its run state. */
  answered(status: string): void {
    if (this.#isEnding) return
    this.#pause = pauseOf(status)
    this.#enter(stateOf(status))
  }

  /** QEMU cannot be asked any more. */
  lost(): void {
    this.#enter('unknown')
  }

  /** It was decided that the guest stays as it has ended. */
  staysEnded(): void {
    this.#isEnding = false
  }

  /** Source: QEMU qapi/run-state.json and qapi/misc.json, the events of these names. */
  hear({ event, data, timestampMs }: QmpEvent): void {
    switch (event) {
      case 'BLOCK_IO_ERROR':
        if (data['action'] === 'stop') this.#pause = 'io-error'
        break
      case 'WATCHDOG':
        if (data['action'] === 'pause') this.#pause = 'watchdog'
        break
      case 'STOP':
        if (!this.#isEnding) this.#enter('paused')
        // A QEMU that exits stops without a word, but for a panic.
        else if (this.#exit !== undefined && this.#stays) this.#witness.held(this.#exit)
        break
      case 'RESUME':
      case 'WAKEUP':
        this.#resets.resumed(timestampMs)
        this.#goesOn(event === 'WAKEUP')
        break
      case 'SUSPEND':
        this.#enter('unknown')
        break
      case 'SUSPEND_DISK':
        this.#isSavedByGuest = true
        break
      case 'RESET':
        if (this.#resets.isByGuest(timestampMs, data['guest'] === true, this.#state === 'running')) {
          this.#witness.guestReset()
        }
        break
      case 'GUEST_PANICKED':
        this.#ends('crash')
        this.#stays = data['action'] === 'pause'
        break
      case 'SHUTDOWN':
        this.#ends(EXITS_BY_REASON.get(String(data['reason'])))
        this.#stays = true
        break
    }
  }

  #ends(exit: Exit | undefined): void {
    this.#isEnding = true
    this.#exit ??= exit === 'shutdown' && this.#isSavedByGuest ? 'suspend' : exit
  }

  #goesOn(isWakeUp: boolean): void {
    this.#isEnding = false
    this.#isSavedByGuest = false
    this.#exit = undefined
    this.#pause = undefined
    this.#enter('running', isWakeUp)
  }

  #enter(state: DomainState, isWakeUp = false): void {
    if (state === this.#state) return
    this.#state = state
    this.#isWakeUp = isWakeUp
    this.#witness.changed()
  }
}
