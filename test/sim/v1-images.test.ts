import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { textOf, valueOf } from '../../sim/hyperv/cim/instance.ts'
import type { CimValue, Instance } from '../../sim/hyperv/cim/model.ts'
import type { MethodResult } from '../../sim/hyperv/cim/provider.ts'
import { call, embedded, onlyOne, query } from './host-world.ts'
import { defineHere, outOf, pathHere, serve, textAt, type V1World, v1WorldOf } from './v1-world.ts'
import { atEnd } from '../support/at-end.ts'

const FOLDER = 'C:\\ProgramData\\Microsoft\\Windows\\Virtual Hard Disks'
const disk = (name: string): string => `${FOLDER}\\${name}`
const MIB = 1_048_576n

async function worldWithFiles(context: TestContext, build: number): Promise<V1World> {
  const folder = mkdtempSync(join(tmpdir(), 'sim-v1-'))
  atEnd(context, () => rmSync(folder, { recursive: true, force: true }))
  return v1WorldOf({ build, folder })
}

/** Calls a method, and waits for its job where there is one; returns the job, or undefined. */
async function settled(world: V1World, asked: Promise<MethodResult>): Promise<Instance | undefined> {
  const result = await asked
  if (result.returnValue !== 4096) {
    assert.equal(result.returnValue, 0)
    return undefined
  }
  const id = /InstanceID="([^"]+)"/.exec(textAt(result.output?.['Job']))?.[1] ?? ''
  const done = world.host.jobs.ended(id)
  await world.clock.advance(60_000)
  await done
  return outOf(world, result, 'Job')
}

const image = (world: V1World, method: string, input: Readonly<Record<string, CimValue>>) =>
  settled(world, serve(world, 'Image', method, input))

const machine = (world: V1World, method: string, input: Readonly<Record<string, CimValue>>) =>
  settled(world, serve(world, 'VirtualSystem', method, input))

const stateOf = (job: Instance | undefined): unknown[] =>
  job === undefined ? [] : [job.class.name, valueOf(job, 'JobState'), valueOf(job, 'ErrorCode')]

async function infoOf(world: V1World, Path: string): Promise<Readonly<Record<string, string>>> {
  const { output } = await serve(world, 'Image', 'GetVirtualHardDiskInfo', { Path })
  const properties = textAt(output?.['Info']).matchAll(/NAME="(\w+)" TYPE="\w+"><VALUE>([^<]*)</g)
  return Object.fromEntries([...properties].map(([, name = '', value = '']) => [name, value]))
}

