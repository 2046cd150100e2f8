import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { propertiesIn } from './images-world.ts'
import { describeRecipe, type Ended, only, printed, read, type RecipeHost, type Values } from './recipes-world.ts'

const GIB = 1024n ** 3n
const WORK = 'C:\\work\\'

function fileOf(host: RecipeHost, name: string): string {
  mkdirSync(join(host.folder, 'C', 'work'), { recursive: true })
  return join(host.folder, 'C', 'work', name)
}

const images = (host: RecipeHost, method: string, input: Values): Promise<Ended> =>
  host.service('Msvm_ImageManagementService', method, input)

/** CreateVirtualHardDisk of a dynamic VHDX; sectors and blocks of 0 are the host's choice. */
function create(host: RecipeHost, name: string, values: Values = {}): Promise<Ended> {
  fileOf(host, name)
  const dynamic = {
    Type: 3,
    Format: 3,
    MaxInternalSize: GIB,
    BlockSize: 0,
    LogicalSectorSize: 0,
    PhysicalSectorSize: 0,
  }
  const settings = {
    ...(values['ParentPath'] === undefined ? dynamic : { Type: 4, Format: 3 }),
    Path: WORK + name,
    ...values,
  }
  return images(host, 'CreateVirtualHardDisk', {
    VirtualDiskSettingData: host.made('Msvm_VirtualHardDiskSettingData', settings),
  })
}

async function settingsOf(host: RecipeHost, name: string): Promise<Record<string, string>> {
  const { how, output } = await images(host, 'GetVirtualHardDiskSettingData', { Path: WORK + name })
  assert.equal(how, '0')
  return propertiesIn(output['SettingData'])
}

describeRecipe('create_vhd and vhd_info: a new disk is a file of 4 MiB, and tells what it is', async host => {
  assert.equal((await create(host, 'new.vhdx', { MaxInternalSize: 64n * GIB })).how, '4096/7')

  assert.equal(statSync(fileOf(host, 'new.vhdx')).size, 4_194_304)
  const { Type, Format, MaxInternalSize, LogicalSectorSize, PhysicalSectorSize, ParentPath } = await settingsOf(
    host,
    'new.vhdx',
  )
  assert.deepEqual(
    [Type, Format, MaxInternalSize, LogicalSectorSize, PhysicalSectorSize, ParentPath],
    ['3', '3', '68719476736', '512', '4096', undefined],
  )
  const { how, output } = await images(host, 'GetVirtualHardDiskState', { Path: `${WORK}new.vhdx` })
  const state = propertiesIn(output['State'])
  assert.deepEqual(
    [how, state['FileSize'], state['InUse'], state['Alignment'], state['FragmentationPercentage']],
    ['0', '4194304', 'FALSE', '1', '0'],
  )
  assert.equal(state['MinInternalSize'], undefined)
})

describeRecipe('vhd_resize: a disk is made larger', async host => {
  await create(host, 'grow.vhdx', { MaxInternalSize: 10n * GIB })

  const { how } = await images(host, 'ResizeVirtualHardDisk', { Path: `${WORK}grow.vhdx`, MaxInternalSize: 30n * GIB })

  assert.deepEqual([how, (await settingsOf(host, 'grow.vhdx'))['MaxInternalSize']], ['4096/7', '32212254720'])
})

describeRecipe('vhd_convert: a dynamic disk becomes a fixed one beside it', async host => {
  await create(host, 'from.vhdx', { MaxInternalSize: 16n << 20n })
  const target = { Type: 2, Format: 3, Path: `${WORK}to.vhdx` }

  const { how } = await images(host, 'ConvertVirtualHardDisk', {
    SourcePath: `${WORK}from.vhdx`,
    VirtualDiskSettingData: host.made('Msvm_VirtualHardDiskSettingData', target),
  })

  const [from, to] = [await settingsOf(host, 'from.vhdx'), await settingsOf(host, 'to.vhdx')]
  assert.deepEqual([how, from['Type'], to['Type'], to['Format']], ['4096/7', '3', '2', '3'])
})

describeRecipe('vhd_compact: a disk with nothing to give back does not grow', async host => {
  await create(host, 'compact.vhdx')
  const before = statSync(fileOf(host, 'compact.vhdx')).size

  const { how } = await images(host, 'CompactVirtualHardDisk', { Path: `${WORK}compact.vhdx`, Mode: 0 })

  assert.equal(how, '4096/7')
  assert.ok(statSync(fileOf(host, 'compact.vhdx')).size <= before)
})

describeRecipe('vhd_merge: a child has its parent, and is gone when it was merged', async host => {
  await create(host, 'parent.vhdx')
  assert.equal((await create(host, 'child.vhdx', { ParentPath: `${WORK}parent.vhdx` })).how, '4096/7')
  const { Type, ParentPath } = await settingsOf(host, 'child.vhdx')
  assert.deepEqual([Type, ParentPath], ['4', `${WORK}parent.vhdx`])

  const paths = { SourcePath: `${WORK}child.vhdx`, DestinationPath: `${WORK}parent.vhdx` }
  assert.equal((await images(host, 'MergeVirtualHardDisk', paths)).how, '4096/7')

  assert.deepEqual(
    ['child.vhdx', 'parent.vhdx'].map(name => existsSync(fileOf(host, name))),
    [false, true],
  )
})

