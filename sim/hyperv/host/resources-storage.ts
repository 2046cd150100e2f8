import type { CimValue } from '../cim/model.ts'
import { Wbem, WmiError } from '../cim/provider.ts'
import { isList } from '../cim/value.ts'
import type { Host } from './host.ts'
import type { Settings } from './model.ts'
import { type OperationError, Return } from './operation-error.ts'
import { type Draft, type Given, type ResourceContext, refusal } from './resources-context.ts'
import { newSettings, parentGiven, parentPath, textGiven, textsGiven } from './resources-given.ts'
import { imageId, sameId } from './resources-ids.ts'
import { checkImage, isActive } from './resources-images.ts'
import type { KindName } from './resources-kinds.ts'
import { keyIn } from './resources-references.ts'
import { idOf, kindOf, type Values, withValues } from './resources-settings.ts'
import type { Reason } from './resources-texts.ts'
import { generationOf, textsIn } from './settings.ts'
import {
  CONTROLLERS,
  type ControllerKind,
  childrenOf,
  controllerId,
  driveId,
  freeSlot,
  HOLDERS,
  isController,
  slotNamed,
  TAKERS,
  usedSlots,
} from './slots.ts'

const no = (context: ResourceContext, draft: Draft, kind: KindName, reason: Reason, code?: number): OperationError =>
  refusal(context.host, draft.owner, { doing: 'add', kind, reason, code })

const noChange = (context: ResourceContext, draft: Draft, kind: KindName, reason: Reason, code?: number) =>
  refusal(context.host, draft.owner, { doing: 'modify', kind, reason, code })

/** Adds a controller of SCSI or of persistent memory. */
export function addController(context: ResourceContext, draft: Draft, kind: KindName, given: Given): Settings {
  if (!isController(kind)) throw no(context, draft, kind, 'fixed')
  const { host } = context
  const { configuration, vm, id } = draft.owner
  if (kind === 'pmemController' && generationOf(configuration) === 1) throw no(context, draft, kind, 'generation')
  if (vm.power !== 'off') throw no(context, draft, kind, 'state', Return.invalidState)
  const present = draft.resources.filter(one => kindOf(one, host.state.build) === kind)
  if (present.length >= CONTROLLERS[kind].most) throw no(context, draft, kind, 'tooMany')
  const named = textsGiven(given, 'VirtualSystemIdentifiers')
  return newSettings(context, kind, given, {
    InstanceID: controllerId(id, host.random.guid()),
    Parent: null,
    VirtualSystemIdentifiers: named ?? [`{${host.random.guid().toLowerCase()}}`],
  })
}

/** Adds a drive to a controller. */
export function addDrive(context: ResourceContext, draft: Draft, kind: KindName, given: Given): Settings {
  const { controller, slot } = placeOfDrive(context, draft, kind, given)
  demandPluggable(context, draft, kind, controller)
  const disk = kind === 'physicalDrive' ? physicalDisk(context, draft, given) : null
  return newSettings(context, kind, given, {
    InstanceID: driveId(controller, slot),
    Parent: parentPath(context, controller),
    AddressOnParent: String(slot),
    HostResource: disk === null ? null : [disk],
  })
}

/** Where a drive goes: a slot that is free, on a controller that takes it. */
function placeOfDrive(
  context: ResourceContext,
  draft: Draft,
  kind: KindName,
  given: Given,
): { readonly controller: Settings; readonly slot: number } {
  const { build } = context.host.state
  const controller = parentGiven(draft, given)
  if (controller === undefined) throw no(context, draft, kind, 'parent')
  const holder = kindOf(controller, build)
  const holders: readonly ControllerKind[] = HOLDERS[kind] ?? []
  if (!isController(holder) || !holders.includes(holder)) {
    throw no(context, draft, kind, 'parentKind', Return.failed)
  }
  const text = textGiven(given, 'AddressOnParent') ?? ''
  const slot = text === '' ? freeSlot(draft.resources, controller, build) : slotNamed(text, holder)
  if (slot === undefined || usedSlots(draft.resources, controller).has(slot)) throw no(context, draft, kind, 'slot')
  return { controller, slot }
}

