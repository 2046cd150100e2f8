import { DriverError, type ImageFormat, type OperationOptions, type Volume, type VolumeEnding } from '../driver.ts'
import { isLost } from './again.ts'
import { assertUnused, inUse, sayIfInUse, type Use, useOf } from './image-use.ts'
import type { Attachment, DiskFormat, NewImage, StorageBackEnd } from './storage-back-end.ts'
import type { StorageParts } from './storage-parts.ts'
import { takeBack } from './undo.ts'
import { assertFree, findVolume, placeFor } from './volumes.ts'
import { pathKey } from './windows-path.ts'

/** What guests see is whole sectors. */
const SECTOR_BYTES = 512
/** Hyper-V makes no smaller ones. Source: Microsoft Learn, CreateVirtualDisk. */
const IMAGE_BYTES_MIN = 3 * 1_048_576

interface Wanted {
  readonly name: string
  readonly format: ImageFormat
  readonly virtualBytes: number
  readonly preallocation?: 'metadata'
  readonly ending?: VolumeEnding
}

/** Makes an empty image that grows as it is written to; see `StorageOps.createVolume`. */
export async function createVolume(
  parts: StorageParts,
  folder: string,
  { name, format, virtualBytes, preallocation, ending }: Wanted,
  options: OperationOptions = {},
): Promise<Volume> {
  const { storage, locks } = parts
  assertUsual(ending)
  if (preallocation !== undefined) throw new DriverError('refused', `Hyper-V preallocates no metadata of ${format}`)
  const path = placeFor(folder, name, format)
  const wanted = { path, format: demandFormat(parts, format), kind: 'dynamic', id: crypto.randomUUID() } as const
  const bytes = sizeFor(virtualBytes)
  assertGoing(options, `the creation of ${name}`)
  return locks.run(lockOf(path), async () => {
    await assertFree(storage, path)
    await make(parts, wanted, bytes, () => storage.createImage({ ...wanted, virtualBytes: bytes }, options), options)
    return readBack(parts, wanted)
  })
}

function assertUsual(ending: VolumeEnding | undefined): void {
  if (ending !== undefined) throw new DriverError('refused', `Hyper-V has no images that end with ${ending}`)
}

/** What a copy is to be. */
export interface CopyPlan {
  readonly name: string
  readonly format?: ImageFormat
  readonly virtualBytes?: number
  readonly preallocation?: 'metadata'
  readonly ending?: VolumeEnding
}

/** Makes an image with what another holds; see `StorageOps.copyVolume`. */
export async function copyVolume(
  parts: StorageParts,
  location: string,
  folder: string,
  { name, format, virtualBytes, preallocation, ending }: CopyPlan,
  options: OperationOptions = {},
): Promise<Volume> {
  const { storage, locks } = parts
  assertUsual(ending)
  if (preallocation !== undefined) throw new DriverError('refused', 'Hyper-V preallocates no metadata of copies')
  const found = await findVolume(storage, location)
  const from = found.volume
  const path = placeFor(folder, name, format ?? from.format)
  const wanted = {
    path,
    format: demandFormat(parts, format ?? from.format),
    kind: 'dynamic',
    id: crypto.randomUUID(),
  } as const
  if (from.format === 'raw')
    throw new DriverError('refused', `${location} is a medium, which Hyper-V copies to no image`)
  const bytes = virtualBytes === undefined ? from.virtualBytes : sizeFor(virtualBytes)
  if (bytes < from.virtualBytes) {
    throw new DriverError('refused', `a copy of ${location} holds ${from.virtualBytes} bytes, not ${bytes}`)
  }
  assertGoing(options, `the copy of ${location}`)
  return locks.run(lockOf(path), async () => {
    const [use] = await Promise.all([useOf(storage, parts.machines, found), assertFree(storage, path)])
    const source = sourceOf(use, location)
    const convert = () => storage.convertImage(source, wanted, options)
    await make(parts, wanted, from.virtualBytes, () => sayIfInUse(storage, source, convert), options)
    if (bytes > from.virtualBytes) await growCopy(parts, wanted, bytes, options)
    return readBack(parts, wanted, async () => found.attachments)
  })
}

/** Tells what was just made. What cannot be told is deleted again: nobody would know that it is there. */
async function readBack(parts: StorageParts, made: NewImage, attached?: () => Promise<readonly Attachment[]>) {
  try {
    return (await findVolume(parts.storage, made.path, attached)).volume
  } catch (error) {
    await takeBack(() => discard(parts, made, true), error, `${made.path} remains`)
    throw error
  }
}

