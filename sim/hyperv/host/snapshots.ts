import type { CopyWatch } from '../storage/image-copy.ts'
import { findSettings } from './definition.ts'
import type { Host } from './host.ts'
import { guestAnswers } from './life.ts'
import type { Configuration, Snapshot, Vm } from './model.ts'
import { OperationError, Return } from './operation-error.ts'
import { save, turnOff } from './power.ts'
import { kindOf } from './resources-settings.ts'
import { nameOfVm, numberIn, textIn } from './settings.ts'
import { appliedConfiguration, snapshotConfiguration, withParent } from './snapshots-configuration.ts'
import { branched, disksOf, settleDisks } from './snapshots-disks.ts'
import { snapshotTrouble } from './snapshots-texts.ts'

// Snapshots of machines, in the words of neither namespace. All of it throws OperationError, or rejects with it.

/** A snapshot and whose it is. */
export interface FoundSnapshot {
  readonly vm: Vm
  readonly snapshot: Snapshot
}

/** By the InstanceID of its settings; undefined where there is no such snapshot. */
export function findSnapshot(host: Host, instanceId: string): FoundSnapshot | undefined {
  const found = findSettings(host, instanceId)
  const snapshot = found?.vm.snapshots.find(one => one.configuration === found.configuration)
  return found === undefined || snapshot === undefined ? undefined : { vm: found.vm, snapshot }
}

/** How a snapshot is wanted. */
export interface SnapshotWish {
  /** Undefined for what the host calls it. */
  readonly name?: string
  /** Whether memory is not to be in it, whatever the machine's own settings say. */
  readonly isDiskOnly?: boolean
  /** Whether the guest must take part. */
  readonly isApplicationConsistent?: boolean
  /** Whether disks that cannot be in it are left out rather than in the way. */
  readonly ignoresPhysicalDisks?: boolean
}

/** Source: Microsoft Learn, "Hyper-V scalability": checkpoints of a machine. */
const SNAPSHOTS_MAX = 50

/** Msvm_VirtualSystemSettingData.UserSnapshotType. Source: the ValueMap of the MOF. */
const UserSnapshotType = { disabled: 2, production: 3, productionOnly: 4, standard: 5 } as const
/** The build that brought snapshots without memory of machines that run. */
const PRODUCTION_BUILD = 10240

/** Refuses what cannot be while the machine is on its way somewhere, or something is done with it. */
export function requireIdle(host: Host, vm: Vm): void {
  requireAtRest(host, vm)
  if (vm.secondaryStatus !== undefined || host.vm(vm.id) !== vm) throw invalidState(host, vm)
}

function requireAtRest(host: Host, vm: Vm): void {
  if (!['off', 'running', 'paused', 'saved'].includes(vm.power)) throw invalidState(host, vm)
}

/** Refuses to apply a snapshot to a machine that runs. */
export function requireStopped(host: Host, vm: Vm): void {
  if (vm.power !== 'off' && vm.power !== 'saved') throw invalidState(host, vm)
}

function invalidState(host: Host, vm: Vm): OperationError {
  return new OperationError(Return.invalidState, host.texts.invalidState(nameOfVm(vm), vm.id), { isImmediate: true })
}

/** Takes a snapshot of a machine: what it is made of, its disks, and its memory where it has any and that is wanted. */
export async function createSnapshot(host: Host, vm: Vm, wish: SnapshotWish): Promise<Snapshot> {
  requireAtRest(host, vm)
  if (vm.snapshots.length >= SNAPSHOTS_MAX) throw snapshotTrouble(host, vm, 'tooMany')
  const hasPhysical = vm.configuration.resources.some(one => kindOf(one, host.state.build) === 'physicalDrive')
  if (hasPhysical && wish.ignoresPhysicalDisks !== true) throw snapshotTrouble(host, vm, 'passThrough')
  const holdsState = keepsMemory(host, vm, wish)
  const before = vm.configuration
  const after = await branched(host, before)
  const createdAt = host.clock.now()
  const id = host.random.guid()
  const name = wish.name ?? host.texts.snapshotName(nameOfVm(vm), createdAt)
  const snapshot: Snapshot = {
    id,
    // The disks are those of before; whatever else was changed meanwhile is in it.
    configuration: snapshotConfiguration(host, vm, { id, name }),
    ...(vm.lastSnapshot === undefined ? {} : { parent: vm.lastSnapshot }),
    createdAt,
    holdsState,
  }
  vm.configuration = goingOn(vm.configuration, before, after)
  vm.configuration.system = withParent(host, vm.configuration.system, id)
  vm.lastSnapshot = id
  vm.snapshots.push(snapshot)
  host.touch()
  return snapshot
}

