import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Wbem, WmiError } from '../../sim/hyperv/cim/provider.ts'
import { nameAt, paths, textIn, textOf, valueIn, World } from './resources-world.ts'

// What was observed on real hosts is told in test/fixtures/hyperv/README.md and in docs/doubts.md.

test('a new machine of generation 2 has the four devices of type 13, and no controller, disk or adapter', () => {
  const world = new World()
  const vm = world.define('new')

  const rasds = world.partsOf(vm, 'Msvm_ResourceAllocationSettingData')
  const [processor] = world.partsOf(vm, 'Msvm_ProcessorSettingData')
  const [memory] = world.partsOf(vm, 'Msvm_MemorySettingData')
  const [display] = world.partsOf(vm, 'Msvm_SyntheticDisplayControllerSettingData')

  assert.deepEqual(
    rasds.map(row => [valueIn(row, 'ResourceType'), valueIn(row, 'ResourceSubType')]),
    ['Virtual Keyboard', 'Serial Controller', 'Synthetic Mouse', 'Synthetic Keyboard'].map(name => [
      13,
      `Microsoft:Hyper-V:${name}`,
    ]),
  )
  assert.deepEqual(
    ['VirtualQuantity', 'Reservation', 'Limit', 'Weight'].map(name => valueIn(processor, name)),
    [1n, 0n, 100_000n, 100],
  )
  assert.deepEqual(
    ['VirtualQuantity', 'Reservation', 'Limit', 'TargetMemoryBuffer', 'DynamicMemoryEnabled'].map(name =>
      valueIn(memory, name),
    ),
    [1024n, 512n, 1_048_576n, 20, false],
  )
  assert.deepEqual(
    ['ResolutionType', 'HorizontalResolution', 'VerticalResolution'].map(name => valueIn(display, name)),
    [4, 1920, 1200],
  )
})

test('a new machine of generation 1 has the devices that a host was seen to list, IDE and diskette among them', () => {
  const world = new World()
  const vm = world.define('new', 1)

  const rasds = world.partsOf(vm, 'Msvm_ResourceAllocationSettingData')
  const name = (row: (typeof rasds)[number]) => textIn(row, 'ResourceSubType') || textIn(row, 'OtherResourceType')
  const ide = rasds.filter(row => valueIn(row, 'ResourceType') === 5)

  assert.deepEqual(rasds.map(row => `${textIn(row, 'ResourceType')} ${name(row).slice(18)}`).sort(), [
    '1 Virtual Diskette Controller',
    '13 Serial Controller',
    '13 Synthetic Keyboard',
    '13 Synthetic Mouse',
    '13 Virtual Keyboard',
    '13 Virtual PS2 Mouse',
    '14 Synthetic Diskette Drive',
    '24 S3 Display Controller',
    '5 Emulated IDE Controller',
    '5 Emulated IDE Controller',
  ])
  assert.deepEqual(
    ide.map(row => [valueIn(row, 'InstanceID'), valueIn(row, 'Address')]),
    ['0', '1'].map(at => [`Microsoft:${vm.id}\\83F8638B-8DCA-4152-9EDA-2CA8B33039B4\\${at}`, at]),
  )
})

test('every machine has six integration components and two serial ports, known by what their InstanceIDs end in', () => {
  const world = new World()
  const vm = world.define('new')
  const components = ['Shutdown', 'TimeSync', 'Heartbeat', 'KvpExchange', 'Vss', 'GuestServiceInterface']

  const states = components.map(name => {
    const rows = world.partsOf(vm, `Msvm_${name}ComponentSettingData`)
    assert.equal(rows.length, 1)
    return valueIn(rows[0], 'EnabledState')
  })
  const serial = world.partsOf(vm, 'Msvm_SerialPortSettingData')

  assert.deepEqual(states, [2, 2, 2, 2, 2, 3])
  assert.deepEqual(
    serial.map(row => [valueIn(row, 'ElementName'), valueIn(row, 'InstanceID')]),
    [0, 1].map(at => [`COM ${at + 1}`, `Microsoft:${vm.id}\\8E3A359F-559A-4B6A-98A9-1690A6100ED7\\${at}`]),
  )
})

