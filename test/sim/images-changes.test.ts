import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { turnOff, turnOn } from '../../sim/hyperv/host/power.ts'
import { call, jobAt, machineIn } from './host-world.ts'
import {
  createDisk,
  DISKS,
  diskSettings,
  ended,
  fileOf,
  foreignInfo,
  foreignRead,
  image,
  putDisk,
  scribble,
  settingsOfDisk,
  stateOfDisk,
  storageWorld,
} from './images-world.ts'

const GIB = 1024 ** 3
const MIB = 1024 ** 2
const DISK = `${DISKS}\\web-1.vhdx`

test('a disk is made larger, never smaller, and not while somebody has it', async context => {
  const world = await storageWorld(context)
  await createDisk(world, DISK, { MaxInternalSize: 10 * GIB })
  const resize = (MaxInternalSize: bigint) =>
    ended(world, image(world, 'ResizeVirtualHardDisk', { Path: DISK, MaxInternalSize }))

  const grown = await resize(BigInt(30 * GIB))
  assert.deepEqual([grown.returnValue, grown.code], [4096, 0])
  assert.equal((await settingsOfDisk(world, DISK))['MaxInternalSize'], '32212254720')
  assert.equal(foreignInfo(world, DISK)['virtual-size'], 30 * GIB)
  assert.equal((await resize(BigInt(GIB))).code, 32773)

  const vm = machineIn(world, 'web-1')
  await putDisk(world, vm, DISK)
  turnOn(world.host, vm)
  const busy = await resize(BigInt(40 * GIB))
  assert.equal(busy.code, 32774)
  assert.match(busy.text, /being used by another process/)
  assert.equal((await stateOfDisk(world, DISK))['InUse'], 'TRUE')
  turnOff(world.host, vm)
  assert.equal((await resize(BigInt(40 * GIB))).code, 0)
})

test('a parent is in use while a machine runs on a child of it', async context => {
  const world = await storageWorld(context)
  await createDisk(world, DISK)
  const child = `${DISKS}\\child.vhdx`
  await createDisk(world, child, { ParentPath: DISK })
  const vm = machineIn(world, 'web-1')
  await putDisk(world, vm, child)
  turnOn(world.host, vm)

  const end = await ended(world, image(world, 'CompactVirtualHardDisk', { Path: DISK, Mode: 0 }))

  assert.equal(end.code, 32774)
})

test('a file that a job works on is in use for all others', async context => {
  const world = await storageWorld(context)
  await createDisk(world, DISK)

  const first = image(world, 'CompactVirtualHardDisk', { Path: DISK, Mode: 0 })
  await first
  const second = await ended(
    world,
    image(world, 'ResizeVirtualHardDisk', { Path: DISK, MaxInternalSize: BigInt(2 * GIB) }),
  )

  assert.equal(second.code, 32774)
  assert.equal((await ended(world, first)).code, 0)
  const third = await ended(
    world,
    image(world, 'ResizeVirtualHardDisk', { Path: DISK, MaxInternalSize: BigInt(2 * GIB) }),
  )
  assert.equal(third.code, 0)
})

test('a job that is ended before its time has not touched its file, and lets it go', async context => {
  const world = await storageWorld(context)
  await createDisk(world, DISK)
  const answer = await image(world, 'ResizeVirtualHardDisk', { Path: DISK, MaxInternalSize: BigInt(2 * GIB) })
  await world.clock.advance(20)

  const stopped = await call(world.v2, jobAt(world, answer), 'RequestStateChange', { RequestedState: 5 })

  assert.equal(stopped.returnValue, 0)
  await world.clock.advance(60_000)
  assert.equal((await settingsOfDisk(world, DISK))['MaxInternalSize'], String(GIB))
  assert.equal((await ended(world, image(world, 'CompactVirtualHardDisk', { Path: DISK, Mode: 0 }))).code, 0)
})

