import { type Faults, NO_FAULTS } from '../faults/plan.ts'
import { type Clock, type Planned, systemClock } from './clock.ts'
import { Jobs } from './jobs.ts'
import type { HostState, Vm } from './model.ts'
import { type Random, randomOf } from './random.ts'
import type { Locale, Texts } from './texts.ts'
import { ENGLISH } from './texts-english.ts'
import { JAPANESE } from './texts-japanese.ts'

/** What a host lives in. */
export interface Surroundings {
  readonly clock?: Clock
  /** True chance where nothing is said. */
  readonly random?: Random
  readonly faults?: Faults
  readonly locale?: Locale
  /** Whether embedded instances are read as strictly as hosts read them; true where nothing is said. */
  readonly isStrict?: boolean
  /** How long things take: 1, the default, is as on a real host; 0 is no time at all. */
  readonly pace?: number
  /** What is in machines that clients define: 'none', where nothing is said, never answers. */
  readonly guest?: Vm['guest']
  /** Where the files of the host's disks are; undefined for a host without any. */
  readonly folder?: string
  /** Told after each change of the state. */
  readonly onChange?: () => void
}

const TEXTS: Readonly<Record<Locale, Texts>> = { 'en-US': ENGLISH, 'ja-JP': JAPANESE }

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
  readonly isStrict: boolean
  readonly pace: number
  readonly guest: Vm['guest']
  readonly folder: string | undefined
  readonly jobs: Jobs
  readonly #onChange: () => void
  /** What lies ahead of machines, by their GUIDs. */
  readonly #plans = new Map<string, Planned>()
  #byId = new Map<string, Vm>()

  constructor(state: HostState, surroundings: Surroundings = {}) {
    this.state = state
    this.clock = surroundings.clock ?? systemClock
    this.random = surroundings.random ?? randomOf(undefined)
    this.faults = surroundings.faults ?? NO_FAULTS
    this.locale = surroundings.locale ?? 'en-US'
    this.texts = TEXTS[this.locale]
    this.isStrict = surroundings.isStrict ?? true
    this.pace = surroundings.pace ?? 1
    this.guest = surroundings.guest ?? 'none'
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
    const { vms } = this.state
    if (this.#byId.size !== vms.length) this.#byId = new Map(vms.map(vm => [vm.id, vm]))
    return this.#byId.get(id.replace(/^\{(.*)\}$/, '$1').toUpperCase())
  }

  /** Adds a machine to the host. */
  add(vm: Vm): void {
    this.state.vms.push(vm)
    this.#byId = new Map()
    this.touch()
  }

  /** Takes a machine from the host; false where it has no such one. */
  remove(vm: Vm): boolean {
    const place = this.state.vms.indexOf(vm)
    if (place < 0) return false
    this.state.vms.splice(place, 1)
    this.#byId = new Map()
    this.cancelPlan(vm.id)
    this.touch()
    return true
  }

  /** How long something takes here that takes `ms` on a real host. */
  takes(ms: number): number {
    return ms * this.pace
  }

  /** Plans the one thing that lies ahead of a machine, such as its guest's leaving; what was planned before is off. */
  plan(vmId: string, ms: number, action: () => void): void {
    this.cancelPlan(vmId)
    const planned = this.clock.after(ms, () => {
      this.#plans.delete(vmId)
      action()
    })
    this.#plans.set(vmId, planned)
  }

  hasPlan(vmId: string): boolean {
    return this.#plans.has(vmId)
  }

  cancelPlan(vmId: string): void {
    this.#plans.get(vmId)?.cancel()
    this.#plans.delete(vmId)
  }

  /** Ends all jobs and plans. Nothing happens by itself any more. */
  close(): void {
    for (const id of this.#plans.keys()) this.cancelPlan(id)
    this.jobs.close()
  }
}