test('before 2016 serial ports and the synthetic display are ordinary resource allocations', () => {
  const world = new World({ build: 9600 })
  const vm = world.define('new', 1)

  const rasds = world.partsOf(vm, 'Msvm_ResourceAllocationSettingData')

  const types = rasds.map(row => valueIn(row, 'ResourceType'))
  assert.equal(types.filter(type => type === 21).length, 2)
  assert.equal(types.filter(type => type === 24).length, 2)
  assert.equal(world.repository.schema.find('Msvm_SerialPortSettingData'), undefined)
  assert.equal(world.partsOf(vm, 'Msvm_RdvComponentSettingData').length, 1)
})

test('an ISO goes into a DVD drive on a SCSI controller that is added first, as the recipe does it', async () => {
  const world = new World()
  const vm = world.define('dvd')

  const controller = await world.addScsi(vm)
  const drive = await world.addDrive(vm, controller, 0, 'DVD')
  const [disk] = await world.add(vm, world.image(drive, 'C:\\iso\\a.iso', 'Virtual CD/DVD Disk'))

  const [driveRow, diskRow] = [world.at(drive), world.at(disk)]
  const controllerId = textIn(world.at(controller), 'InstanceID')
  assert.match(controllerId, new RegExp(`^Microsoft:${vm.id}\\\\[0-9A-F-]{36}\\\\0$`))
  assert.equal(valueIn(driveRow, 'InstanceID'), `${controllerId}\\0\\D`)
  assert.equal(valueIn(driveRow, 'Parent'), controller)
  assert.equal(valueIn(driveRow, 'AddressOnParent'), '0')
  assert.equal(valueIn(diskRow, 'InstanceID'), `${controllerId}\\0\\L`)
  assert.deepEqual(valueIn(diskRow, 'HostResource'), ['C:\\iso\\a.iso'])
  assert.equal(diskRow.class.name, 'Msvm_StorageAllocationSettingData')
})

test('what libvirt sends of drives, images and adapters is taken, with hosts and namespaces as it spells them', async () => {
  const world = new World({ build: 20348 })
  const vm = world.define('libvirt', 1)

  const made: string[] = []
  for (const number of [1, 2, 3, 4, 5]) {
    const text = embeddedOf(`invoke_addresourcesettings_${number}.txt`).replaceAll(OTHER_IDS, vm.id)
    // The recorded responder had one VM's drives on another's controller.
    const [path] = await world.add(vm, number === 2 ? text.replace('39B4\\\\1\\\\0', '39B4\\\\0\\\\0') : text)
    made.push(path ?? '')
  }

  const rows = made.map(path => world.at(path))
  assert.deepEqual(
    rows.map(row => row.class.name),
    [
      'Msvm_ResourceAllocationSettingData',
      'Msvm_StorageAllocationSettingData',
      'Msvm_ResourceAllocationSettingData',
      'Msvm_StorageAllocationSettingData',
      'Msvm_SyntheticEthernetPortSettingData',
    ],
  )
  assert.deepEqual(
    rows.slice(0, 4).map(row => textIn(row, 'InstanceID').slice(-7)),
    ['\\0\\0\\D', '\\0\\0\\L', '\\1\\0\\D', '\\1\\0\\L'].map(end => `4${end}`),
  )
  assert.equal(valueIn(rows[4], 'Address'), '00155DAABBCC')
})

const OTHER_IDS = /55555555-5555-5555-5555-555555555555|11111111-1111-1111-1111-111111111111/g

/** The embedded instance in a recorded request, with the first level of escapes undone. */
function embeddedOf(file: string): string {
  const url = new URL(`../fixtures/hyperv/client-requests/libvirt-v2/${file}`, import.meta.url)
  const request = readFileSync(url, 'utf8').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"')
  const start = request.indexOf('<INSTANCE')
  return request.slice(start, request.indexOf('</INSTANCE>') + '</INSTANCE>'.length)
}

