import { QmpError } from '../../protocols/qmp/error.ts'
import {
  type ConnectOptions,
  type DeviceOps,
  type DiskConfig,
  type DiskLimits,
  type DomainConfig,
  type DomainId,
  DriverError,
} from '../driver.ts'
import { withLimits } from '../disk-limits.ts'
import { assertMemoryPeriod } from '../memory-period.ts'
import { addNode, nodeIn, nodesOf, removeNodes } from './block-nodes.ts'
import { virtioPlace } from './command-line/disks.ts'
import { assertDefinable } from './definition.ts'
import { limitDrive } from './disk-limits.ts'
import type { LivingDomain } from './domain.ts'
import type { Gate } from './gate.ts'
import { lookAtDisk } from './images.ts'
import type { Inventory } from './inventory.ts'
import { changeBoth, changeDefinition, pullOut } from './living-change.ts'
import { BALLOON, diskName, isEmulated, withSlot } from './slots.ts'
import { unplug } from './unplug.ts'

type DiskDevices = Pick<
  DeviceOps,
  'attachDisk' | 'detachDisk' | 'changeMedium' | 'limitDisk' | 'setMemoryTarget' | 'setMemoryStatsPeriod'
>

/** The part of the group `devices` that is about disks and memory. `warn` is told what no call can report. */
export const diskDevices = (inventory: Inventory, gate: Gate, warn: ConnectOptions['warn']): DiskDevices => {
  const change = (id: DomainId, operation: (living: LivingDomain) => Promise<void>): Promise<void> =>
    gate.pass(() => inventory.find(id).change(operation))
  /** A guest that lets go of a disk after it was told that it keeps it gets it back. */
  const giveBack = (id: DomainId, disk: string) => () => {
    change(id, living => replug(living, disk)).catch((error: unknown) => {
      if (!gate.isClosed)
        warn(`disk ${disk} of domain ${id} left late and cannot be plugged in again: ${String(error)}`)
    })
  }
  return {
    attachDisk: (id, disk) => change(id, living => attach(living, disk)),
    detachDisk: (id, disk) => change(id, living => detach(living, disk, giveBack(id, disk))),
    changeMedium: (id, drive, medium) => change(id, living => changeMedium(living, drive, medium)),
    limitDisk: (id, disk, limits) => change(id, living => limit(living, disk, limits)),
    setMemoryTarget: (id, bytes) => change(id, living => setMemoryTarget(living, bytes)),
    setMemoryStatsPeriod: (id, seconds) => change(id, living => setMemoryStatsPeriod(living, seconds)),
  }
}

const refused = (message: string) => new DriverError('refused', message)

async function attach(living: LivingDomain, disk: DiskConfig): Promise<void> {
  const { machine, definition } = living
  const { config, slots } = definition
  if (isEmulated(disk))
    throw refused(`disk ${disk.device}: only a paravirtualised disk can be plugged into a running domain`)
  const changed = { ...config, disks: [...config.disks, structuredClone(disk)] }
  assertDefinable(changed)
  living.opens(lookAtDisk(disk))
  const slotted = withSlot(slots, diskName(disk.id))
  await changeDefinition(living, { ...definition, config: changed, slots: slotted }, () => plug(machine, disk, slotted))
}

async function plug(
  machine: LivingDomain['machine'],
  disk: DiskConfig,
  slots: Readonly<Record<string, number>>,
): Promise<void> {
  const drive = await addNode(machine, disk)
  try {
    await machine.execute('device_add', { ...virtioPlace(disk, slots), drive })
  } catch (error) {
    await removeNodes(machine, [drive])
    throw error
  }
  if (disk.limits !== undefined) await limitPlugged(machine, disk, drive)
}

/** Only a drive that is there can be limited; one that cannot be is pulled again. */
async function limitPlugged(machine: LivingDomain['machine'], disk: DiskConfig, drive: string): Promise<void> {
  try {
    await limitDrive(machine, disk)
  } catch (error) {
    try {
      await unplug(machine, diskName(disk.id), () => undefined)
      await removeNodes(machine, [drive])
    } catch (failure) {
      const message = `${String(error)}; and the disk ${disk.device} stays plugged in: ${String(failure)}`
      throw new DriverError('refused', message, { cause: error })
    }
    throw error
  }
}

async function detach(living: LivingDomain, id: string, onLate: () => void): Promise<void> {
  const { machine } = living
  const disk = findDisk(living.living.config, id)
  if (isEmulated(disk))
    throw refused(`disk ${disk.device}: only a paravirtualised disk can be pulled from a running domain`)
  const without = (config: DomainConfig) => withDisks(config, disks => disks.filter(each => each.id !== id))
  await pullOut(living, diskName(id), without, () => unplug(machine, diskName(id), onLate))
  // The disk is out, whatever becomes of this: an image that stays open counts as in use.
  await removeNodes(machine, await nodesOf(machine, id))
}

/** Plugs a disk in again with what it had, unless it was detached meanwhile. */
async function replug({ machine, living }: LivingDomain, id: string): Promise<void> {
  const disk = living.config.disks.find(each => each.id === id)
  if (disk === undefined) return
  await removeNodes(machine, await nodesOf(machine, id))
  await plug(machine, disk, living.slots)
}