for (const build of [7601, 9200]) {
  describe(`images in root\\virtualization on build ${build}`, () => {
    test('are made, told of, grown, converted and mounted', async context => {
      const world = await worldWithFiles(context, build)

      const made = await image(world, 'CreateDynamicVirtualHardDisk', {
        Path: disk('a.vhd'),
        MaxInternalSize: 64n * MIB,
      })
      const info = await infoOf(world, disk('a.vhd'))
      const grown = await image(world, 'ExpandVirtualHardDisk', { Path: disk('a.vhd'), MaxInternalSize: 128n * MIB })
      const converted = await image(world, 'ConvertVirtualHardDisk', {
        SourcePath: disk('a.vhd'),
        DestinationPath: disk('b.vhd'),
        Type: 2,
      })
      const mounted = await image(world, 'Mount', { Path: disk('b.vhd') })
      const there = query(world.v1, 'SELECT * FROM Msvm_MountedStorageImage')
      await image(world, 'Unmount', { Path: disk('b.vhd') })

      assert.deepEqual(stateOf(made), ['Msvm_StorageJob', 7, 0])
      assert(made !== undefined)
      assert.equal(valueOf(made, 'Type'), 1)
      assert.deepEqual(
        { ...info, FileSize: '' },
        {
          FileSize: '',
          InSavedState: 'FALSE',
          InUse: 'FALSE',
          MaxInternalSize: String(64n * MIB),
          ParentPath: '',
          Type: '3',
        },
      )
      assert.deepEqual(
        [grown, converted, mounted].map(job => stateOf(job)[1]),
        [7, 7, 7],
      )
      assert.equal((await infoOf(world, disk('a.vhd')))['MaxInternalSize'], String(128n * MIB))
      assert.equal((await infoOf(world, disk('b.vhd')))['Type'], '2')
      assert.deepEqual(
        there.map(one => textOf(one, 'Name')),
        [disk('b.vhd')],
      )
      assert.deepEqual(world.host.state.mounted, [])
    })

    test('come after parents, are given others, and are merged', async context => {
      const world = await worldWithFiles(context, build)
      await image(world, 'CreateDynamicVirtualHardDisk', { Path: disk('base.vhd'), MaxInternalSize: 64n * MIB })

      const made = await image(world, 'CreateDifferencingVirtualHardDisk', {
        Path: disk('child.vhd'),
        ParentPath: disk('base.vhd'),
      })
      const { ParentPath, Type } = await infoOf(world, disk('child.vhd'))
      const linked = await serve(world, 'Image', 'ReconnectParentVirtualHardDisk', {
        ChildPath: disk('child.vhd'),
        ParentPath: disk('base.vhd'),
        Force: false,
      })
      const valid = await image(world, 'ValidateVirtualHardDisk', { Path: disk('child.vhd') })
      const merged = await image(world, 'MergeVirtualHardDisk', {
        SourcePath: disk('child.vhd'),
        DestinationPath: disk('base.vhd'),
      })

      assert.equal(stateOf(made)[1], 7)
      assert.deepEqual([ParentPath, Type], [disk('base.vhd'), '4'])
      assert.equal(linked.returnValue, 0)
      assert.deepEqual(
        [valid, merged].map(job => stateOf(job)[1]),
        [7, 7],
      )
      assert(merged !== undefined)
      assert.equal(textOf(merged, 'Child'), disk('child.vhd'))
      assert.deepEqual(await infoOf(world, disk('child.vhd')), {})
    })

    test('are refused by a job: a file that is there, the newer format, a size that cannot be', async context => {
      const world = await worldWithFiles(context, build)
      await image(world, 'CreateFixedVirtualHardDisk', { Path: disk('a.vhd'), MaxInternalSize: 4n * MIB })

      const jobs = [
        await image(world, 'CreateFixedVirtualHardDisk', { Path: disk('a.vhd'), MaxInternalSize: 4n * MIB }),
        await image(world, 'CreateDynamicVirtualHardDisk', { Path: disk('a.vhdx'), MaxInternalSize: 4n * MIB }),
        await image(world, 'CreateDynamicVirtualHardDisk', { Path: disk('b.vhd'), MaxInternalSize: 1n }),
      ]
      const nowhere = await serve(world, 'Image', 'CreateVirtualFloppyDisk', { Path: '' })

      assert.deepEqual(
        jobs.map(job => stateOf(job).slice(1)),
        [
          [10, 32768],
          [10, 32773],
          [10, 32773],
        ],
      )
      assert.equal(nowhere.returnValue, 32773)
    })
  })

  describe(`snapshots in root\\virtualization on build ${build}`, () => {
    test('are taken, shown as settings of another type, applied and removed', async context => {
      const world = await worldWithFiles(context, build)
      const system = await defineHere(world, 'web')
      const ComputerSystem = pathHere(world, system)
      const rename = (name: string) =>
        machine(world, 'ModifyVirtualSystem', {
          ComputerSystem,
          SystemSettingData: embedded('Msvm_VirtualSystemSettingData', { Notes: ['string', name] }),
        })
      await rename('before')

      const taken = await machine(world, 'CreateVirtualSystemSnapshot', { SourceSystem: ComputerSystem })
      await rename('after')
      const snapshot = onlyOne(world.v1, 'SELECT * FROM Msvm_VirtualSystemSettingData WHERE SettingType = 5')
      const related = query(
        world.v1,
        `ASSOCIATORS OF {Msvm_ComputerSystem.CreationClassName='Msvm_ComputerSystem',Name='${textOf(system, 'Name')}'}` +
          ' WHERE AssocClass = Msvm_PreviousSettingData',
      )
      const own = () => onlyOne(world.v1, 'SELECT * FROM Msvm_VirtualSystemSettingData WHERE SettingType = 3')
      const parent = textOf(own(), 'Parent')
      const SnapshotSettingData = pathHere(world, snapshot)
      const applied = await machine(world, 'ApplyVirtualSystemSnapshotEx', { ComputerSystem, SnapshotSettingData })
      const last = query(world.v1, 'SELECT * FROM Msvm_LastAppliedSettingData').length
      const older = await serve(world, 'VirtualSystem', 'ApplyVirtualSystemSnapshot', {
        ComputerSystem,
        SnapshotSettingData,
      })
      await world.clock.advance(60_000)
      const removed = await machine(world, 'RemoveVirtualSystemSnapshotTree', { SnapshotSettingData })

      assert.deepEqual(stateOf(taken), ['Msvm_ConcreteJob', 7, 0])
      assert.equal(textOf(snapshot, 'SystemName'), textOf(system, 'Name'))
      assert.equal(textOf(snapshot, 'Notes'), 'before')
      assert.deepEqual(
        related.map(one => textOf(one, 'InstanceID')),
        [textOf(snapshot, 'InstanceID')],
      )
      assert.equal(parent, SnapshotSettingData)
      assert.equal(stateOf(applied)[1], 7)
      assert.equal(last, 1)
      assert.deepEqual(older, { returnValue: 4096 })
      assert.equal(stateOf(removed)[1], 7)
      assert.deepEqual(query(world.v1, 'SELECT * FROM Msvm_VirtualSystemSettingData WHERE SettingType = 5'), [])
    })

    test('have resources of their own, which nobody changes', async context => {
      const world = await worldWithFiles(context, build)
      const system = await defineHere(world, 'web')
      await machine(world, 'CreateVirtualSystemSnapshot', { SourceSystem: pathHere(world, system) })
      const snapshot = onlyOne(world.v1, 'SELECT * FROM Msvm_VirtualSystemSettingData WHERE SettingType = 5')

      const memory = onlyOne(
        world.v1,
        `ASSOCIATORS OF {Msvm_VirtualSystemSettingData.InstanceID='${textOf(snapshot, 'InstanceID')}'}` +
          ' WHERE AssocClass = Msvm_VirtualSystemSettingDataComponent ResultClass = Msvm_MemorySettingData',
      )
      const changed = await machine(world, 'ModifyVirtualSystemResources', {
        ComputerSystem: pathHere(world, system),
        ResourceSettingData: [
          embedded('Msvm_MemorySettingData', {
            InstanceID: ['string', textOf(memory, 'InstanceID')],
            VirtualQuantity: ['uint64', 1024n],
          }),
        ],
      })

      assert.deepEqual(stateOf(changed).slice(1), [10, 32775])
    })
  })
}

