import type { ConsoleOps, ScreenOps, TerminalOps } from './contract/consoles.ts'
import type { DeviceOps } from './contract/devices.ts'
import type { DomainOps } from './contract/domains.ts'
import type { EventOps } from './contract/events.ts'
import type { GuestOps } from './contract/guest.ts'
import type { AutostartOps, MetricsOps, SchedulerOps } from './contract/metrics.ts'
import type { NetworkOps } from './contract/networks.ts'
import type { DumpOps, SnapshotOps, SuspensionOps } from './contract/saved-states.ts'
import type { CloneOps, StorageOps } from './contract/storage.ts'

export { readConfig } from './definition-config.ts'
export { withLimits } from './disk-limits.ts'

export type * from './contract/consoles.ts'
export type * from './contract/devices.ts'
export type * from './contract/domains.ts'
export type * from './contract/events.ts'
export type * from './contract/guest.ts'
export type * from './contract/metrics.ts'
export type * from './contract/networks.ts'
export type * from './contract/operation.ts'
export type * from './contract/saved-files.ts'
export type * from './contract/saved-states.ts'
export type * from './contract/storage.ts'
export { DISK_RATES } from './domain-config.ts'
export type {
  Annotations,
  BootConfig,
  BootDevice,
  CpuConfig,
  DiskConfig,
  DiskLimits,
  DomainConfig,
  DomainId,
  ExitActions,
  ImageFormat,
  NicConfig,
  PlatformConfig,
  RateLimit,
  Scheduling,
} from './domain-config.ts'

/**
 * What a hypervisor can do for us, in our words. A driver translates; it keeps no state of ours.
 *
 * Operations come in groups. A group that a driver leaves out is a group it does not support: presence IS the
 * manifest, the support matrix in docs/generated is printed from it, and the conformance suite runs a group's
 * tests exactly where the group is present.
 *
 * Every operation rejects with DriverError and nothing else; what kind is said where it matters.
 */
export interface Driver {
  /** The driver's own name, as errors and the support matrix show it: `memory`, `qemu`. */
  readonly name: string
  readonly host: HostOps
  readonly domains: DomainOps
  readonly devices?: DeviceOps
  readonly suspension?: SuspensionOps
  readonly snapshots?: SnapshotOps
  readonly dumps?: DumpOps
  readonly storage?: StorageOps
  readonly clones?: CloneOps
  readonly networks?: NetworkOps
  readonly consoles?: ConsoleOps
  readonly terminals?: TerminalOps
  readonly screens?: ScreenOps
  readonly guest?: GuestOps
  readonly metrics?: MetricsOps
  readonly scheduler?: SchedulerOps
  readonly autostart?: AutostartOps
  readonly power?: PowerOps
  readonly events?: EventOps
  /** Releases connections; domains go on running. Calling it twice is harmless. */
  close(): Promise<void>
}

/** The groups a driver may leave out, in the order in which documents show them. */
export const OPTIONAL_GROUPS = [
  'devices',
  'suspension',
  'snapshots',
  'dumps',
  'storage',
  'clones',
  'networks',
  'consoles',
  'terminals',
  'screens',
  'guest',
  'metrics',
  'scheduler',
  'autostart',
  'power',
  'events',
] as const

/** What a driver is given to connect with. */
export interface ConnectOptions {
  readonly uri: URL
  /** The server's data directory; a driver keeps what it must below a folder of its own name. */
  readonly dataDir: string
  /** Something worth an operator's notice that no call can report. */
  readonly warn: (message: string, details?: Readonly<Record<string, unknown>>) => void
  readonly signal?: AbortSignal
  /** Asked for the password of the URI's user whenever a connection logs on, where the URI says nowhere to read it. */
  readonly password?: () => Promise<string>
  /** The programs that shut this machine down and reboot it, with their arguments; absent unless the operator allows it. */
  readonly hostPower?: { readonly shutdown: readonly string[]; readonly reboot: readonly string[] }
}

// --- host

/** One physical CPU as the operating system counts them, features by the draft's names (`cpu_feature`). */
export interface HostCpu {
  readonly number: number
  readonly features: readonly string[]
}

/** What runs domains, where that is a program of the host. */
export interface HostEmulator {
  /** An absolute path. */
  readonly program: string
  /** Whether the host can emulate a TPM. */
  readonly hasTpm: boolean
}

/** What a host says of itself. */
export interface HostInfo {
  /** The same on every connection to this host: a UUID in lower case. */
  readonly id: string
  readonly name: string
  readonly memoryBytes: number
  readonly cpus: readonly HostCpu[]
  /** Product to version: `{ qemu: '7.2.22', accelerator: 'tcg' }`. */
  readonly softwareVersion: Readonly<Record<string, string>>
  readonly emulator?: HostEmulator
}

/** What a host's machine is made of. */
export interface HostHardware {
  /** How the maker names its processors; empty where nobody tells. */
  readonly model: string
  /** How fast they run at most; 0 where nobody tells. */
  readonly mhz: number
  /** NUMA nodes, of which each has this many sockets, these have these cores, and these have these threads. */
  readonly nodes: number
  readonly socketsPerNode: number
  readonly coresPerSocket: number
  readonly threadsPerCore: number
}

/** What the host tells of itself. */
export interface HostOps {
  info(): Promise<HostInfo>
  /** Absent where there is no telling. */
  hardware?(): Promise<HostHardware>
  /** Memory that nothing uses now, in bytes. Absent where there is no telling. */
  memoryFree?(): Promise<number>
  /** The most virtual CPUs that one domain may have. Absent where there is no telling. */
  vcpusMax?(): Promise<number>
  /** Whether nobody on the way can read what is said to the host; absent where there is no way, the host being here. */
  readonly isEncrypted?: boolean
  /** Whether the host is another machine, on which what there is goes on when nobody manages it from here. Absent: no. */
  readonly isRemote?: boolean
}

/** The power of the machine itself; a group that is there only where the operator's configuration allows it. */
export interface PowerOps {
  shutdown(): Promise<void>
  reboot(): Promise<void>
}

// --- errors

/**
 * `not-found`: no such domain, volume, network or device of a domain. `bad-state`: it is not in a state that allows this. `unreachable`: the host
 * does not answer. `refused`: it answered no, for the reason in the message.
 */
export type DriverErrorKind = 'not-found' | 'bad-state' | 'unreachable' | 'refused'

/** Of a guest that was asked: `silent` nobody in it answers, `unable` what answers cannot do that, `refused` it said no. */
export type GuestFailure = 'silent' | 'unable' | 'refused'

/** What else is known of an error. */
export interface DriverErrorOptions extends ErrorOptions {
  readonly isLogon?: boolean
  readonly guest?: GuestFailure
}

/** The one kind of error a driver rejects with: a kind to decide by and a sentence to show. */
export class DriverError extends Error {
  override readonly name = 'DriverError'
  readonly kind: DriverErrorKind
  /** Whether the host does not let us in: what it refuses is not what was asked for, but who asks. */
  readonly isLogon: boolean
  /** What became of a question to the guest, where it is the guest that fails; undefined where it is the host. */
  readonly guest: GuestFailure | undefined

  constructor(kind: DriverErrorKind, message: string, { isLogon = false, guest, ...options }: DriverErrorOptions = {}) {
    super(message, options)
    this.kind = kind
    this.isLogon = isLogon
    this.guest = guest
  }
}
