// What the drives of machines need of a host, whichever of its namespaces it is told through.

export type DriveKind = 'disk' | 'cdrom' | 'floppy'

/** What drives are connected to. */
export interface Controller {
  readonly id: string
  readonly bus: 'ide' | 'scsi' | 'floppy'
  /** Among those of its bus, from 0. */
  readonly number: number
}

/** What lies in a drive: a file of the host, by its path; or a disk of the host itself, as `\\.\PHYSICALDRIVE1`. */
export interface Medium {
  /** Undefined of a disk of the host, which cannot be taken out of its drive. */
  readonly id: string | undefined
  readonly path: string
  /** How many requests of 8 KiB there may be of it in a second; 0 without a limit. */
  readonly requestsMax: number
}

/** A drive of a machine. */
export interface Drive {
  readonly id: string
  readonly kind: DriveKind
  /** The id of its controller. */
  readonly controller: string
  readonly slot: number
  readonly medium: Medium | undefined
}

/** Where images and disks are in a machine. */
export interface Storage {
  readonly controllers: readonly Controller[]
  readonly drives: readonly Drive[]
}

/** A drive that is to be made. */
export interface NewDrive extends Pick<Drive, 'kind' | 'controller' | 'slot'> {
  /** The disk of the host that it passes on; absent of one that images are put into. */
  readonly hostDisk?: string
}

/** An image that is to be put into a drive. */
export interface NewMedium {
  /** The id of the drive. */
  readonly drive: string
  readonly kind: DriveKind
  readonly path: string
  /** 0 without a limit; another only where `limit` is there. */
  readonly requestsMax: number
}

/** The part of a back end that is about drives. A call that is refused has changed nothing. */
export interface DriveBackEnd {
  storage(machineGuid: string): Promise<Storage>
  /** Adds a controller of SCSI; of a machine that is off. */
  addController(machineGuid: string): Promise<void>
  removeController(id: string): Promise<void>
  /** Adds drives, all or none, and gives their ids in the same order. */
  addDrives(machineGuid: string, drives: readonly NewDrive[]): Promise<readonly string[]>
  /** Takes away drives that nothing lies in. */
  removeDrives(ids: readonly string[]): Promise<void>
  /** Puts images into empty drives, all or none. */
  insert(machineGuid: string, media: readonly NewMedium[]): Promise<void>
  /** Takes media out, by their ids. */
  eject(ids: readonly string[]): Promise<void>
  /** Puts another image in the place of one. */
  exchange(medium: string, path: string): Promise<void>
  /** How many requests there may be of a medium in a second; 0 for any number. Absent where the host has no such limits. */
  readonly limit?: (medium: string, requestsMax: number) => Promise<void>
  /** The machines that are saved, by their GUIDs. */
  savedMachines(): Promise<readonly string[]>
  /** The paths of the images in the drives of machines that they may write to, by their GUIDs. */
  writableMedia(machineGuids: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>
}
