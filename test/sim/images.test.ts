import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { textOf, valueOf } from '../../sim/hyperv/cim/instance.ts'
import { settleAfterReboot } from '../../sim/hyperv/host/boot.ts'
import { OperationError } from '../../sim/hyperv/host/operation-error.ts'
import { turnOn } from '../../sim/hyperv/host/power.ts'
import { translated } from '../../sim/hyperv/storage/trouble.ts'
import { makeImage } from '../../sim/hyperv/storage/open-image.ts'
import { call, jobAt, machineIn, onlyOne, query } from './host-world.ts'
import {
  createDisk,
  DISKS,
  diskSettings,
  ended,
  fileOf,
  foreignInfo,
  image,
  putDisk,
  settingsOfDisk,
  type StorageWorld,
  stateOfDisk,
  storageWorld,
  textIn,
} from './images-world.ts'

const GIB = 1024 ** 3
const MIB = 1024 ** 2
const DISK = `${DISKS}\\web-1.vhdx`

const creating = (world: StorageWorld, values: Parameters<typeof diskSettings>[0]) =>
  ended(world, image(world, 'CreateVirtualHardDisk', { VirtualDiskSettingData: diskSettings(values) }))

test('a disk is created by a storage job that looks as recorded, and is a file then', async context => {
  const world = await storageWorld(context)
  const settings = diskSettings({ Type: 3, Format: 3, Path: DISK, MaxInternalSize: 64 * GIB, BlockSize: 0 })

  const answer = await image(world, 'CreateVirtualHardDisk', { VirtualDiskSettingData: settings })
  await world.clock.advance(15)
  const running = jobAt(world, answer)
  assert.equal(existsSync(fileOf(world, DISK)), false)
  await ended(world, Promise.resolve(answer))
  const done = jobAt(world, answer)

  assert.equal(answer.returnValue, 4096)
  assert.match(textIn(answer, 'Job'), /:Msvm_StorageJob\.InstanceID="[0-9A-F-]{36}"$/)
  const shown = [
    'JobState',
    'JobType',
    'PercentComplete',
    'ErrorCode',
    'ErrorDescription',
    'Cancellable',
    'Parent',
    'Child',
  ]
  assert.deepEqual(
    shown.map(name => textOf(running, name)),
    ['4', '1', '1', '0', '', 'TRUE', '', ''],
  )
  assert.deepEqual(
    shown.map(name => textOf(done, name)),
    ['7', '1', '100', '0', '', 'TRUE', '', ''],
  )
  assert.deepEqual(valueOf(done, 'OperationalStatus'), [17, 2])
  assert.equal(statSync(fileOf(world, DISK)).size, 4 * MIB)
  assert.equal(foreignInfo(world, DISK)['virtual-size'], 64 * GIB)
})

test('what the host says of a disk is what was read on a real one', async context => {
  const world = await storageWorld(context)
  await createDisk(world, DISK, { MaxInternalSize: 4 * GIB, BlockSize: MIB })

  const { VirtualDiskId, ...settings } = await settingsOfDisk(world, DISK.toUpperCase())
  const { Timestamp, ...state } = await stateOfDisk(world, DISK)

  assert.match(VirtualDiskId ?? '', /^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/)
  assert.deepEqual(settings, {
    BlockSize: '1048576',
    DataAlignment: '0',
    Format: '3',
    IsPmemCompatible: 'FALSE',
    LogicalSectorSize: '512',
    MaxInternalSize: '4294967296',
    Path: DISK,
    PhysicalSectorSize: '4096',
    PmemAddressAbstractionType: '65535',
    Type: '3',
  })
  assert.match(Timestamp ?? '', /^\d{14}\.\d{6}\+000$/)
  assert.deepEqual(state, {
    Alignment: '1',
    FileSize: '4194304',
    FragmentationPercentage: '0',
    InUse: 'FALSE',
    PhysicalSectorSize: '4096',
  })
})

