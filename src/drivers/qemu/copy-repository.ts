import { type BigIntStats, linkSync, lstatSync, rmSync } from 'node:fs'
import { rmdir } from 'node:fs/promises'
import { dirname, join, parse } from 'node:path'
import { DriverError, type OperationOptions, type Volume } from '../driver.ts'
import { baseNamed, basesBelow, type Member, readMembers } from './bases.ts'
import { copyFile } from './copy-file.ts'
import { makeFolders, syncFolder, systemCode } from './files.ts'
import type { Inventory } from './inventory.ts'
import type { StorageTools } from './storage-tools.ts'
import { assertVolumeName, inUse, readImage } from './volume.ts'

/** Where a repository is copied to, and how images are called there. */
export interface CopyTarget {
  readonly folder: string
  readonly nameOf: (name: string) => string
}

/** A file to be copied: a base keeps its name, by which the overlays know it. */
interface Item {
  readonly member: Member
  readonly before: BigIntStats
  readonly place: string
}

type Copies = readonly { readonly from: string; readonly volume: Volume }[]

/**
 * Copies images with the bases below them; see `CloneOps.copyRepository`. The source may change meanwhile, which is
 * found out and ends the copy. Copies have hidden names until all are whole.
 */
export async function copyRepository(
  tools: StorageTools,
  source: string,
  target: CopyTarget,
  options: OperationOptions = {},
): Promise<Copies> {
  const { folders, inventory } = tools
  const items = await folders.inOrder(source, async () => plan(await readMembers(source), target))
  assertUnwritten(inventory, items)
  if (options.signal?.aborted === true) throw refused(`the copy of ${source} was aborted`)
  const firstMade = await makeFolders(target.folder)
  try {
    await folders.inOrder(target.folder, async () => assertEmpty(await readMembers(target.folder), target.folder))
    await folders.partials.withMany(target.folder, items.length, async partials => {
      await copyAll(tools, items, partials, options)
      await folders.inOrder(target.folder, async () => {
        assertEmpty(await readMembers(target.folder), target.folder)
        assertUnwritten(inventory, items)
        nameAll(items, partials)
      })
    })
    await syncFolder(target.folder)
    return await outcomeOf(items)
  } catch (error) {
    if (firstMade !== undefined) await removeFolders(target.folder, firstMade)
    throw error
  }
}

const refused = (message: string) => new DriverError('refused', message)

function plan(members: readonly Member[], { folder, nameOf }: CopyTarget): Item[] {
  const images = members.filter(({ kind }) => kind === 'image')
  const bases = new Set(images.flatMap(image => basesBelow(image, members)))
  const names = new Set<string>()
  const itemOf = (member: Member, name: string): Item => ({
    member,
    before: lookAt(member),
    place: join(folder, name),
  })
  const copies = images.map(image => {
    const { name, ext } = parse(image.name)
    const copyName = nameOf(name)
    assertVolumeName(copyName)
    if (names.has(copyName)) throw refused(`two images would be called ${copyName}`)
    names.add(copyName)
    return itemOf(image, `${copyName}${ext}`)
  })
  return [...[...bases].map(base => itemOf(base, base.name)), ...copies]
}

const lookAt = ({ path }: Member): BigIntStats => lstatSync(path, { bigint: true })

function assertEmpty(members: readonly Member[], folder: string): void {
  if (members.length > 0) throw refused(`${folder} is not empty`)
}

function assertUnwritten(inventory: Inventory, items: readonly Item[]): void {
  for (const { member, before } of items) {
    const writer = member.kind === 'base' ? undefined : inventory.all().find(domain => domain.images.writes(member.key))
    if (writer !== undefined) throw inUse(member.path)
    const now = lstatSync(member.path, { bigint: true, throwIfNoEntry: false })
    const isSame = now?.ino === before.ino && now.mtimeNs === before.mtimeNs && now.size === before.size
    if (!isSame) throw new DriverError('bad-state', `${member.path} changed while it was copied`)
  }
}

async function copyAll(
  { qemuImg }: StorageTools,
  items: readonly Item[],
  partials: readonly string[],
  { signal, onProgress }: OperationOptions,
): Promise<void> {
  const whole = Math.max(
    1,
    items.reduce((sum, { before }) => sum + Number(before.blocks), 0),
  )
  let done = 0
  for (const [index, { member, before }] of items.entries()) {
    const blocks = Number(before.blocks)
    const tell = (share: number) => onProgress?.((done + share * blocks) / whole)
    const options = { onProgress: tell, ...(signal && { signal }) }
    const partial = partials[index] ?? ''
    // An image over one that is not ours would not find it there.
    const isForeign = member.base === undefined && member.backing !== undefined
    await (isForeign ? qemuImg.flatten(member.path, partial, options) : copyFile(member.path, partial, options))
    done += blocks
    tell(0)
  }
}

/** All in one go, or none. */
function nameAll(items: readonly Item[], partials: readonly string[]): void {
  const named: string[] = []
  try {
    for (const [index, { place }] of items.entries()) {
      linkSync(partials[index] ?? '', place)
      named.push(place)
    }
  } catch (error) {
    for (const place of named) rmSync(place, { force: true })
    throw error
  }
}

async function outcomeOf(items: readonly Item[]): Promise<Copies> {
  const copies = items.filter(({ member }) => baseNamed(member.name) === undefined)
  return Promise.all(
    copies.map(async ({ member, place }) => ({ from: member.path, volume: (await readImage(place)).volume })),
  )
}

/** The folders that were not there before, from the innermost to the first that was made. */
async function removeFolders(innermost: string, firstMade: string): Promise<void> {
  try {
    for (let folder = innermost; ; folder = dirname(folder)) {
      await rmdir(folder)
      if (folder === firstMade || folder === dirname(folder)) return
    }
  } catch (error) {
    // Something else is in it by now, and stays.
    if (systemCode(error) !== 'ENOTEMPTY') throw error
  }
}