test('a disk is converted into the other format or type, what its parents hold included', async context => {
  const world = await storageWorld(context)
  await createDisk(world, DISK)
  await scribble(world, DISK, 0, 1)
  await scribble(world, DISK, 8 * MIB, 1)
  const child = `${DISKS}\\child.vhdx`
  await createDisk(world, child, { ParentPath: DISK })
  await scribble(world, child, 8 * MIB, 2)
  const before = await settingsOfDisk(world, child)

  for (const [name, Type, Format] of [
    ['a.vhd', 3, 2],
    ['b.vhdx', 2, 3],
  ] as const) {
    const path = `${DISKS}\\${name}`
    const settings = diskSettings({ Type, Format, Path: path })
    const end = await ended(
      world,
      image(world, 'ConvertVirtualHardDisk', { SourcePath: child, VirtualDiskSettingData: settings }),
    )

    assert.deepEqual([end.returnValue, end.code], [4096, 0], end.text)
    const told = await settingsOfDisk(world, path)
    assert.deepEqual(
      [told['Type'], told['Format'], told['MaxInternalSize']],
      [String(Type), String(Format), String(GIB)],
    )
    foreignRead(world, path, 0, 1)
    foreignRead(world, path, 8 * MIB, 2)
    foreignRead(world, path, 16 * MIB, 0)
  }
  assert.deepEqual(await settingsOfDisk(world, child), before)
})

for (const extension of ['vhd', 'vhdx']) {
  test(`merging ${extension} children into their first parent takes them away, and the parent has what they held`, async context => {
    const world = await storageWorld(context)
    const [base, middle, leaf] = ['base', 'middle', 'leaf'].map(name => `${DISKS}\\${name}.${extension}`)
    assert(base !== undefined && middle !== undefined && leaf !== undefined)
    await createDisk(world, base)
    await scribble(world, base, 0, 1)
    await scribble(world, base, 4 * MIB, 1)
    await createDisk(world, middle, { ParentPath: base })
    await scribble(world, middle, 4 * MIB, 2)
    await scribble(world, middle, 8 * MIB, 2)
    await createDisk(world, leaf, { ParentPath: middle })
    await scribble(world, leaf, 8 * MIB, 3)

    const end = await ended(world, image(world, 'MergeVirtualHardDisk', { SourcePath: leaf, DestinationPath: base }))

    assert.deepEqual([end.returnValue, end.code], [4096, 0], end.text)
    assert.deepEqual(readdirSync(fileOf(world, DISKS)), [`base.${extension}`])
    foreignRead(world, base, 0, 1)
    foreignRead(world, base, 4 * MIB, 2)
    foreignRead(world, base, 8 * MIB, 3)
    assert.equal((await ended(world, image(world, 'ValidateVirtualHardDisk', { Path: base }))).code, 0)
  })
}

test('a disk is merged into nothing but what it is made of', async context => {
  const world = await storageWorld(context)
  await createDisk(world, DISK)
  await createDisk(world, `${DISKS}\\other.vhdx`)

  const end = await ended(
    world,
    image(world, 'MergeVirtualHardDisk', { SourcePath: DISK, DestinationPath: `${DISKS}\\other.vhdx` }),
  )

  assert.equal(end.code, 32773)
})

test('compacting gives back what holds only zeros, and children go on with their parent', async context => {
  const world = await storageWorld(context)
  await createDisk(world, DISK)
  await scribble(world, DISK, 0, 1)
  await scribble(world, DISK, 512 * MIB, 7)
  await scribble(world, DISK, 512 * MIB, 0)
  const child = `${DISKS}\\child.vhdx`
  await createDisk(world, child, { ParentPath: DISK })
  const before = statSync(fileOf(world, DISK)).size
  const id = (await settingsOfDisk(world, DISK))['VirtualDiskId']

  const end = await ended(world, image(world, 'CompactVirtualHardDisk', { Path: DISK, Mode: 0 }))

  assert.deepEqual([end.returnValue, end.code], [4096, 0], end.text)
  assert(statSync(fileOf(world, DISK)).size < before)
  foreignRead(world, DISK, 0, 1)
  foreignRead(world, DISK, 512 * MIB, 0)
  assert.equal((await settingsOfDisk(world, DISK))['VirtualDiskId'], id)
  assert.equal((await ended(world, image(world, 'ValidateVirtualHardDisk', { Path: child }))).code, 0)
  assert.deepEqual(readdirSync(fileOf(world, DISKS)).toSorted(), ['child.vhdx', 'web-1.vhdx'])
})

