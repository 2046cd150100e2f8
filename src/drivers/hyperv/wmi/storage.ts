import { type CimInstance, parseObjectPath } from '../../../protocols/wsman/index.ts'
import type { Controller, Drive, DriveKind, Storage } from '../drive-back-end.ts'
import { hostDiskLocation } from '../images.ts'
import type { DriveWords } from './drive-words.ts'

const KINDS: readonly DriveKind[] = ['disk', 'cdrom', 'floppy']
const BUSES = ['ide', 'scsi', 'floppy'] as const

/** What of the parts of one machine is about disks. */
export function storageAmong(words: DriveWords, parts: readonly CimInstance[]): Storage {
  return { controllers: controllersAmong(words, parts), drives: drivesAmong(words, parts) }
}

function controllersAmong(words: DriveWords, parts: readonly CimInstance[]): Controller[] {
  const numbers = new Map<string, number>()
  return parts
    .flatMap(part => {
      const bus = BUSES.find(each => isNamed(words.controllers[each], nameOf(part)))
      return bus === undefined ? [] : [{ id: idOf(part), bus, address: part.string('Address') ?? '' }]
    })
    .toSorted((one, other) => (`${one.address} ${one.id}` < `${other.address} ${other.id}` ? -1 : 1))
    .map(({ id, bus }) => {
      const number = numbers.get(bus) ?? 0
      numbers.set(bus, number + 1)
      return { id, bus, number }
    })
}

/** What has no sub type is told by its other type. */
function nameOf(part: CimInstance): string {
  const subType = part.string('ResourceSubType') ?? ''
  return subType === '' ? (part.string('OtherResourceType') ?? '') : subType
}

function drivesAmong(words: DriveWords, parts: readonly CimInstance[]): Drive[] {
  const images = new Map(
    parts.filter(part => imageKindOf(words, part) !== undefined).map(part => [keyOf(parentOf(part)), part]),
  )
  return parts.flatMap(part => {
    const kind = driveKindOf(words, part)
    if (kind === undefined) return []
    const id = idOf(part)
    const image = images.get(keyOf(id))
    return [{ id, kind, controller: parentOf(part), slot: slotOf(words, part), medium: mediumOf(words, part, image) }]
  })
}

export function imageKindOf({ images }: DriveWords, part: CimInstance): DriveKind | undefined {
  const name = part.string('ResourceSubType') ?? ''
  return KINDS.find(kind => isNamed(images[kind].subType, name))
}

function driveKindOf({ drives }: DriveWords, part: CimInstance): DriveKind | undefined {
  const name = part.string('ResourceSubType') ?? ''
  if (isNamed(drives.hostDisk.subType, name)) return 'disk'
  return KINDS.find(kind => isNamed(drives[kind].subType, name))
}

function mediumOf(words: DriveWords, drive: CimInstance, image: CimInstance | undefined): Drive['medium'] {
  if (image !== undefined) {
    const [path = ''] = image.strings(words.fileIn)
    // An image of no file is as good as none, but for what is to be done about it.
    return { id: idOf(image), path, requestsMax: Number(image.bigint('IOPSLimit') ?? 0n) }
  }
  if (!isNamed(words.drives.hostDisk.subType, drive.string('ResourceSubType') ?? '')) return undefined
  const [path = ''] = drive.strings('HostResource')
  return { id: undefined, path: hostDiskAt(path), requestsMax: 0 }
}

/** The host's disk at a path. Source: DeviceID ends with its number, as a host of Server 2012 R2 prints it. */
function hostDiskAt(path: string): string {
  const id = parseObjectPath(path)?.keys.get('DeviceID')
  const number = /\\(\d{1,4})$/.exec(String(id ?? ''))?.[1]
  return number === undefined ? path : hostDiskLocation(Number(number))
}

const idOf = (part: CimInstance): string => part.string('InstanceID') ?? ''

/** The InstanceID of what a part is on or in. */
function parentOf(part: CimInstance): string {
  return String(parseObjectPath(part.string('Parent') ?? '')?.keys.get('InstanceID') ?? '')
}

function slotOf({ slotIn }: DriveWords, part: CimInstance): number {
  return Number(part.string(slotIn) ?? '0')
}

/** Hosts write GUIDs in either case. */
const keyOf = (id: string): string => id.toLowerCase()

const isNamed = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase()