/**
 * The image that holds what a volume does now: another one where its machine has snapshots. Throws DriverError,
 * `bad-state`, where that may change meanwhile, or there are several.
 */
function sourceOf(use: Use, location: string): string {
  assertUnused(use, location)
  const [head, ...others] = use.heads
  if (others.length > 0) throw inUse(location, `${others.length + 1} machines go on from it`)
  return head === undefined ? location : head.attachment.path
}

/** Makes a copy larger that was just made; where that fails, it is deleted. */
async function growCopy(parts: StorageParts, copy: NewImage, bytes: number, { signal }: OperationOptions) {
  try {
    await growImage(parts.storage, copy.path, bytes, signal && { signal })
  } catch (error) {
    const undo = async () => {
      await parts.storage.untilIdle()
      await discard(parts, copy, true)
    }
    await takeBack(undo, error, `${copy.path} remains, of its first size`)
    throw error
  }
}

/** Makes an image larger. Where the answer is lost, it is asked for again: what has the size already may get it. */
export async function growImage(
  storage: StorageBackEnd,
  path: string,
  bytes: number,
  options?: OperationOptions,
): Promise<void> {
  try {
    await storage.growImage(path, bytes, options)
  } catch (error) {
    if (!isLost(error)) throw error
    await storage.untilIdle()
    if ((await storage.image(path)).virtualBytes !== bytes) await storage.growImage(path, bytes, options)
  }
}

/** Two volumes of one name in one folder are one too many, whatever their formats. */
export const lockOf = (path: string): string => pathKey(path).replace(/\.[^.\\]*$/, '')

export function assertGoing({ signal }: OperationOptions, deed: string): void {
  if (signal?.aborted === true) throw new DriverError('refused', `${deed} was aborted`)
}

function demandFormat({ storage: { formats } }: StorageParts, wanted: ImageFormat): DiskFormat {
  const format = formats.find(each => each === wanted)
  if (format !== undefined) return format
  throw new DriverError('refused', `the host makes images as ${formats.join(' or ')}, not as ${wanted}`)
}

export function sizeFor(bytes: number): number {
  if (!Number.isSafeInteger(bytes) || bytes <= 0) {
    throw new DriverError('refused', `${bytes} bytes cannot be the size of a volume`)
  }
  return Math.max(IMAGE_BYTES_MIN, Math.ceil(bytes / SECTOR_BYTES) * SECTOR_BYTES)
}

/**
 * Makes an image of this size, or leaves none: what is there after a failure, and is the one that was wanted, is deleted.
 * Where the answer was lost, what became of it is looked at.
 */
export async function make(
  parts: StorageParts,
  wanted: NewImage,
  virtualBytes: number,
  call: () => Promise<void>,
  { signal }: OperationOptions = {},
): Promise<void> {
  try {
    await call()
  } catch (error) {
    const isAnswer = error instanceof DriverError && error.kind !== 'unreachable'
    let isThere = false
    const undo = async () => {
      if (!isAnswer) await parts.storage.untilIdle()
      isThere = isLost(error) && (await isMade(parts, wanted, virtualBytes))
      if (!isThere) await discard(parts, wanted, !isAnswer || signal?.aborted === true)
    }
    await takeBack(undo, error, `${wanted.path} may be there, half-made`)
    if (!isThere) throw error
  }
}

async function isMade({ storage }: StorageParts, { path, id }: NewImage, virtualBytes: number): Promise<boolean> {
  if ((await storage.file(path)) === undefined) return false
  try {
    const facts = await storage.image(path)
    return (facts.id === undefined || facts.id === id) && facts.virtualBytes === virtualBytes
  } catch (error) {
    if (error instanceof DriverError && error.kind === 'refused') return false
    throw error
  }
}

/**
 * Deletes what is there of an image that was to be made. Where hosts keep no ids, and this one has refused, it is another
 * one: somebody was quicker.
 */
export async function discard({ storage }: StorageParts, { path, id }: NewImage, isOurs: boolean): Promise<void> {
  if ((await storage.file(path)) === undefined) return
  const made = await storage.image(path).catch((error: unknown) => {
    if (error instanceof DriverError && error.kind === 'refused') return undefined
    throw error
  })
  if (made?.id === undefined ? isOurs : made.id === id) await storage.deleteFile(path)
}
