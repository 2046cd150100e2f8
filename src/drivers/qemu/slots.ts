import { createHash } from 'node:crypto'
import { type DiskConfig, type DomainConfig, DriverError } from '../driver.ts'

/**
 * Where on the PCI bus each pluggable device of a domain sits, by the device's name. Kept in the definition, so that a
 * device keeps its place while others come and go, and a saved guest finds its hardware again.
 */
export type Slots = Readonly<Record<string, number>>

/** Slots 0 and 1 are the bridge and the PIIX3's. Source: QEMU hw/i386/pc_piix.c. */
const SLOT_MIN = 2
const SLOT_MAX = 31

/** Names of block nodes have 31 bytes at most; some are left to tell apart the nodes of one disk. Source: QEMU include/block/block_int-common.h. */
const DIGITS = 20

const named = (kind: string, id: string): string =>
  `${kind}-${createHash('sha256').update(id).digest('hex').slice(0, DIGITS)}`

/**
 * The name of a disk as QEMU's device; all its block nodes have this, or this and a full stop and more, for a name. Of
 * any id a name that QEMU takes.
 */
export const diskName = (id: string): string => named('disk', id)
/** The name of a network interface as QEMU's device. */
export const nicName = (id: string): string => named('nic', id)
/** The name of a device of the host that was handed to the guest. */
export const hostDeviceName = (address: string): string => named('host', address)
export const BALLOON = 'balloon'
/** The controller of the port on which the guest agent listens. */
export const AGENT = 'agent'
export const VGA = 'vga'
export const AUDIO = 'audio'
export const RNG = 'rng'

/** The devices of a definition that need a slot, in the order in which they get one. */
export function pluggable(config: DomainConfig): string[] {
  const { disks, nics = [], platform = {} } = config
  const virtio = disks.filter(disk => !isEmulated(disk)).toSorted(byDevice)
  return [
    ...virtio.map(disk => diskName(disk.id)),
    ...nics.toSorted(byDevice).map(nic => nicName(nic.id)),
    BALLOON,
    AGENT,
    ...(platform.vga === undefined ? [] : [VGA]),
    ...(platform.audio === true ? [AUDIO] : []),
    ...(platform.pciDevices ?? []).map(hostDeviceName),
    ...(platform.rng === true ? [RNG] : []),
  ]
}

/** Whether a disk sits on a controller of the board instead of the PCI bus. */
export const isEmulated = ({ bus, kind = 'disk' }: DiskConfig): boolean => bus === 'emulated' || kind !== 'disk'

/** Shorter names first, so that `sdz` comes before `sdaa`. */
export function byDevice(a: { readonly device: string }, b: { readonly device: string }): number {
  return a.device.length - b.device.length || (a.device < b.device ? -1 : Number(a.device > b.device))
}

/**
 * The slots of a definition: each device keeps the one it had in `previous`. With `keepAll`, for a machine that lives,
 * the devices that are no longer defined keep theirs too. Throws as `refused` where the bus is full.
 */
export function slotsOf(config: DomainConfig, previous: Slots = {}, { keepAll = false } = {}): Slots {
  const wanted = pluggable(config)
  const kept = keepAll
    ? previous
    : Object.fromEntries(Object.entries(previous).filter(([name]) => wanted.includes(name)))
  return wanted.reduce((slots, name) => withSlot(slots, name), kept)
}

/** With a slot for this device, the one it has or the first that is free. Throws as `refused` where there is none. */
export function withSlot(slots: Slots, name: string): Slots {
  if (slots[name] !== undefined) return slots
  const taken = new Set(Object.values(slots))
  for (let slot = SLOT_MIN; slot <= SLOT_MAX; slot++) if (!taken.has(slot)) return { ...slots, [name]: slot }
  throw new DriverError('refused', `there is room for ${SLOT_MAX - SLOT_MIN + 1} PCI devices, and one more is wanted`)
}

/** Without the slot of a device that is gone. */
export function withoutSlot(slots: Slots, name: string): Slots {
  const { [name]: _freed, ...others } = slots
  return others
}

/** The place of a device as QEMU's properties `bus` and `addr`. */
export function placeOf(slots: Slots, name: string): { readonly bus: 'pci.0'; readonly addr: string } {
  const slot = slots[name]
  if (slot === undefined) throw new DriverError('refused', `device ${name} has no place on the PCI bus`)
  return { bus: 'pci.0', addr: slot.toString(16) }
}
