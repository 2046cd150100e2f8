/** The formats of virtual hard disks. */
export type ImageFormat = 'vhd' | 'vhdx'

export type ImageType = 'fixed' | 'dynamic' | 'differencing'

/** What a differencing image knows of its parent. */
export interface ParentLink {
  /** Windows path, as it was when it was linked. */
  readonly path: string
  /** From the child's folder, where it is told. */
  readonly relativePath?: string
  /** The parent's linkage then. */
  readonly linkage: string
  /** Of the parent's making, milliseconds since 1970; a VHD keeps it. */
  readonly timestamp?: number
}

/** What an image is like. */
export interface ImageShape {
  readonly format: ImageFormat
  readonly type: ImageType
  /** What the guest sees. */
  readonly bytes: number
  /** In which the file grows; 0 for a fixed VHD, which does not. */
  readonly blockBytes: number
  readonly logicalSectorBytes: number
  readonly physicalSectorBytes: number
  /** In upper case, without braces. */
  readonly id: string
  /** What children keep to tell that it is still the one they were made of: of a VHDX, it changes with what is in it. */
  readonly linkage: string
  /** Of its making, milliseconds since 1970; a VHDX does not tell. */
  readonly timestamp?: number
  readonly parent?: ParentLink
}

/** Consecutive bytes of the disk that an image holds itself. */
export interface Run {
  readonly offset: number
  readonly length: number
  /** Whether all of them are zero and nowhere in the file. */
  readonly isZero: boolean
}

/** An image that is open. Offsets and lengths are whole sectors. */
export interface DiskImage {
  readonly shape: ImageShape
  /** What it holds itself, in order; everything else is its parent's, or zero. */
  runs(): AsyncIterable<Run>
  /** Bytes within one run. */
  read(offset: number, length: number): Promise<Buffer>
  /** Makes the bytes its own, whatever they were. */
  write(offset: number, data: Buffer): Promise<void>
  /** Makes the disk larger; what is new is zero, or of no parent. */
  grow(bytes: number): Promise<void>
  /** Gives a differencing image another parent. */
  relink(parent: ParentLink): Promise<void>
  identify(id: string): Promise<void>
  /** Says that what the guest sees is what it was when the image had this linkage. */
  restoreLinkage(linkage: string): Promise<void>
  setPhysicalSectorBytes(bytes: number): Promise<void>
  /** Holds every structure against the format. Rejects with ImageError. */
  verify(): Promise<void>
  /** Calling it twice is harmless. */
  close(): Promise<void>
}

/** What an image is to be made like. */
export interface ImageSpec extends Omit<ImageShape, 'linkage'> {
  /** Of the making, milliseconds since 1970. */
  readonly madeAt: number
}

/** A file that is no image, or one that is damaged or of a kind that is not known. */
export class ImageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ImageError'
  }
}

/** Makes GUIDs, in upper case and without braces. */
export type NewGuid = () => string
