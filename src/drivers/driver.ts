import type { Duplex } from 'node:stream'
import type { DiskConfig, DomainConfig, DomainId, ImageFormat, NicConfig, Scheduling } from './domain-config.ts'

export type {
  BootConfig,
  BootDevice,
  CpuConfig,
  DiskConfig,
  DomainConfig,
  DomainId,
  ExitActions,
  ImageFormat,
  NicConfig,
  PlatformConfig,
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
  readonly dumps?: DumpOps
  readonly storage?: StorageOps
  readonly clones?: CloneOps
  readonly networks?: NetworkOps
  readonly consoles?: ConsoleOps
  readonly terminals?: TerminalOps
  readonly metrics?: MetricsOps
  readonly scheduler?: SchedulerOps
  readonly power?: PowerOps
  readonly events?: EventOps
  /** Releases connections; domains go on running. Calling it twice is harmless. */
  close(): Promise<void>
}

/** The groups a driver may leave out, in the order in which documents show them. */
export const OPTIONAL_GROUPS = [
  'devices',
  'suspension',
  'dumps',
  'storage',
  'clones',
  'networks',
  'consoles',
  'terminals',
  'metrics',
  'scheduler',
  'power',
  'events',
] as const

/** What long operations are given: a way to be told to stop, and a way to say how far they are (0 to 1). */
export interface OperationOptions {
  readonly signal?: AbortSignal
  readonly onProgress?: (share: number) => void
}

/** What a driver is given to connect with. */
export interface ConnectOptions {
  readonly uri: URL
  /** The server's data directory; a driver keeps what it must below a folder of its own name. */
  readonly dataDir: string
  /** Something worth an operator's notice that no call can report. */
  readonly warn: (message: string, details?: Readonly<Record<string, unknown>>) => void
  readonly signal?: AbortSignal
  /** The programs that shut this machine down and reboot it, with their arguments; absent unless the operator allows it. */
  readonly hostPower?: { readonly shutdown: readonly string[]; readonly reboot: readonly string[] }
}

// --- host

/** One physical CPU as the operating system counts them, features by the draft's names (`cpu_feature`). */
export interface HostCpu {
  readonly number: number
  readonly features: readonly string[]
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
}

/** What the host tells of itself. */
export interface HostOps {
  info(): Promise<HostInfo>
}

/** The power of the machine itself; a group that is there only where the operator's configuration allows it. */
export interface PowerOps {
  shutdown(): Promise<void>
  reboot(): Promise<void>
}

// --- domains

/**
 * `crashed`: the guest has panicked and is held in memory, its CPUs stopped (`ExitActions`). `unknown` is what a driver
 * says when the hypervisor reports something without a name here; never as a stand-in for "could not ask".
 */
export type DomainState = 'halted' | 'running' | 'paused' | 'crashed' | 'suspended' | 'unknown'

/** A domain at a moment. */
export interface Domain {
  readonly id: DomainId
  readonly name: string
  readonly state: DomainState
}

/**
 * Operations on domains. Rejections common to all that take an id: `not-found` when the host has no such domain,
 * `unreachable` when the host does not answer, `refused` when it answers no.
 */
