import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { WmiError } from '../../sim/hyperv/cim/provider.ts'
import type { Vm } from '../../sim/hyperv/host/model.ts'
import { assertFailedJob, textIn, valueIn, World } from './resources-world.ts'

const RASD = 'Msvm_ResourceAllocationSettingData'
const SASD = 'Msvm_StorageAllocationSettingData'

test('resources whose type or sub type is missing or unknown are refused as hosts refuse a bare instance', async () => {
  const world = new World()
  const vm = world.define('vm')
  const bare = world.embed('Msvm_SyntheticEthernetPortSettingData', { ElementName: 'bare' })
  const withoutSubType = world.embed(RASD, { ResourceType: 6 })
  const unknown = world.rasd(6, 'Steam Controller', {})

  for (const text of [bare, withoutSubType, unknown]) assertFailedJob(await world.tryToAdd(vm, text), 32773)
  assertFailedJob(await world.tryToAdd(vm, world.embed('Msvm_BatterySettingData', {})), 32773)
})

test('what every machine has from the beginning cannot be added, and what needs hardware is refused without it', async () => {
  const world = new World()
  const vm = world.define('vm', 1)
  const fixed = [
    world.rasd(5, 'Emulated IDE Controller', {}),
    world.rasd(14, 'Synthetic Diskette Drive', {}),
    world.rasd(13, 'Synthetic Mouse', {}),
    world.embed('Msvm_ProcessorSettingData', { ResourceType: 3, ResourceSubType: 'Microsoft:Hyper-V:Processor' }),
    world.embed('Msvm_SerialPortSettingData', { ResourceType: 21, ResourceSubType: 'Microsoft:Hyper-V:Serial Port' }),
  ]
  const fibreChannel = world.clone(world.defaultOf('Msvm_SyntheticFcPortSettingData', 'Synthetic FibreChannel Port'))

  for (const text of [...fixed, fibreChannel]) assertFailedJob(await world.tryToAdd(vm, text), 32773)
})

test('an image straight under a controller is refused with 32768, and with single backslashes with 32773', async () => {
  const world = new World()
  const vm = world.define('vm')
  const controller = await world.addScsi(vm)
  const drive = await world.addDrive(vm, controller, 0)

  assertFailedJob(await world.tryToAdd(vm, world.image(controller, 'C:\\d.vhdx')), 32768)
  assertFailedJob(await world.tryToAdd(vm, world.image(drive.replaceAll('\\\\', '\\'), 'C:\\d.vhdx')), 32773)
  assertFailedJob(await world.tryToAdd(vm, world.image('nothing', 'C:\\d.vhdx')), 32773)
})

test('a slot that is used or does not exist is refused, on IDE of two and on SCSI of sixty-four', async () => {
  const world = new World()
  const vm = world.define('vm', 1)
  const [ide] = world.partsOf(vm, RASD).filter(row => valueIn(row, 'ResourceType') === 5)
  const scsi = await world.addScsi(vm)
  const pathOfIde = scsi.replace(/"[^"]+"/, `"${textIn(ide, 'InstanceID').replaceAll('\\', '\\\\')}"`)
  const at = (controller: string, slot: string) =>
    world.rasd(17, 'Synthetic Disk Drive', { Parent: controller, AddressOnParent: slot })

  assert.equal((await world.tryToAdd(vm, at(pathOfIde, '1'))).returnValue, 0)
  assert.equal((await world.tryToAdd(vm, at(scsi, '63'))).returnValue, 0)
  for (const [controller, slot] of [
    [pathOfIde, '1'],
    [pathOfIde, '2'],
    [scsi, '63'],
    [scsi, '64'],
    [scsi, '-1'],
    [scsi, 'first'],
  ] as const) {
    assertFailedJob(await world.tryToAdd(vm, at(controller, slot)), 32773)
  }
})

