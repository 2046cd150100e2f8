import { type DiskConfig, DriverError } from '../driver.ts'
import { isLost, LOST_MAX } from './again.ts'
import { idOfDevice } from './device-ids.ts'
import { changeDrives, type WantedDrive } from './drive-changes.ts'
import type { Drive, DriveBackEnd, Storage } from './drive-back-end.ts'
import { type Images, plainPath } from './images.ts'
import {
  hasIde,
  missingControllers,
  type Place,
  type Placed,
  type Places,
  placeDisks,
  placeKey,
  shortPlace,
} from './places.ts'
import { takeBack, type Undo } from './undo.ts'
import { isSamePath } from './windows-path.ts'

/** Of how many steps that lead to one end the answers may be lost; there are five, and each is lost a few times in a row. */
const LOST_STEPS_MAX = 5 * LOST_MAX

/** What was made of the drives of a machine. */
export interface FittedDrives {
  readonly places: Places
  readonly undo: Undo
}

/** What is to be made of them. */
export interface DrivesWanted {
  readonly disks: readonly DiskConfig[]
  /** Where those are that the machine has by an earlier definition. */
  readonly places: Places
  /** Whether a drive of somebody else is to go where no disk is to have it. */
  readonly isToGo: (id: string) => boolean
}

/** The drive that a disk of a definition has; undefined where its machine has none for it. */
export function driveOf(disk: Pick<DiskConfig, 'id'>, { drives }: Storage, places: Places): Drive | undefined {
  const place = places[disk.id]
  if (place !== undefined) return drives.find(drive => shortPlace(drive) === place)
  return drives.find(drive => idOfDevice(drive.id) === disk.id)
}

/** The drives of machines that are off. */
export class Drives {
  readonly #backEnd: DriveBackEnd
  readonly #images: Images

  constructor(backEnd: DriveBackEnd, images: Images) {
    this.#backEnd = backEnd
    this.#images = images
  }

  /**
   * Gives a machine drives for these disks in place of those of ours that it has; what somebody else has added stays.
   * Rejects as `refused` where there is no place for one, where an image is missing, or where the host refuses; then it
   * has those that it had. Gives what takes it back.
   */
  async fit(guid: string, present: Storage, wanted: DrivesWanted): Promise<FittedDrives> {
    const missing = missingControllers(wanted.disks, present)
    if (missing === 0) return this.#fit(guid, present, wanted)
    const before = new Set(present.controllers.map(({ id }) => id))
    const undo = () => this.#dropControllers(guid, before)
    try {
      await this.#addControllers(guid, before.size + missing)
      const made = await this.#fit(guid, await this.#backEnd.storage(guid), wanted)
      const undoAll = async () => {
        await made.undo()
        await undo()
      }
      return { ...made, undo: undoAll }
    } catch (error) {
      await takeBack(undo, error, 'a controller that was added remains')
      throw error
    }
  }

