import type { RepositoryConfig, StorageOps, StorageRoot } from '../drivers/driver.ts'
import type { FunctionName } from './flag-check.ts'
import type { Host } from './host.ts'
import type { PoolKeeper } from './kept-pools.ts'
import { windowsPath } from './xml/path.ts'
import { type PoolSizes, poolUuid } from './xml/storage-pool.ts'

/** The pool of a host that has its file systems as volumes, as the document names it. */
export const PRIMORDIAL = 'Primordial'

/** A storage pool: a folder of the host with its images, or all its file systems. */
export interface PoolPlace {
  readonly name: string
  readonly uuid: string
  /** Undefined for the pool of file systems. */
  readonly repository: RepositoryConfig | undefined
  readonly isActive: boolean
  /** Whether it stays when it is stopped. */
  readonly isPersistent: boolean
  /** Whether it is there when the host has started. */
  readonly autostart: boolean
  /** Whether the host has it by itself, so that nobody can stop it. */
  readonly isOwn: boolean
}

/** Who keeps the pools of a host. */
export const poolKeeper = (host: Host): PoolKeeper => host.company.pools ?? host.remembered.pools

/**
 * The pools of a host: its file systems, and those that a server keeps. Where there is none, the folders it has by itself,
 * and those that were made pools here. A folder that was made a pool here, and that the host now has by itself since images
 * of domains lie there, goes on being called as it was.
 */
export async function poolsOf(host: Host, name: FunctionName): Promise<readonly PoolPlace[]> {
  const storage = host.group(name, 'storage')
  const kept = new Map(
    poolKeeper(host)
      .list()
      .map(pool => [folderKey(host, pool.location), pool]),
  )
  const primordial = storage.roots === undefined ? [] : [ownPlace(host, PRIMORDIAL)]
  const taken = new Set([...primordial, ...kept.values()].map(place => place.name))
  const repositories = host.company.pools === undefined ? await storage.repositories() : []
  const own = repositories.map(({ name: called, ...repository }): PoolPlace => {
    const key = folderKey(host, repository.location)
    const known = kept.get(key)
    kept.delete(key)
    const unique = known?.name ?? freeName(called, repository.location, taken)
    const place = ownPlace(host, unique, repository)
    if (known === undefined) return place
    // One that was only created would be there all the same when it was forgotten.
    return { ...place, ...(known.isPersistent && known), uuid: known.uuid, repository, isOwn: !known.isPersistent }
  })
  const others = Array.from(kept.values(), ({ type, location, ...pool }) => {
    return { ...pool, repository: { type, location }, isOwn: false }
  })
  return [...primordial, ...own, ...others]
}

const ownPlace = (host: Host, name: string, repository?: RepositoryConfig): PoolPlace => ({
  name,
  uuid: poolUuid(host.info.id, name),
  repository,
  isActive: true,
  isPersistent: true,
  autostart: true,
  isOwn: true,
})

/** A host may call several folders the same; then each is called by its place too. */
function freeName(called: string, location: string, taken: Set<string>): string {
  const name = taken.has(called) ? `${called} (${location.replaceAll(/[\\/:]+/g, '-')})` : called
  taken.add(name)
  return name
}

/** What tells folders apart: no case where the host has none, no separator at the end. */
export function folderKey(host: Host, location: string): string {
  const path = location.replace(/[\\/]+$/, '')
  return host.kind.hasWindowsPaths ? path.replaceAll('/', '\\').toLowerCase() : path
}

/** A path as the host has it, of one as a client gives it. */
export const hostPath = (host: Host, path: string): string => (host.kind.hasWindowsPaths ? windowsPath(path) : path)

/** The last part of a path: what pools call the volume there. */
export function fileName(host: Host, location: string): string {
  const parts = location.split(host.kind.hasWindowsPaths ? /[\\/]/ : '/')
  return parts.at(-1) ?? location
}

/** The folder of a path. */
export function folderOf(host: Host, location: string): string {
  return location.slice(0, Math.max(0, location.length - fileName(host, location).length))
}

/** The pool whose folder a path is in; undefined where there is none. */
export async function poolAround(host: Host, name: FunctionName, location: string): Promise<PoolPlace | undefined> {
  const folder = folderKey(host, folderOf(host, location))
  const isIt = ({ repository }: PoolPlace) =>
    repository !== undefined && folderKey(host, repository.location) === folder
  return (await poolsOf(host, name)).find(isIt)
}

/** What a pool of file systems, or the file system of a folder, has. */
export async function sizesOf(storage: StorageOps, repository: RepositoryConfig | undefined): Promise<PoolSizes> {
  const roots = await storage.roots?.()
  if (repository === undefined) return sum(roots ?? [])
  const { capacityBytes, usedBytes, freeBytes } = await storage.openRepository(repository)
  if (freeBytes !== undefined) return sum([{ location: repository.location, capacityBytes, freeBytes }])
  const root = rootOf(roots ?? [], repository.location)
  if (root === undefined) {
    return { capacityBytes, allocationBytes: usedBytes, availableBytes: Math.max(0, capacityBytes - usedBytes) }
  }
  return sum([root])
}

function sum(roots: readonly StorageRoot[]): PoolSizes {
  const capacityBytes = roots.reduce((bytes, root) => bytes + root.capacityBytes, 0)
  const availableBytes = roots.reduce((bytes, root) => bytes + root.freeBytes, 0)
  return { capacityBytes, availableBytes, allocationBytes: Math.max(0, capacityBytes - availableBytes) }
}

/** The file system that a folder is on: the one that begins furthest into its path. */
function rootOf(roots: readonly StorageRoot[], location: string): StorageRoot | undefined {
  const path = location.toLowerCase()
  const above = roots.filter(root => path.startsWith(root.location.toLowerCase()))
  return above.toSorted((one, other) => other.location.length - one.location.length)[0]
}