// Only what is on SCSI can be plugged while the machine runs; the medium of a DVD drive can be changed anywhere.
function demandPluggable(context: ResourceContext, draft: Draft, kind: KindName, controller: Settings): void {
  const { power } = draft.owner.vm
  if (power === 'off') return
  const isOnScsi = kindOf(controller, context.host.state.build) === 'scsiController'
  const isFree = isOnScsi || kind === 'opticalDisk' || kind === 'floppyDisk'
  if ((power === 'running' || power === 'paused') && isFree) return
  throw no(context, draft, kind, 'state', Return.invalidState)
}

/** The host's disk that is to be passed through: its path, as hosts write it. */
function physicalDisk(context: ResourceContext, draft: Draft, given: Given): string {
  const { host } = context
  const [path] = textsGiven(given, 'HostResource') ?? []
  const id = keyIn(path, /^Msvm_DiskDrive$/i, 'DeviceID')
  const disk = host.state.physicalDisks.find(one => id !== undefined && sameId(diskDeviceId(one.number), id))
  const wanted = disk === undefined ? undefined : diskPath(host, disk.number)
  const isTaken = host.state.vms.some(vm =>
    vm.configuration.resources.some(one => textsIn(one, 'HostResource').some(text => text === wanted)),
  )
  if (wanted === undefined || isTaken) throw no(context, draft, 'physicalDrive', 'disk')
  return wanted
}

/** Msvm_DiskDrive.DeviceID of a disk of the host. Source: as a host of Server 2012 R2 prints it, case included. */
export const diskDeviceId = (number: number): string => `Microsoft:353B3BE8-310C-4cf4-839E-4E1B14616136\\${number}`

/** The object path of a disk of the host, as hosts write it. */
export function diskPath({ state: { name } }: Pick<Host, 'state'>, number: number): string {
  const id = diskDeviceId(number).replaceAll('\\', '\\\\')
  const keys = `CreationClassName="Msvm_DiskDrive",DeviceID="${id}",SystemCreationClassName="Msvm_ComputerSystem"`
  return `\\\\${name}\\root\\virtualization\\v2:Msvm_DiskDrive.${keys},SystemName="${name}"`
}

/** Puts an image into a drive. */
export function addImage(context: ResourceContext, draft: Draft, kind: KindName, given: Given): Settings {
  const { build } = context.host.state
  const drive = parentGiven(draft, given)
  if (drive === undefined) throw no(context, draft, kind, 'parent')
  // Source: an image straight under a controller was seen refused so.
  if (kindOf(drive, build) !== TAKERS[kind]) throw no(context, draft, kind, 'parentKind', Return.failed)
  if (childrenOf(draft.resources, drive).length > 0) throw no(context, draft, kind, 'holdsImage')
  const controller = controllerOf(draft, drive)
  if (controller !== undefined) demandPluggable(context, draft, kind, controller)
  const [path, ...more] = textsGiven(given, 'HostResource') ?? []
  if (path === undefined || path === '' || more.length > 0) throw no(context, draft, kind, 'invalid')
  if (given.values.get('PersistentReservationsSupported') === true) {
    throw no(context, draft, kind, 'notSharable', Return.failed)
  }
  checkImage(context, draft.owner.vm, kind, path)
  return newSettings(context, kind, given, {
    InstanceID: imageId(idOf(drive)),
    Parent: parentPath(context, drive),
    Address: null,
    AddressOnParent: null,
    HostResource: [path],
  })
}

function controllerOf(draft: Draft, drive: Settings): Settings | undefined {
  const id = idOf(drive).replace(/\\\d+\\[DL]$/i, '')
  return draft.resources.find(one => sameId(idOf(one), id))
}

/** What of an image may be changed besides its file. */
const IMAGE_OPTIONS: ReadonlySet<string> = new Set([
  'Access',
  'CachingMode',
  'IgnoreFlushes',
  'IOPSAllocationUnits',
  'IOPSLimit',
  'IOPSReservation',
  'StorageQoSPolicyID',
  'WriteHardeningMethod',
])

