import assert from 'node:assert/strict'
import { readdirSync, rmSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import type { Vm } from '../../sim/hyperv/host/model.ts'
import { turnOff, turnOn } from '../../sim/hyperv/host/power.ts'
import { settingsOf } from '../../sim/hyperv/host/resources-settings.ts'
import { embedded, machineIn, manage } from './host-world.ts'
import {
  createDisk,
  DISKS,
  disksOf,
  ended,
  fileOf,
  foreignRead,
  image,
  putDisk,
  scribble,
  settingsOfDisk,
  type StorageWorld,
  storageWorld,
} from './images-world.ts'
import { apply, destroy, destroyTree, snapshotPath, snapshotService, take, taking } from './snapshots-world.ts'

const MIB = 1024 ** 2

/** A machine with a disk, which holds ones at its beginning. */
async function machineWithDisk(
  context: TestContext,
  name = 'web-1.vhdx',
): Promise<{ readonly world: StorageWorld; readonly vm: Vm; readonly disk: string }> {
  const world = await storageWorld(context)
  const vm = machineIn(world, 'web-1')
  const disk = `${DISKS}\\${name}`
  await createDisk(world, disk)
  await scribble(world, disk, 0, 1)
  await putDisk(world, vm, disk)
  return { world, vm, disk }
}

const only = (paths: readonly string[]): string => {
  const [path, ...others] = paths
  assert(path !== undefined && others.length === 0)
  return path
}

const filesIn = (world: StorageWorld): string[] => readdirSync(fileOf(world, DISKS)).toSorted()

for (const format of ['vhd', 'vhdx']) {
  test(`a machine goes on in a child of its ${format}, and the snapshot keeps the ${format}`, async context => {
    const { world, vm, disk } = await machineWithDisk(context, `web-1.${format}`)

    const snapshot = await take(world, vm)

    const present = only(disksOf(vm))
    assert.match(present, new RegExp(String.raw`\\web-1_[0-9A-F-]{36}\.a${format}$`))
    assert.deepEqual(disksOf(snapshot), [disk])
    const told = await settingsOfDisk(world, present)
    assert.deepEqual([told['Type'], told['ParentPath'], told['MaxInternalSize']], ['4', disk, '1073741824'])
    const second = await take(world, vm)
    assert.deepEqual(disksOf(second), [present])
    assert.match(only(disksOf(vm)), new RegExp(String.raw`\\web-1_[0-9A-F-]{36}\.a${format}$`))
    turnOn(world.host, vm)
  })

  test(`destroying a snapshot merges what the machine wrote since into the ${format}`, async context => {
    const { world, vm, disk } = await machineWithDisk(context, `web-1.${format}`)
    const snapshot = await take(world, vm)
    await scribble(world, only(disksOf(vm)), 8 * MIB, 2)
    await scribble(world, only(disksOf(vm)), 0, 3)

    const end = await destroy(world, snapshot)

    assert.deepEqual([end.returnValue, end.code], [4096, 0], end.text)
    assert.deepEqual(disksOf(vm), [disk])
    assert.deepEqual(filesIn(world), [`web-1.${format}`])
    foreignRead(world, disk, 8 * MIB, 2)
    foreignRead(world, disk, 0, 3)
  })
}

test('a machine tells that its disks are being merged, and cannot be destroyed meanwhile', async context => {
  const { world, vm } = await machineWithDisk(context)
  const { id } = await take(world, vm)

  const answer = snapshotService(world, 'DestroySnapshot', { AffectedSnapshot: snapshotPath(id) })
  await answer
  assert.equal(vm.secondaryStatus, 32772)
  const AffectedSystem = `\\\\HVHOST\\root\\virtualization\\v2:Msvm_ComputerSystem.CreationClassName="Msvm_ComputerSystem",Name="${vm.id}"`
  assert.equal((await manage(world, 'DestroySystem', { AffectedSystem })).returnValue, 32775)

  await ended(world, answer)
  assert.equal(vm.secondaryStatus, undefined)
})

test('destroying a snapshot in the middle leaves the ones around it with what they held', async context => {
  const { world, vm, disk } = await machineWithDisk(context)
  await take(world, vm)
  await scribble(world, only(disksOf(vm)), 0, 2)
  const two = await take(world, vm)
  await scribble(world, only(disksOf(vm)), 8 * MIB, 3)
  const three = await take(world, vm)
  await scribble(world, only(disksOf(vm)), 16 * MIB, 4)

  const end = await destroy(world, two)

  assert.equal(end.code, 0, end.text)
  assert.equal(filesIn(world).length, 3)
  const middle = only(disksOf(vm.snapshots.find(({ id }) => id === three.id) ?? vm))
  assert.equal((await settingsOfDisk(world, middle))['ParentPath'], disk)
  assert.equal((await settingsOfDisk(world, only(disksOf(vm))))['ParentPath'], middle)
  assert.equal((await ended(world, image(world, 'ValidateVirtualHardDisk', { Path: only(disksOf(vm)) }))).code, 0)
  assert.equal((await destroyTree(world, vm.snapshots[0] ?? two)).code, 0)
  assert.deepEqual(filesIn(world), ['web-1.vhdx'])
  foreignRead(world, disk, 0, 2)
  foreignRead(world, disk, 8 * MIB, 3)
  foreignRead(world, disk, 16 * MIB, 4)
})

test('applying a snapshot takes up its disk again, and what was written since is gone', async context => {
  const { world, vm, disk } = await machineWithDisk(context)
  const one = await take(world, vm)
  const lost = only(disksOf(vm))
  await scribble(world, lost, 0, 2)

  const end = await apply(world, one)

  assert.equal(end.code, 0, end.text)
  const present = only(disksOf(vm))
  assert.notEqual(present, lost)
  assert.equal((await settingsOfDisk(world, present))['ParentPath'], disk)
  assert.equal(filesIn(world).length, 2)
  await destroy(world, one)
  foreignRead(world, disk, 0, 1)
})

test('two branches share what they come from until only one of them needs it', async context => {
  const { world, vm, disk } = await machineWithDisk(context)
  const one = await take(world, vm)
  await scribble(world, only(disksOf(vm)), 0, 2)
  const two = await take(world, vm)
  await apply(world, one)
  await scribble(world, only(disksOf(vm)), 0, 3)

  assert.equal((await destroy(world, one)).code, 0)
  // The first disk has two children, and can be merged with neither.
  assert.deepEqual(filesIn(world).length, 3)
  assert.equal((await destroy(world, two)).code, 0)

  assert.deepEqual(disksOf(vm), [disk])
  assert.deepEqual(filesIn(world), ['web-1.vhdx'])
  foreignRead(world, disk, 0, 3)
})

test('the disks of a machine that runs are merged as well, and stay in use', async context => {
  const { world, vm, disk } = await machineWithDisk(context)
  const snapshot = await take(world, vm)
  turnOn(world.host, vm)

  assert.equal((await destroy(world, snapshot)).code, 0)

  assert.deepEqual(disksOf(vm), [disk])
  const busy = await ended(world, image(world, 'CompactVirtualHardDisk', { Path: disk, Mode: 0 }))
  assert.equal(busy.code, 32774)
  turnOff(world.host, vm)
})

test('a disk that is itself a child of one that nobody made for snapshots keeps its parent', async context => {
  const world = await storageWorld(context)
  const golden = `${DISKS}\\golden.vhdx`
  await createDisk(world, golden)
  await scribble(world, golden, 0, 7)
  const disk = `${DISKS}\\web-1.vhdx`
  await createDisk(world, disk, { ParentPath: golden })
  const vm = machineIn(world, 'web-1')
  await putDisk(world, vm, disk)
  const snapshot = await take(world, vm)
  await scribble(world, only(disksOf(vm)), 8 * MIB, 2)

  assert.equal((await destroy(world, snapshot)).code, 0)

  assert.deepEqual(filesIn(world), ['golden.vhdx', 'web-1.vhdx'])
  assert.equal((await settingsOfDisk(world, disk))['ParentPath'], golden)
  foreignRead(world, golden, 0, 7)
  foreignRead(world, golden, 8 * MIB, 0)
})

test('a snapshot of which a disk is missing is not taken, and leaves no file behind', async context => {
  const { world, vm, disk } = await machineWithDisk(context)
  const other = `${DISKS}\\web-2.vhdx`
  await createDisk(world, other)
  await putDisk(world, vm, other, 1)
  rmSync(fileOf(world, other))

  const end = await ended(world, taking(world, vm))

  assert.equal(end.code, 32779)
  assert.deepEqual([vm.snapshots.length, vm.secondaryStatus], [0, undefined])
  assert.deepEqual(filesIn(world), ['web-1.vhdx'])
  assert.deepEqual(disksOf(vm), [disk, other])
})

test('a physical disk is in the way of a snapshot, unless it is to be left out', async context => {
  const { world, vm } = await machineWithDisk(context)
  const InstanceID = `Microsoft:${vm.id}\\83F8638B-8DCA-4152-9EDA-2CA8B33039B4\\1\\0\\D`
  vm.configuration.resources.push(settingsOf({ build: 26100, locale: 'en-US' }, 'physicalDrive', { InstanceID }))

  const end = await ended(world, taking(world, vm))
  assert.equal(end.code, 32768)
  assert.match(end.text, /physical disk/)
  const SnapshotSettings = embedded('Msvm_VirtualSystemSnapshotSettingData', {
    IgnoreNonSnapshottableDisks: ['boolean', 'TRUE'],
  })
  assert.equal(disksOf(await take(world, vm, { SnapshotSettings })).length, 1)
})

test('a machine that is destroyed leaves one file of each disk, with all that was written', async context => {
  const { world, vm, disk } = await machineWithDisk(context)
  const one = await take(world, vm)
  await scribble(world, only(disksOf(vm)), 0, 2)
  await take(world, vm)
  await apply(world, one)
  await take(world, vm)
  await scribble(world, only(disksOf(vm)), 8 * MIB, 5)

  const AffectedSystem = `\\\\HVHOST\\root\\virtualization\\v2:Msvm_ComputerSystem.CreationClassName="Msvm_ComputerSystem",Name="${vm.id}"`
  const end = await ended(world, manage(world, 'DestroySystem', { AffectedSystem }))

  assert.equal(end.code, 0, end.text)
  assert.deepEqual(filesIn(world), ['web-1.vhdx'])
  foreignRead(world, disk, 0, 1)
  foreignRead(world, disk, 8 * MIB, 5)
})