test('a drive takes images of its own kind, and one of them', async () => {
  const world = new World()
  const vm = world.define('vm')
  const controller = await world.addScsi(vm)
  const [disk, dvd] = [await world.addDrive(vm, controller, 0), await world.addDrive(vm, controller, 1, 'DVD')]

  assertFailedJob(await world.tryToAdd(vm, world.image(dvd, 'C:\\d.vhdx')), 32768)
  assertFailedJob(await world.tryToAdd(vm, world.image(disk, 'C:\\a.iso', 'Virtual CD/DVD Disk')), 32768)
  await world.add(vm, world.image(disk, 'C:\\d.vhdx'))
  assertFailedJob(await world.tryToAdd(vm, world.image(disk, 'C:\\other.vhdx')), 32773)
})

test('a machine has four SCSI controllers at most, and only an empty one can be taken away', async () => {
  const world = new World()
  const vm = world.define('vm')
  const controllers = []
  for (let count = 0; count < 4; count++) controllers.push(await world.addScsi(vm))
  await world.addDrive(vm, controllers[0] ?? '', 0)

  assertFailedJob(await world.tryToAdd(vm, world.rasd(6, 'Synthetic SCSI Controller', {})), 32773)
  assertFailedJob(await world.remove(controllers[0] ?? ''), 32768)
  assert.equal((await world.remove(controllers[1] ?? '')).returnValue, 0)
})

test('a file that is not there, of another kind, or shared is refused, in sentences that name the machine', async () => {
  const world = new World({ files: ['C:\\there.vhdx', 'C:\\there.txt', 'C:\\shared.vhds'] })
  const vm = world.define('vm')
  const drive = await world.addDrive(vm, await world.addScsi(vm), 0)

  const missing = await world.tryToAdd(vm, world.image(drive, 'C:\\missing.vhdx'))
  const text = await world.tryToAdd(vm, world.image(drive, 'C:\\there.txt'))
  const set = await world.tryToAdd(vm, world.image(drive, 'C:\\shared.vhds'))
  const reserved = await world.tryToAdd(
    vm,
    world.embed(SASD, {
      ResourceType: 31,
      ResourceSubType: 'Microsoft:Hyper-V:Virtual Hard Disk',
      Parent: drive,
      HostResource: ['C:\\there.vhdx'],
      PersistentReservationsSupported: true,
    }),
  )
  const there = await world.tryToAdd(vm, world.image(drive, 'C:\\there.vhdx'))

  assertFailedJob(missing, 32768)
  assert.match(missing.job?.failure?.message ?? '', /^'vm' failed to add device 'Virtual Hard Disk'\. .*0x80070002/s)
  assertFailedJob(text, 32768)
  assertFailedJob(set, 32770)
  assertFailedJob(reserved, 32768)
  assert.equal(there.returnValue, 0)
})

test('a host in Japanese says in Japanese why it refuses', async () => {
  const world = new World({ locale: 'ja-JP' })
  const vm = world.define('仮想')

  const refused = await world.tryToAdd(vm, world.rasd(5, 'Emulated IDE Controller', {}))

  assert.match(
    refused.job?.failure?.message ?? '',
    /^'仮想' はデバイス 'Emulated IDE Controller' を追加できませんでした。/,
  )
})

test('two machines may have one disk, but only one of them runs with it', async () => {
  const world = new World()
  const machines = [world.define('one'), world.define('other')]
  for (const vm of machines) {
    await world.add(vm, world.image(await world.addDrive(vm, await world.addScsi(vm), 0), 'C:\\D.vhdx'))
  }
  const [one, other] = machines
  assert(one !== undefined && other !== undefined)

  world.start(one)
  assert.throws(() => world.start(other), { name: 'OperationError', code: 32768 })
  world.stop(one)
  world.start(other)

  assert.equal(other.power, 'running')
})

test('a machine does not start without the file of one of its disks', async () => {
  const files = ['C:\\d.vhdx']
  const world = new World({ files })
  const vm = world.define('vm')
  await world.add(vm, world.image(await world.addDrive(vm, await world.addScsi(vm), 0), 'C:\\d.vhdx'))

  files.pop()

  assert.throws(() => world.start(vm), { name: 'OperationError', code: 32768 })
})

