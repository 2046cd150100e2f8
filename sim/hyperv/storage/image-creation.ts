import { unlink } from 'node:fs/promises'
import type { Host } from '../host/host.ts'
import { chainOf, relativePathOf } from './chain.ts'
import type { DiskImage, ImageFormat, ImageSpec, ImageType } from './disk-image.ts'
import { ImageHandle } from './image-handle.ts'
import { makeImage } from './open-image.ts'
import { spaceOf, storageOf } from './storage.ts'
import { type Doing, fileTrouble, translated } from './trouble.ts'
import { extensionOf, parseWindowsPath } from './windows-path.ts'

/** An image that is wanted. */
export interface NewImage {
  readonly path: string
  readonly format: ImageFormat
  readonly type: ImageType
  /** Of the disk; a differencing image has its parent's. */
  readonly bytes?: number
  /** 0, or absent, for what hosts choose; so for the sectors. */
  readonly blockBytes?: number
  readonly logicalSectorBytes?: number
  readonly physicalSectorBytes?: number
  readonly parentPath?: string
  /** A GUID; one is made where there is none. */
  readonly id?: string
  /** Whether it may have the extension of the files that snapshots make. */
  readonly isAutomatic?: boolean
}

const KIB = 1024
const MIB = 1024 * KIB
const GIB = 1024 * MIB

// Source: Microsoft Learn, CreateVirtualDisk and Set-VHD; what hosts choose was read on Server 2025.
const LIMITS = {
  vhd: { least: 3 * MIB, most: 2040 * GIB, block: 2 * MIB, differencingBlock: 2 * MIB, physicalSector: 512 },
  vhdx: { least: 3 * MIB, most: 64 * 1024 * GIB, block: 32 * MIB, differencingBlock: 2 * MIB, physicalSector: 4096 },
} as const

const FLOPPY_BYTES = 1440 * KIB

/** Makes an image, empty. Rejects with OperationError; nothing is left of it then. */
export async function createImage(host: Host, wanted: NewImage): Promise<void> {
  const image = await openNewImage(host, wanted, 'create')
  await image.close()
}

/** Makes an image and leaves it open. Rejects with OperationError. */
export async function openNewImage(host: Host, wanted: NewImage, doing: Doing): Promise<DiskImage> {
  const file = placeFor(host, wanted.path, doing)
  const spec = await specOf(host, wanted, doing)
  if (spec.type === 'fixed' && spec.bytes > spaceOf(host, wanted.path).freeBytes) {
    throw fileTrouble(host, doing, wanted.path, 'noSpace')
  }
  try {
    return await makeImage(file, spec, () => host.random.guid())
  } catch (error) {
    const trouble = translated(host, doing, wanted.path, error)
    if (!isThere(error)) await unlink(file).catch(() => undefined)
    throw trouble
  }
}

const isThere = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EEXIST'

/** Where a new file goes. Throws OperationError where it cannot be made. */
function placeFor(host: Host, path: string, doing: Doing): string {
  const { files } = storageOf(host)
  if (parseWindowsPath(path) === undefined) throw fileTrouble(host, doing, path, 'path')
  if (files.find(path) !== undefined) throw fileTrouble(host, doing, path, 'exists')
  const file = files.place(path)
  if (file === undefined) throw fileTrouble(host, doing, path, 'noFolder')
  return file
}

async function specOf(host: Host, wanted: NewImage, doing: Doing): Promise<ImageSpec> {
  const { path, format, type, isAutomatic = false } = wanted
  const fail = (reason: 'extension' | 'invalid' | 'size'): Error => fileTrouble(host, doing, path, reason)
  // Source: a host was seen to refuse .avhdx to whoever asks for it.
  const extensions: readonly string[] = isAutomatic ? [`a${format}`] : [format]
  if (!extensions.includes(extensionOf(path))) throw fail('extension')
  if ((type === 'differencing') !== (wanted.parentPath !== undefined)) throw fail('invalid')
  const id = wanted.id ?? host.random.guid()
  const madeAt = host.clock.now()
  if (wanted.parentPath !== undefined) {
    return { ...(await childSpec(host, { ...wanted, parentPath: wanted.parentPath }, doing)), id, madeAt }
  }
  const limits = LIMITS[format]
  const { bytes = 0 } = wanted
  const logicalSectorBytes = wanted.logicalSectorBytes || 512
  const physicalSectorBytes = wanted.physicalSectorBytes || limits.physicalSector
  const blockBytes = wanted.blockBytes || limits.block
  if (!areSectors(format, logicalSectorBytes, physicalSectorBytes) || !isBlock(format, blockBytes))
    throw fail('invalid')
  const isInRange = Number.isSafeInteger(bytes) && bytes >= limits.least && bytes <= limits.most
  if (!isInRange || bytes % logicalSectorBytes !== 0) throw fail('size')
  return {
    format,
    type,
    bytes,
    blockBytes: format === 'vhd' && type === 'fixed' ? 0 : blockBytes,
    logicalSectorBytes,
    physicalSectorBytes,
    id,
    madeAt,
  }
}

function areSectors(format: ImageFormat, logical: number, physical: number): boolean {
  if (format === 'vhd') return logical === 512 && physical === 512
  return [logical, physical].every(bytes => bytes === 512 || bytes === 4096) && logical <= physical
}

function isBlock(format: ImageFormat, bytes: number): boolean {
  if (format === 'vhd') return bytes === 512 * KIB || bytes === 2 * MIB
  return bytes >= MIB && bytes <= 256 * MIB && (bytes & (bytes - 1)) === 0
}

/** A child has its parent's disk. Source: size and blocks of a differencing image must not be given. */
async function childSpec(
  host: Host,
  wanted: NewImage & { readonly parentPath: string },
  doing: Doing,
): Promise<Omit<ImageSpec, 'id' | 'madeAt'>> {
  const { path, format, parentPath } = wanted
  const [parent] = await chainOf(host, parentPath, 'open')
  if (parent === undefined) throw fileTrouble(host, doing, path, 'noParent')
  const { shape, entry } = parent
  const isOther = wanted.bytes !== undefined && wanted.bytes !== 0 && wanted.bytes !== shape.bytes
  if (shape.format !== format || isOther || (wanted.blockBytes ?? 0) !== 0) {
    throw fileTrouble(host, doing, path, 'invalid')
  }
  return {
    format,
    type: 'differencing',
    bytes: shape.bytes,
    blockBytes: LIMITS[format].differencingBlock,
    logicalSectorBytes: shape.logicalSectorBytes,
    physicalSectorBytes: shape.physicalSectorBytes,
    parent: {
      path: entry.path,
      relativePath: relativePathOf(path, entry.path),
      linkage: shape.linkage,
      timestamp: shape.timestamp ?? entry.modifiedAt,
    },
  }
}

/** Makes an empty floppy disk of 1.44 MB. Rejects with OperationError. */
export async function createFloppy(host: Host, path: string): Promise<void> {
  const file = placeFor(host, path, 'create')
  if (extensionOf(path) !== 'vfd') throw fileTrouble(host, 'create', path, 'extension')
  try {
    const handle = await ImageHandle.open(file, 'new')
    await handle.resize(FLOPPY_BYTES)
    await handle.close()
  } catch (error) {
    throw translated(host, 'create', path, error)
  }
}