  async #fit(guid: string, present: Storage, { disks, places, isToGo }: DrivesWanted): Promise<FittedDrives> {
    const own = ownDrives(present, disks, places, isToGo)
    const isOwn = (drive: Drive) => own.has(drive.id)
    const find = (disk: DiskConfig) => driveOf(disk, present, places)
    const taken = present.drives.filter(drive => !isOwn(drive) && !isEmptyFloppy(drive))
    const placed = placeDisks(disks, present, find, await this.#strangers(taken, disks, present))
    const wanted = await Promise.all(placed.map(each => this.#wantedOf(each, find(each.disk))))
    const before = present.drives.filter(isOwn).map(asWanted)
    const goals = new Set([...wanted, ...before].map(placeKey))
    const isOurs = (drive: Drive) => isOwn(drive) || goals.has(placeKey(drive))
    const undo = async () => this.#reach(guid, await this.#backEnd.storage(guid), before, isOurs)
    try {
      await this.#reach(guid, present, wanted, isOurs)
    } catch (error) {
      await takeBack(undo, error, 'its drives remain changed')
      throw error
    }
    return { places: Object.fromEntries(placed.map(each => [each.disk.id, shortPlace(each)])), undo }
  }

  /** Drives of others are in the way, unless one is just what is wanted in its place: it is ours, and nobody wrote it down. */
  async #strangers(taken: readonly Drive[], disks: readonly DiskConfig[], present: Storage): Promise<readonly Drive[]> {
    const placed = placeDisks(disks, present, () => undefined, [])
    const twins = await Promise.all(
      taken.map(async drive => {
        const disk = placed.find(each => placeKey(each) === placeKey(drive))?.disk
        return disk !== undefined && (await this.#holds(drive, disk))
      }),
    )
    return taken.filter((_, index) => twins[index] !== true)
  }

  /** Whether a drive is of the kind of a disk, and has its volume in it. */
  async #holds(drive: Drive, { kind = 'disk', location }: DiskConfig): Promise<boolean> {
    if (drive.kind !== kind) return false
    const path = drive.medium?.path ?? ''
    return isSamePath(path, location) || isSamePath(await this.#images.volumeOf(path), location)
  }

  /** Where a snapshot has put an image before the volume of a disk, that image is what the disk is to go on with. */
  async #wantedOf({ disk, controller, slot }: Placed, drive: Drive | undefined): Promise<WantedDrive> {
    const { kind = 'disk', location, limits } = disk
    const requestsMax = limits?.requests?.perSecond ?? 0
    const present = drive?.medium?.path
    const isKept = present !== undefined && drive !== undefined && (await this.#holds(drive, disk))
    return { kind, controller, slot, path: isKept ? present : plainPath(location), requestsMax }
  }

  /** Where an answer is lost, what the machine has tells what is left to do. */
  async #reach(guid: string, from: Storage, wanted: readonly WantedDrive[], isOurs: (drive: Drive) => boolean) {
    let present = from
    for (let left = LOST_STEPS_MAX; ; left--) {
      try {
        return await changeDrives(this.#backEnd, guid, present, wanted, isOurs)
      } catch (error) {
        if (left === 0 || !isLost(error)) throw error
        present = await this.#backEnd.storage(guid)
      }
    }
  }

  /** Puts a drive into a machine that runs, or something else into a drive; gives what takes it back. */
  async plug(guid: string, present: Storage, place: Place, disk: DiskConfig): Promise<Undo> {
    const { controller, slot } = place
    const { kind = 'disk', location, limits } = disk
    const requestsMax = limits?.requests?.perSecond ?? 0
    return this.#alter(guid, present, place, [{ kind, controller, slot, path: plainPath(location), requestsMax }])
  }

  /** Limits the requests of what is in the drive of a machine that runs; 0 is no limit. Gives what takes it back. */
  async limit(guid: string, present: Storage, drive: Drive, requestsMax: number): Promise<Undo> {
    return this.#alter(guid, present, drive, [{ ...asWanted(drive), requestsMax }])
  }

  /** Takes a drive out of a machine that runs; gives what takes it back. */
  async pull(guid: string, present: Storage, drive: Drive): Promise<Undo> {
    return this.#alter(guid, present, drive, [])
  }

  /** Makes of the drive at one place what is wanted. */
  async #alter(guid: string, present: Storage, place: Place, wanted: readonly WantedDrive[]): Promise<Undo> {
    const isThere = (other: Place) => placeKey(other) === placeKey(place)
    const before = present.drives.filter(isThere).map(asWanted)
    const undo = async () => this.#reach(guid, await this.#backEnd.storage(guid), before, isThere)
    try {
      await this.#reach(guid, present, wanted, isThere)
    } catch (error) {
      await takeBack(undo, error, 'a drive remains changed')
      throw error
    }
    return undo
  }

  /** Adds controllers until there are so many. */
  async #addControllers(guid: string, count: number): Promise<void> {
    for (let left = LOST_MAX; ; left--) {
      try {
        const { controllers } = await this.#backEnd.storage(guid)
        for (let have = controllers.length; have < count; have++) await this.#backEnd.addController(guid)
        return
      } catch (error) {
        if (left === 0 || !isLost(error)) throw error
      }
    }
  }

  async #dropControllers(guid: string, before: ReadonlySet<string>): Promise<void> {
    const { controllers } = await this.#backEnd.storage(guid)
    for (const { id } of controllers) if (!before.has(id)) await this.#backEnd.removeController(id)
  }
}

/** The drives that a definition decides about: those that it names, those it once named, and those that are to go. */
function ownDrives(present: Storage, disks: readonly DiskConfig[], places: Places, isToGo: (id: string) => boolean) {
  const named = disks.flatMap(disk => driveOf(disk, present, places) ?? [])
  const recorded = new Set(Object.values(places))
  const others = present.drives.filter(drive => recorded.has(shortPlace(drive)) || isToGo(idOfDevice(drive.id)))
  return new Set([...named, ...others].map(({ id }) => id))
}

/** Every machine of the first generation has one from the beginning. */
export const isEmptyFloppy = ({ kind, medium }: Drive): boolean => kind === 'floppy' && (medium?.path ?? '') === ''

function asWanted({ kind, controller, slot, medium }: Drive): WantedDrive {
  return { kind, controller, slot, path: medium?.path ?? '', requestsMax: medium?.requestsMax ?? 0 }
}

/**
 * The place of a drive that is to be plugged into a machine that runs, which has these disks. Throws DriverError, `refused`,
 * where it can have none.
 */
export function placeOfPlug(disk: DiskConfig, storage: Storage, disks: readonly DiskConfig[]): Place {
  const { kind = 'disk', bus, device } = disk
  if (kind === 'floppy') {
    const drive = storage.drives.find(isEmptyFloppy)
    if (drive !== undefined && !disks.some(other => other.kind === 'floppy')) return drive
    throw new DriverError('refused', 'the machine has no diskette drive that is free')
  }
  if (hasIde(storage) && (kind === 'cdrom' || bus === 'emulated')) {
    throw new DriverError('refused', `${device} would be on IDE, which takes no drive while the machine runs`)
  }
  const controllers = storage.controllers.filter(each => each.bus === 'scsi')
  if (controllers.length === 0) {
    throw new DriverError('refused', 'the machine has no controller of SCSI, and none is added while it runs')
  }
  const [placed] = placeDisks([disk], { ...storage, controllers }, () => undefined, storage.drives)
  if (placed === undefined) throw new DriverError('refused', 'the machine has no free place for a disk')
  return placed
}
