import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { DriverError, type ImageFormat } from '../../driver.ts'
import { formatOf } from '../image-format.ts'
import { Qcow2Reader, readQcow2Header } from './qcow2.ts'
import { assertWithin, type BlockReader, damaged } from './reader.ts'

/** A disk image that is open for reading, with all images it builds on. */
export interface OpenImage {
  readonly disk: BlockReader
  close(): Promise<void>
}

/** How long a chain of images may be; longer than any that this driver makes. */
const CHAIN_IMAGES_MAX = 32
/** What one start may read of the files of images. */
const READS_MAX = 2_000_000
const BYTES_MAX = 8 * 1_073_741_824
/** The folder, beside images, of what clones have in common. */
const BASES_FOLDER = '.bases'

/**
 * Opens an image and what it builds on. A name that stands in an image may be a guest's: it is followed only to an
 * image in the same folder or in that for bases, never over a symbolic link, and never with a guessed format.
 */
export async function openImage(location: string, format: ImageFormat, signal: AbortSignal): Promise<OpenImage> {
  const opened: FileHandle[] = []
  const budget: Budget = { reads: 0, bytes: 0 }
  const close = async () => void (await Promise.all(opened.map(file => file.close())))

  const openOne = async (path: string, kind: ImageFormat, isNamedByImage: boolean): Promise<BlockReader> => {
    if (opened.length === CHAIN_IMAGES_MAX) throw damaged(`more than ${CHAIN_IMAGES_MAX} images build on each other`)
    const file = await openFile(path, isNamedByImage)
    opened.push(file)
    const stats = await file.stat()
    if (!stats.isFile()) throw new DriverError('refused', `the image ${path} is no file`)
    const raw = rawReader(file, stats.size, budget, signal)
    if (kind === 'raw') return raw
    const header = await readQcow2Header(raw)
    const { backing } = header
    if (backing === undefined) return new Qcow2Reader(raw, header)
    const next = backingPath(path, backing.name)
    const nextFormat = backing.format ?? formatOf(next)
    if (nextFormat !== 'raw' && nextFormat !== 'qcow2') {
      throw damaged(`the image builds on one of unknown format: ${JSON.stringify(backing.name)}`)
    }
    return new Qcow2Reader(raw, header, await openOne(next, nextFormat, true))
  }

  try {
    return { disk: await openOne(location, format, false), close }
  } catch (error) {
    await close()
    throw error
  }
}

async function openFile(path: string, isNamedByImage: boolean): Promise<FileHandle> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants
  try {
    return await open(path, O_RDONLY | O_NONBLOCK | (isNamedByImage ? O_NOFOLLOW : 0))
  } catch (error) {
    throw new DriverError('refused', `the image ${path} cannot be opened: ${String(error)}`, { cause: error })
  }
}

function backingPath(image: string, name: string): string {
  const folder = dirname(resolve(image))
  const path = resolve(folder, name)
  const isNear = dirname(path) === folder || dirname(path) === join(folder, BASES_FOLDER)
  if (name.includes('\0') || !isNear) {
    throw damaged(`the image builds on one outside its folder: ${JSON.stringify(name)}`)
  }
  return path
}

interface Budget {
  reads: number
  bytes: number
}

function rawReader(file: FileHandle, bytes: number, budget: Budget, signal: AbortSignal): BlockReader {
  return {
    bytes,
    read: async (offset, length) => {
      if (signal.aborted) throw new DriverError('refused', `reading the guest's disk was given up: ${signal.reason}`)
      assertWithin({ bytes }, offset, length)
      budget.reads++
      budget.bytes += length
      if (budget.reads > READS_MAX || budget.bytes > BYTES_MAX) throw damaged('there is no end of what must be read')
      const buffer = Buffer.alloc(length)
      for (let filled = 0; filled < length; ) {
        const { bytesRead } = await file.read(buffer, filled, length - filled, offset + filled)
        if (bytesRead === 0) throw damaged('the image became shorter while it was read')
        filled += bytesRead
      }
      return buffer
    },
  }
}
