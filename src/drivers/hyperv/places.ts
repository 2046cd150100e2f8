import { type DiskConfig, DriverError } from '../driver.ts'
import type { Controller, Drive, Storage } from './drive-back-end.ts'

/** Where a drive is: a slot of a controller. */
export interface Place {
  /** The id of the controller. */
  readonly controller: string
  readonly slot: number
}

/** Where disks of a definition are in its machine, by their ids: what `shortPlace` says of each. */
export type Places = Readonly<Record<string, string>>

/** A disk of a definition, and where it is to be. */
export interface Placed extends Place {
  readonly disk: DiskConfig
}

const IDE_SLOTS = 2
const SCSI_SLOTS = 64
/** How many controllers of SCSI a machine may have. Source: Microsoft Learn, "Plan for Hyper-V scalability". */
export const SCSI_CONTROLLERS_MAX = 4

/** The places of the four IDE drives that have names. Source: "New features for Hyper-V driver" §3.1.4. */
const IDE_NAMES: Readonly<Record<string, readonly [number: number, slot: number]>> = {
  hda: [0, 0],
  hdb: [0, 1],
  hdc: [1, 0],
  hdd: [1, 1],
}

/** The same for each place, whatever the case in which a host writes GUIDs. */
export const placeKey = ({ controller, slot }: Place): string => `${controller}\\${slot}`.toLowerCase()

/** What a definition says of places of its machine, without the GUID that all of them begin with. */
export const shortPlace = (place: Place): string => placeKey(place).replace(/^microsoft:[0-9a-f-]{36}\\/, '')

/** Machines of the first generation have IDE, and boot from nothing else. */
export const hasIde = ({ controllers }: Storage): boolean => controllers.some(({ bus }) => bus === 'ide')

/** How many controllers of SCSI these disks need beside those that there are. */
export function missingControllers(disks: readonly DiskConfig[], storage: Storage): number {
  const present = storage.controllers.filter(({ bus }) => bus === 'scsi').length
  const many = disks.filter(disk => isForScsi(disk, hasIde(storage))).length
  // One from the beginning, since none can be added to a machine that runs, and a disk then needs one.
  const wanted = Math.max(1, Math.ceil(many / SCSI_SLOTS))
  return Math.max(0, Math.min(wanted, SCSI_CONTROLLERS_MAX) - present)
}

/** CDs are on IDE where there is one: a machine of the first generation takes them nowhere else. */
function isForScsi({ kind = 'disk', bus }: DiskConfig, isWithIde: boolean): boolean {
  if (kind === 'floppy') return false
  return !isWithIde || (kind === 'disk' && bus === 'paravirtualised')
}

/**
 * Where each disk is to be. One that has a drive already (`driveOf`) stays there, if its definition lets it; one that is
 * the first by its name is where firmware boots from. `taken` are drives that stay where they are. Throws DriverError,
 * `refused`, where there is no place for one.
 */
export function placeDisks(
  disks: readonly DiskConfig[],
  storage: Storage,
  driveOf: (disk: DiskConfig) => Drive | undefined,
  taken: readonly Drive[],
): Placed[] {
  const used = new Set(taken.map(placeKey))
  const placed = new Map<DiskConfig, Place>()
  const take = (disk: DiskConfig, places: readonly Place[]): boolean => {
    const place = places.find(each => !used.has(placeKey(each)))
    if (place === undefined) return false
    used.add(placeKey(place))
    placed.set(disk, place)
    return true
  }
  // Who must be somewhere comes first, then who is somewhere, then who is the first of all.
  for (const disk of disks) {
    const fixed = fixedPlaces(disk, storage)
    if (fixed !== undefined && !take(disk, fixed)) throw noPlace(disk)
  }
  for (const choose of [here, atFront, anywhere]) {
    for (const disk of disks) if (!placed.has(disk)) take(disk, choose(disk, storage, driveOf(disk)))
  }
  return disks.map(disk => {
    const place = placed.get(disk)
    if (place === undefined) throw noPlace(disk)
    return { ...place, disk }
  })
}

function noPlace({ device, kind = 'disk', bus }: DiskConfig): DriverError {
  return new DriverError('refused', `the machine has no free place for the ${kind} ${device} (${bus})`)
}

/** The only places that a disk may be at; undefined where it may be at several. */
function fixedPlaces({ device, kind, bus }: DiskConfig, storage: Storage): Place[] | undefined {
  if (kind === 'floppy') return slotsOf(storage, 'floppy', 1)
  const name = IDE_NAMES[device]
  if (name === undefined || !hasIde(storage) || (kind !== 'cdrom' && bus !== 'emulated')) return undefined
  return slotsOf(storage, 'ide', IDE_SLOTS).filter(({ controller, slot }) => {
    return slot === name[1] && storage.controllers.find(({ id }) => id === controller)?.number === name[0]
  })
}

type Choose = (disk: DiskConfig, storage: Storage, drive: Drive | undefined) => Place[]

const here: Choose = (disk, storage, drive) => {
  if (drive === undefined) return []
  const bus = storage.controllers.find(({ id }) => id === drive.controller)?.bus
  const isFront = bus === 'ide' && isFirst(disk)
  return bus === (isForScsi(disk, hasIde(storage)) ? 'scsi' : 'ide') || isFront ? [drive] : []
}

/** A machine of the first generation boots from IDE alone; guests that know Hyper-V speak to its disks there as to others. */
const atFront: Choose = (disk, storage) => (isFirst(disk) ? slotsOf(storage, 'ide', IDE_SLOTS).slice(0, 1) : [])

const anywhere: Choose = (disk, storage) => {
  if (!isForScsi(disk, hasIde(storage))) return slotsOf(storage, 'ide', IDE_SLOTS)
  const slots = slotsOf(storage, 'scsi', SCSI_SLOTS)
  return [...slots.slice(letterOf(disk)), ...slots]
}

const isFirst = (disk: DiskConfig): boolean => (disk.kind ?? 'disk') === 'disk' && letterOf(disk) === 0

/** Of names such as `xvdb`, 1; of others a number that is nobody's. */
function letterOf({ device }: DiskConfig): number {
  const letter = /^(?:hd|sd|vd|xvd)([a-z])$/.exec(device)?.[1]
  return letter === undefined ? SCSI_SLOTS * SCSI_CONTROLLERS_MAX : letter.charCodeAt(0) - 'a'.charCodeAt(0)
}

/** All slots of the controllers of one bus, in order. */
function slotsOf({ controllers }: Storage, bus: Controller['bus'], count: number): Place[] {
  return controllers
    .filter(each => each.bus === bus)
    .toSorted((one, other) => one.number - other.number)
    .flatMap(({ id }) => Array.from({ length: count }, (_, slot) => ({ controller: id, slot })))
}

/** What a drive is called that nobody has named: by its place. */
export function deviceName(drive: Drive, { controllers }: Storage): string {
  const { bus, number } = controllers.find(({ id }) => id === drive.controller) ?? { bus: 'scsi', number: 0 }
  if (bus === 'floppy') return 'fda'
  if (bus === 'ide') return `hd${lettersOf(number * IDE_SLOTS + drive.slot)}`
  return `sd${lettersOf(number * SCSI_SLOTS + drive.slot)}`
}

/** a to z, then aa and so on. */
function lettersOf(index: number): string {
  const letter = String.fromCharCode('a'.charCodeAt(0) + (index % 26))
  return index < 26 ? letter : `${lettersOf(Math.floor(index / 26) - 1)}${letter}`
}
