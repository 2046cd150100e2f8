import type { DiskConfig, DiskLimits, DomainId, ImageFormat, NicConfig } from '../domain-config.ts'

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
  /** Takes the carrier of an interface away from its guest, or gives it back, wherever its cable is plugged in. */
  setLink(id: DomainId, nic: string, isUp: boolean): Promise<void>
  /**
   * Limits how fast the guest may use a disk, and all that are in its group; null takes the limits away. `refused` for
   * limits that the host has not. Absent where it has none.
   */
  limitDisk?(id: DomainId, disk: string, limits: DiskLimits | null): Promise<void>
  /**
   * Asks the guest's balloon driver to leave it this much memory; how far it got is in the metrics. `refused` where
   * that is more than `memoryBytes`, or nothing.
   */
  setMemoryTarget(id: DomainId, bytes: number): Promise<void>
  /**
   * Has the guest tell of its memory every so many seconds, a whole number that is more than none; with null, no more. What
   * it tells is in the metrics. Absent where guests tell nothing, or not by such a period.
   */
  setMemoryStatsPeriod?(id: DomainId, seconds: number | null): Promise<void>
}
