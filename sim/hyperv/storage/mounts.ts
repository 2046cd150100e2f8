import type { Host } from '../host/host.ts'
import type { MountedImage } from '../host/model.ts'
import { chainOf, demandFile, requireFree } from './chain.ts'
import { fileTrouble } from './trouble.ts'
import { extensionOf, sameFileKey } from './windows-path.ts'

/** A host has no more addresses for them than its keys can tell apart. */
const MOUNTED_MAX = 255

/** Mounts an image on the host itself, for reading only or not. Rejects with OperationError. */
export async function mountImage(host: Host, path: string, isReadOnly: boolean): Promise<MountedImage> {
  const { mounted } = host.state
  const entry = demandFile(host, path, 'mount')
  const isOptical = extensionOf(entry.path) === 'iso'
  if (!isOptical) await chainOf(host, entry.path, 'mount')
  await requireFree(host, entry.path, 'mount')
  const taken = new Set(mounted.map(({ number }) => number))
  const number = Array.from({ length: MOUNTED_MAX }, (_none, place) => place).find(place => !taken.has(place))
  if (number === undefined) throw fileTrouble(host, 'mount', path, 'notSupported')
  const image: MountedImage = { path: entry.path, number, isReadOnly: isReadOnly || isOptical }
  mounted.push(image)
  host.touch()
  return image
}

/** By its path, in any case; undefined where it is not mounted. */
export function mountedAt(host: Host, path: string): MountedImage | undefined {
  return host.state.mounted.find(image => sameFileKey(image.path) === sameFileKey(path))
}

/** False where it was not mounted any more. */
export function unmountImage(host: Host, image: MountedImage): boolean {
  const { mounted } = host.state
  const place = mounted.findIndex(({ number }) => number === image.number)
  if (place < 0) return false
  mounted.splice(place, 1)
  host.touch()
  return true
}