describeRecipe(
  'vhd_setparent: a copy of the parent takes its place, and .avhdx is no name for a new disk',
  async host => {
    await create(host, 'a.vhdx')
    await create(host, 'child.vhdx', { ParentPath: `${WORK}a.vhdx` })
    copyFileSync(fileOf(host, 'a.vhdx'), fileOf(host, 'b.vhdx'))

    const input = { ChildPath: `${WORK}child.vhdx`, ParentPath: `${WORK}b.vhdx`, IgnoreIDMismatch: false }
    const { how } = await images(host, 'SetParentVirtualHardDisk', input)

    assert.deepEqual([how, (await settingsOf(host, 'child.vhdx'))['ParentPath']], ['0', `${WORK}b.vhdx`])
    assert.equal((await create(host, 'c.avhdx', { ParentPath: `${WORK}a.vhdx` })).how, '4096/10/32773')
  },
)

describeRecipe('vhd_validate: a good disk is valid, a damaged one is not', async host => {
  await create(host, 'good.vhdx')
  writeFileSync(fileOf(host, 'bad.vhdx'), Buffer.alloc(65_536, 7))

  assert.equal((await images(host, 'ValidateVirtualHardDisk', { Path: `${WORK}good.vhdx` })).how, '4096/7')
  assert.equal((await images(host, 'ValidateVirtualHardDisk', { Path: `${WORK}bad.vhdx` })).how, '4096/10/32768')
})

describeRecipe(
  'mount_vhd_host: a disk is mounted, found by its path, and detached by a method of its own',
  async host => {
    await create(host, 'mount.vhdx')
    const input = { Path: `${WORK}mount.vhdx`, AssignDriveLetter: false, ReadOnly: false }
    assert.equal((await images(host, 'AttachVirtualHardDisk', input)).how, '4096/7')
    // Its author calls the method by another name than the MOF does.
    const found = await images(host, 'FindMountedStorageImageInstance', {
      SelectionCriterion: `${WORK}mount.vhdx`,
      CriterionType: 0,
    })
    assert.equal(found.how, '0')
    const mounted = host.at(found.output['Image'])
    assert.deepEqual([read(mounted, 'Type'), read(mounted, 'Access')], ['0', '2'])

    assert.equal((await host.invoke(mounted, 'DetachVirtualHardDisk')).how, '0')

    assert.equal(host.world.v2.list('Msvm_MountedStorageImage').length, 0)
  },
)

describeRecipe('shared_vhd: a type that there is none of is refused in the answer', async host => {
  for (const Type of [5, 6]) assert.equal((await create(host, 'none.vhdx', { Type })).how, '32773')
})

const service = (host: RecipeHost, method: string, input: Values): Promise<Ended> =>
  host.service('Msvm_VirtualSystemSnapshotService', method, input)

type System = Awaited<ReturnType<RecipeHost['define']>>

const take = async (host: RecipeHost, system: System): Promise<void> => {
  const { how, output } = await service(host, 'CreateSnapshot', {
    AffectedSystem: host.path(system),
    SnapshotSettings: '',
    SnapshotType: 2,
  })
  assert.deepEqual([how, printed(output['ResultingSnapshot'] ?? null)], ['4096/7', ''])
}

const snapshotsOf = (host: RecipeHost, system: System) =>
  host.related(system, 'Msvm_SnapshotOfVirtualSystem', 'Msvm_VirtualSystemSettingData')

describeRecipe('snapshot_create and snapshot_rename: a snapshot has a name, gets another, and goes', async host => {
  const system = await host.define()
  await take(host, system)
  const snapshot = () => only(snapshotsOf(host, system))
  assert.equal(read(snapshot(), 'VirtualSystemType'), 'Microsoft:Hyper-V:Snapshot:Realized')
  assert.match(read(snapshot(), 'ElementName'), /^WMITEST - \(\d{4}\/\d{1,2}\/\d{1,2} - \d{1,2}:\d\d:\d\d\)$/)

  assert.equal(await host.modifySystem(snapshot(), { ElementName: 'WMITEST_renamed' }), '0')

  const tip = only(host.related(system, 'Msvm_MostCurrentSnapshotInBranch', 'Msvm_VirtualSystemSettingData'))
  assert.deepEqual([read(snapshot(), 'ElementName'), read(tip, 'ElementName')], ['WMITEST_renamed', 'WMITEST_renamed'])
  assert.equal(read(host.settings(system), 'ElementName'), 'WMITEST')
  assert.equal((await service(host, 'DestroySnapshot', { AffectedSnapshot: host.path(snapshot()) })).how, '4096/7')
  assert.equal(snapshotsOf(host, system).length, 0)
  await host.destroy(system)
})

describeRecipe('snapshot_apply: processors go back to what they were, and notes stay', async host => {
  const system = await host.define()
  const processors = () => read(host.part(system, 'Msvm_ProcessorSettingData'), 'VirtualQuantity')
  await take(host, system)
  assert.equal(await host.modify(host.part(system, 'Msvm_ProcessorSettingData'), { VirtualQuantity: 2n }), '0')
  assert.equal(await host.modifySystem(host.settings(system), { Notes: ['after'] }), '0')
  assert.equal(processors(), '2')

  const applied = await service(host, 'ApplySnapshot', { Snapshot: host.path(only(snapshotsOf(host, system))) })

  assert.deepEqual([applied.how, processors(), read(host.settings(system), 'Notes')], ['4096/7', '1', 'after'])
  await host.destroy(system)
})

describeRecipe('snapshot_tree_delete: three in a chain go with the first', async host => {
  const system = await host.define()
  for (let count = 1; count <= 3; count++) await take(host, system)
  assert.equal(snapshotsOf(host, system).length, 3)
  const root = only(snapshotsOf(host, system).filter(one => read(one, 'Parent') === ''))

  assert.equal((await service(host, 'DestroySnapshotTree', { SnapshotSettingData: host.path(root) })).how, '4096/7')

  assert.equal(snapshotsOf(host, system).length, 0)
  await host.destroy(system)
})