test('what is NULL of a disk is told as inherited, without a value', async context => {
  const world = await storageWorld(context, { build: 9600 })
  await createDisk(world, DISK)

  const answer = await image(world, 'GetVirtualHardDiskSettingData', { Path: DISK })
  const state = await image(world, 'GetVirtualHardDiskState', { Path: DISK })

  const text = textIn(answer, 'SettingData')
  assert.match(text, /<PROPERTY NAME="ParentPath" PROPAGATED="true" TYPE="string"><\/PROPERTY>/)
  assert.match(textIn(state, 'State'), /<PROPERTY NAME="MinInternalSize" PROPAGATED="true" TYPE="uint64">/)
  assert.doesNotMatch(text, /ParentIdentifier|IsPmemCompatible/)
  assert.match(text, /VirtualDiskId/)
})

test('fixed and dynamic disks of both formats are what a foreign tool says they are', async context => {
  const world = await storageWorld(context)
  const wanted = [
    ['fixed.vhd', 2, 2, 'vpc'],
    ['dynamic.vhd', 3, 2, 'vpc'],
    ['fixed.vhdx', 2, 3, 'vhdx'],
    ['dynamic.vhdx', 3, 3, 'vhdx'],
  ] as const

  for (const [name, Type, Format, format] of wanted) {
    const path = `${DISKS}\\${name}`
    await createDisk(world, path, { Type, Format, MaxInternalSize: 3 * GIB })
    const told = await settingsOfDisk(world, path)

    assert.equal(told['Type'], String(Type))
    assert.equal(told['Format'], String(Format))
    if (name === 'fixed.vhd') continue // What a foreign tool cannot tell from a raw disk without being told.
    assert.equal(foreignInfo(world, path)['format'], format)
    assert.equal(foreignInfo(world, path)['virtual-size'], 3 * GIB)
  }
  assert(Number((await stateOfDisk(world, `${DISKS}\\fixed.vhd`))['FileSize']) > 3 * GIB)
})

test('a disk that cannot be is refused, in the answer or by its job, and leaves nothing behind', async context => {
  const world = await storageWorld(context)
  const good = { Type: 3, Format: 3, Path: DISK, MaxInternalSize: GIB }
  const refused = [
    // Source: seen to be refused in the answer itself.
    [{ ...good, Type: 5 }, 32773, 32773],
    [{ ...good, Format: 7 }, 32773, 32773],
    // Source: seen to be refused by the job.
    [{ ...good, Path: `${DISKS}\\web-1.avhdx` }, 4096, 32773],
    [{ ...good, Path: `${DISKS}\\web-1.vhd` }, 4096, 32773],
    [{ ...good, Path: `${DISKS}\\web-1.img` }, 4096, 32773],
    [{ ...good, Path: 'web-1.vhdx' }, 4096, 32773],
    [{ ...good, Path: '\\\\server\\share\\web-1.vhdx' }, 4096, 32773],
    [{ ...good, Path: 'C:\\..\\web-1.vhdx' }, 4096, 32773],
    [{ ...good, Path: 'C:\\nowhere\\web-1.vhdx' }, 4096, 32768],
    [{ ...good, MaxInternalSize: 0 }, 4096, 32773],
    [{ ...good, MaxInternalSize: GIB + 1 }, 4096, 32773],
    [{ ...good, MaxInternalSize: 65 * 1024 * GIB }, 4096, 32773],
    [{ ...good, Format: 2, Path: `${DISKS}\\web-1.vhd`, MaxInternalSize: 2041 * GIB }, 4096, 32773],
    [{ ...good, BlockSize: 3 * MIB }, 4096, 32773],
    [{ ...good, LogicalSectorSize: 513 }, 4096, 32773],
    [{ ...good, Type: 2, MaxInternalSize: 1024 * GIB }, 4096, 32768],
    [{ ...good, Type: 4 }, 4096, 32773],
    [{ ...good, Type: 4, ParentPath: `${DISKS}\\nowhere.vhdx` }, 4096, 32779],
    [{ ...good, Format: 4, Path: `${DISKS}\\web-1.vhds` }, 4096, 32770],
  ] as const

  for (const [values, returnValue, code] of refused) {
    const end = await creating(world, values)
    assert.deepEqual([end.returnValue, end.code], [returnValue, code], JSON.stringify(values))
  }
  assert.deepEqual(readdirSync(fileOf(world, DISKS)), [])
})