test('a damaged disk is told from a good one, and so is a child whose parent changed or is gone', async context => {
  const world = await storageWorld(context)
  await createDisk(world, DISK)
  const child = `${DISKS}\\child.vhdx`
  await createDisk(world, child, { ParentPath: DISK })
  writeFileSync(fileOf(world, `${DISKS}\\bad.vhdx`), 'vhdxfile, but not really')
  const validate = (Path: string) => ended(world, image(world, 'ValidateVirtualHardDisk', { Path }))

  assert.equal((await validate(child)).code, 0)
  const bad = await validate(`${DISKS}\\bad.vhdx`)
  assert.deepEqual([bad.returnValue, bad.code], [4096, 32768])
  assert.match(bad.text, /corrupted and unreadable/)
  await scribble(world, DISK, 0, 1)
  const changed = await validate(child)
  assert.equal(changed.code, 32768)
  assert.match(changed.text, /0xC03A000E/)
})

test('a child is given another parent that is the same, or any one where that is ignored', async context => {
  const world = await storageWorld(context)
  await createDisk(world, DISK)
  const [child, copy, other] = ['child', 'copy', 'other'].map(name => `${DISKS}\\${name}.vhdx`)
  assert(child !== undefined && copy !== undefined && other !== undefined)
  await createDisk(world, child, { ParentPath: DISK })
  copyFileSync(fileOf(world, DISK), fileOf(world, copy))
  await createDisk(world, other)
  const link = (ParentPath: string, IgnoreIDMismatch = false) =>
    ended(world, image(world, 'SetParentVirtualHardDisk', { ChildPath: child, ParentPath, IgnoreIDMismatch }))

  assert.equal((await link(copy)).returnValue, 0)
  assert.equal((await settingsOfDisk(world, child))['ParentPath'], copy)
  assert.equal((await link(other)).code, 32768)
  assert.equal((await link(other, true)).returnValue, 0)
  assert.equal((await settingsOfDisk(world, child))['ParentPath'], other)
  assert.equal((await link(child, true)).code, 32773)
  assert.equal((await ended(world, image(world, 'ValidateVirtualHardDisk', { Path: child }))).code, 0)
})

test('a parent that was moved together with its child is found beside it', async context => {
  const world = await storageWorld(context)
  await createDisk(world, DISK)
  const child = `${DISKS}\\child.vhdx`
  await createDisk(world, child, { ParentPath: DISK })
  const elsewhere = 'C:\\ProgramData\\Microsoft\\Windows\\Virtual Hard Disks'
  for (const name of ['web-1.vhdx', 'child.vhdx']) {
    execFileSync('mv', [fileOf(world, `${DISKS}\\${name}`), fileOf(world, `${elsewhere}\\${name}`)])
  }

  assert.equal((await settingsOfDisk(world, `${elsewhere}\\child.vhdx`))['ParentPath'], `${elsewhere}\\web-1.vhdx`)
})

test('the identifier and the sectors of a disk can be set', async context => {
  const world = await storageWorld(context)
  await createDisk(world, DISK)
  const id = '43B3F39E-2B2A-4F97-8A36-82937A779EE1'
  const settings = diskSettings({ Path: DISK, VirtualDiskId: `{${id.toLowerCase()}}`, PhysicalSectorSize: 512 })

  const { returnValue } = await image(world, 'SetVirtualHardDiskSettingData', { VirtualDiskSettingData: settings })

  assert.equal(returnValue, 0)
  const told = await settingsOfDisk(world, DISK)
  assert.deepEqual([told['VirtualDiskId'], told['PhysicalSectorSize']], [id, '512'])
})
