/** The definition of a domain, in our words: what a driver must know to start it. Part of the contract of `driver.ts`. */

/** The hypervisor's own identifier of a domain, a UUID in lower case. */
export type DomainId = string

/** An image format that a disk may have. */
export type ImageFormat = 'raw' | 'qcow2' | 'vhd' | 'vhdx'

/** Of what there may be so much in a second: octets that are moved, or requests; all of them, or those of one direction. */
export const DISK_RATES = ['bytes', 'readBytes', 'writeBytes', 'requests', 'readRequests', 'writeRequests'] as const

/** How much there may be of something. */
export interface RateLimit {
  readonly perSecond: number
  /** What there may be in a second for a while. Absent: no more. */
  readonly burst?: number
  /** How long that may go on, in seconds. Absent: one. */
  readonly burstSeconds?: number
}

/** How fast a guest may use a disk. What is absent has no limit, and all of something goes with neither direction of it. */
export interface DiskLimits extends Partial<Readonly<Record<(typeof DISK_RATES)[number], RateLimit>>> {
  /** From how many octets on a request counts as several. Absent: never. */
  readonly requestBytes?: number
  /** Disks of a domain with one of these have the limits together. */
  readonly group?: string
}

/** A disk of a domain. */
export interface DiskConfig {
  /** Unique within the domain; for us the UUID of the VBD. */
  readonly id: string
  /** What the guest sees. Absent: a disk. */
  readonly kind?: 'disk' | 'cdrom' | 'floppy'
  /**
   * The volume's location on the host, as `Volume.location` gives it, or the absolute path of an image or a drive of
   * the host. Empty for a cdrom or floppy drive without a medium.
   */
  readonly location: string
  readonly format: ImageFormat
  readonly readOnly: boolean
  /** The name the guest should see, such as `hda` or `xvda`; decides the order of disks. */
  readonly device: string
  /** `emulated`: IDE or SATA, works with every guest. `paravirtualised`: virtio, faster. */
  readonly bus: 'emulated' | 'paravirtualised'
  /** Whether other domains may have the image open for writing at the same time. Absent: no. */
  readonly shared?: boolean
  /** Absent: none. */
  readonly limits?: DiskLimits
  /** What its owner calls it, whatever the guest sees; absent where nobody has said. */
  readonly alias?: string
}

/** A network interface of a domain. */
export interface NicConfig {
  /** Unique within the domain; for us the UUID of the VIF. */
  readonly id: string
  /** Six pairs of lower-case hexadecimal digits with colons between. */
  readonly mac: string
  /** In octets. */
  readonly mtu: number
  readonly model: 'emulated' | 'paravirtualised'
  /** The name the guest should see, such as `eth0`; decides the order of interfaces. */
  readonly device: string
  /** A network that was defined on this host; null for a cable that is plugged nowhere. */
  readonly network: string | null
  /** Whether the guest sees no carrier, wherever the cable is plugged in. Absent: only where it is plugged nowhere. */
  readonly linkDown?: boolean
  /** As `DiskConfig.alias`. */
  readonly alias?: string
}

/** Which features of the CPU the guest sees, by the draft's names (`cpu_feature`): all that the host can offer, but for these. */
export interface CpuConfig {
  /** A host that cannot offer one of these refuses to start the domain. */
  readonly required: readonly string[]
  /** If not empty, the guest sees of the host's features no others than these, those required and those forced on. */
  readonly canUse: readonly string[]
  readonly forceOn: readonly string[]
  readonly forceOff: readonly string[]
}

/** What a domain's virtual CPUs get of the host's. */
export interface Scheduling {
  /** Share against other domains when CPUs are scarce, 1 to 65535; 256 is everybody's. */
  readonly weight: number
  /** The most that each virtual CPU may use, in percent of one CPU; null without a limit. */
  readonly capPercent: number | null
  /** Numbers of the host's CPUs they may run on; null for all. */
  readonly affinity: readonly number[] | null
}

