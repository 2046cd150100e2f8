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
  readonly storage?: StorageOps
  readonly consoles?: ConsoleOps
  readonly events?: EventOps
  /** Releases connections; domains go on running. Calling it twice is harmless. */
  close(): Promise<void>
}

/** The groups a driver may leave out, in the order in which documents show them. */
export const OPTIONAL_GROUPS = ['storage', 'consoles', 'events'] as const

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

// --- domains

/** The hypervisor's own identifier of a domain, a UUID in lower case. */
export type DomainId = string

/**
 * `unknown` is what a driver says when the hypervisor reports something without a name here; never as a stand-in
 * for "could not ask".
 */
export type DomainState = 'halted' | 'running' | 'paused' | 'suspended' | 'unknown'

/** A domain at a moment. */
export interface Domain {
  readonly id: DomainId
  readonly name: string
  readonly state: DomainState
}

/** An image format that a disk may have. */
export type ImageFormat = 'raw' | 'qcow2'

/** A disk of a domain. */
export interface DiskConfig {
  /** Unique within the domain; for us the UUID of the VBD. */
  readonly id: string
  /** The volume's location on the host, as `Volume.location` gives it. */
  readonly location: string
  readonly format: ImageFormat
  readonly readOnly: boolean
  /** The name the guest should see, such as `hda` or `xvda`; decides the order of disks. */
  readonly device: string
  /** `emulated`: IDE or SATA, works with every guest. `paravirtualised`: virtio, faster. */
  readonly bus: 'emulated' | 'paravirtualised'
}

/** A device that firmware can boot from. */
export type BootDevice = 'floppy' | 'disk' | 'cdrom'

/** How a domain boots: a kernel that the host loads (absolute paths on the host), or firmware and a device. */
export type BootConfig =
  | { readonly kind: 'kernel'; readonly kernel: string; readonly initrd: string | null; readonly cmdline: string }
  | { readonly kind: 'firmware'; readonly device: BootDevice }

/** The definition of a domain: everything that a host must know to start it. */
export interface DomainConfig {
  readonly id: DomainId
  readonly name: string
  readonly description: string
  readonly memoryBytes: number
  readonly vcpus: number
  readonly boot: BootConfig
  readonly disks: readonly DiskConfig[]
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
   * keeps running as it is, the new definition counts from its next start.
   */
  define(config: DomainConfig): Promise<void>
  /** Forgets a halted domain and what the driver kept for it, never its volumes. `bad-state` unless halted. */
  undefine(id: DomainId): Promise<void>
  /**
   * Halted → running, or paused before the first instruction. `bad-state` unless halted; `refused` where a kernel or
   * disk is missing. A failed or aborted start leaves it halted.
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
  /** Cuts the power: running or paused → halted. `bad-state` when halted. */
  powerOff(id: DomainId): Promise<void>
  /** Resets the machine: running or paused → running. `bad-state` when halted. */
  reset(id: DomainId): Promise<void>
}

// --- storage

/** Where volumes live: for type `dir` a folder of the host. */
export interface RepositoryConfig {
  readonly type: string
  readonly location: string
}

/** What a repository holds and has room for, in bytes. */
export interface Repository {
  readonly capacityBytes: number
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
  /** Grows an image. `refused` when it would shrink, `bad-state` while a running domain uses it. */
  resizeVolume(location: string, virtualBytes: number): Promise<Volume>
  /**
   * Moves an image to another repository of the host, keeping its name. `bad-state` while a running domain uses it.
   * A failure leaves it where it was and nothing half-done beside it.
   */
  moveVolume(location: string, repository: RepositoryConfig, options?: OperationOptions): Promise<Volume>
  /** Deletes the image. `bad-state` while a running domain uses it; `not-found` when it is gone. */
  deleteVolume(location: string): Promise<void>
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

// --- events

/** Something happened to a domain; what, is for the reader to look up (`domains.get`). */
export interface DomainEvent {
  readonly id: DomainId
  /** `changed` also covers every change of state; `crashed` comes before the `changed` that follows from it. */
  readonly kind: 'defined' | 'undefined' | 'changed' | 'crashed' | 'guest-shutdown' | 'guest-reset'
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
 * `not-found`: no such domain or volume. `bad-state`: it is not in a state that allows this. `unreachable`: the host
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
