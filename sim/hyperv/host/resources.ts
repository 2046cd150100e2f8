import type { Settings } from './model.ts'
import { OperationError, Return } from './operation-error.ts'
import { changesOf } from './resources-changes.ts'
import { changing, type Draft, type Given, type ResourceContext, refusal, replaceIn } from './resources-context.ts'
import { addBattery, isComponent, modifyComponent, modifyDevice, removeBattery } from './resources-devices.ts'
import { kindGiven, textGiven } from './resources-given.ts'
import type { KindName } from './resources-kinds.ts'
import { modifyMemory } from './resources-memory.ts'
import {
  addAdapter,
  addConnection,
  isAdapter,
  modifyAdapter,
  modifyConnection,
  removeAdapter,
  removeConnection,
} from './resources-network.ts'
import { findOwned, type Owned, type Owner } from './resources-owner.ts'
import { modifyProcessor } from './resources-processor.ts'
import { isFeature, isGuestNetwork, kindOf, type Values } from './resources-settings.ts'
import { addController, addDrive, addImage, modifyImage, moveDrive, removeStorage } from './resources-storage.ts'
import { reasonText } from './resources-texts.ts'
import { isDrive, isImage } from './slots.ts'

// Adding, changing and removing the resources of machines, in the words of root\virtualization\v2. All of it throws
// OperationError for what Hyper-V refuses, and WmiError for what fails in WMI itself.

type Adder = (context: ResourceContext, draft: Draft, kind: KindName, given: Given) => Settings

/** How each kind is added; what is not here a machine has from the beginning, or never. */
const ADDERS: Readonly<Partial<Record<KindName, Adder>>> = {
  scsiController: addController,
  pmemController: addController,
  diskDrive: addDrive,
  physicalDrive: addDrive,
  dvdDrive: addDrive,
  hardDisk: addImage,
  opticalDisk: addImage,
  floppyDisk: addImage,
  syntheticPort: addAdapter,
  emulatedPort: addAdapter,
  connection: addConnection,
  battery: addBattery,
}

/** What a host must have a device for, which this one has none of. */
const NEEDS_HARDWARE: ReadonlySet<KindName> = new Set([
  'fibreChannelPort',
  'fibreChannelConnection',
  'gpuPartition',
  'pciExpressPort',
  'flexibleIo',
  'storageLogicalUnit',
  'synthetic3dDisplay',
])

/** Adds resources to a machine, all or none, and returns their settings in the order in which they were given. */
export function addResources(context: ResourceContext, owner: Owner, given: readonly Given[]): Settings[] {
  if (owner.snapshot !== undefined) throw unchangeable(context, owner)
  return changing(context.host, owner, draft =>
    given.map(one => {
      const added = addOne(context, draft, one)
      draft.resources.push(added)
      return added
    }),
  )
}

function addOne(context: ResourceContext, draft: Draft, given: Given): Settings {
  const kind = kindGiven(context, given)
  const { host } = context
  if (kind === undefined) throw refusal(host, draft.owner, { doing: 'add', reason: 'unknownType' })
  const adder = ADDERS[kind]
  if (adder !== undefined) return adder(context, draft, kind, given)
  throw refusal(host, draft.owner, { doing: 'add', kind, reason: NEEDS_HARDWARE.has(kind) ? 'noDevice' : 'fixed' })
}

/** Changes resources, of one machine or of several, and returns their settings as they are then. */
export function modifyResources(context: ResourceContext, given: readonly Given[]): Settings[] {
  return given.map(one => {
    const { owner, settings } = ownedResource(context, textGiven(one, 'InstanceID') ?? '')
    return changing(context.host, owner, draft => modifyOne(context, draft, settings, one))
  })
}

function modifyOne(context: ResourceContext, draft: Draft, before: Settings, given: Given): Settings {
  const changes = changesOf(context, before, given)
  if (changes === undefined) throw refusal(context.host, draft.owner, { doing: 'modify', reason: 'invalid' })
  const after = Object.keys(changes).length === 0 ? before : modified(context, draft, before, changes)
  replaceIn(draft, before, after)
  return after
}

function modified(context: ResourceContext, draft: Draft, before: Settings, changes: Values): Settings {
  if (isComponent(before)) return modifyComponent(context, draft, before, changes)
  const kind = kindOf(before, context.host.state.build)
  if (kind === 'processor') return modifyProcessor(context, draft, before, changes)
  if (kind === 'memory') return modifyMemory(context, draft, before, changes)
  if (kind === 'connection') return modifyConnection(context, draft, before, changes)
  if (isAdapter(kind)) return modifyAdapter(context, draft, before, changes)
  if (isImage(kind)) return modifyImage(context, draft, before, changes)
  if (isDrive(kind)) return moveDrive(context, draft, before, changes)
  return modifyDevice(context, draft, before, changes)
}

/** Removes resources by their InstanceIDs, one after the other: what is removed first makes room for the next. */
export function removeResources(context: ResourceContext, ids: readonly string[]): void {
  for (const id of ids) {
    const { owner, settings } = ownedResource(context, id)
    changing(context.host, owner, draft => removeOne(context, draft, settings))
  }
}

type Remover = (context: ResourceContext, draft: Draft, settings: Settings) => void

const REMOVERS: Readonly<Partial<Record<KindName, Remover>>> = {
  scsiController: removeStorage,
  pmemController: removeStorage,
  diskDrive: removeStorage,
  physicalDrive: removeStorage,
  dvdDrive: removeStorage,
  hardDisk: removeStorage,
  opticalDisk: removeStorage,
  floppyDisk: removeStorage,
  syntheticPort: removeAdapter,
  emulatedPort: removeAdapter,
  connection: (_context, draft, settings) => removeConnection(draft, settings),
  battery: removeBattery,
}

function removeOne(context: ResourceContext, draft: Draft, settings: Settings): void {
  const kind = kindOf(settings, context.host.state.build)
  const remover = kind === undefined ? undefined : REMOVERS[kind]
  if (remover !== undefined) return remover(context, draft, settings)
  throw refusal(context.host, draft.owner, { doing: 'remove', ...(kind ? { kind } : {}), reason: 'fixed' })
}

/** A resource of a machine by its InstanceID. Those of snapshots and definitions cannot be changed. */
function ownedResource(context: ResourceContext, id: string): Owned {
  const { host } = context
  const owned = findOwned(host, id)
  if (owned === undefined || owned.settings === owned.owner.configuration.system) {
    throw new OperationError(Return.invalidParameter, reasonText(host.locale, 'invalid'))
  }
  const { owner, settings } = owned
  if (owner.snapshot !== undefined) throw unchangeable(context, owner)
  const isOther = isFeature(settings) || isGuestNetwork(settings) || settings.className === 'Msvm_SecuritySettingData'
  if (isOther) throw refusal(host, owner, { doing: 'modify', reason: 'invalid' })
  return owned
}

const unchangeable = ({ host }: ResourceContext, owner: Owner): OperationError =>
  refusal(host, owner, { doing: 'modify', reason: 'state', code: Return.invalidState })
