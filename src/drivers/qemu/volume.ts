import { constants, type Stats } from 'node:fs'
import { type FileHandle, open, readdir } from 'node:fs/promises'
import { isAbsolute, join, normalize, parse } from 'node:path'
import { DriverError, type ImageFormat, type Volume, type VolumeEnding } from '../driver.ts'
import { systemCode } from './files.ts'
import { CD_ENDING, ENDINGS, FORMATS, formatOf } from './image-format.ts'
import { type ImageKey, keyOf } from './images.ts'
import { holdsNothing, type Qcow2Header, readQcow2 } from './qcow2.ts'

/** Where an image of this name and format goes. Throws as `refused` for an ending that is another format's. */
export function locationOf(folder: string, name: string, format: ImageFormat, ending?: VolumeEnding): string {
  if (ending !== undefined && formatOf(`image${ending}`) !== format) {
    throw new DriverError('refused', `files that end with ${ending} are no images of format ${format}`)
  }
  return join(folder, `${name}${ending ?? `.${format}`}`)
}

/** Longest name of a volume; with the driver's endings it stays below the 255 bytes of a file's name. */
const NAME_BYTES_MAX = 200

/** Rejects as `refused` a name that would not be a plain file of the repository's folder. */
export function assertVolumeName(name: string): void {
  const isPlain = name !== '' && !name.startsWith('.') && !/[/\\\p{Cc}]/u.test(name)
  if (isPlain && Buffer.byteLength(name) <= NAME_BYTES_MAX) return
  throw new DriverError('refused', `${JSON.stringify(name)} cannot be the name of a volume`)
}

/** Sizes are rounded up to this: guests see sectors. */
const SECTOR_BYTES = 512

/** A size as a guest can see it. */
export const toSectors = (bytes: number): number => Math.ceil(bytes / SECTOR_BYTES) * SECTOR_BYTES

/** Rejects as `refused` what cannot be a size. */
export function assertSize(virtualBytes: number): void {
  if (Number.isSafeInteger(virtualBytes) && virtualBytes > 0) return
  throw new DriverError('refused', `${virtualBytes} bytes cannot be the size of a volume`)
}

/** Rejects as `refused` a format that images are not made in. */
export function assertFormat(format: ImageFormat): void {
  if (!FORMATS.includes(format))
    throw new DriverError('refused', `images are made as ${FORMATS.join(' or ')} here, not as ${format}`)
}

/** Rejects as `refused` a name that an image of the folder has, whatever its format. */
export async function assertFree(folder: string, name: string): Promise<void> {
  const taken = new Set(await readdir(folder))
  if (ENDINGS.some(ending => taken.has(`${name}${ending}`))) throw nameTaken(name)
}

/** The refusal of a name that is taken. */
export const nameTaken = (name: string, options?: ErrorOptions): DriverError =>
  new DriverError('refused', `the name ${name} is taken`, options)

/** The refusal to touch an image that a domain runs with. */
export const inUse = (location: string): DriverError =>
  new DriverError('bad-state', `a running domain uses ${location}`)

/** An image that was looked at: what it is, and which file. */
export interface Image {
  readonly volume: Volume
  readonly key: ImageKey
  /** The image below this one, as its header names it. */
  readonly backing: string | undefined
}

/**
 * Looks at an image. Symbolic links are not followed: an image lies where its path says. Rejects as `not-found` where
 * there is none, as `refused` where the file is no image.
 */
export async function readImage(location: string): Promise<Image> {
  const format = formatOf(location)
  if (format === undefined || !isAbsolute(location) || normalize(location) !== location || location.includes('\0')) {
    throw new DriverError('not-found', `${JSON.stringify(location)} is no place of a volume`)
  }
  const { stats, header } = await inspect(location, format)
  const volume: Volume = {
    location,
    name: parse(location).name,
    format,
    virtualBytes: header?.virtualBytes ?? stats.size,
    physicalBytes: stats.blocks * STAT_BLOCK_BYTES,
    ...(parse(location).ext === CD_ENDING && { readOnly: true }),
  }
  return { volume, key: keyOf(stats), backing: header?.backing }
}

/** What the file of an image says. */
export interface Inspection {
  readonly stats: Stats
  /** Undefined for raw images. */
  readonly header: Qcow2Header | undefined
  /** Whether all it shows is the image below it; see `holdsNothing`. */
  readonly isEmpty: () => Promise<boolean>
}

/** Looks into a file of this format, whatever its name. Rejects as `readImage` does. */
export async function inspect(path: string, format: ImageFormat): Promise<Omit<Inspection, 'isEmpty'>> {
  return withImage(path, format, async ({ stats, header }) => ({ stats, header }))
}

/** Whether an image has no data of its own above the one below it; see `holdsNothing`. */
export async function isEmptyOverlay(path: string): Promise<boolean> {
  return withImage(path, 'qcow2', async ({ header, isEmpty }) => header?.backing !== undefined && isEmpty())
}

async function withImage<T>(path: string, format: ImageFormat, look: (image: Inspection) => Promise<T>): Promise<T> {
  const file = await openImage(path)
  try {
    const stats = await file.stat()
    if (!stats.isFile()) throw new DriverError('refused', `${path} is no file`)
    const header = format === 'raw' ? undefined : await readQcow2(file)
    if (format !== 'raw' && header === undefined) throw new DriverError('refused', `${path} holds no ${format} image`)
    return await look({
      stats,
      header,
      isEmpty: async () => header !== undefined && (await holdsNothing(file, header)),
    })
  } finally {
    await file.close()
  }
}

/** Rejects as `refused` what would change a volume that nobody writes to. */
export function assertWritable({ location, readOnly }: Volume, what: string): void {
  if (readOnly === true) throw new DriverError('refused', `${location} is the image of a CD and cannot be ${what}`)
}

/** Source: stat(2), st_blocks. */
export const STAT_BLOCK_BYTES = 512

async function openImage(location: string): Promise<FileHandle> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants
  try {
    // Not to wait for a writer, should it be a named pipe.
    return await open(location, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new DriverError('not-found', `no volume ${location}`)
    if (code === 'ELOOP') throw new DriverError('refused', `${location} is a symbolic link`)
    throw error
  }
}