export interface DomainOps {
  /** Every domain of the host, running or not, ours or not. */
  list(): Promise<readonly Domain[]>
  get(id: DomainId): Promise<Domain>
  /** The stored definition; what `define` was given, where it was given. */
  config(id: DomainId): Promise<DomainConfig>
  /**
   * Makes the domain, or replaces the definition of one that exists; durable when it resolves. A running domain
   * keeps running as it is, the new definition counts from its next start; but `exits` count at once. A suspended one
   * is resumed as it was suspended.
   */
  define(config: DomainConfig): Promise<void>
  /** Forgets a halted domain and what the driver kept for it, never its volumes. `bad-state` unless halted. */
  undefine(id: DomainId): Promise<void>
  /**
   * Halted → running, or paused before the first instruction. `bad-state` unless halted; `refused` where a kernel, disk
   * or network is missing, where another domain that is not halted writes to a disk that they do not share, and where
   * the host has not what the definition demands of it. A failed or aborted start leaves it halted.
   */
  start(id: DomainId, options?: OperationOptions & { readonly paused?: boolean }): Promise<void>
  /** Running → paused. `bad-state` unless running. */
  pause(id: DomainId): Promise<void>
  /** Paused → running. `bad-state` unless paused. */
  unpause(id: DomainId): Promise<void>
  /**
   * Asks the guest to shut down (ACPI power button or its like) and resolves once it is asked; whether and when the
   * guest obeys shows in its state. `bad-state` unless running.
   */
  requestShutdown(id: DomainId): Promise<void>
  /** Cuts the power: running, paused, crashed or suspended (what was saved is discarded) → halted. `bad-state` when halted. */
  powerOff(id: DomainId): Promise<void>
  /** Resets the machine: running, paused or crashed → running. `bad-state` when halted or suspended. */
  reset(id: DomainId): Promise<void>
}

// --- devices

/**
 * Changing a domain that runs or is paused; `bad-state` in every other state: for a halted one `define` does. Each
 * changes the stored definition too, and where the living machine refuses, neither has changed. `not-found` where the
 * domain has no such disk or interface; `refused` where it has one of that id already, where a volume or network is
 * missing, and as at `start`.
 */
export interface DeviceOps {
  /** Plugs a disk in. Resolves when the machine has it; whether the guest looks is the guest's. */
  attachDisk(id: DomainId, disk: DiskConfig): Promise<void>
  /** Pulls a disk. Resolves when the guest has let go; `refused` when it does not within some seconds, and keeps it. */
  detachDisk(id: DomainId, disk: string): Promise<void>
  /**
   * Changes what lies in a cdrom or floppy drive; null ejects, and the drive's location is empty. Also where the guest
   * has locked the tray. `refused` for a disk that is no drive.
   */
  changeMedium(
    id: DomainId,
    drive: string,
    medium: { readonly location: string; readonly format: ImageFormat } | null,
  ): Promise<void>
  attachNic(id: DomainId, nic: NicConfig): Promise<void>
  /** As `detachDisk`. */
  detachNic(id: DomainId, nic: string): Promise<void>
  /** Moves the cable of an interface to another network, or unplugs it. The guest sees the carrier go and come. */
  connectNic(id: DomainId, nic: string, network: string | null): Promise<void>
  /**
   * Asks the guest's balloon driver to leave it this much memory; how far it got is in the metrics. `refused` where
   * that is more than `memoryBytes`, or nothing.
   */
  setMemoryTarget(id: DomainId, bytes: number): Promise<void>
}

// --- suspension

/** Putting domains to disk, their memory with them. */
export interface SuspensionOps {
  /**
   * Running or paused → suspended. With `live` the guest goes on while its memory is being written, where the hypervisor
   * can tell what it changes meanwhile. A failed or aborted suspension leaves it as it was, and no file. `bad-state` when
   * halted.
   */
  suspend(id: DomainId, options?: OperationOptions & { readonly live?: boolean }): Promise<void>
  /** Suspended → running, or paused. A failed resume leaves it suspended. `bad-state` unless suspended. */
  resume(id: DomainId, options?: OperationOptions & { readonly paused?: boolean }): Promise<void>
}

// --- dumps

/** A guest's memory, written to a file of the host for whoever looks for the cause of a crash. */
export interface Dump {
  readonly location: string
  readonly bytes: number
}

/** Dumping the memory of guests. */
export interface DumpOps {
  /**
   * Writes the memory of a paused or crashed domain as an ELF core file. Only the newest few of a domain are kept.
   * `bad-state` unless paused or crashed. A failure leaves no file.
   */
  dump(id: DomainId, options?: OperationOptions): Promise<Dump>
  /** The dumps that are kept of a domain, oldest first. */
  list(id: DomainId): Promise<readonly Dump[]>
}