describe('a snapshot seen through both namespaces', () => {
  test('is the same, whichever took it', async context => {
    const world = await worldWithFiles(context, 9200)
    const system = await defineHere(world, 'web')
    await machine(world, 'CreateVirtualSystemSnapshot', { SourceSystem: pathHere(world, system) })
    const snapshot = onlyOne(world.v1, 'SELECT * FROM Msvm_VirtualSystemSettingData WHERE SettingType = 5')

    const there = onlyOne(
      world.v2,
      `SELECT * FROM Msvm_VirtualSystemSettingData WHERE InstanceID = '${textOf(snapshot, 'InstanceID')}'`,
    )
    const service = onlyOne(world.v2, 'SELECT * FROM Msvm_VirtualSystemSnapshotService')
    const result = await call(world.v2, service, 'DestroySnapshot', { AffectedSnapshot: world.v2.pathOf(there) })
    await world.clock.advance(60_000)

    assert.equal(textOf(there, 'VirtualSystemType'), 'Microsoft:Hyper-V:Snapshot:Realized')
    assert.equal(textOf(there, 'ElementName'), textOf(snapshot, 'ElementName'))
    assert.equal(result.returnValue, 4096)
    assert.deepEqual(world.host.state.vms[0]?.snapshots, [])
  })
})
