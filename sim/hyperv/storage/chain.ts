import type { Host } from '../host/host.ts'
import { giveImageChains } from '../host/resources-files.ts'
import { imagePath, imagesOf } from '../host/resources-images.ts'
import type { DiskImage, ImageShape, ParentLink } from './disk-image.ts'
import type { Entry } from './file-system.ts'
import { openImage } from './open-image.ts'
import { type Storage, storageOf } from './storage.ts'
import { type Doing, fileTrouble, translated } from './trouble.ts'
import { folderOf, parseWindowsPath, printWindowsPath, sameFileKey } from './windows-path.ts'

/** An image as it lies in its file. */
export interface FoundImage {
  readonly entry: Entry
  readonly shape: ImageShape
}

/** No chain is known to be as long. */
const CHAIN_MAX = 256
const SHAPES_MAX = 10_000
/** Clocks of file systems tick a few times in a hundredth of a second. */
const SETTLED_MS = 1_000

/** The file at a path. Throws OperationError where there is none. */
export function demandFile(host: Host, path: string, doing: Doing): Entry {
  if (parseWindowsPath(path) === undefined) throw fileTrouble(host, doing, path, 'path')
  const entry = storageOf(host).files.find(path)
  if (entry === undefined || entry.isFolder) throw fileTrouble(host, doing, path, 'missing')
  return entry
}

/** Opens the image of a file. Rejects with OperationError. */
export async function openEntry(
  host: Host,
  { file, path }: Entry,
  opening: 'read' | 'write',
  doing: Doing,
): Promise<DiskImage> {
  try {
    return await openImage(file, opening, () => host.random.guid())
  } catch (error) {
    throw translated(host, doing, path, error)
  }
}

const shapes = new WeakMap<Storage, Map<string, { readonly stamp: string; readonly shape: ImageShape }>>()

/** What the image of a file is like. Rejects with OperationError where it is none. */
export async function shapeIn(host: Host, entry: Entry, doing: Doing): Promise<ImageShape> {
  const storage = storageOf(host)
  const known = shapes.get(storage) ?? new Map()
  shapes.set(storage, known)
  const stamp = `${entry.modifiedAt} ${entry.bytes}`
  const before = known.get(entry.file)
  if (before?.stamp === stamp) return before.shape
  const image = await openEntry(host, entry, 'read', doing)
  const { shape } = image
  await image.close()
  // A file that was written just now may be written again without looking any newer.
  if (Date.now() - entry.modifiedAt < SETTLED_MS) return shape
  if (known.size >= SHAPES_MAX) known.clear()
  known.set(entry.file, { stamp, shape })
  return shape
}

/** Where the parent of an image is: at the place that was written down, or where it is from the child's folder. */
export function parentEntry(host: Host, child: Entry, link: ParentLink): Entry | undefined {
  const { files } = storageOf(host)
  const there = files.find(link.path)
  if (there?.isFolder === false) return there
  const near = link.relativePath === undefined ? undefined : resolved(child.path, link.relativePath)
  const found = near === undefined ? undefined : files.find(near)
  return found?.isFolder === false ? found : undefined
}

function resolved(from: string, relative: string): string | undefined {
  const start = parseWindowsPath(from)
  if (start === undefined) return undefined
  const parts = [...folderOf(start).parts]
  for (const step of relative.split(/[\\/]+/)) {
    if (step === '..') parts.pop()
    else if (step !== '.' && step !== '') parts.push(step)
  }
  return printWindowsPath({ drive: start.drive, parts })
}

/** How a child in one folder names a parent in another. */
export function relativePathOf(child: string, parent: string): string {
  const [from, to] = [parseWindowsPath(child), parseWindowsPath(parent)]
  if (from === undefined || to === undefined || from.drive !== to.drive) return parent
  const folder = folderOf(from).parts
  let same = 0
  while (same < folder.length && same < to.parts.length - 1 && isSameName(folder[same], to.parts[same])) same += 1
  const up = folder.slice(same).map(() => '..')
  return [...(up.length === 0 ? ['.'] : up), ...to.parts.slice(same)].join('\\')
}

const isSameName = (a: string | undefined, b: string | undefined): boolean => a?.toLowerCase() === b?.toLowerCase()

/**
 * The images that an image is made of, itself first and the one without a parent last. Rejects with OperationError where
 * one is missing, or is not the one that its child was made of.
 */
export async function chainOf(host: Host, path: string, doing: Doing): Promise<FoundImage[]> {
  const chain: FoundImage[] = []
  let entry = demandFile(host, path, doing)
  for (let depth = 0; depth < CHAIN_MAX; depth++) {
    const shape = await shapeIn(host, entry, doing)
    chain.push({ entry, shape })
    if (shape.parent === undefined) return chain
    const parent = parentEntry(host, entry, shape.parent)
    if (parent === undefined) throw fileTrouble(host, doing, path, 'noParent')
    const { linkage } = await shapeIn(host, parent, doing)
    if (linkage !== shape.parent.linkage) throw fileTrouble(host, doing, path, 'otherParent')
    entry = parent
  }
  throw fileTrouble(host, doing, path, 'corrupt')
}

/** Has operations on machines learn what images are made of. */
export function tellChains(host: Host): void {
  giveImageChains(host, path => pathsOfChain(host, path))
}

/** The paths of a chain as far as it can be followed, the image's own first; never rejects. */
export async function pathsOfChain(host: Host, path: string): Promise<string[]> {
  const paths = [path]
  let entry = storageOf(host).files.find(path)
  while (entry !== undefined && !entry.isFolder && paths.length < CHAIN_MAX) {
    const shape = await shapeIn(host, entry, 'open').catch(() => undefined)
    entry = shape?.parent === undefined ? undefined : parentEntry(host, entry, shape.parent)
    if (entry !== undefined) paths.push(entry.path)
  }
  return paths
}

/**
 * Whether somebody has a file open: a machine with a worker process, by its disks or what they are made of; the host, that
 * has mounted it; or a job.
 */
export async function isInUse(host: Host, path: string): Promise<boolean> {
  const wanted = sameFileKey(path)
  if (storageOf(host).isHeld(path) || host.state.mounted.some(one => sameFileKey(one.path) === wanted)) return true
  for (const vm of host.state.vms) {
    if (vm.processId === undefined) continue
    if (
      await hasInDrives(
        host,
        imagesOf(host, vm).flatMap(image => imagePath(image) ?? []),
        wanted,
      )
    )
      return true
  }
  return false
}

/** Whether a machine that is saved has a file in its drives. */
export async function isInSavedState(host: Host, path: string): Promise<boolean> {
  const wanted = sameFileKey(path)
  for (const vm of host.state.vms) {
    if (vm.power !== 'saved') continue
    if (
      await hasInDrives(
        host,
        imagesOf(host, vm).flatMap(image => imagePath(image) ?? []),
        wanted,
      )
    )
      return true
  }
  return false
}

async function hasInDrives(host: Host, images: readonly string[], wanted: string): Promise<boolean> {
  for (const image of images) {
    const paths = /\.a?vhdx?$/i.test(image) ? await pathsOfChain(host, image) : [image]
    if (paths.some(path => sameFileKey(path) === wanted)) return true
  }
  return false
}

/** Refuses what somebody has open. */
export async function requireFree(host: Host, path: string, doing: Doing): Promise<void> {
  if (await isInUse(host, path)) throw fileTrouble(host, doing, path, 'inUse')
}