/** The board round the CPUs. Everything absent is false or the driver's default. */
export interface PlatformConfig {
  /** Standard VGA with VESA modes, or the older Cirrus Logic. */
  readonly vga?: 'std' | 'cirrus'
  /** Where the first serial port goes: to the console and its log, to a pseudo terminal and its log, or nowhere. */
  readonly serial?: 'console' | 'pty' | 'none'
  /** The real-time clock starts at the host's local time instead of UTC. */
  readonly localTime?: boolean
  /** What a guest set its real-time clock to counts at its next start too. */
  readonly keepClockOffset?: boolean
  readonly audio?: boolean
  /** A source of random numbers: the host's, so that a guest has some from its start. */
  readonly rng?: boolean
  /** A tablet on USB, beside the mouse: it tells where on the screen it is, so that who looks at it from elsewhere can point. */
  readonly tablet?: boolean
  /** Every so many seconds the guest tells of its memory (`GuestMemory`). Absent: when it boots, and no more. */
  readonly memoryStatsSeconds?: number
  /** A TPM 2.0 with state of its own. `refused` at start where the host cannot emulate one. */
  readonly tpm?: boolean
  /**
   * The guest finds what Hyper-V has for its guests, with which Windows runs better: its clock, timing that forgives delays,
   * an APIC that costs little, and spinlocks that give way.
   */
  readonly enlightened?: boolean
  /** Addresses of the host's PCI devices that the guest gets, such as `0000:03:00.0`. */
  readonly pciDevices?: readonly string[]
}

/**
 * What becomes of a domain whose guest ends by itself; the host does it, whether or not anybody is connected. A guest
 * suspends itself by ACPI S4, having saved its memory to its own disk. `hold` leaves a panicked guest `crashed`. A
 * `restart` is a reset: the domain stays running, and a definition given meanwhile waits for the next start.
 */
export interface ExitActions {
  readonly shutdown: 'halt' | 'restart'
  readonly reboot: 'halt' | 'restart'
  readonly suspend: 'halt' | 'restart'
  readonly crash: 'halt' | 'restart' | 'hold'
}

/** A device that firmware can boot from; `network`: by the first interface of those that can. */
export type BootDevice = 'floppy' | 'disk' | 'cdrom' | 'network'

/**
 * How a domain boots: a kernel that the host loads (`kernel`: absolute paths on the host; `guest-kernel`: paths in the
 * file system of the guest's first disk; `guest-grub`: what the menu of GRUB on that disk says, `cmdline` added to its
 * arguments), or firmware and a device.
 */
export type BootConfig =
  | { readonly kind: 'kernel'; readonly kernel: string; readonly initrd: string | null; readonly cmdline: string }
  | { readonly kind: 'guest-kernel'; readonly kernel: string; readonly initrd: string | null; readonly cmdline: string }
  | { readonly kind: 'guest-grub'; readonly cmdline: string }
  | { readonly kind: 'firmware'; readonly device: BootDevice }

/** What users and their programs note on a domain. Hosts keep it, and make nothing of it. */
export interface Annotations {
  /** What people call it beside its name, in one line. */
  readonly title?: string
  /** By its namespace, an element of XML each, which declares all prefixes that it uses. */
  readonly metadata?: Readonly<Record<string, string>>
}

/** The definition of a domain: everything that a host must know to start it. */
export interface DomainConfig {
  readonly id: DomainId
  readonly name: string
  readonly description: string
  /** The most memory it can ever have. */
  readonly memoryBytes: number
  /** What it is to have of that from its start, by ballooning. Absent: all of it. */
  readonly memoryTargetBytes?: number
  readonly vcpus: number
  /** Absent: what the host offers by default. */
  readonly cpu?: CpuConfig
  /** Absent: weight 256, no cap, all CPUs. */
  readonly scheduling?: Scheduling
  readonly boot: BootConfig
  readonly disks: readonly DiskConfig[]
  /** Absent: none. */
  readonly nics?: readonly NicConfig[]
  readonly platform?: PlatformConfig
  /** Absent: halt, but restart after a reboot. */
  readonly exits?: ExitActions
  /** Absent: none. */
  readonly annotations?: Annotations
}
