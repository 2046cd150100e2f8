import { randomUUID } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { DriverError, type ImageFormat } from '../driver.ts'
import { type ImageKey, keyOf } from './images.ts'
import type { Base } from './qemu-img.ts'
import { formatOf } from './image-format.ts'
import { isPartial } from './partials.ts'
import { inspect } from './volume.ts'

/**
 * Bases: what several images share. A clone freezes the present content of its original under such a hidden name beside
 * it; the original and the clone become overlays over it. Nobody writes to a base, and the last overlay takes it along.
 */
const BASE = /^\.base-[0-9a-f-]{36}\.(raw|qcow2)$/

/** A name for a base of this format that no other has. */
export const newBase = (format: ImageFormat): Base => ({ name: `.base-${randomUUID()}.${format}`, format })

/** The base that an image's header names; undefined where that is none, or not one of ours. */
export function baseNamed(backing: string | undefined): Base | undefined {
  const name = backing === undefined ? '' : basename(backing)
  const ending = BASE.exec(name)?.[1]
  return ending === undefined ? undefined : { name, format: ending === 'raw' ? 'raw' : 'qcow2' }
}

/** A second name of an overlay, after its base, by which a living QEMU opened it and may open it again at any time. */
const LIVE = /^\.live-[0-9a-f-]{36}\.qcow2$/

/** The name by which a QEMU is told of the overlay over a new base. */
export const liveName = ({ name }: Base): string =>
  name.replace(/^\.base-(.*)\.\w+$/, (_whole, id: string) => `.live-${id}.qcow2`)

/** A file of a repository that is an image, or part of one. */
export interface Member {
  readonly name: string
  readonly path: string
  readonly format: ImageFormat
  readonly key: ImageKey
  readonly kind: 'image' | 'base' | 'live' | 'partial'
  /** The image right below it, one of ours or not, as its header names it. */
  readonly backing: string | undefined
  /** The name of the base right below it. */
  readonly base: string | undefined
}

/** Images of a folder that are looked at together. */
const AT_ONCE_MAX = 32

/** The images of a folder, bases, and of `others` those that are images already. What only looks like one is left out. */
export async function readMembers(folder: string, others: readonly string[] = []): Promise<Member[]> {
  const names = (await readdir(folder)).filter(name => kindOf(name) !== 'partial')
  const all = [...names, ...others]
  const members: Member[] = []
  for (let first = 0; first < all.length; first += AT_ONCE_MAX) {
    const looks = all.slice(first, first + AT_ONCE_MAX).map(name => readMember(folder, name))
    members.push(...(await Promise.all(looks)).filter(member => member !== undefined))
  }
  return members
}

function kindOf(name: string): Member['kind'] {
  if (BASE.test(name)) return 'base'
  if (LIVE.test(name)) return 'live'
  return formatOf(name) === undefined ? 'partial' : 'image'
}

/** Whether a file of this name is an image, or part of one, whole or in work. */
export const isOfRepository = (name: string): boolean => kindOf(name) !== 'partial' || isPartial(name)

async function readMember(folder: string, name: string): Promise<Member | undefined> {
  const path = join(folder, name)
  const format = baseNamed(name)?.format ?? formatOf(name) ?? 'qcow2'
  try {
    const { stats, header } = await inspect(path, format)
    const base = baseNamed(header?.backing)?.name
    return {
      name,
      path,
      format,
      key: keyOf(stats),
      kind: kindOf(name),
      backing: header?.backing,
      base,
    }
  } catch (error) {
    // Any other failure must not pass for an image that needs no base.
    if (error instanceof DriverError) return undefined
    throw error
  }
}

/** How many bases may lie below an image. With it they are as many as are read of a guest's disk (`guest-disk/image.ts`). */
export const BASES_MAX = 31

/** How many bases lie below an image, as far as they may. */
export async function countBases({ location }: { readonly location: string }, backing: string | undefined) {
  let count = 0
  for (let base = baseNamed(backing); base !== undefined && count < BASES_MAX; count++) {
    const { header } = await inspect(join(dirname(location), base.name), base.format)
    base = baseNamed(header?.backing)
  }
  return count
}

/** Removes the bases that no image needs, directly or through others. */
export async function sweepBases(folder: string, members: readonly Member[]): Promise<void> {
  const byName = new Map(members.map(member => [member.name, member]))
  const needed = new Set<string>()
  for (const member of members.filter(({ kind }) => kind !== 'base')) {
    let base = member.base
    while (base !== undefined && !needed.has(base)) {
      needed.add(base)
      base = byName.get(base)?.base
    }
  }
  const orphans = members.filter(({ kind, name }) => kind === 'base' && !needed.has(name))
  for (const { name } of orphans) await rm(join(folder, name), { force: true })
}

/** The bases below an image, the nearest first. */
export function basesBelow(member: Member, members: readonly Member[]): Member[] {
  const below: Member[] = []
  for (let next: Member | undefined = member; next !== undefined && below.length <= members.length; ) {
    const name: string | undefined = next.base
    next = members.find(other => other.name === name)
    if (next !== undefined) below.push(next)
  }
  return below
}