test('a host has the pools of Server 2025, and a pool leads to the default settings that can be added as they are', async () => {
  const world = new World()
  const vm = world.define('pooled')
  const { repository } = world

  const pools = repository.list('Msvm_ResourcePool')
  const [processors] = repository.list('Msvm_ProcessorPool')
  const pool = pools.find(row => valueIn(row, 'ResourceSubType') === 'Microsoft:Hyper-V:Synthetic SCSI Controller')
  const [capabilities] = repository.associators(
    { className: 'Msvm_ResourcePool', keys: new Map([['InstanceID', textIn(pool, 'InstanceID')]]) },
    { associationClass: 'Msvm_ElementCapabilities', resultClass: 'Msvm_AllocationCapabilities' },
  )
  const roles = repository.references(
    {
      className: 'Msvm_AllocationCapabilities',
      keys: new Map([['InstanceID', textIn(capabilities, 'InstanceID')]]),
    },
    { resultClass: 'Msvm_SettingsDefineCapabilities' },
  )
  const byDefault = roles.find(row => valueIn(row, 'ValueRole') === 0)
  const template = world.at(textIn(byDefault, 'PartComponent'))

  assert.equal(pools.length, 23)
  assert.ok(pools.every(row => valueIn(row, 'Primordial') === true))
  assert.equal(repository.list('Msvm_AllocationCapabilities').length, 25)
  assert.equal(valueIn(processors, 'Capacity'), 2_400_000n)
  assert.deepEqual(
    roles.map(row => [valueIn(row, 'ValueRole'), valueIn(row, 'ValueRange')]),
    [
      [0, 0],
      [3, 1],
      [3, 2],
      [3, 3],
    ],
  )
  assert.equal(valueIn(template, 'InstanceID'), 'Microsoft:Definition\\BDE5D4D6-E450-46D2-B925-976CA3E989B4\\Default')
  const [added] = await world.add(vm, world.clone(template))
  assert.equal(valueIn(world.at(added), 'ElementName'), 'SCSI Controller')
})

test('the processors that a machine may have stand in the only maximum, and host disks in the default of pass-through', () => {
  const world = new World()

  const most = world.repository
    .list('Msvm_ProcessorSettingData')
    .filter(row => /^Microsoft:Definition.*Maximum$/.test(textIn(row, 'InstanceID')))
  const drives = world.repository
    .list('Msvm_ResourceAllocationSettingData')
    .filter(row => valueIn(row, 'ResourceSubType') === 'Microsoft:Hyper-V:Physical Disk Drive')
  const byDefault = drives.find(row => textIn(row, 'InstanceID').endsWith('\\Default'))

  assert.deepEqual(
    most.map(row => valueIn(row, 'VirtualQuantity')),
    [24n],
  )
  assert.deepEqual(
    paths(valueIn(byDefault, 'HostResource')).map(path => valueIn(world.at(path), 'DriveNumber')),
    [0, 1],
  )
})

test('a physical disk of the host is passed through to one machine at a time', async () => {
  const world = new World()
  const [one, other] = [world.define('one'), world.define('other')]
  const disk = world.repository.list('Msvm_DiskDrive').find(row => valueIn(row, 'DriveNumber') === 1)
  const id = textIn(disk, 'DeviceID').replaceAll('\\', '\\\\')
  const path = `\\\\win-sim\\root\\virtualization\\v2:Msvm_DiskDrive.CreationClassName="Msvm_DiskDrive",DeviceID="${id}",SystemCreationClassName="Msvm_ComputerSystem",SystemName="WIN-SIM"`
  const passing = async (controller: string) =>
    world.rasd(17, 'Physical Disk Drive', { Parent: controller, AddressOnParent: '3', HostResource: [path] })

  const [added] = await world.add(one, await passing(await world.addScsi(one)))
  const refused = await world.tryToAdd(other, await passing(await world.addScsi(other)))

  assert.match(textIn(world.at(added), 'InstanceID'), /\\0\\3\\D$/)
  assert.equal(refused.job?.failure?.code, 32773)
})

test('a drive is removed once its disk is: before, it fails in WMI itself', async () => {
  const world = new World()
  const vm = world.define('detached')
  const drive = await world.addDrive(vm, await world.addScsi(vm), 0)
  const [disk = ''] = await world.add(vm, world.image(drive, 'C:\\d.vhdx'))

  await assert.rejects(
    () => world.remove(drive),
    (error: unknown) => error instanceof WmiError && error.hresult === Wbem.failed,
  )
  assert.equal((await world.remove(disk)).returnValue, 0)
  assert.equal((await world.remove(drive)).returnValue, 0)

  assert.equal(world.repository.find(nameAt(drive)), undefined)
  assert.deepEqual(world.partsOf(vm, 'Msvm_StorageAllocationSettingData'), [])
})