test('a set of disks is no format at all before the build that brought it', async context => {
  const world = await storageWorld(context, { build: 9600 })

  const end = await creating(world, { Type: 3, Format: 4, Path: `${DISKS}\\web-1.vhds`, MaxInternalSize: GIB })

  assert.equal(end.returnValue, 32773)
})

test('a disk is not made over another, whatever the case of its name', async context => {
  const world = await storageWorld(context)
  await createDisk(world, DISK)

  const end = await creating(world, { Type: 3, Format: 3, Path: DISK.toUpperCase(), MaxInternalSize: GIB })

  assert.equal(end.returnValue, 4096)
  assert.equal(end.code, 32768)
  assert.match(end.text, /The file exists\. \(0x80070050\)/)
})

test('errors are told in the language of the host', async context => {
  const world = await storageWorld(context, { locale: 'ja-JP' })

  const end = await ended(world, image(world, 'ValidateVirtualHardDisk', { Path: DISK }))

  assert.equal(end.code, 32779)
  assert.match(end.text, /指定されたファイルが見つかりません/)
})

test('a differencing disk has its parent, its size and no more than that', async context => {
  const world = await storageWorld(context)
  await createDisk(world, DISK, { MaxInternalSize: 40 * GIB })
  const child = `${DISKS}\\child.vhdx`
  await createDisk(world, child, { ParentPath: DISK })

  const told = await settingsOfDisk(world, child)

  assert.equal(told['Type'], '4')
  assert.equal(told['ParentPath'], DISK)
  assert.equal(told['MaxInternalSize'], String(40 * GIB))
  assert.equal(told['BlockSize'], String(2 * MIB))
  assert.match(told['ParentIdentifier'] ?? '', /^[0-9A-F-]{36}$/)
  assert.equal((await stateOfDisk(world, child))['FileSize'], '4194304')
  const sized = await creating(world, {
    Type: 4,
    Format: 3,
    Path: `${DISKS}\\sized.vhdx`,
    ParentPath: DISK,
    MaxInternalSize: GIB,
  })
  assert.equal(sized.code, 32773)
})

test('a floppy disk is 1.44 MB of nothing', async context => {
  const world = await storageWorld(context)

  const end = await ended(world, image(world, 'CreateVirtualFloppyDisk', { Path: `${DISKS}\\boot.vfd` }))

  assert.deepEqual([end.returnValue, end.code], [4096, 0])
  assert.equal(statSync(fileOf(world, `${DISKS}\\boot.vfd`)).size, 1_474_560)
  assert.equal(
    (await ended(world, image(world, 'CreateVirtualFloppyDisk', { Path: `${DISKS}\\boot.img` }))).code,
    32773,
  )
})

test('a disk that the host has mounted is told, found by its path, and in use until it is detached', async context => {
  const world = await storageWorld(context)
  await createDisk(world, DISK)

  const end = await ended(world, image(world, 'AttachVirtualHardDisk', { Path: DISK, ReadOnly: true }))
  assert.deepEqual([end.returnValue, end.code], [4096, 0], end.text)
  const mounted = onlyOne(world.v2, 'SELECT * FROM Msvm_MountedStorageImage')
  assert.deepEqual(
    ['Name', 'Type', 'Access', 'Lun', 'TargetId'].map(name => textOf(mounted, name)),
    [DISK, '0', '1', '0', '0'],
  )
  const found = await image(world, 'FindMountedStorageImageInstance', {
    SelectionCriterion: DISK.toLowerCase(),
    CriterionType: 0,
  })
  assert.match(textIn(found, 'Image'), /Msvm_MountedStorageImage\.Lun=0,PathId=0,PortNumber=\d+,TargetId=0$/)
  const again = await ended(world, image(world, 'AttachVirtualHardDisk', { Path: DISK }))
  assert.equal(again.code, 32774)

  assert.equal((await call(world.v2, mounted, 'DetachVirtualHardDisk')).returnValue, 0)
  assert.deepEqual(query(world.v2, 'SELECT * FROM Msvm_MountedStorageImage'), [])
  assert.equal((await stateOfDisk(world, DISK))['InUse'], 'FALSE')
})