// --- storage

/** Where volumes live: for type `dir` a folder of the host. */
export interface RepositoryConfig {
  readonly type: string
  readonly location: string
}

/** What a repository holds and has room for, in bytes. */
export interface Repository {
  /** Of all that the place has, whoever it is used by. */
  readonly capacityBytes: number
  /** What its own images weigh, with all that they share. */
  readonly usedBytes: number
}

/** A disk image. */
export interface Volume {
  /** How the host names it; for type `dir` an absolute path. Unique on the host. */
  readonly location: string
  /** The file's name without folder and ending. */
  readonly name: string
  readonly format: ImageFormat
  /** As the guest sees it. */
  readonly virtualBytes: number
  /** As it weighs on the repository. */
  readonly physicalBytes: number
  /** The image of a CD, or another that must not be written. */
  readonly readOnly?: true
}

/** Disk images in repositories. */
export interface StorageOps {
  /** The repository types this driver knows. */
  readonly types: readonly string[]
  /** Where a repository called `name` goes when nobody chose a place; another for every name. Of the driver's first type. */
  defaultLocation(name: string): string
  /** Makes the repository usable, creating an empty folder where there is none. `refused` where that cannot be. */
  openRepository(repository: RepositoryConfig): Promise<Repository>
  listVolumes(repository: RepositoryConfig): Promise<readonly Volume[]>
  /**
   * Creates an empty image named `name`; sparse. A failure leaves no file behind. `refused` if the name is taken, or is
   * empty, `.`, `..` or holds a separator.
   */
  createVolume(
    repository: RepositoryConfig,
    volume: { readonly name: string; readonly format: ImageFormat; readonly virtualBytes: number },
    options?: OperationOptions,
  ): Promise<Volume>
  getVolume(location: string): Promise<Volume>
  /**
   * Grows an image; under the eyes of the guest where one domain runs or is paused with it. `refused` when it would
   * shrink; `bad-state` while a suspended domain uses it, one that may only read it, several, or one as what another
   * image builds on.
   */
  resizeVolume(location: string, virtualBytes: number): Promise<Volume>
  /**
   * Moves an image to another repository of the host, keeping its name. `bad-state` while a running domain uses it.
   * A failure leaves it where it was and nothing half-done beside it.
   */
  moveVolume(location: string, repository: RepositoryConfig, options?: OperationOptions): Promise<Volume>
  /** Deletes the image. `bad-state` while a running domain uses it; `not-found` when it is gone. */
  deleteVolume(location: string): Promise<void>
}

/** Copies of images and of whole repositories. */
export interface CloneOps {
  /**
   * Makes a second image with what the first holds at this moment, in the same repository, sharing blocks with it: in no
   * time, whatever their size. Both go on independently, and either may be deleted first. Also while a running domain
   * writes to it. `virtualBytes` may be larger than the first's, not smaller.
   * `original` is the first image afterwards: its location and format may have changed, and the definitions of domains
   * with it. A failure leaves the first with its content and no second.
   */
  cloneVolume(
    location: string,
    clone: { readonly name: string; readonly virtualBytes?: number },
    options?: OperationOptions,
  ): Promise<{ readonly original: Volume; readonly clone: Volume }>
  /**
   * Copies every image of a repository to another, empty or new one, sharing among the copies what was shared; `nameOf`
   * gives each its new name. `bad-state` while a running domain writes to one. A failure leaves no file there.
   */
  copyRepository(
    repository: RepositoryConfig,
    target: RepositoryConfig,
    nameOf: (name: string) => string,
    options?: OperationOptions,
  ): Promise<readonly { readonly from: string; readonly volume: Volume }[]>
}

// --- networks

