import type { DomainId } from '../domain-config.ts'

/**
 * Who knows the addresses of a guest: `agent` a program in the guest that works for its host, `arp` the host's own table of
 * its neighbours. What a guest was given by DHCP, its networks tell (`NetworkOps.leases`).
 */
export type AddressSource = 'agent' | 'arp'

/** An address of a guest. */
export interface GuestAddress {
  readonly family: 'ipv4' | 'ipv6'
  /** As text; an address of this family. */
  readonly address: string
  /** How many of its bits are the network's; 0 where nobody tells. */
  readonly prefix: number
}

/** A network interface, as the guest or the host knows it. */
export interface GuestInterface {
  /** As the guest calls it; where the guest does not tell, the device of the definition. */
  readonly name: string
  /** Six pairs of digits in lower case with colons between; absent of an interface that has none. */
  readonly mac?: string
  readonly addresses: readonly GuestAddress[]
}

/** The operating system of a guest, in its maker's words; what is absent it did not tell. */
export interface GuestOs {
  /** A word such as `debian`, `mswindows`. */
  readonly id?: string
  readonly name?: string
  /** With its version, for people. */
  readonly prettyName?: string
  readonly version?: string
  readonly versionId?: string
  readonly variant?: string
  readonly variantId?: string
  /** The kind of its CPU, such as `x86_64`. */
  readonly machine?: string
  readonly kernelRelease?: string
  readonly kernelVersion?: string
}

/** The time zone of a guest. */
export interface GuestTimezone {
  /** An abbreviation, such as `CET`; absent where the guest has none. */
  readonly name?: string
  /** East of Greenwich, now. */
  readonly offsetSeconds: number
}

/** Somebody who is logged in. */
export interface GuestUser {
  readonly name: string
  /** Of a guest that is Windows. */
  readonly domain?: string
  /** Since 1970. */
  readonly loginMs: number
}

/** A disk as a guest sees it, and whose it is. */
export interface GuestDiskPlace {
  /** As `DiskConfig.id`; absent where it is not known for sure which disk of the domain it is. */
  readonly id?: string
  readonly serial?: string
  /** The guest's name of the device, such as `/dev/vda1`. */
  readonly device?: string
}

/** A file system that is mounted in a guest. */
export interface GuestFileSystem {
  readonly mountpoint: string
  /** The name of the volume, such as `vda1`. */
  readonly name: string
  /** `ext4`, `NTFS` and so on. */
  readonly type: string
  readonly totalBytes?: number
  readonly usedBytes?: number
  /** What it lies on. */
  readonly disks: readonly GuestDiskPlace[]
}

/** A disk or a part of one, in a guest. */
export interface GuestDisk extends Pick<GuestDiskPlace, 'id' | 'serial'> {
  /** The guest's name of the device. */
  readonly name: string
  readonly isPartition: boolean
  /** The names of the devices that it is made of. */
  readonly dependencies: readonly string[]
  /** Another name that the guest has for it, such as that of a volume. */
  readonly alias?: string
  /** `virtio`, `ide` and so on. */
  readonly bus?: string
}

/**
 * What is asked of a guest and not of its host. All of it rejects as `bad-state` unless the domain runs, and with a
 * DriverError that has `guest` where it is the guest that does not answer, cannot do that, or says no. What a guest tells
 * is its own claim: it is bounded and of the form that is described here, and nothing more is known of it.
 */
export interface GuestOps {
  /** Who can be asked for addresses, the guest first. */
  readonly addressSources: readonly AddressSource[]
  /** In the guest's order; `refused` for a source that is not among `addressSources`. */
  addresses(id: DomainId, source: AddressSource): Promise<readonly GuestInterface[]>
  /** What the guest calls itself; never empty. */
  hostName(id: DomainId): Promise<string>
  os(id: DomainId): Promise<GuestOs>
  /**
   * Whether something in the guest has opened the channel by which it is asked, as the host says at once; of a domain that
   * runs or is paused. Absent where there is no such channel.
   */
  readonly isConnected?: (id: DomainId) => Promise<boolean>
  /**
   * Calls `listener` whenever something in a guest opens or closes that channel, until the returned function is called. It must
   * not throw. Absent where the host does not tell.
   */
  readonly watch?: (listener: (id: DomainId, isConnected: boolean) => void) => () => void
  /** Absent, like all that follows, where the host has no way to ask. */
  readonly timezone?: (id: DomainId) => Promise<GuestTimezone>
  readonly users?: (id: DomainId) => Promise<readonly GuestUser[]>
  /** In the order in which they were mounted. */
  readonly fileSystems?: (id: DomainId) => Promise<readonly GuestFileSystem[]>
  readonly disks?: (id: DomainId) => Promise<readonly GuestDisk[]>
  /** The guest's clock, in nanoseconds since 1970. */
  readonly time?: (id: DomainId) => Promise<bigint>
  /** Sets it, and a guest may set the clock of its machine by it; with `rtc` to what that clock says. */
  readonly setTime?: (id: DomainId, time: bigint | 'rtc') => Promise<void>
  /**
   * Lets nothing be written to file systems until `thaw`: to those that are mounted at these places, or to all. How many
   * those are. Where it fails half-way, its message says that some may be frozen.
   */
  readonly freeze?: (id: DomainId, mountpoints?: readonly string[]) => Promise<number>
  /** Lets all of them be written to again; how many those are. */
  readonly thaw?: (id: DomainId) => Promise<number>
  /** Gives back to its disks what file systems do not use, in pieces of at least this many bytes. */
  readonly trim?: (id: DomainId, minimumBytes: number) => Promise<void>
  /** Asks a program in the guest to turn it off or to start it anew, and resolves once that is asked. */
  readonly requestEnd?: (id: DomainId, ending: 'power-off' | 'reboot') => Promise<void>
}
