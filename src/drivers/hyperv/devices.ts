import type { DeviceOps, DiskConfig, DomainConfig, DomainId, NicConfig } from '../driver.ts'
import { DriverError } from '../driver.ts'
import type { Adapters } from './adapters.ts'
import { adapterOf } from './adapters.ts'
import type { BackEnd, Hardware } from './back-end.ts'
import { definitionOf } from './definition.ts'
import { MTU } from './described-devices.ts'
import type { DeviceSources } from './device-definitions.ts'
import type { Directory, Entry } from './directory.ts'
import { unmetOfDisk } from './disk-demands.ts'
import { type Drives, driveOf, placeOfPlug } from './drives.ts'
import type { Events } from './events.ts'
import type { Gate } from './gate.ts'
import type { Locks } from './locks.ts'
import { writeNotes } from './note.ts'
import { hasIde, type Places, shortPlace } from './places.ts'
import { megabytesOf } from './quantities.ts'
import type { Rivals } from './rivals.ts'
import { assertState } from './states.ts'
import { takeBack, type Undo } from './undo.ts'
import { isSamePath } from './windows-path.ts'

/** From Windows Server 2016 on, memory and adapters of machines that run can be changed. Source: Microsoft Learn, "What's new in Hyper-V". */
const LIVE_FROM_BUILD = 14_393

/** What the group needs of a connection. */
export interface DeviceParts extends DeviceSources {
  readonly backEnd: BackEnd
  readonly directory: Directory
  readonly events: Events
  readonly locks: Locks
  readonly adapters: Adapters
  readonly drives: Drives
  readonly rivals: Rivals
  /** Of Windows. */
  readonly build: number
}

/** A machine that runs, with what it has and how it is defined. */
interface Living {
  readonly guid: string
  readonly hardware: Hardware
  readonly config: DomainConfig
  readonly places: Places
}

/** What has become of a machine: how it is defined now, and what takes the change back. */
interface Altered {
  readonly config: DomainConfig
  readonly places?: Places
  readonly undo: Undo
}

type Change = (living: Living) => Promise<Altered>

/** Devices of machines that run or are paused. */
export function deviceOps(parts: DeviceParts, gate: Gate): DeviceOps {
  const alter = (id: DomainId, change: Change) =>
    gate.pass(() => parts.locks.run(id, () => alterLiving(parts, id, change)))
  return {
    attachDisk(id, disk) {
      const kept = structuredClone(disk)
      return alter(id, living => attachDisk(parts, living, kept))
    },
    detachDisk: (id, disk) => alter(id, living => detachDisk(parts, living, disk)),
    changeMedium: (id, drive, medium) =>
      alter(id, living => changeMedium(parts, living, drive, medium ?? { location: '' })),
    attachNic(id, nic) {
      const kept = structuredClone(nic)
      return alter(id, living => attachNic(parts, living, kept))
    },
    detachNic: (id, nic) => alter(id, living => detachNic(parts, living, nic)),
    connectNic: (id, nic, network) => alter(id, living => connectNic(parts, living, nic, network)),
    setMemoryTarget: (id, bytes) => alter(id, living => setMemoryTarget(parts, living, bytes)),
  }
}

/** Changes the living machine, then what is written down of it; what fails is taken back. */
async function alterLiving(parts: DeviceParts, id: DomainId, change: Change): Promise<void> {
  const { backEnd, directory, events } = parts
  const entry = await directory.get(id)
  assertState(entry, 'change the devices of', ['running', 'paused'])
  const { note, machine } = entry
  const hardware = await backEnd.hardware(machine.guid)
  const config = await definitionOf(parts, entry, hardware)
  const places = placesNow(hardware, note?.places ?? {})
  const altered = await change({ guid: machine.guid, hardware, config, places })
  try {
    await writeDown(backEnd, entry, altered.config, altered.places ?? places)
  } catch (error) {
    await takeBack(altered.undo, error, 'the machine remains changed')
    throw error
  }
  events.saw(entry)
}

/** Of drives that somebody has taken away, nothing is to be known any more. */
function placesNow({ storage }: Hardware, places: Places): Places {
  const present = new Set(storage.drives.map(shortPlace))
  return Object.fromEntries(Object.entries(places).filter(([, place]) => present.has(place)))
}

async function writeDown(backEnd: BackEnd, { id, machine, note }: Entry, config: DomainConfig, places: Places) {
  const isPending = note?.isPending ?? false
  await backEnd.change(machine.guid, { notes: writeNotes({ id, guid: machine.guid, isPending, config, places }) })
}

async function attachDisk(
  parts: DeviceParts,
  { guid, hardware, config, places }: Living,
  disk: DiskConfig,
): Promise<Altered> {
  const { storage } = hardware
  if (config.disks.some(({ id }) => id === disk.id) || driveOf(disk, storage, places) !== undefined) {
    throw refused(`the domain has a disk ${disk.id} already`)
  }
  const unmet = unmetOfDisk(disk, parts.build)
  if (unmet !== undefined) throw refused(unmet)
  const twin = storage.drives.find(
    ({ medium }) => disk.location !== '' && isSamePath(medium?.path ?? '', disk.location),
  )
  if (twin !== undefined) throw refused(`the domain has ${disk.location} in another drive`)
  const place = placeOfPlug(disk, storage, config.disks)
  await parts.rivals.assertNone(guid, [disk])
  const undo = await parts.drives.plug(guid, storage, place, disk)
  return {
    config: { ...config, disks: [...config.disks, disk] },
    places: { ...places, [disk.id]: shortPlace(place) },
    undo,
  }
}