/** Changes which file is in a drive, or how it is used; no file takes it out. */
export function modifyImage(context: ResourceContext, draft: Draft, image: Settings, changes: Values): Settings {
  const kind = kindOf(image, context.host.state.build) ?? 'hardDisk'
  const { HostResource, PersistentReservationsSupported, ...options } = changes
  if (PersistentReservationsSupported === true) throw noChange(context, draft, kind, 'notSharable', Return.failed)
  if (Object.keys(options).some(name => !IMAGE_OPTIONS.has(name))) throw noChange(context, draft, kind, 'invalid')
  const after = withValues(image, options)
  if (HostResource === undefined) return after
  const paths = toTexts(HostResource)
  const [path = ''] = paths
  if (paths.length > 1) throw noChange(context, draft, kind, 'invalid')
  // A disk that runs cannot be exchanged for another; a medium can.
  if (kind === 'hardDisk' && isActive(draft.owner.vm))
    throw noChange(context, draft, kind, 'state', Return.invalidState)
  if (path !== '') checkImage(context, draft.owner.vm, kind, path)
  return withValues(after, { HostResource: path === '' ? [] : [path] })
}

const toTexts = (value: CimValue): string[] => (isList(value) ? value.filter(item => typeof item === 'string') : [])

/** Moves a drive to another slot, and what is in it: both get other InstanceIDs. */
export function moveDrive(context: ResourceContext, draft: Draft, drive: Settings, changes: Values): Settings {
  const kind = kindOf(drive, context.host.state.build) ?? 'diskDrive'
  const { Parent: parent, AddressOnParent: address, ...others } = changes
  if (Object.keys(others).length > 0) throw noChange(context, draft, kind, 'invalid')
  const rest = { ...draft, resources: draft.resources.filter(one => one !== drive) }
  const place = {
    Parent: parent ?? drive.values['Parent'],
    AddressOnParent: address ?? drive.values['AddressOnParent'],
  }
  const values = Object.entries(place).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]))
  const wanted: Given = { className: drive.className, values: new Map(values) }
  const { controller, slot } = placeOfDrive(context, rest, kind, wanted)
  const InstanceID = driveId(controller, slot)
  if (sameId(InstanceID, idOf(drive))) return drive
  if (kind === 'disketteDrive') throw noChange(context, draft, kind, 'fixed')
  if (draft.owner.vm.power !== 'off') throw noChange(context, draft, kind, 'state', Return.invalidState)
  const Parent = parentPath(context, controller)
  const moved = withValues(drive, { InstanceID, Parent, AddressOnParent: String(slot) })
  const images = new Set(childrenOf(draft.resources, drive))
  const within = { InstanceID: imageId(InstanceID), Parent: parentPath(context, moved) }
  draft.resources = draft.resources.map(one => (images.has(one) ? withValues(one, within) : one))
  return moved
}

/** Takes a controller, a drive or an image away. */
export function removeStorage(context: ResourceContext, draft: Draft, settings: Settings): void {
  const { host } = context
  const kind = kindOf(settings, host.state.build)
  if (kind === undefined) return
  const fail = (reason: Reason, code: number): OperationError =>
    refusal(host, draft.owner, { doing: 'remove', kind, reason, code })
  const held = childrenOf(draft.resources, settings).length
  if (isController(kind)) {
    if (draft.owner.vm.power !== 'off') throw fail('state', Return.invalidState)
    if (held > 0) throw fail('holdsDrives', Return.failed)
  } else if (held > 0) {
    // Source: removing a drive that holds its disk was seen to fail in WMI itself.
    throw new WmiError(Wbem.failed, 'Generic failure')
  }
  const controller = isController(kind) ? undefined : controllerOf(draft, settings)
  const isPluggable = controller === undefined || canUnplug(context, draft, kind, controller)
  if (!isPluggable) throw fail('state', Return.invalidState)
  draft.resources = draft.resources.filter(one => one !== settings)
}

function canUnplug(context: ResourceContext, draft: Draft, kind: KindName, controller: Settings): boolean {
  const { power } = draft.owner.vm
  if (power === 'off') return true
  if (power !== 'running' && power !== 'paused') return false
  const isOnScsi = kindOf(controller, context.host.state.build) === 'scsiController'
  return isOnScsi || kind === 'opticalDisk' || kind === 'floppyDisk'
}
