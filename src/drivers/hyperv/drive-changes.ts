import type { Drive, DriveBackEnd, NewDrive, NewMedium, Storage } from './drive-back-end.ts'
import { hostDiskNumber } from './images.ts'
import { type Place, placeKey } from './places.ts'
import { isSamePath } from './windows-path.ts'

/** A drive as it is to be. */
export interface WantedDrive extends Place {
  readonly kind: Drive['kind']
  /** Of what is to lie in it; empty for nothing. */
  readonly path: string
  /** 0 without a limit. */
  readonly requestsMax: number
}

/** What is to be done to a machine, each step in one call. */
interface Changes {
  readonly eject: readonly string[]
  readonly remove: readonly string[]
  readonly exchange: readonly { readonly medium: string; readonly path: string }[]
  readonly limit: readonly { readonly medium: string; readonly requestsMax: number }[]
  readonly add: readonly NewDrive[]
  /** Into drives that are there, or that `add` makes, by their places. */
  readonly insert: readonly WantedDrive[]
}

/** What makes of the drives that a machine has those that it is to have; `isOurs` are those that may be touched. */
function changesOf(present: Storage, wanted: readonly WantedDrive[], isOurs: (drive: Drive) => boolean): Changes {
  const [eject, remove, insert]: [string[], string[], WantedDrive[]] = [[], [], []]
  const [exchange, limit]: [Changes['exchange'][number][], Changes['limit'][number][]] = [[], []]
  const left = new Map(wanted.map(each => [placeKey(each), each]))
  for (const drive of present.drives.filter(isOurs)) {
    const goal = left.get(placeKey(drive))
    const isFixed = present.controllers.find(({ id }) => id === drive.controller)?.bus === 'floppy'
    if (!isFixed && (goal === undefined || !isAlike(drive, goal))) {
      if (drive.medium?.id !== undefined) eject.push(drive.medium.id)
      remove.push(drive.id)
      continue
    }
    if (goal !== undefined) left.delete(placeKey(drive))
    const path = goal?.path ?? ''
    const { medium } = drive
    if (isSamePath(medium?.path ?? '', path)) {
      const { requestsMax = 0 } = goal ?? {}
      const isOther = medium?.id !== undefined && medium.requestsMax !== requestsMax
      if (isOther) limit.push({ medium: medium.id, requestsMax })
      continue
    }
    // A hard disk is taken out first: two drives may be about to change their images with one another.
    const isExchange = medium?.id !== undefined && path !== '' && drive.kind !== 'disk'
    if (isExchange) exchange.push({ medium: medium.id, path })
    else if (medium?.id !== undefined) eject.push(medium.id)
    if (!isExchange && goal !== undefined && path !== '') insert.push(goal)
  }
  const add = [...left.values()].map(newDrive)
  const filled = [...left.values()].filter(({ path }) => path !== '' && hostDiskNumber(path) === undefined)
  return { eject, remove, exchange, limit, add, insert: [...insert, ...filled] }
}

function newDrive({ kind, controller, slot, path }: WantedDrive): NewDrive {
  return { kind, controller, slot, ...(hostDiskNumber(path) !== undefined && { hostDisk: path }) }
}

/** A drive that passes on a disk of the host passes on no other, and takes no image. */
function isAlike(drive: Drive, { kind, path }: WantedDrive): boolean {
  if (drive.kind !== kind) return false
  const present = drive.medium?.path ?? ''
  const isHostDisk = hostDiskNumber(present) !== undefined || hostDiskNumber(path) !== undefined
  return !isHostDisk || isSamePath(present, path)
}

/** Does to a machine what its drives need to be as they are wanted. */
export async function changeDrives(
  backEnd: DriveBackEnd,
  guid: string,
  present: Storage,
  wanted: readonly WantedDrive[],
  isOurs: (drive: Drive) => boolean,
): Promise<void> {
  const { eject, remove, exchange, limit, add, insert } = changesOf(present, wanted, isOurs)
  if (eject.length > 0) await backEnd.eject(eject)
  if (remove.length > 0) await backEnd.removeDrives(remove)
  for (const { medium, path } of exchange) await backEnd.exchange(medium, path)
  for (const { medium, requestsMax } of limit) await backEnd.limit?.(medium, requestsMax)
  const ids = add.length > 0 ? await backEnd.addDrives(guid, add) : []
  const drives = new Map(present.drives.map(drive => [placeKey(drive), drive.id]))
  for (const [index, place] of add.entries()) drives.set(placeKey(place), ids[index] ?? '')
  const media: NewMedium[] = insert.map(one => ({
    drive: drives.get(placeKey(one)) ?? '',
    kind: one.kind,
    path: one.path,
    requestsMax: one.requestsMax,
  }))
  if (media.length > 0) await backEnd.insert(guid, media)
}
