import type { ImageFormat } from '../domain-config.ts'
import type { OperationOptions } from './operation.ts'

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
  /** What the place has left; absent where there is no telling but by `usedBytes`, or by what `roots` tells. */
  readonly freeBytes?: number
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

/** A repository that a host has by itself, whether or not somebody opened it. */
export interface HostRepository extends RepositoryConfig {
  readonly name: string
}

/** What a host's file system says of a file or folder. */
export interface FileFacts {
  /** How long it is. */
  readonly bytes: number
  /** Who may do what with it: the bits of Unix. */
  readonly mode: number
  /** The numbers of its owner and group. */
  readonly owner: number
  readonly group: number
  /** When it was last read, written, and changed in any way, in nanoseconds since 1970. */
  readonly accessedNs: bigint
  readonly modifiedNs: bigint
  readonly changedNs: bigint
}

/** A file system of the host. */
export interface StorageRoot {
  /** Where it begins, such as `C:\\`. */
  readonly location: string
  readonly capacityBytes: number
  readonly freeBytes: number
}

/**
 * The file of an image, open: until it is closed no domain starts with it, and nobody moves, copies, grows or deletes it.
 */
export interface OpenVolume {
  /** How long the file is, in bytes. */
  readonly bytes: number
  /** Reads at most `length` bytes from `position` on; none at the end. */
  read(position: number, length: number): Promise<Uint8Array>
  /** Writes all of the bytes, at `position`; the file grows where they reach beyond its end. */
  write(position: number, bytes: Uint8Array): Promise<void>
  /** What was written is durable when it resolves. Calling it twice is harmless. */
  close(): Promise<void>
}

/**
 * What the name of an image's file is to end with where several endings stand for its format: a raw image may be an `.img`.
 * `refused` where the host has no such files, or the format is another. Absent: as the host has it by itself.
 */
export type VolumeEnding = '.img'

/** Disk images in repositories. */
export interface StorageOps {
  /** The repository types this driver knows. */
  readonly types: readonly string[]
  /** The formats it makes images of; the first is what a client gets that asks for none. */
  readonly formats: readonly ImageFormat[]
  /** Repositories that the host has by itself: where it puts images unless told otherwise, and where images of domains lie. */
  repositories(): Promise<readonly HostRepository[]>
  /** The file systems of the host; absent where there is no telling. */
  roots?(): Promise<readonly StorageRoot[]>
  /** Where a repository called `name` goes when nobody chose a place; another for every name. Of the driver's first type. */
  defaultLocation(name: string): string
  /** Makes the repository usable, creating an empty folder where there is none. `refused` where that cannot be. */
  openRepository(repository: RepositoryConfig): Promise<Repository>
  /** Removes the place of a repository; absent where there is no way. `refused` where it holds anything. */
  removeRepository?(repository: RepositoryConfig): Promise<void>
  listVolumes(repository: RepositoryConfig): Promise<readonly Volume[]>
  /**
   * Creates an empty image named `name`; sparse. A failure leaves no file behind. `refused` if the name is taken, or is
   * empty, `.`, `..` or holds a separator; and for a preallocation that the format does not have.
   */
  createVolume(
    repository: RepositoryConfig,
    volume: {
      readonly name: string
      readonly format: ImageFormat
      readonly virtualBytes: number
      /** `metadata`: where each part of the image goes is laid down from the start, which makes first writes faster. */
      readonly preallocation?: 'metadata'
      readonly ending?: VolumeEnding
    },
    options?: OperationOptions,
  ): Promise<Volume>
  getVolume(location: string): Promise<Volume>
  /**
   * As `getVolume` of each, by the location that was asked for, at the cost of few; those that cannot be told of are left
   * out. What was made of an image elsewhere while a machine has it open may show late. Absent where one at a time costs
   * no more.
   */
  getVolumes?(locations: readonly string[]): Promise<ReadonlyMap<string, Volume>>
  /** What an image builds on, the nearest first, as far as the host tells of it. Absent where it does not. */
  volumesBelow?(location: string): Promise<readonly Volume[]>
  /**
   * Grows an image; under the eyes of the guest where one domain runs or is paused with it. `refused` when it would
   * shrink; `bad-state` while a suspended domain uses it, one that may only read it, several, or one as what another
   * image builds on.
   */
  resizeVolume(location: string, virtualBytes: number): Promise<Volume>
  /**
   * Makes an image smaller: what lies beyond its new end is lost. Absent where there is no way. `refused` when it would grow;
   * `bad-state` while a domain that is not halted uses it, it is open, or a snapshot keeps something in it.
   */
  shrinkVolume?(location: string, virtualBytes: number): Promise<Volume>
  /**
   * Gives the first `bytes` of a raw image their place on the repository, also beyond its end, so that they are never
   * refused for want of room; what it holds and how large it is stays. Absent where there is no way. `refused` for images of
   * other formats, and where there is no room.
   */
  allocateVolume?(location: string, bytes: number): Promise<void>
  /** What the file system says of the file of an image, or of the folder of a repository. Absent where there is no telling. */
  fileFacts?(location: string): Promise<FileFacts>
  /**
   * Moves an image to another repository of the host, keeping its name. `bad-state` while a running domain uses it.
   * A failure leaves it where it was and nothing half-done beside it.
   */
  moveVolume(location: string, repository: RepositoryConfig, options?: OperationOptions): Promise<Volume>
  /**
   * Makes an image with what another holds, sharing nothing with it: in a repository of the host, in a format of `formats`,
   * or that of the first where none is said. `virtualBytes` may be larger than the first's, not smaller. `bad-state` while
   * a domain that is not halted may write to it. A failure leaves no file.
   */
  copyVolume(
    location: string,
    repository: RepositoryConfig,
    copy: {
      readonly name: string
      readonly format?: ImageFormat
      readonly virtualBytes?: number
      /** As for `createVolume`. */
      readonly preallocation?: 'metadata'
      readonly ending?: VolumeEnding
    },
    options?: OperationOptions,
  ): Promise<Volume>
  /** Deletes the image. `bad-state` while a running domain uses it; `not-found` when it is gone. */
  deleteVolume(location: string): Promise<void>
  /**
   * Opens the file of an image as the host has it, header and all, to read or to write it; absent where there is no way.
   * `bad-state` while a domain that is not halted uses it, or it is open to write, or to read where it is to be written;
   * and to write, where a snapshot of a domain keeps something in the image.
   */
  openVolume?(location: string, mode: 'read' | 'write'): Promise<OpenVolume>
  /**
   * Overwrites what an image holds with zeros, once, where it lies: guests see zeros afterwards; it keeps its size, format
   * and location. Durable when it resolves. Absent where there is no way. `bad-state` as for `openVolume` to write; `refused`
   * for one that may not be written, or that builds on another image. A failure, or a stop on the way, leaves it wiped in part.
   */
  wipeVolume?(location: string, options?: OperationOptions): Promise<void>
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
