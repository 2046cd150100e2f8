import { rename, unlink } from 'node:fs/promises'
import type { Host } from '../host/host.ts'
import { chainOf, demandFile, openEntry, relativePathOf, requireFree, shapeIn } from './chain.ts'
import type { DiskImage, ImageShape } from './disk-image.ts'
import type { Entry } from './file-system.ts'
import { growsInUse } from './online-growth.ts'
import { type CopyWatch, copyRuns } from './image-copy.ts'
import { type NewImage, openNewImage } from './image-creation.ts'
import { makeImage, withImage } from './open-image.ts'
import { spaceOf, storageOf } from './storage.ts'
import { type Doing, fileTrouble, translated } from './trouble.ts'
import { sameFileKey } from './windows-path.ts'

const GIB = 1024 ** 3
const MOST: Readonly<Record<ImageShape['format'], number>> = { vhd: 2040 * GIB, vhdx: 64 * 1024 * GIB }

/** Opens an image that nobody else has open, works with it, and closes it. */
async function changing(host: Host, entry: Entry, doing: Doing, work: (image: DiskImage) => Promise<void>) {
  await requireFreeOfOthers(host, entry, doing)
  await withImage(openEntry(host, entry, 'write', doing), async image => {
    try {
      await work(image)
    } catch (error) {
      throw translated(host, doing, entry.path, error)
    }
  })
}

/** A job holds its own files; anybody else who has one open is in the way. */
async function requireFreeOfOthers(host: Host, { path }: Entry, doing: Doing): Promise<void> {
  if (!storageOf(host).isHeld(path)) await requireFree(host, path, doing)
}

/**
 * Makes the disk of an image larger; one that machines have open too, where the host can. Rejects with OperationError.
 */
export async function resizeImage(host: Host, path: string, bytes: number): Promise<void> {
  const entry = demandFile(host, path, 'resize')
  const shape = await shapeIn(host, entry, 'resize')
  // A disk without partitions cannot be told how far it may shrink, and these have none that anybody made.
  const isInRange = Number.isSafeInteger(bytes) && bytes >= shape.bytes && bytes <= MOST[shape.format]
  if (!isInRange || bytes % shape.logicalSectorBytes !== 0) throw fileTrouble(host, 'resize', path, 'size')
  if (shape.type === 'fixed' && bytes - shape.bytes > spaceOf(host, path).freeBytes) {
    throw fileTrouble(host, 'resize', path, 'noSpace')
  }
  if (bytes === shape.bytes) return
  if (await growsInUse(host, entry.path)) {
    await withImage(openEntry(host, entry, 'write', 'resize'), image => image.grow(bytes))
  } else await changing(host, entry, 'resize', image => image.grow(bytes))
}

/** Copies the disk that an image shows, its parents included, into a new one. Rejects with OperationError. */
export async function convertImage(host: Host, path: string, wanted: NewImage, watch: CopyWatch): Promise<void> {
  if (wanted.type === 'differencing') throw fileTrouble(host, 'convert', path, 'notSupported')
  const chain = await chainOf(host, path, 'convert')
  const [leaf] = chain
  const bytes = leaf?.shape.bytes ?? 0
  if (wanted.bytes !== undefined && wanted.bytes !== 0 && wanted.bytes !== bytes) {
    throw fileTrouble(host, 'convert', path, 'size')
  }
  const target = await openNewImage(host, { ...wanted, bytes }, 'convert')
  try {
    for (const [place, { entry }] of chain.toReversed().entries()) {
      const isBase = place === 0
      await withImage(openEntry(host, entry, 'read', 'convert'), image => copyRuns(image, target, watch, isBase))
    }
    await target.close()
  } catch (error) {
    await target.close()
    const made = storageOf(host).files.find(wanted.path)
    if (made !== undefined) await unlink(made.file).catch(() => undefined)
    throw translated(host, 'convert', wanted.path, error)
  }
}

/**
 * Puts what an image holds, and every one between, into one that it is made of; they are gone then. Rejects with
 * OperationError.
 */