async function detachDisk(
  parts: DeviceParts,
  { guid, hardware, config, places }: Living,
  id: string,
): Promise<Altered> {
  const { storage } = hardware
  const drive = driveOf({ id }, storage, places)
  if (drive === undefined) throw missing('disk', id)
  if (storage.controllers.find(each => each.id === drive.controller)?.bus === 'ide') {
    const { device = id } = config.disks.find(disk => disk.id === id) ?? {}
    throw refused(`${device} is on IDE, whose drives stay in a machine while it runs`)
  }
  const undo = await parts.drives.pull(guid, storage, drive)
  const { [id]: _place, ...left } = places
  return { config: { ...config, disks: config.disks.filter(disk => disk.id !== id) }, places: left, undo }
}

type NewMedium = Pick<DiskConfig, 'location'> & Partial<Pick<DiskConfig, 'format'>>

async function changeMedium(parts: DeviceParts, living: Living, id: string, medium: NewMedium): Promise<Altered> {
  const { guid, hardware, config, places } = living
  const drive = driveOf({ id }, hardware.storage, places)
  const disk = config.disks.find(each => each.id === id)
  if (drive === undefined || disk === undefined) throw missing('drive', id)
  if (drive.kind === 'disk') throw refused(`${disk.device} is no drive for media`)
  const changed = { ...disk, ...medium }
  const unmet = unmetOfDisk(changed, parts.build)
  if (unmet !== undefined) throw refused(unmet)
  await parts.rivals.assertNone(guid, [changed])
  const undo = await parts.drives.plug(guid, hardware.storage, drive, changed)
  return { config: { ...config, disks: config.disks.map(each => (each === disk ? changed : each)) }, undo }
}

/** Machines of the first generation have adapters from their start on or not at all. */
function assertPlugsAdapters({ build }: DeviceParts, { storage }: Hardware): void {
  if (hasIde(storage)) throw refused('adapters stay in a machine of the first generation while it runs')
  if (build < LIVE_FROM_BUILD) throw refused('adapters stay in a machine while it runs before Windows Server 2016')
}

async function attachNic(parts: DeviceParts, { guid, hardware, config }: Living, nic: NicConfig): Promise<Altered> {
  const nics = config.nics ?? []
  if (nics.some(({ id }) => id === nic.id) || adapterOf(nic, hardware.adapters) !== undefined) {
    throw refused(`the domain has an interface ${nic.id} already`)
  }
  assertPlugsAdapters(parts, hardware)
  if (nic.mtu !== MTU) throw refused('the MTU of an interface is for its guest to choose on Hyper-V')
  const undo = await parts.adapters.plug(guid, nic)
  return { config: { ...config, nics: [...nics, nic] }, undo }
}

async function detachNic(parts: DeviceParts, { guid, hardware, config }: Living, id: string): Promise<Altered> {
  const adapter = adapterOf({ id }, hardware.adapters)
  if (adapter === undefined) throw missing('interface', id)
  assertPlugsAdapters(parts, hardware)
  const undo = await parts.adapters.pull(guid, adapter)
  return { config: { ...config, nics: (config.nics ?? []).filter(nic => nic.id !== id) }, undo }
}

async function connectNic(
  parts: DeviceParts,
  { guid, hardware, config }: Living,
  id: string,
  network: string | null,
): Promise<Altered> {
  const adapter = adapterOf({ id }, hardware.adapters)
  if (adapter === undefined) throw missing('interface', id)
  const undo = await parts.adapters.connect(guid, adapter, network)
  return {
    config: { ...config, nics: (config.nics ?? []).map(nic => (nic.id === id ? { ...nic, network } : nic)) },
    undo,
  }
}

async function setMemoryTarget(parts: DeviceParts, { hardware, config }: Living, bytes: number): Promise<Altered> {
  if (!(Number.isSafeInteger(bytes) && bytes > 0 && bytes <= config.memoryBytes)) {
    throw refused(`the domain can have more than nothing and up to ${config.memoryBytes} bytes of memory, not ${bytes}`)
  }
  const { quantities } = hardware
  const wanted = { ...quantities, memoryMb: megabytesOf(bytes) }
  const altered = { ...config, memoryTargetBytes: bytes }
  if (wanted.memoryMb === quantities.memoryMb) return { config: altered, undo: async () => {} }
  if (quantities.dynamicMemory !== undefined) throw refused('the host changes the memory of this machine by itself')
  if (parts.build < LIVE_FROM_BUILD) {
    throw refused('the memory of a machine stays as it is while it runs before Windows Server 2016')
  }
  await parts.backEnd.resize(hardware, wanted)
  const undo = () => parts.backEnd.resize({ ...hardware, quantities: wanted }, quantities)
  return { config: altered, undo }
}

const refused = (message: string) => new DriverError('refused', message)

const missing = (what: string, id: string) => new DriverError('not-found', `the domain has no ${what} ${id}`)