test('a drive that is moved takes its disk along, and both get the InstanceIDs of the new place', async () => {
  const world = new World()
  const vm = world.define('moved')
  const controller = await world.addScsi(vm)
  const drive = await world.addDrive(vm, controller, 0)
  await world.add(vm, world.image(drive, 'C:\\d.vhdx'))
  const id = textIn(world.at(drive), 'InstanceID')

  const { returnValue, output } = await world.modify('Msvm_ResourceAllocationSettingData', {
    InstanceID: id,
    AddressOnParent: '7',
  })

  const [disk] = world.partsOf(vm, 'Msvm_StorageAllocationSettingData')
  const moved = id.replace('\\0\\D', '\\7\\D')
  assert.equal(returnValue, 0)
  assert.equal(valueIn(world.at(paths(output?.['ResultingResourceSettings'])[0]), 'InstanceID'), moved)
  assert.equal(valueIn(disk, 'InstanceID'), moved.replace('\\D', '\\L'))
})

test('what can be booted from follows the devices of a machine of generation 2, in the order in which they came', async () => {
  const world = new World()
  const vm = world.define('boots')
  const adapter = world.embed('Msvm_SyntheticEthernetPortSettingData', {
    ResourceType: 10,
    ResourceSubType: 'Microsoft:Hyper-V:Synthetic Ethernet Port',
  })

  const [network = ''] = await world.add(vm, adapter)
  const drive = await world.addDrive(vm, await world.addScsi(vm), 0, 'DVD')
  const order = paths(vm.configuration.system.values['BootSourceOrder'])
  const entries = order.map(path => world.at(path))
  await world.remove(network)

  assert.deepEqual(
    entries.map(row => [valueIn(row, 'BootSourceType'), valueIn(row, 'BootSourceDescription')]),
    [
      [2, 'EFI Network'],
      [1, 'EFI SCSI Device'],
    ],
  )
  assert.equal(valueIn(entries[1], 'InstanceID'), `${textIn(world.at(drive), 'InstanceID')}\\B`)
  assert.deepEqual(vm.configuration.system.values['BootSourceOrder'], [order[1]])
})

test('a battery is known by its class alone, and a machine has one at most', async () => {
  const world = new World()
  const vm = world.define('battery')
  const battery = world.embed('Msvm_BatterySettingData', { ResourceType: 1 })

  const [path] = await world.add(vm, battery)
  const again = await world.tryToAdd(vm, battery)

  assert.equal(world.partsOf(vm, 'Msvm_BatterySettingData').length, 1)
  assert.match(path ?? '', /Msvm_BatterySettingData/)
  assert.equal(again.job?.failure?.code, 32773)
})

test('snapshots show their own settings, and keep them as they are', async () => {
  const world = new World()
  const vm = world.define('kept')
  const id = world.host.random.guid()
  const resources = vm.configuration.resources.map(({ className, values }) => ({
    className,
    values: { ...values, InstanceID: textOf(values['InstanceID']).replace(vm.id, id) },
  }))
  const system = { className: 'Msvm_VirtualSystemSettingData', values: { InstanceID: `Microsoft:${id}` } }
  vm.snapshots.push({ id, configuration: { system, resources }, createdAt: 0, holdsState: false })
  const memory = `Microsoft:${id}\\4764334d-e001-4176-82ee-5594ec9b530e`

  const found = world.repository.associators(
    { className: 'Msvm_VirtualSystemSettingData', keys: new Map([['InstanceID', `Microsoft:${id}`]]) },
    { associationClass: 'Msvm_VirtualSystemSettingDataComponent', resultClass: 'Msvm_MemorySettingData' },
  )
  const answered = await world.modify('Msvm_MemorySettingData', { InstanceID: memory, VirtualQuantity: 2048 })

  assert.deepEqual(
    found.map(row => valueIn(row, 'InstanceID')),
    [memory],
  )
  assert.equal(answered.job?.failure?.code, 32775)
})