export async function mergeImage(host: Host, path: string, into: string, watch: CopyWatch): Promise<void> {
  const chain = await chainOf(host, path, 'merge')
  const target = demandFile(host, into, 'merge')
  const depth = chain.findIndex(({ entry }) => sameFileKey(entry.path) === sameFileKey(target.path))
  if (depth < 1) throw fileTrouble(host, 'merge', path, 'invalid')
  const sources = chain.slice(0, depth)
  for (const { entry } of sources) await requireFreeOfOthers(host, entry, 'merge')
  const bytes = sources[0]?.shape.bytes ?? 0
  await changing(host, target, 'merge', async image => {
    if (bytes > image.shape.bytes) await image.grow(bytes)
    for (const { entry } of sources.toReversed()) {
      await withImage(openEntry(host, entry, 'read', 'merge'), source => copyRuns(source, image, watch, false))
    }
  })
  for (const { entry } of sources) {
    await unlink(entry.file).catch((error: unknown) => {
      throw translated(host, 'merge', entry.path, error)
    })
  }
}

/**
 * Gives back the room of blocks that hold nothing but zeros. Rejects with OperationError; an image of fixed size has
 * none to give back.
 */
export async function compactImage(host: Host, path: string, watch: CopyWatch): Promise<void> {
  const entry = demandFile(host, path, 'compact')
  const shape = await shapeIn(host, entry, 'compact')
  if (shape.type === 'fixed') throw fileTrouble(host, 'compact', path, 'notSupported')
  await requireFreeOfOthers(host, entry, 'compact')
  const file = `${entry.file}.${host.random.guid()}`
  try {
    const spec = { ...shape, madeAt: shape.timestamp ?? host.clock.now() }
    const image = await makeImage(file, spec, () => host.random.guid())
    await withImage(Promise.resolve(image), copy =>
      withImage(openEntry(host, entry, 'read', 'compact'), source =>
        copyRuns(source, copy, watch, shape.type === 'dynamic'),
      ),
    )
    // What the guest sees is the same, and children must go on taking it for that.
    await withImage(openEntry(host, { ...entry, file }, 'write', 'compact'), copy => copy.restoreLinkage(shape.linkage))
    await rename(file, entry.file)
  } catch (error) {
    await unlink(file).catch(() => undefined)
    throw translated(host, 'compact', path, error)
  }
}

/**
 * Gives a differencing image another parent. Rejects with OperationError where it is not the same by its identifier,
 * unless that is to be ignored.
 */
export async function setParent(host: Host, path: string, parentPath: string, ignoresIdentity: boolean): Promise<void> {
  const entry = demandFile(host, path, 'link')
  const { parent: before, format, bytes } = await shapeIn(host, entry, 'link')
  const chain = await chainOf(host, parentPath, 'link')
  const [parent] = chain
  const isOwnParent = chain.some(one => sameFileKey(one.entry.path) === sameFileKey(entry.path))
  const fits = parent !== undefined && parent.shape.format === format && parent.shape.bytes <= bytes
  if (before === undefined || !fits || isOwnParent) throw fileTrouble(host, 'link', path, 'invalid')
  const { linkage, timestamp } = parent.shape
  if (!ignoresIdentity && linkage !== before.linkage) throw fileTrouble(host, 'link', path, 'otherParent')
  await changing(host, entry, 'link', image =>
    image.relink({
      path: parent.entry.path,
      relativePath: relativePathOf(entry.path, parent.entry.path),
      linkage,
      timestamp: timestamp ?? parent.entry.modifiedAt,
    }),
  )
}

/** What of an image can be changed by itself. */
export interface ImageChanges {
  readonly physicalSectorBytes?: number
  /** A GUID. */
  readonly id?: string
}

/** Rejects with OperationError. */
export async function modifyImageFile(host: Host, path: string, changes: ImageChanges): Promise<void> {
  const entry = demandFile(host, path, 'modify')
  const { format } = await shapeIn(host, entry, 'modify')
  const { physicalSectorBytes, id } = changes
  const isSector = physicalSectorBytes === undefined || physicalSectorBytes === 512 || physicalSectorBytes === 4096
  if (!isSector || (format === 'vhd' && physicalSectorBytes === 4096)) {
    throw fileTrouble(host, 'modify', path, 'invalid')
  }
  await changing(host, entry, 'modify', async image => {
    if (physicalSectorBytes !== undefined) await image.setPhysicalSectorBytes(physicalSectorBytes)
    if (id !== undefined) await image.identify(id)
  })
}