/** A configuration whose disks are replaced as they are from `before` to `after`. */
function goingOn(present: Configuration, before: Configuration, after: Configuration): Configuration {
  const instead = new Map(before.resources.map((settings, place) => [settings, after.resources[place] ?? settings]))
  return { ...present, resources: present.resources.map(settings => instead.get(settings) ?? settings) }
}

/** Source: Microsoft Learn, "Choose between standard or production checkpoints". */
function keepsMemory(host: Host, vm: Vm, { isDiskOnly, isApplicationConsistent }: SnapshotWish): boolean {
  const hasMemory = vm.power !== 'off'
  const type =
    host.state.build >= PRODUCTION_BUILD
      ? numberIn(vm.configuration.system, 'UserSnapshotType')
      : UserSnapshotType.standard
  if (type === UserSnapshotType.disabled) throw snapshotTrouble(host, vm, 'disabled')
  const isRunning = vm.power === 'running' || vm.power === 'paused'
  const canBeConsistent = !isRunning || guestAnswers(host, vm)
  const mustBeConsistent = isApplicationConsistent === true || type === UserSnapshotType.productionOnly
  if (mustBeConsistent && !canBeConsistent) throw snapshotTrouble(host, vm, 'notConsistent')
  if (isDiskOnly === true || !hasMemory) return false
  if (vm.power === 'saved') return true
  return !(mustBeConsistent || (type === UserSnapshotType.production && canBeConsistent))
}

/** Makes a machine what it was when the snapshot was taken; it goes on from there, and what it was is lost. */
export async function applySnapshot(host: Host, { vm, snapshot }: FoundSnapshot, watch: CopyWatch): Promise<void> {
  requireStopped(host, vm)
  const { resources } = await branched(host, snapshot.configuration)
  // Somebody may have started it meanwhile.
  requireStopped(host, vm)
  const loose = disksOf(vm.configuration)
  vm.configuration = appliedConfiguration(host, vm, snapshot.id, { ...snapshot.configuration, resources })
  vm.lastSnapshot = snapshot.id
  vm.appliedSnapshot = snapshot.id
  vm.configuredAt = host.clock.now()
  turnOff(host, vm)
  if (snapshot.holdsState) {
    vm.stoodStillAt = snapshot.createdAt
    if (vm.guest !== 'none') vm.guestUpAt = snapshot.createdAt
    save(host, vm)
  }
  await settleDisks(host, vm, loose, watch)
}

/** Destroys a snapshot, or a whole tree of them; what came after them is kept, and comes after what was before. */
export async function destroySnapshots(
  host: Host,
  { vm, snapshot }: FoundSnapshot,
  scope: 'one' | 'tree',
  watch: CopyWatch,
): Promise<void> {
  const gone = scope === 'one' ? new Set([snapshot.id]) : treeOf(vm, snapshot.id)
  const loose = vm.snapshots.filter(one => gone.has(one.id)).flatMap(({ configuration }) => disksOf(configuration))
  const parent = snapshot.parent
  vm.snapshots = vm.snapshots
    .filter(one => !gone.has(one.id))
    .map(one => (one.parent !== undefined && gone.has(one.parent) ? comingAfter(host, one, parent) : one))
  if (vm.lastSnapshot !== undefined && gone.has(vm.lastSnapshot)) {
    vm.configuration.system = withParent(host, vm.configuration.system, parent)
    delete vm.lastSnapshot
    if (parent !== undefined) vm.lastSnapshot = parent
  }
  if (vm.appliedSnapshot !== undefined && gone.has(vm.appliedSnapshot)) delete vm.appliedSnapshot
  host.touch()
  await settleDisks(host, vm, loose, watch)
}

function comingAfter(host: Host, { parent: _before, ...rest }: Snapshot, parent: string | undefined): Snapshot {
  const { system, resources } = rest.configuration
  const configuration = { system: withParent(host, system, parent), resources }
  return { ...rest, configuration, ...(parent === undefined ? {} : { parent }) }
}

/** A snapshot and all that come after it. */
function treeOf(vm: Vm, root: string): Set<string> {
  const found = new Set([root])
  // Parents come before their children, since they were taken before them.
  for (const { id, parent } of vm.snapshots) if (parent !== undefined && found.has(parent)) found.add(id)
  return found
}

/** Forgets the memory that a snapshot keeps: applied, it leaves the machine off. */
export function clearSnapshotState(host: Host, { vm, snapshot }: FoundSnapshot): void {
  vm.snapshots = vm.snapshots.map(one => (one.id === snapshot.id ? { ...one, holdsState: false } : one))
  host.touch()
}

/** ElementName of a snapshot. */
export const nameOfSnapshot = ({ configuration }: Snapshot): string => textIn(configuration.system, 'ElementName') ?? ''
