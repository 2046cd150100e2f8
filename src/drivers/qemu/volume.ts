import { constants } from 'node:fs'
import { type FileHandle, open, readdir } from 'node:fs/promises'
import { isAbsolute, join, normalize, parse } from 'node:path'
import { DriverError, type ImageFormat, type Volume } from '../driver.ts'
import { systemCode } from './files.ts'
import { type ImageKey, keyOf } from './images.ts'
import { readQcow2Size } from './qcow2.ts'

/**
 * What the ending of a file says of its format. Raw images are never probed: what a guest writes to its disk must not
 * make another format of it.
 */
const FORMATS: Readonly<Record<string, ImageFormat>> = { '.qcow2': 'qcow2', '.raw': 'raw', '.img': 'raw' }

/** Where an image of this name and format goes. */
export const locationOf = (folder: string, name: string, format: ImageFormat): string =>
  join(folder, `${name}.${format}`)

/** The format that a file's ending stands for; undefined for a file that is no image, or hidden. */
export function formatOf(location: string): ImageFormat | undefined {
  const { base, ext } = parse(location)
  return base.startsWith('.') ? undefined : FORMATS[ext]
}

const ENDINGS = Object.keys(FORMATS)

/** Longest name of a volume; with the driver's endings it stays below the 255 bytes of a file's name. */
const NAME_BYTES_MAX = 200

/** Rejects as `refused` a name that would not be a plain file of the repository's folder. */
export function assertVolumeName(name: string): void {
  const isPlain = name !== '' && !name.startsWith('.') && !/[/\\\p{Cc}]/u.test(name)
  if (isPlain && Buffer.byteLength(name) <= NAME_BYTES_MAX) return
  throw new DriverError('refused', `${JSON.stringify(name)} cannot be the name of a volume`)
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
  const file = await openImage(location)
  try {
    const stats = await file.stat()
    if (!stats.isFile()) throw new DriverError('refused', `${location} is no file`)
    const virtualBytes = format === 'raw' ? stats.size : await readQcow2Size(file)
    if (virtualBytes === undefined) throw new DriverError('refused', `${location} holds no ${format} image`)
    const physicalBytes = stats.blocks * STAT_BLOCK_BYTES
    return { volume: { location, name: parse(location).name, format, virtualBytes, physicalBytes }, key: keyOf(stats) }
  } finally {
    await file.close()
  }
}

/** Source: stat(2), st_blocks. */
const STAT_BLOCK_BYTES = 512

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