/** A network as the host is to provide it. */
export interface NetworkConfig {
  /** A UUID in lower case. */
  readonly id: string
  readonly name: string
  /** The ethernet device or bridge of the host through which it reaches the outside; empty: through the host's own sockets. */
  readonly nic: string
  /** The 802.1Q tag it has there, 1 to 4094; null for none. Networks are apart from each other whatever their tags. */
  readonly vlan: number | null
  /** What guests are told by DHCP, where the network offers it; both empty: the driver's default. */
  readonly gateway: string
  readonly netmask: string
}

/** Networks of the host that interfaces of domains are plugged into. */
export interface NetworkOps {
  list(): Promise<readonly NetworkConfig[]>
  /**
   * Makes a network or changes one; interfaces that are plugged into it stay plugged; durable when it resolves.
   * `refused` where the host has no such ethernet device, or may not use it, or the tag is none of 802.1Q.
   */
  define(network: NetworkConfig): Promise<void>
  /**
   * Forgets a network. `bad-state` while an interface of a domain that is not halted is plugged into it, `not-found`
   * where there is none of this id. Halted domains that name it are refused their start from then on.
   */
  undefine(id: string): Promise<void>
}

// --- metrics

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
}

/** Counters, of which the reader makes rates. */
export interface MetricsOps {
  /** `bad-state` unless running or paused. */
  domain(id: DomainId): Promise<DomainMetrics>
  cpus(): Promise<readonly CpuTime[]>
}

// --- scheduler

/** Changing what a running domain gets of the host's CPUs. */
export interface SchedulerOps {
  /**
   * Changes the stored definition too. `refused`, naming it, where the host has no way to do a part of it or has no
   * such CPU; then nothing has changed. `bad-state` when halted or suspended.
   */
  set(id: DomainId, scheduling: Scheduling): Promise<void>
}

// --- consoles

/** A stretch of serial output. */
export interface SerialChunk {
  readonly data: Uint8Array
  /** Where to read on: a position that grows for as long as the domain exists, across rotations of the log. */
  readonly next: number
}

/** What guests print. */
export interface ConsoleOps {
  /**
   * What the first serial port has printed, from position `from`. Positions before the oldest byte kept read from
   * that byte; at the end the data is empty. A domain that never ran has printed nothing.
   */
  readSerial(id: DomainId, from: number, bytesMax: number): Promise<SerialChunk>
}

/** `serial`: the first serial port, raw bytes both ways. `vnc`: the display, as a server of the RFB protocol speaks. */
export type ConsoleKind = 'serial' | 'vnc'

/** Consoles to type at and to look at. */
export interface TerminalOps {
  /** Which consoles a domain has now; none unless running, paused or crashed. */
  kinds(id: DomainId): Promise<readonly ConsoleKind[]>
  /** Connects to a console; several may at once. Ends when the domain halts. `bad-state` where there is none now. */
  open(id: DomainId, kind: ConsoleKind): Promise<Duplex>
}

// --- events

/** Something happened to a domain; what, is for the reader to look up (`domains.get`). */
export interface DomainEvent {
  readonly id: DomainId
  /** `changed` also covers every change of state; `crashed` comes before the `changed` that follows from it. */
  readonly kind: 'defined' | 'undefined' | 'changed' | 'crashed' | 'guest-shutdown' | 'guest-suspended' | 'guest-reset'
}

/** What happens on the host without being asked for, and what was asked for too. */
export interface EventOps {
  /**
   * Calls `listener` for each event until the returned function is called; one that subscribed twice is called twice.
   * A listener must not throw.
   */
  subscribe(listener: (event: DomainEvent) => void): () => void
}

// --- errors

/**
 * `not-found`: no such domain, volume, network or device of a domain. `bad-state`: it is not in a state that allows this. `unreachable`: the host
 * does not answer. `refused`: it answered no, for the reason in the message.
 */
export type DriverErrorKind = 'not-found' | 'bad-state' | 'unreachable' | 'refused'

/** The one kind of error a driver rejects with: a kind to decide by and a sentence to show. */
export class DriverError extends Error {
  override readonly name = 'DriverError'
  readonly kind: DriverErrorKind

  constructor(kind: DriverErrorKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}
