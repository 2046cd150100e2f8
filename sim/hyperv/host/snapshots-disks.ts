import { unlink } from 'node:fs/promises'
import { pathsOfChain } from '../storage/chain.ts'
import { mergeImage, setParent } from '../storage/image-changes.ts'
import type { CopyWatch } from '../storage/image-copy.ts'
import { createImage } from '../storage/image-creation.ts'
import { mountedAt } from '../storage/mounts.ts'
import { openStorage, storageOf } from '../storage/storage.ts'
import { fileTrouble } from '../storage/trouble.ts'
import { extensionOf, sameFileKey } from '../storage/windows-path.ts'
import type { Host } from './host.ts'
import type { Configuration, Settings, Vm } from './model.ts'
import { imagePath } from './resources-images.ts'
import { withValues } from './resources-settings.ts'

// The files behind snapshots: each disk that a snapshot keeps gets a child in which the machine goes on. When nothing
// needs what is below such a child any more, the child is merged into it.

const DISK = /\.a?vhdx?$/i
const AUTOMATIC = /\.avhdx?$/i
/** The name of a child: its first parent's, and a GUID. */
const CHILD_NAME = /^(.*?)(?:_[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})?\.a?(vhdx?)$/is
const STEPS_MAX = 1_000

/** The virtual hard disks of a configuration. */
export function disksOf({ resources }: Configuration): string[] {
  return resources.flatMap(settings => diskOf(settings) ?? [])
}

function diskOf(settings: Settings): string | undefined {
  if (settings.className !== 'Msvm_StorageAllocationSettingData') return undefined
  const path = imagePath(settings)
  return path !== undefined && DISK.test(path) ? path : undefined
}

/**
 * The configuration with a new, empty child in place of each of its disks. Rejects with OperationError; no child is left
 * then. On a host without files, nothing changes.
 */
export async function branched(host: Host, configuration: Configuration): Promise<Configuration> {
  if (openStorage(host) === undefined) return configuration
  const children = new Map<string, string>()
  try {
    for (const path of disksOf(configuration)) {
      if (!children.has(sameFileKey(path))) children.set(sameFileKey(path), await makeChild(host, path))
    }
  } catch (error) {
    await removeFiles(host, [...children.values()])
    throw error
  }
  return withDisks(configuration, path => children.get(sameFileKey(path)))
}

async function makeChild(host: Host, parentPath: string): Promise<string> {
  const storage = storageOf(host)
  if (storage.isHeld(parentPath) || mountedAt(host, parentPath) !== undefined) {
    throw fileTrouble(host, 'open', parentPath, 'inUse')
  }
  const [, stem = parentPath] = CHILD_NAME.exec(parentPath) ?? []
  const format = extensionOf(parentPath).endsWith('x') ? 'vhdx' : 'vhd'
  const path = `${stem}_${host.random.guid()}.a${format}`
  await createImage(host, { path, format, type: 'differencing', parentPath, isAutomatic: true })
  return path
}

/** A configuration with other files in its drives where `other` knows one. */
function withDisks(configuration: Configuration, other: (path: string) => string | undefined): Configuration {
  const resources = configuration.resources.map(settings => {
    const path = diskOf(settings)
    const instead = path === undefined ? undefined : other(path)
    return instead === undefined ? settings : withValues(settings, { HostResource: [instead] })
  })
  return { ...configuration, resources }
}

/** Takes files away, those that are gone already among them. */
export async function removeFiles(host: Host, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const entry = storageOf(host).files.find(path)
    if (entry !== undefined) await unlink(entry.file).catch(() => undefined)
  }
}

/** What lies in the files of a machine: which is the child of which, and which are in a configuration. */
interface Tree {
  readonly paths: ReadonlyMap<string, string>
  readonly parents: ReadonlyMap<string, string>
  readonly needed: ReadonlySet<string>
}

/**
 * Cleans up after snapshots that are gone. Of the files that snapshots made, those that nothing needs are removed; one
 * whose parent nothing else needs is merged into it. `loose` are files that were needed until now. Rejects with
 * OperationError.
 */
export async function settleDisks(host: Host, vm: Vm, loose: readonly string[], watch: CopyWatch): Promise<void> {
  if (openStorage(host) === undefined) return
  for (let step = 0; step < STEPS_MAX; step++) {
    const tree = await treeOf(host, vm, loose)
    const useless = [...tree.paths].find(([key, path]) => isUseless(tree, key, path))
    if (useless !== undefined) {
      await removeFiles(host, [useless[1]])
      continue
    }
    const merge = mergeIn(tree)
    if (merge === undefined) return
    await carryOut(host, vm, merge, watch)
  }
}

async function treeOf(host: Host, vm: Vm, loose: readonly string[]): Promise<Tree> {
  const configurations = [vm.configuration, ...vm.snapshots.map(({ configuration }) => configuration)]
  const needed = configurations.flatMap(disksOf)
  const paths = new Map<string, string>()
  const parents = new Map<string, string>()
  for (const start of [...needed, ...loose]) {
    if (storageOf(host).files.find(start) === undefined) continue
    const chain = await pathsOfChain(host, start)
    for (const [place, path] of chain.entries()) {
      const parent = chain[place + 1]
      paths.set(sameFileKey(path), path)
      if (parent !== undefined) parents.set(sameFileKey(path), sameFileKey(parent))
    }
  }
  return { paths, parents, needed: new Set(needed.map(sameFileKey)) }
}

const childrenIn = ({ parents }: Tree, key: string): string[] =>
  [...parents].flatMap(([child, parent]) => (parent === key ? [child] : []))

function isUseless(tree: Tree, key: string, path: string): boolean {
  return AUTOMATIC.test(path) && !tree.needed.has(key) && childrenIn(tree, key).length === 0
}

interface Merge {
  readonly child: string
  readonly parent: string
  /** What has the child for its parent, and will have the child's. */
  readonly grandchildren: readonly string[]
}

function mergeIn(tree: Tree): Merge | undefined {
  for (const [key, parent] of tree.paths) {
    const [only, ...others] = childrenIn(tree, key)
    if (tree.needed.has(key) || only === undefined || others.length > 0) continue
    const child = tree.paths.get(only) ?? ''
    if (!AUTOMATIC.test(child)) continue
    return { child, parent, grandchildren: childrenIn(tree, only).map(one => tree.paths.get(one) ?? '') }
  }
  return undefined
}

async function carryOut(host: Host, vm: Vm, merge: Merge, watch: CopyWatch): Promise<void> {
  const { child, parent, grandchildren } = merge
  // A machine may run on them: it goes on with the parent.
  const letGo = storageOf(host).hold([child, parent, ...grandchildren])
  if (letGo === undefined || mountedAt(host, parent) !== undefined || mountedAt(host, child) !== undefined) {
    letGo?.()
    throw fileTrouble(host, 'merge', child, 'inUse')
  }
  try {
    await mergeImage(host, child, parent, watch)
    for (const grandchild of grandchildren) await setParent(host, grandchild, parent, true)
  } finally {
    letGo()
  }
  const instead = (path: string): string | undefined => (sameFileKey(path) === sameFileKey(child) ? parent : undefined)
  vm.configuration = withDisks(vm.configuration, instead)
  vm.snapshots = vm.snapshots.map(one => ({ ...one, configuration: withDisks(one.configuration, instead) }))
  host.touch()
}
