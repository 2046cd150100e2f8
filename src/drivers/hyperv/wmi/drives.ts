import { anyOf, like, objectPath, reference, wql, wqlName } from '../../../protocols/wsman/index.ts'
import { DriverError } from '../../driver.ts'
import type { Drive, DriveBackEnd, NewDrive, NewMedium, Storage } from '../drive-back-end.ts'
import { hostDiskNumber } from '../images.ts'
import { placeKey } from '../places.ts'
import { componentsOf } from './components.ts'
import { type DriveFace, type NewPart, scsiController } from './drive-words.ts'
import { hostNameOf, type Link } from './link.ts'
import { imageKindOf, storageAmong } from './storage.ts'

const RESOURCE = 'Msvm_ResourceAllocationSettingData'
const HOST_DISK = 'Msvm_DiskDrive'
/** Up to how many machines are asked about by name, before all are asked about. */
const NAMED_MAX = 20

/** Drives, as a namespace has them. */
export function driveBackEnd(link: Link, face: DriveFace): DriveBackEnd {
  const { words, limitOf } = face
  const storage = async (guid: string) => storageAmong(words, await componentsOf(link, guid))
  const resources = (ids: readonly string[]) =>
    ids.map(InstanceID => reference(link.namespace, RESOURCE, { InstanceID }))
  return {
    storage,
    async addController(guid) {
      await face.add(guid, [face.partOf(scsiController(words))])
    },
    removeController: id => face.remove(machineIn(id), resources([id])),
    async addDrives(guid, drives) {
      const parts = await Promise.all(drives.map(drive => newDrive(link, face, drive)))
      const made = await face.add(
        guid,
        parts.map(part => face.partOf(part)),
      )
      const ids = made.flatMap(each => each.key('InstanceID') ?? [])
      // A call that goes on in a job cannot name what it makes.
      return ids.length === drives.length ? ids : idsAt(await storage(guid), drives)
    },
    removeDrives: ids => face.remove(machineIn(ids[0]), resources(ids)),
    async insert(guid, media) {
      await face.add(
        guid,
        media.map(medium => face.imageToAdd(newImage(link, face, medium))),
        media.map(({ path }) => path),
      )
    },
    eject(ids) {
      const images = ids.map(InstanceID => reference(link.namespace, words.imageClass, { InstanceID }))
      return face.remove(machineIn(ids[0]), images)
    },
    exchange: (id, path) => face.modify(machineIn(id), [face.imageOf(id, path)]),
    ...(limitOf !== undefined && {
      limit: (id: string, requestsMax: number) => face.modify(machineIn(id), [limitOf(id, requestsMax)]),
    }),
    savedMachines: () => savedMachines(link, face),
    writableMedia: guids => writableMedia(link, face, guids),
  }
}

async function newDrive(link: Link, { words }: DriveFace, drive: NewDrive): Promise<NewPart> {
  const { kind, controller, slot, hostDisk } = drive
  const parent = objectPath(reference(link.namespace, RESOURCE, { InstanceID: controller }), hostNameOf(link))
  if (hostDisk === undefined) return { ...words.drives[kind], parent, slot }
  return { ...words.drives.hostDisk, parent, slot, resource: await hostDiskPath(link, hostDisk) }
}

/** Source: only disks that are offline on the host are there, Microsoft Learn, "Msvm_DiskDrive". */
async function hostDiskPath(link: Link, location: string): Promise<string> {
  const query = wql`SELECT * FROM Msvm_DiskDrive WHERE DriveNumber = ${hostDiskNumber(location) ?? -1}`
  for await (const { instance, reference: disk } of link.client.enumerateNamed(query)) {
    if (instance.className === HOST_DISK) return objectPath(disk, hostNameOf(link))
  }
  throw new DriverError('refused', `the host has no disk ${location} that it gives to machines`)
}

function newImage(link: Link, { words }: DriveFace, { drive, kind, path, requestsMax }: NewMedium): NewPart {
  const parent = objectPath(reference(link.namespace, RESOURCE, { InstanceID: drive }), hostNameOf(link))
  return { ...words.images[kind], parent, resource: path, ...(requestsMax > 0 && { requestsMax }) }
}

function idsAt({ drives }: Storage, places: readonly Pick<Drive, 'controller' | 'slot'>[]): string[] {
  return places.map(place => {
    const made = drives.find(drive => placeKey(drive) === placeKey(place))
    if (made !== undefined) return made.id
    throw new DriverError('unreachable', 'the host does not show a drive that it made')
  })
}

/** The machine whose settings these are: their InstanceIDs begin with its GUID. Source: as real hosts have it. */
function machineIn(id = ''): string {
  return /^Microsoft:([0-9a-f-]{36})\\/i.exec(id)?.[1]?.toUpperCase() ?? ''
}

async function savedMachines({ client }: Link, { words }: DriveFace): Promise<readonly string[]> {
  const isSaved = anyOf(words.saved.map(state => wql`EnabledState = ${state}`))
  const rows = await client.query(wql`SELECT Name FROM Msvm_ComputerSystem WHERE ${isSaved}`)
  return rows.flatMap(row => row.string('Name')?.toUpperCase() ?? [])
}

async function writableMedia({ client }: Link, { words }: DriveFace, guids: readonly string[]) {
  const media = new Map<string, string[]>(guids.map(guid => [guid, []]))
  const { imageClass, fileIn } = words
  const rows = await client.query(imagesOf(imageClass, fileIn, guids))
  for (const row of rows) {
    const [path] = row.strings(fileIn)
    const kind = imageKindOf(words, row)
    if (path !== undefined && kind !== undefined && kind !== 'cdrom')
      media.get(machineIn(row.string('InstanceID')))?.push(path)
  }
  return media
}

function imagesOf(imageClass: string, fileIn: DriveFace['words']['fileIn'], guids: readonly string[]) {
  const all = wql`SELECT InstanceID, ResourceSubType, ${wqlName(fileIn)} FROM ${wqlName(imageClass)}`
  if (guids.length > NAMED_MAX) return all
  return wql`${all} WHERE ${anyOf(guids.map(guid => wql`InstanceID LIKE ${like`Microsoft:${guid}%`}`))}`
}
