import type { DomainId, Scheduling } from '../domain-config.ts'

/** What a domain has used since it was started, and what it has now. */
export interface DomainMetrics {
  /** When this was read, in milliseconds of a clock that never goes back. */
  readonly atMs: number
  /** What the guest has of its memory: what the balloon leaves it. */
  readonly memoryBytes: number
  /** CPU time that each virtual CPU has used, in milliseconds, by number. */
  readonly vcpuMs: readonly number[]
  /** By `DiskConfig.id`, what the guest has read and written. */
  readonly disks: readonly { readonly id: string; readonly readBytes: number; readonly writtenBytes: number }[]
  /** By `NicConfig.id`, from the guest's side. */
  readonly nics: readonly { readonly id: string; readonly receivedBytes: number; readonly sentBytes: number }[]
  /** Versions of what runs in the guest for the host's sake, such as `{ 'qemu-guest-agent': '7.2.22' }`. */
  readonly tools: Readonly<Record<string, string>>
}

/** CPU time of a CPU of the host since it was started, in milliseconds. */
export interface CpuTime {
  readonly number: number
  readonly busyMs: number
  readonly idleMs: number
  /** Of `busyMs`, what the host's own system used. Absent where the host does not tell it from the rest. */
  readonly kernelMs?: number
}

/** Counters, of which the reader makes rates. */
export interface MetricsOps {
  /** `bad-state` unless running or paused. */
  domain(id: DomainId): Promise<DomainMetrics>
  /**
   * As `domain` of each, in any order, at the cost of few; those that have nothing to measure now are left out. Absent where a
   * host is asked about one at a time.
   */
  domains?(ids: readonly DomainId[]): Promise<readonly (DomainMetrics & { readonly id: DomainId })[]>
  /** `vcpuMs` of that alone. */
  vcpus(id: DomainId): Promise<readonly number[]>
  cpus(): Promise<readonly CpuTime[]>
}

/** A parameter of a hypervisor's own scheduler, by its own name and in its own unit. */
export interface SchedulerParameter {
  readonly name: string
  /** How wide its values are: 32 or 64 bits, negative only in `llong`. */
  readonly type: 'uint' | 'llong' | 'ullong'
  readonly value: bigint
}

/** Changing what a running domain gets of the host's CPUs. */
export interface SchedulerOps {
  /** The hypervisor's own scheduler, where it has a name and parameters of its own; of a halted domain those of its next start. */
  readonly own?: {
    readonly name: string
    readonly parameters: (id: DomainId) => Promise<readonly SchedulerParameter[]>
    /**
     * What a definition says whose parameters are given these values by name, or undefined where it says nothing of the
     * kind. Throws DriverError, as `refused` and naming it, for a parameter that there is not, that is not changed here, or
     * that cannot have the value.
     */
    readonly changed: (scheduling: Scheduling | undefined, values: ReadonlyMap<string, bigint>) => Scheduling
  }
  /**
   * Changes the stored definition too. `refused`, naming it, where the host has no way to do a part of it or has no
   * such CPU; then nothing has changed. `bad-state` when halted or suspended.
   */
  set(id: DomainId, scheduling: Scheduling): Promise<void>
}

/** What a host does with a domain when it starts itself. */
export type StartupAction = 'never' | 'if-was-running' | 'always'

/** What becomes of domains when their host starts. */
export interface AutostartOps {
  get(id: DomainId): Promise<StartupAction>
  /** In every state of the domain; durable when it resolves. */
  set(id: DomainId, action: StartupAction): Promise<void>
}