type Medium = Parameters<DeviceOps['changeMedium']>[2]

async function changeMedium(domain: LivingDomain, id: string, medium: Medium): Promise<void> {
  const { machine, living } = domain
  const drive = findDisk(living.config, id)
  if (drive.kind === undefined || drive.kind === 'disk') throw refused(`disk ${drive.device} is no drive for media`)
  const loadedWith = (disk: DiskConfig): DiskConfig => ({
    ...disk,
    location: medium?.location ?? '',
    ...(medium && { format: medium.format }),
  })
  const loaded = loadedWith(drive)
  const change = (config: DomainConfig) =>
    withDisks(config, disks => disks.map(each => (each.id === id ? loadedWith(each) : each)))
  assertDefinable(change(living.config))
  if (loaded.location !== '') domain.opens(lookAtDisk(loaded))
  await changeBoth(domain, change, async () => {
    const before = await nodeIn(machine, id)
    const next = loaded.location === '' ? null : await addNode(machine, loaded)
    try {
      await swap(machine, diskName(id), before, next)
      if (loaded.limits !== undefined) await limitLoaded(machine, loaded, { before, next })
    } catch (error) {
      if (next !== null) await removeNodes(machine, [next])
      throw error
    }
    const nodes = await nodesOf(machine, id)
    await removeNodes(
      machine,
      nodes.filter(node => node !== next),
    )
  })
}

/** A drive whose medium cannot be limited has what lay in it before again. */
async function limitLoaded(
  machine: LivingDomain['machine'],
  drive: DiskConfig,
  { before, next }: { readonly before: string | null; readonly next: string | null },
): Promise<void> {
  try {
    await limitDrive(machine, drive)
  } catch (error) {
    await swap(machine, diskName(drive.id), next, before)
    throw error
  }
}

/** How often a tray is opened again that a guest which resets its drives has shut. */
const OPENINGS_MAX = 10

/** Takes out what lies in the drive and puts the next in; where that cannot be, what lay in it lies in it again. */
async function swap(
  machine: LivingDomain['machine'],
  id: string,
  before: string | null,
  next: string | null,
): Promise<void> {
  const put = (node: string | null) =>
    node === null
      ? undefined
      : openly(machine, id, () => machine.execute('blockdev-insert-medium', { id, 'node-name': node }))
  try {
    await openly(machine, id, async () => {
      if (before !== null) await machine.execute('blockdev-remove-medium', { id })
    })
    try {
      await put(next)
    } catch (error) {
      await put(before)
      throw error
    }
  } finally {
    await machine.execute('blockdev-close-tray', { id })
  }
}

/** Does what needs an open tray; firmware that looks for drives, and a guest that boots, shut it at any moment. */
async function openly(machine: LivingDomain['machine'], id: string, act: () => Promise<void>): Promise<void> {
  for (let left = OPENINGS_MAX; ; left--) {
    await machine.execute('blockdev-open-tray', { id, force: true })
    try {
      return await act()
    } catch (error) {
      if (!(error instanceof QmpError) || left === 0) throw error
    }
  }
}

async function limit(domain: LivingDomain, id: string, limits: DiskLimits | null): Promise<void> {
  const { machine, living } = domain
  findDisk(living.config, id)
  const change = (config: DomainConfig) => withDisks(config, disks => withLimits(disks, id, limits))
  const config = change(living.config)
  assertDefinable(config)
  await changeBoth(domain, change, () => limitDrive(machine, findDisk(config, id)))
}

async function setMemoryTarget(living: LivingDomain, bytes: number): Promise<void> {
  const { machine, definition } = living
  const config = { ...definition.config, memoryTargetBytes: bytes }
  assertDefinable(config)
  if (bytes > config.memoryBytes)
    throw refused(`${bytes} bytes are more than the domain's memory, ${config.memoryBytes}`)
  await changeDefinition(living, { ...definition, config }, () => machine.execute('balloon', { value: bytes }))
}

/** Source: QEMU docs/interop/virtio-balloon-stats. */
async function setMemoryStatsPeriod(
  { machine, definition, ...living }: LivingDomain,
  seconds: number | null,
): Promise<void> {
  assertMemoryPeriod(seconds)
  const { platform: { memoryStatsSeconds: _, ...platform } = {}, ...config } = definition.config
  const changed = { ...config, platform: { ...platform, ...(seconds !== null && { memoryStatsSeconds: seconds }) } }
  const asked = {
    path: `/machine/peripheral/${BALLOON}`,
    property: 'guest-stats-polling-interval',
    value: seconds ?? 0,
  }
  await changeDefinition({ machine, definition, ...living }, { ...definition, config: changed }, () =>
    machine.execute('qom-set', asked),
  )
}

function findDisk({ id, disks }: DomainConfig, disk: string): DiskConfig {
  const found = disks.find(each => each.id === disk)
  if (found === undefined) throw new DriverError('not-found', `domain ${id} has no disk ${disk}`)
  return found
}

const withDisks = (
  config: DomainConfig,
  change: (disks: readonly DiskConfig[]) => readonly DiskConfig[],
): DomainConfig => ({ ...config, disks: change(config.disks) })