test('while a machine runs, disks come and go on SCSI, media in any DVD drive, and nothing else', async () => {
  const world = new World()
  const vm = world.define('vm', 1)
  const [ide] = world.partsOf(vm, RASD).filter(row => valueIn(row, 'ResourceType') === 5)
  const scsi = await world.addScsi(vm)
  const pathOfIde = scsi.replace(/"[^"]+"/, `"${textIn(ide, 'InstanceID').replaceAll('\\', '\\\\')}"`)
  const dvd = await world.addDrive(vm, pathOfIde, 0, 'DVD')
  world.start(vm)

  const plugged = await world.addDrive(vm, scsi, 5)
  const [disk = ''] = await world.add(vm, world.image(plugged, 'C:\\hot.vhdx'))
  const [medium = ''] = await world.add(vm, world.image(dvd, 'C:\\a.iso', 'Virtual CD/DVD Disk'))
  const drive = { Parent: pathOfIde, AddressOnParent: '1' }

  assertFailedJob(await world.tryToAdd(vm, world.rasd(17, 'Synthetic Disk Drive', drive)), 32775)
  assertFailedJob(await world.tryToAdd(vm, world.rasd(6, 'Synthetic SCSI Controller', {})), 32775)
  for (const path of [disk, plugged, medium]) assert.equal((await world.remove(path)).returnValue, 0)
  assertFailedJob(await world.remove(dvd), 32775)
})

test('a medium is changed by another file and taken out by none; a disk that runs is not exchanged', async () => {
  const world = new World()
  const vm = world.define('vm')
  const controller = await world.addScsi(vm)
  const [dvd, drive] = [await world.addDrive(vm, controller, 0, 'DVD'), await world.addDrive(vm, controller, 1)]
  const [iso] = await world.add(vm, world.image(dvd, 'C:\\a.iso', 'Virtual CD/DVD Disk'))
  const [vhd] = await world.add(vm, world.image(drive, 'C:\\d.vhdx'))
  const ids = [iso, vhd].map(path => textIn(world.at(path), 'InstanceID'))
  world.start(vm)
  const change = (id: string | undefined, files: string[]) =>
    world.modify(SASD, { InstanceID: id ?? '', HostResource: files })

  await change(ids[0], ['C:\\b.iso'])
  assert.deepEqual(valueIn(world.at(iso), 'HostResource'), ['C:\\b.iso'])
  await change(ids[0], [])
  assert.deepEqual(valueIn(world.at(iso), 'HostResource'), [])
  assertFailedJob(await change(ids[1], ['C:\\e.vhdx']), 32775)
})

test('what breaks the text of an embedded instance is refused in the answer itself, entities as hosts mistake them', async () => {
  const world = new World()
  const vm = world.define('vm')
  const named = (name: string) =>
    world.rasd(6, 'Synthetic SCSI Controller', { ElementName: 'x' }).replace('<VALUE>x<', `<VALUE>${name}<`)
  const codes = async (text: string) => (await world.tryToAdd(vm, text)).returnValue

  assert.equal(await codes(named('a &amp; b')), 32768)
  assert.equal(await codes(named('a &lt; b')), 32773)
  assert.equal(await codes('<INSTANCE'), 32768)
  assert.equal(await codes(world.embed(RASD, { Colour: 'red' })), 32773)
  assert.equal(await codes(named('x').replace('TYPE="uint16"', 'TYPE="uint32"')), 32768)
  assert.equal(await codes('<INSTANCE CLASSNAME="Msvm_VirtualSystemSettingData"></INSTANCE>'), 32773)
  assert.equal(await codes(named('a &#38; b')), 0)
})

