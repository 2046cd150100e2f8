import type { CimInstance, EndpointReference } from '../../../protocols/wsman/index.ts'
import type { DriveKind } from '../drive-back-end.ts'

/** An image in a drive, or a drive, as it is to be made. */
export interface NewPart {
  readonly type: number
  readonly subType: string
  /** The path of what it is on or in. */
  readonly parent?: string
  readonly slot?: number
  /** The file of an image; of a drive the path of the host's disk that it passes on. */
  readonly resource?: string
  /** Of an image; absent without a limit. */
  readonly requestsMax?: number
}

/** What a namespace calls the parts of machines that disks are made of. */
export interface DriveWords {
  /** ResourceSubType of controllers; of that for diskettes, which has none, OtherResourceType. */
  readonly controllers: Readonly<Record<'ide' | 'scsi' | 'floppy', string>>
  readonly drives: Readonly<Record<DriveKind | 'hostDisk', { readonly type: number; readonly subType: string }>>
  readonly images: Readonly<Record<DriveKind, { readonly type: number; readonly subType: string }>>
  /** The class of the settings of images; that of all others is Msvm_ResourceAllocationSettingData. */
  readonly imageClass: string
  /** Where the file of an image stands. */
  readonly fileIn: 'HostResource' | 'Connection'
  /** Where the slot of a drive stands. */
  readonly slotIn: 'AddressOnParent' | 'Address'
  /** EnabledState of machines that are saved. */
  readonly saved: readonly number[]
}

/** How the parts are added, changed and taken away in a namespace. */
export interface DriveFace {
  readonly words: DriveWords
  partOf(part: NewPart): CimInstance
  imageOf(id: string, path: string): CimInstance
  imageToAdd(part: NewPart): CimInstance
  /** An image with another limit of requests; absent where the host has none. */
  readonly limitOf?: (id: string, requestsMax: number) => CimInstance
  /** Gives what was made, in the same order, where the host says so. The files of `images` are told where it fails. */
  add(
    machineGuid: string,
    settings: readonly CimInstance[],
    images?: readonly string[],
  ): Promise<readonly EndpointReference[]>
  modify(machineGuid: string, settings: readonly CimInstance[]): Promise<void>
  remove(machineGuid: string, settings: readonly EndpointReference[]): Promise<void>
}

/** How many characters of the names of files an error has. */
const SHOWN_MAX = 1_000

/** What is done where parts are added to a machine, as errors say it: hosts do not name the file that they do not find. */
export function adding(images: readonly string[]): string {
  return images.length === 0 ? 'add to the machine' : `add ${images.join(', ').slice(0, SHOWN_MAX)} to the machine`
}

/** ResourceType of a controller of SCSI. Source: as real hosts have it, the same in both namespaces. */
const SCSI_TYPE = 6

/** A controller of SCSI, as it is to be made. */
export function scsiController({ controllers }: DriveWords): NewPart {
  return { type: SCSI_TYPE, subType: controllers.scsi }
}
