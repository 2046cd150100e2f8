import type { RepositoryConfig, StorageOps, StorageRoot } from '../drivers/driver.ts'
import type { FunctionName } from './flag-check.ts'
import type { Host } from './host.ts'
import type { CreatedPool } from './remembered.ts'
import { type PoolSizes, poolUuid } from './xml/storage-pool.ts'

/** The pool of a host that has its file systems as volumes, as the document names it. */
export const PRIMORDIAL = 'Primordial'

/** A storage pool: a folder of the host with its images, or all its file systems. */
export interface PoolPlace {
  readonly name: string
  /** Always that of its name on its host. */
  readonly uuid: string
  /** Undefined for the pool of file systems. */
  readonly repository: RepositoryConfig | undefined
  /** Whether the host has it by itself. */
  readonly isPersistent: boolean
}

/**
 * The pools of a host: its file systems, the folders it has by itself, and those that were created here. A folder that
 * was created here, and that the host now has by itself since images of domains lie there, goes on being called as it was.
 */
export async function poolsOf(host: Host, name: FunctionName): Promise<readonly PoolPlace[]> {
  const storage = host.group(name, 'storage')
  const created = new Map(Array.from(host.remembered.pools.values(), pool => [folderKey(host, pool.location), pool]))
  const primordial = storage.roots === undefined ? [] : [primordialOf(host)]
  const taken = new Set([...primordial, ...created.values()].map(place => place.name))
  const own = (await storage.repositories()).map(({ name: called, ...repository }): PoolPlace => {
    const key = folderKey(host, repository.location)
    const known = created.get(key)
    created.delete(key)
    const unique = known?.name ?? freeName(called, repository.location, taken)
    const uuid = known?.uuid ?? poolUuid(host.info.id, unique)
    return { name: unique, uuid, repository, isPersistent: true }
  })
  return [...primordial, ...own, ...Array.from(created.values(), createdPlace)]
}

const primordialOf = (host: Host): PoolPlace => ({
  name: PRIMORDIAL,
  uuid: poolUuid(host.info.id, PRIMORDIAL),
  repository: undefined,
  isPersistent: true,
})

/** A pool that was created here, as what it is. */
export const createdPlace = ({ name, uuid, type, location }: CreatedPool): PoolPlace => ({
  name,
  uuid,
  repository: { type, location },
  isPersistent: false,
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

/** The last part of a path: what pools call the volume there. */
export function fileName(host: Host, location: string): string {
  const parts = location.split(host.kind.hasWindowsPaths ? /[\\/]/ : '/')
  return parts.at(-1) ?? location
}

/** The folder of a path. */
export function folderOf(host: Host, location: string): string {
  return location.slice(0, Math.max(0, location.length - fileName(host, location).length))
}

/** What a pool of file systems, or the file system of a folder, has. */
export async function sizesOf(storage: StorageOps, repository: RepositoryConfig | undefined): Promise<PoolSizes> {
  const roots = await storage.roots?.()
  if (repository === undefined) return sum(roots ?? [])
  const { capacityBytes, usedBytes } = await storage.openRepository(repository)
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
