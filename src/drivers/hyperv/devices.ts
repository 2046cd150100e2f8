import { withLimits } from '../disk-limits.ts'
import type { DeviceOps, DiskConfig, DiskLimits, DomainConfig, DomainId, NicConfig } from '../driver.ts'
import { DriverError } from '../driver.ts'
import { withLink } from '../link.ts'
import type { Adapters } from './adapters.ts'
import { adapterOf } from './adapters.ts'
import type { BackEnd, Hardware } from './back-end.ts'
import { definitionOf, madeOf } from './definition.ts'
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

/** A machine that runs, with what it has and is made of, and how it is defined: another way, where that waits for its next start. */
interface Living {
  readonly guid: string
  readonly hardware: Hardware
  readonly living: DomainConfig
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
  const { limit } = parts.backEnd.drives
  return {
    attachDisk(id, disk) {
      const kept = structuredClone(disk)
      return alter(id, living => attachDisk(parts, living, kept))
    },
    detachDisk: (id, disk) => alter(id, living => detachDisk(parts, living, disk)),
    changeMedium: (id, drive, medium) =>
      alter(id, living => changeMedium(parts, living, drive, medium ?? { location: '' })),
    ...(limit !== undefined && {
      limitDisk: (id: DomainId, disk: string, limits: DiskLimits | null) =>
        alter(id, living => limitDisk(parts, living, disk, structuredClone(limits))),
    }),
    attachNic(id, nic) {
      const kept = structuredClone(nic)
      return alter(id, living => attachNic(parts, living, kept))
    },
    detachNic: (id, nic) => alter(id, living => detachNic(parts, living, nic)),
    connectNic: (id, nic, network) => alter(id, living => connectNic(parts, living, nic, network)),
    setLink: (id, nic, isUp) => alter(id, living => setLink(parts, living, nic, isUp)),
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
  const living = (await madeOf(parts, entry, hardware)) ?? config
  const places = placesNow(hardware, note?.places ?? {})
  const altered = await change({ guid: machine.guid, hardware, living, config, places })
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
  const { isPending = false, madeMemoryBytes } = note ?? {}
  const { guid } = machine
  await backEnd.change(guid, { notes: writeNotes({ id, guid, isPending, config, places, madeMemoryBytes }) })
}

async function attachDisk(
  parts: DeviceParts,
  { guid, hardware, living, config, places }: Living,
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
  const place = placeOfPlug(disk, storage, living.disks)
  await parts.rivals.assertNone(guid, [disk])
  const undo = await parts.drives.plug(guid, storage, place, disk)
  return {
    config: { ...config, disks: [...config.disks, disk] },
    places: { ...places, [disk.id]: shortPlace(place) },
    undo,
  }
}

/** A disk that its definition has lost already is known as one of others. */
async function detachDisk(
  parts: DeviceParts,
  { guid, hardware, living, config, places }: Living,
  id: string,
): Promise<Altered> {
  const { storage } = hardware
  const drive = driveOf({ id }, storage, places)
  if (drive === undefined) throw missing('disk', id)
  if (storage.controllers.find(each => each.id === drive.controller)?.bus === 'ide') {
    const { device = id } = living.disks.find(disk => disk.id === id) ?? {}
    throw refused(`${device} is on IDE, whose drives stay in a machine while it runs`)
  }
  const undo = await parts.drives.pull(guid, storage, drive)
  const left = Object.fromEntries(Object.entries(places).filter(([, place]) => place !== shortPlace(drive)))
  return { config: { ...config, disks: config.disks.filter(disk => disk.id !== id) }, places: left, undo }
}

type NewMedium = Pick<DiskConfig, 'location'> & Partial<Pick<DiskConfig, 'format'>>

async function changeMedium(parts: DeviceParts, found: Living, id: string, medium: NewMedium): Promise<Altered> {
  const { guid, hardware, living, config, places } = found
  const drive = driveOf({ id }, hardware.storage, places)
  const disk = living.disks.find(each => each.id === id)
  if (drive === undefined || disk === undefined) throw missing('drive', id)
  if (drive.kind === 'disk') throw refused(`${disk.device} is no drive for media`)
  const changed = { ...disk, ...medium }
  const unmet = unmetOfDisk(changed, parts.build)
  if (unmet !== undefined) throw refused(unmet)
  await parts.rivals.assertNone(guid, [changed])
  const undo = await parts.drives.plug(guid, hardware.storage, drive, changed)
  const disks = config.disks.map(each => (each.id === id ? { ...each, ...medium } : each))
  return { config: { ...config, disks }, undo }
}

async function limitDisk(parts: DeviceParts, found: Living, id: string, limits: DiskLimits | null): Promise<Altered> {
  const { guid, hardware, living, config, places } = found
  const drive = driveOf({ id }, hardware.storage, places)
  const disk = withLimits(living.disks, id, limits).find(each => each.id === id)
  if (drive === undefined || disk === undefined) throw missing('disk', id)
  const unmet = unmetOfDisk(disk, parts.build)
  if (unmet !== undefined) throw refused(unmet)
  const undo = await parts.drives.limit(guid, hardware.storage, drive, limits?.requests?.perSecond ?? 0)
  return { config: { ...config, disks: withLimits(config.disks, id, limits) }, undo }
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

const connectNic = (parts: DeviceParts, found: Living, id: string, network: string | null) =>
  lead(parts, found, id, nic => ({ ...nic, network }))

const setLink = (parts: DeviceParts, found: Living, id: string, isUp: boolean) =>
  lead(parts, found, id, nic => withLink(nic, isUp))

/** Leads the cable of an interface where it is to lead; one without a carrier is out, for Hyper-V has no other way to say that. */
async function lead(
  parts: DeviceParts,
  { guid, hardware, living, config }: Living,
  id: string,
  change: (nic: NicConfig) => NicConfig,
): Promise<Altered> {
  const adapter = adapterOf({ id }, hardware.adapters)
  const before = living.nics?.find(nic => nic.id === id)
  if (adapter === undefined || before === undefined) throw missing('interface', id)
  const after = change(before)
  const undo = await parts.adapters.lead(guid, adapter, after)
  return { config: { ...config, nics: (config.nics ?? []).map(nic => (nic.id === id ? change(nic) : nic)) }, undo }
}

async function setMemoryTarget(
  parts: DeviceParts,
  { hardware, living, config }: Living,
  bytes: number,
): Promise<Altered> {
  if (!(Number.isSafeInteger(bytes) && bytes > 0 && bytes <= living.memoryBytes)) {
    throw refused(`the domain can have more than nothing and up to ${living.memoryBytes} bytes of memory, not ${bytes}`)
  }
  const { quantities } = hardware
  const wanted = { ...quantities, memoryMb: megabytesOf(bytes) }
  // What waits may be to have less.
  const altered = { ...config, memoryTargetBytes: Math.min(bytes, config.memoryBytes) }
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
