import type { ImageFormat, OperationOptions } from '../driver.ts'

// What the storage of a host needs of it, whichever of its namespaces it is told through. Paths are Windows' own.

/** The formats that Hyper-V has. */
export type DiskFormat = Extract<ImageFormat, 'vhd' | 'vhdx'>

/** How an image takes up room: all at once, as it is written to, or as it comes to differ from its parent. */
export type ImageKind = 'fixed' | 'dynamic' | 'differencing'

/** A file of the host. */
export interface HostFile {
  /** As the host lists it: in lower case. */
  readonly path: string
  readonly bytes: number
  /** Another text whenever the file was written and closed. */
  readonly stamp: string
}

/** A fixed drive of the host. */
export interface HostDrive {
  /** Such as `C:`. */
  readonly name: string
  readonly capacityBytes: number
  readonly freeBytes: number
}

/** What is in an image. */
export interface ImageFacts {
  /** As it is spelled on the disk; undefined where the host does not tell. */
  readonly path: string | undefined
  readonly virtualBytes: number
  readonly kind: ImageKind
  /** Undefined where it stands on its own. */
  readonly parent: string | undefined
  /** What it was given when it was made, a UUID in lower case; undefined where the host does not tell. */
  readonly id: string | undefined
}

/** That a file lies in a drive of a machine, or did when a snapshot of one was taken. */
export interface Attachment {
  /** Of the machine, or of the snapshot; in upper case. */
  readonly ownerGuid: string
  /** As it was spelled by whoever put it there. */
  readonly path: string
  /** Whether the drive is one of IDE. */
  readonly isOnIde: boolean
}

/** An image that is to be made. */
export interface NewImage {
  readonly path: string
  readonly format: DiskFormat
  readonly kind: Exclude<ImageKind, 'differencing'>
  /** A UUID in lower case, by which it is known again where the host keeps it. */
  readonly id: string
}

/** The files of a host, which it tells of in the same way in both cases. */
export interface FileBackEnd {
  drives(): Promise<readonly HostDrive[]>
  /** Undefined where there is no such file. */
  file(path: string): Promise<HostFile | undefined>
  files(folder: string): Promise<readonly HostFile[]>
  /** The files of a folder that are called so, whatever their endings. */
  filesNamed(folder: string, name: string): Promise<readonly HostFile[]>
  hasFolder(path: string): Promise<boolean>
  /** The folders in a folder. */
  folders(path: string): Promise<readonly string[]>
  /** Deletes a file. `bad-state` where somebody has it open, `not-found` where it is gone. */
  deleteFile(path: string): Promise<void>
  /** Gives a file another path on its drive. `bad-state` where somebody has it open. */
  moveFile(path: string, to: string): Promise<void>
  copyFile(path: string, to: string, options?: OperationOptions): Promise<void>
  /** Copies a folder and the files in it, not the folders. */
  copyFolder(path: string, to: string): Promise<void>
}

/** The images of a host. What is refused has changed nothing. */
export interface ImageBackEnd {
  /** That of new images first. */
  readonly formats: readonly DiskFormat[]
  /** Whether it can make images larger that a running machine has in a drive of SCSI, if their format is vhdx. */
  readonly growsInUse: boolean
  attachments(): Promise<readonly Attachment[]>
  /** `refused` where it is none that the host can read. */
  image(path: string): Promise<ImageFacts>
  isInUse(path: string): Promise<boolean>
  createImage(image: NewImage & { readonly virtualBytes: number }, options?: OperationOptions): Promise<void>
  growImage(path: string, virtualBytes: number, options?: OperationOptions): Promise<void>
  /** Makes an image with what another and its parents hold. */
  convertImage(path: string, to: NewImage, options?: OperationOptions): Promise<void>
  /** Waits until whatever works on images now has ended. */
  untilIdle(): Promise<void>
}

/** The part of a back end that is about files and images. */
export type StorageBackEnd = FileBackEnd & ImageBackEnd
