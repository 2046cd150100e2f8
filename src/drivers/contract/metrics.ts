import type { DomainId, Scheduling } from '../domain-config.ts'

/** What a guest has done to a disk since the start of its domain. What is absent, the host does not count. */
export interface DiskMetrics {
  /** As `DiskConfig.id`. */
  readonly id: string
  readonly readBytes: number
  readonly writtenBytes: number
  /** Requests of each kind that were done. */
  readonly reads?: number
  readonly writes?: number
  readonly flushes?: number
  /** How long they took together, in nanoseconds: two at once count twice. */
  readonly readNs?: number
  readonly writeNs?: number
  readonly flushNs?: number
  /** Requests that failed, of all kinds. */
  readonly errors?: number
}

/** What went through an interface, from the guest's side. What is absent, the host does not count. */
export interface NicMetrics {
  /** As `NicConfig.id`. */
  readonly id: string
  readonly receivedBytes: number
  readonly sentBytes: number
  readonly receivedPackets?: number
  readonly sentPackets?: number
  /** Packets that were damaged on their way to the guest, and such of the guest's. */
  readonly receivedErrors?: number
  readonly sentErrors?: number
  /** Packets that the guest should have got and did not, and those of its own that went nowhere. */
  readonly receivedDropped?: number
  readonly sentDropped?: number
}

/** What else is told of a virtual CPU beside what it has used. What is absent, the host does not tell. */
export interface VcpuState {
  /** How long it has waited for what it had asked for, in milliseconds. */
  readonly waitMs?: number
  /** How long it could have run and had to wait for a CPU, in milliseconds. */
  readonly delayMs?: number
  /** The number of the host's CPU that it was on last. */
  readonly cpu?: number
}

/** A virtual CPU: what it has used, in milliseconds, and what else is told of it. */
export interface VcpuMetrics extends VcpuState {
  readonly usedMs: number
}

/** CPU time that a host has spent on a domain since its start, all that it does for its guest included, in milliseconds. */
export interface DomainCpuTime {
  readonly totalMs: number
  /** Of that, what programs used, and what the host's own system used. Absent where the host does not tell them apart. */
  readonly userMs?: number
  readonly systemMs?: number
  /** What was spent on each CPU of the host, by number. Absent where the host does not tell it. */
  readonly onCpus?: readonly number[]
}

/** What a guest has said of its memory, when it did last. What is absent, it does not say. Sizes are in bytes. */
export interface GuestMemory {
  /** When, in milliseconds since 1970; absent where it has said nothing yet. */
  readonly atMs?: number
  /** All that it takes for its memory. */
  readonly availableBytes?: number
  /** What it makes no use of. */
  readonly unusedBytes?: number
  /** What it could do without and not begin to swap. */
  readonly usableBytes?: number
  /** What it could give back without writing anything. */
  readonly cacheBytes?: number
  readonly swappedInBytes?: number
  readonly swappedOutBytes?: number
  /** Page faults that a disk had to be read for, and others. */
  readonly majorFaults?: number
  readonly minorFaults?: number
  /** Huge pages that its programs were given, and were not. */
  readonly hugePagesGiven?: number
  readonly hugePagesRefused?: number
}

/** What a domain has used since it was started, and what it has now. */
export interface DomainMetrics {
  /** When this was read, in milliseconds of a clock that never goes back. */
  readonly atMs: number
  /** What the guest has of its memory: what the balloon leaves it. */
  readonly memoryBytes: number
  /** Absent where the host is not told by guests. */
  readonly guestMemory?: GuestMemory
  /** Memory of the host that the domain takes now, in bytes. Absent where the host does not tell. */
  readonly residentBytes?: number
  /** CPU time that each virtual CPU has used, in milliseconds, by number. */
  readonly vcpuMs: readonly number[]
  /** What else is told of each, by number. Absent where nothing is. */
  readonly vcpus?: readonly VcpuState[]
  /** Absent where the host counts virtual CPUs alone. */
  readonly cpu?: DomainCpuTime
  readonly disks: readonly DiskMetrics[]
  readonly nics: readonly NicMetrics[]
  /** Versions of what runs in the guest for the host's sake, such as `{ 'qemu-guest-agent': '7.2.22' }`. */
  readonly tools: Readonly<Record<string, string>>
}

/** A disk whose image the host could not read or write, and why: it is full, or something else. */
export interface DiskError {
  /** As `DiskConfig.id`. */
  readonly id: string
  readonly reason: 'no-space' | 'unspecified'
}

/** How fast a guest was found to write to its memory, when somebody had the host look last. */
export interface DirtyRate {
  readonly status: 'unstarted' | 'measuring' | 'measured'
  /** When that began, and how long it takes, in seconds: by the host's own clock, 0 where nobody did. */
  readonly startS: number
  readonly periodS: number
  /** How it is found out, by the host's own name. */
  readonly mode: string
  /** In MiB for each second; absent before it is measured. */
  readonly mibPerS?: number
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
  /** What that tells of virtual CPUs, by number, alone. */
  vcpus(id: DomainId): Promise<readonly VcpuMetrics[]>
  /**
   * The disks of a domain that are in trouble now, which may be why it is paused. `bad-state` as `domain`. Absent where the
   * host does not tell.
   */
  diskErrors?(id: DomainId): Promise<readonly DiskError[]>
  /** `bad-state` as `domain`. Absent where the host does not look. */
  dirtyRate?(id: DomainId): Promise<DirtyRate>
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
