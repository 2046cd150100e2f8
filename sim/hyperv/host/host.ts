import { type Faults, NO_FAULTS } from '../faults/plan.ts'
import { type Clock, systemClock } from './clock.ts'
import { Jobs } from './jobs.ts'
import type { HostState, Vm } from './model.ts'
import { type Random, randomOf } from './random.ts'
import { type Locale, type Texts, textsOf } from './texts.ts'

/** What a host lives in. */
export interface Surroundings {
  readonly clock?: Clock
  /** True chance where nothing is said. */
  readonly random?: Random
  readonly faults?: Faults
  readonly locale?: Locale
  /** How long things take: 1, the default, is as on a real host; 0 is no time at all. */
  readonly pace?: number
  /** Where the files of the host's disks are; undefined for a host without any. */
  readonly folder?: string
  /** Told after each change of the state. */
  readonly onChange?: () => void
}

/**
 * A simulated Hyper-V host: its state, and what it lives in. What it can do stands in the files beside this one, as
 * functions of a host; the faces of the namespaces are functions of it too.
 */
export class Host {
  readonly state: HostState
  readonly clock: Clock
  readonly random: Random
  readonly faults: Faults
  readonly locale: Locale
  readonly texts: Texts
  readonly pace: number
  readonly folder: string | undefined
  readonly jobs: Jobs
  readonly #onChange: () => void

  constructor(state: HostState, surroundings: Surroundings = {}) {
    this.state = state
    this.clock = surroundings.clock ?? systemClock
    this.random = surroundings.random ?? randomOf(undefined)
    this.faults = surroundings.faults ?? NO_FAULTS
    this.locale = surroundings.locale ?? 'en-US'
    this.texts = textsOf(this.locale)
    this.pace = surroundings.pace ?? 1
    this.folder = surroundings.folder
    this.#onChange = surroundings.onChange ?? (() => undefined)
    this.jobs = new Jobs(this)
  }

  /** Says that the state has changed, so that it is kept. */
  touch(): void {
    this.#onChange()
  }

  /** By its GUID in whatever case, with or without braces. */
  vm(id: string): Vm | undefined {
    const wanted = id.replace(/^\{(.*)\}$/, '$1').toUpperCase()
    return this.state.vms.find(vm => vm.id === wanted)
  }

  /** How long something takes here that takes `ms` on a real host. */
  takes(ms: number): number {
    return ms * this.pace
  }
}
