import {
  type AutostartOps,
  type CloneOps,
  type DeviceOps,
  type DomainOps,
  type DumpOps,
  DriverError,
  type DriverErrorKind,
  type GuestOps,
  type HostOps,
  type MetricsOps,
  type NetworkOps,
  type PowerOps,
  type SavedFileOps,
  type SchedulerOps,
  type ScreenOps,
  type SnapshotOps,
  type StorageOps,
  type SuspensionOps,
  type TerminalOps,
} from '../driver.ts'
import type { Random } from './random.ts'

/** The operations that can fail, `group.operation`. */
export type Operation =
  | `host.${Exclude<keyof HostOps, 'isEncrypted'>}`
  | `domains.${keyof DomainOps}`
  | `devices.${keyof DeviceOps}`
  | `dumps.${keyof DumpOps}`
  | `terminals.${keyof TerminalOps}`
  | `scheduler.${keyof SchedulerOps}`
  | `snapshots.${keyof SnapshotOps}`
  | `screens.${keyof ScreenOps}`
  | `guest.${Exclude<keyof GuestOps, 'addressSources' | 'watch'>}`
  | `autostart.${keyof AutostartOps}`
  | `power.${keyof PowerOps}`
  | `networks.${keyof NetworkOps}`
  | `metrics.${keyof MetricsOps}`
  | `suspension.${Exclude<keyof SuspensionOps, 'files'>}`
  | `savedFiles.${keyof SavedFileOps}`
  | `storage.${Exclude<keyof StorageOps, 'types' | 'defaultLocation'>}`
  | `clones.${keyof CloneOps}`
  | 'consoles.readSerial'

/** A failure that is planned: the nth call of an operation, counted from now. */
export interface PlannedFault {
  readonly operation: Operation
  /** 1 is the next call. */
  readonly nth: number
  /** Whether the call fails before it has an effect, or after it: the answer is lost, not the deed. */
  readonly when: 'before' | 'after'
  readonly kind: DriverErrorKind
}

/** What is to happen to one call. */
export type Fault = Pick<PlannedFault, 'when' | 'kind'>

const KINDS = ['not-found', 'bad-state', 'unreachable', 'refused'] as const
const MOMENTS = ['before', 'after'] as const
const PLANNED_MAX = 10_000

/** The misfortunes of one connection: at a rate, by plan, or all at once when the line is cut. */
export class Faults {
  readonly #random: Random
  readonly #rate: number
  #planned: { readonly fault: PlannedFault; left: number }[] = []
  #isLineCut = false

  /** `rate` is the share of calls that fail, 0 to 1: half of them before their effect, half after it. */
  constructor(random: Random, rate: number) {
    this.#random = random
    this.#rate = rate
  }

  /** Adds to the plan. */
  plan(...faults: readonly PlannedFault[]): void {
    this.#planned.push(...faults.map(fault => ({ fault, left: fault.nth })))
    if (this.#planned.length > PLANNED_MAX) throw new RangeError(`more than ${PLANNED_MAX} planned faults`)
  }

  /** Every call is `unreachable` and no event is heard until `restoreLine`. */
  cutLine(): void {
    this.#isLineCut = true
  }

  restoreLine(): void {
    this.#isLineCut = false
  }

  get isLineCut(): boolean {
    return this.#isLineCut
  }

  /** Counts a call and says what is to happen to it. */
  next(operation: Operation): Fault | null {
    const due = this.#countDown(operation)
    if (due !== null) return due
    if (this.#rate === 0 || this.#random.next() >= this.#rate) return null
    return { kind: this.#random.pick(KINDS), when: this.#random.pick(MOMENTS) }
  }

  #countDown(operation: Operation): Fault | null {
    let due: Fault | null = null
    for (const planned of this.#planned) {
      if (planned.fault.operation !== operation) continue
      planned.left -= 1
      if (planned.left === 0) due = planned.fault
    }
    this.#planned = this.#planned.filter(planned => planned.left > 0)
    return due
  }
}

/** The error of a fault, made apart so that its message says that nothing is wrong with the caller. */
export function faultError(operation: Operation, { kind, when }: Fault): DriverError {
  return new DriverError(kind, `fault of the memory host: ${operation} is made to fail ${when} its effect`)
}