test('a host that comes up again has no image mounted', async context => {
  const world = await storageWorld(context)
  await createDisk(world, DISK)
  await ended(world, image(world, 'AttachVirtualHardDisk', { Path: DISK }))

  settleAfterReboot(world.host)

  assert.deepEqual(query(world.v2, 'SELECT * FROM Msvm_MountedStorageImage'), [])
})

test('a file that the system does not let be read is refused without a word of where it really is', async context => {
  const world = await storageWorld(context)
  await createDisk(world, DISK)
  const error = Object.assign(new Error(`EIO: i/o error, open '${fileOf(world, DISK)}'`), {
    code: 'EIO',
    syscall: 'open',
  })

  const told = translated(world.host, 'open', DISK, error)

  assert(told instanceof OperationError)
  assert.equal(told.code, 32768)
  assert.doesNotMatch(told.message, /EIO|sim-world/)
})

test('a machine does not start with a disk that the host has mounted', async context => {
  const world = await storageWorld(context)
  await createDisk(world, DISK)
  const vm = machineIn(world, 'web-1')
  await putDisk(world, vm, DISK)
  await ended(world, image(world, 'AttachVirtualHardDisk', { Path: DISK }))

  assert.throws(() => turnOn(world.host, vm), /being used by another process/)
  await call(world.v2, onlyOne(world.v2, 'SELECT * FROM Msvm_MountedStorageImage'), 'DetachVirtualHardDisk')
  turnOn(world.host, vm)
})

test('a machine is given only files that are there', async context => {
  const world = await storageWorld(context)
  const vm = machineIn(world, 'web-1')

  await assert.rejects(putDisk(world, vm, DISK))
  await createDisk(world, DISK)
  const other = machineIn(world, 'web-2')
  await putDisk(world, other, DISK)
})

test('what this host has not is refused as not supported', async context => {
  const world = await storageWorld(context)
  for (const method of ['GetVHDSetInformation', 'OptimizeVHDSet', 'GetVirtualDiskChanges']) {
    assert.equal((await image(world, method, {})).returnValue, 32770, method)
  }
})

test('an image of either format made elsewhere is taken for what it is', async context => {
  const world = await storageWorld(context)
  const path = `${DISKS}\\foreign.vhdx`
  execFileSync('qemu-img', ['create', '-q', '-f', 'vhdx', fileOf(world, path), '2G'])
  const told = await settingsOfDisk(world, path)
  assert.deepEqual([told['Type'], told['Format'], told['MaxInternalSize']], ['3', '3', String(2 * GIB)])

  const raw = fileOf(world, `${DISKS}\\raw.vhdx`)
  writeFileSync(raw, Buffer.alloc(4096))
  const end = await ended(world, image(world, 'GetVirtualHardDiskSettingData', { Path: `${DISKS}\\raw.vhdx` }))
  assert.deepEqual([end.returnValue, end.code], [4096, 32768])
  await assert.rejects(
    makeImage(raw, specAnywhere(), () => world.host.random.guid()),
    { code: 'EEXIST' },
  )
})

const specAnywhere = () =>
  ({
    format: 'vhdx',
    type: 'dynamic',
    bytes: GIB,
    blockBytes: 32 * MIB,
    logicalSectorBytes: 512,
    physicalSectorBytes: 4096,
    id: '43B3F39E-2B2A-4F97-8A36-82937A779EE1',
    madeAt: 0,
  }) as const
