import type { Settings } from './model.ts'
import { resourceId, sameId } from './resources-ids.ts'
import type { KindName } from './resources-kinds.ts'
import { settingsIn } from './resources-references.ts'
import { idOf, kindOf } from './resources-settings.ts'
import { textIn } from './settings.ts'

/** How many controllers of a kind a machine may have, and how many slots each has. */
export const CONTROLLERS = {
  ideController: { most: 2, slots: 2 },
  scsiController: { most: 4, slots: 64 },
  pmemController: { most: 1, slots: 128 },
  disketteController: { most: 1, slots: 1 },
} as const

export type ControllerKind = keyof typeof CONTROLLERS

/** On which controllers a drive may be. */
export const HOLDERS: Readonly<Partial<Record<KindName, readonly ControllerKind[]>>> = {
  diskDrive: ['ideController', 'scsiController', 'pmemController'],
  physicalDrive: ['ideController', 'scsiController'],
  dvdDrive: ['ideController', 'scsiController'],
  disketteDrive: ['disketteController'],
}

/** Which images a drive takes. */
export const TAKERS: Readonly<Partial<Record<KindName, KindName>>> = {
  hardDisk: 'diskDrive',
  opticalDisk: 'dvdDrive',
  floppyDisk: 'disketteDrive',
}

export const isController = (kind: KindName | undefined): kind is ControllerKind =>
  kind !== undefined && kind in CONTROLLERS

export const isDrive = (kind: KindName | undefined): boolean => kind !== undefined && kind in HOLDERS
export const isImage = (kind: KindName | undefined): boolean => kind !== undefined && kind in TAKERS

/** What is on a controller, in a drive, or at a network adapter. */
export function childrenOf(resources: readonly Settings[], parent: Settings): Settings[] {
  const id = idOf(parent)
  return resources.filter(one => sameId(parentIdOf(one), id))
}

/** The InstanceID in a Parent; empty where there is none. */
export const parentIdOf = (settings: Settings): string => settingsIn(textIn(settings, 'Parent')) ?? ''

/** The slots of a controller that are taken. */
export function usedSlots(resources: readonly Settings[], controller: Settings): Set<number> {
  return new Set(childrenOf(resources, controller).map(drive => Number(textIn(drive, 'AddressOnParent') ?? Number.NaN)))
}

/** The lowest free slot of a controller; undefined where it is full. */
export function freeSlot(resources: readonly Settings[], controller: Settings, build: number): number | undefined {
  const kind = kindOf(controller, build)
  if (!isController(kind)) return undefined
  const used = usedSlots(resources, controller)
  for (let slot = 0; slot < CONTROLLERS[kind].slots; slot++) {
    if (!used.has(slot)) return slot
  }
  return undefined
}

/** The slot that AddressOnParent names; undefined where the controller has none such. */
export function slotNamed(text: string, kind: ControllerKind): number | undefined {
  if (!/^\d{1,3}$/.test(text)) return undefined
  const slot = Number(text)
  return slot < CONTROLLERS[kind].slots ? slot : undefined
}

/** The InstanceID of a drive: that of its controller, the slot, and D. */
export const driveId = (controller: Settings, slot: number): string => `${idOf(controller)}\\${slot}\\D`

/** The InstanceID of a new SCSI controller. */
export const controllerId = (owner: string, guid: string): string => resourceId(owner, guid, 0)