test('nothing is changed of a machine when one of several resources is refused', async () => {
  const world = new World()
  const vm = world.define('vm')
  const before = vm.configuration.resources.length

  const refused = await world.tryToAdd(
    vm,
    world.rasd(6, 'Synthetic SCSI Controller', {}),
    world.rasd(5, 'Emulated IDE Controller', {}),
  )

  assertFailedJob(refused, 32773)
  assert.equal(vm.configuration.resources.length, before)
})

test('references and settings that lead nowhere are refused', async () => {
  const world = new World()
  const vm = world.define('vm')
  const scsi = world.rasd(6, 'Synthetic SCSI Controller', {})
  const other = world.settingsPath(vm).replaceAll(vm.id, world.host.random.guid())
  const definition = 'Microsoft:Definition\\B637F347-6A0E-4DEC-AF52-BD70CB80A21D\\Maximum'
  const add = (path: string) =>
    world.manage('AddResourceSettings', { AffectedConfiguration: path, ResourceSettings: [scsi] })

  assert.equal((await add(other)).returnValue, 32773)
  assert.equal((await world.manage('AddResourceSettings', { ResourceSettings: [scsi] })).returnValue, 32773)
  assert.equal((await world.manage('RemoveResourceSettings', {})).returnValue, 32773)
  assertFailedJob(await world.remove(other), 32773)
  assertFailedJob(
    await world.modify('Msvm_ProcessorSettingData', { InstanceID: definition, VirtualQuantity: 2 }),
    32773,
  )
  assertFailedJob(await world.modify('Msvm_ProcessorSettingData', { VirtualQuantity: 2 }), 32773)
})

test('whatever is given of a resource, a host answers, and its machine stays whole', async () => {
  const world = new World({ files: ['C:\\d.vhdx'] })
  const vm = world.define('fuzzed', 1)
  const controller = await world.addScsi(vm)
  const drive = await world.addDrive(vm, controller, 0)
  const text = fc.oneof(
    fc.constantFrom(controller, drive, 'C:\\d.vhdx', '0', '63', '', `Microsoft:${vm.id}`),
    fc.string({ maxLength: 40 }).map(value => value.replace(/[^\u0020-\ud7ff]/g, ' ')),
  )
  const values = fc.record(
    {
      ResourceType: fc.constantFrom(3, 4, 5, 6, 10, 13, 14, 16, 17, 21, 24, 31, 33, 32771, 65535),
      ResourceSubType: fc.constantFrom(
        ...['Synthetic SCSI Controller', 'Synthetic Disk Drive', 'Virtual Hard Disk', 'Ethernet Connection', ''].map(
          name => `Microsoft:Hyper-V:${name}`,
        ),
      ),
      Parent: text,
      Address: text,
      AddressOnParent: text,
      InstanceID: text,
      ElementName: text,
      HostResource: fc.array(text, { maxLength: 2 }),
      Connection: fc.array(text, { maxLength: 2 }),
      VirtualQuantity: fc.nat(),
    },
    { requiredKeys: [] },
  )

  await fc.assert(
    fc.asyncProperty(values, fc.constantFrom('tryToAdd', 'modify', 'remove'), async (given, what) => {
      const answered = await attempt(world, vm, what, given)
      assert.ok(answered === undefined || Number.isInteger(answered))
      for (const row of world.partsOf(vm, 'CIM_ResourceAllocationSettingData')) {
        assert.ok(textIn(row, 'InstanceID').startsWith(`Microsoft:${vm.id}\\`))
      }
    }),
    { numRuns: 300 },
  )
})

/** What comes back, or undefined where it failed in WMI itself. */
async function attempt(
  world: World,
  vm: Vm,
  what: 'tryToAdd' | 'modify' | 'remove',
  given: Readonly<Record<string, string | number | string[]>>,
): Promise<number | undefined> {
  try {
    if (what === 'tryToAdd') return (await world.tryToAdd(vm, world.embed(RASD, given))).returnValue
    if (what === 'modify') return (await world.modify(RASD, given)).returnValue
    return (await world.remove(String(given['Parent'] ?? ''))).returnValue
  } catch (error) {
    if (error instanceof WmiError) return undefined
    throw error
  }
}
