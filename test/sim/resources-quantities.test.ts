import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Vm } from '../../sim/hyperv/host/model.ts'
import { assertFailedJob, type Given, nameAt, textOf, valueIn, World } from './resources-world.ts'

const processorOf = (vm: Vm): string => `Microsoft:${vm.id}\\b637f346-6a0e-4dec-af52-bd70cb80a21d\\0`
const memoryOf = (vm: Vm): string => `Microsoft:${vm.id}\\4764334d-e001-4176-82ee-5594ec9b530e`

const setProcessor = (world: World, vm: Vm, values: Readonly<Record<string, Given>>) =>
  world.modify('Msvm_ProcessorSettingData', { InstanceID: processorOf(vm), ...values })
const setMemory = (world: World, vm: Vm, values: Readonly<Record<string, Given>>) =>
  world.modify('Msvm_MemorySettingData', { InstanceID: memoryOf(vm), ...values })

/** As clients turn it off before they ask for dynamic memory. */
function spanNoNuma(vm: Vm): void {
  vm.configuration.system.values['VirtualNumaEnabled'] = false
}

test('processors, their reservation, limit and weight are changed at once, as the recipes read them back', async () => {
  const world = new World()
  const vm = world.define('cpu')

  const counted = await setProcessor(world, vm, { VirtualQuantity: 4 })
  const shared = await setProcessor(world, vm, { Reservation: 25_000, Limit: 75_000, Weight: 200 })
  const nested = await setProcessor(world, vm, { ExposeVirtualizationExtensions: true, HwThreadsPerCore: 2 })

  const [row] = world.partsOf(vm, 'Msvm_ProcessorSettingData')
  assert.deepEqual(
    [counted, shared, nested].map(({ returnValue }) => returnValue),
    [0, 0, 0],
  )
  assert.deepEqual(
    ['VirtualQuantity', 'Reservation', 'Limit', 'Weight', 'ExposeVirtualizationExtensions', 'HwThreadsPerCore'].map(
      name => valueIn(row, name),
    ),
    [4n, 25_000n, 75_000n, 200, true, 2n],
  )
})

test('more processors than the host has, none, and shares out of their range are refused', async () => {
  const world = new World()
  const vm = world.define('cpu')

  const refused: Readonly<Record<string, Given>>[] = [
    { VirtualQuantity: 0 },
    { VirtualQuantity: 25 },
    { Limit: 100_001 },
    { Limit: 10_000, Reservation: 10_001 },
    { Weight: 0 },
    { Weight: 10_001 },
    { HwThreadsPerCore: 3 },
    { MaxProcessorsPerNumaNode: 0 },
    { ResourceType: 4 },
  ]

  for (const values of refused) assertFailedJob(await setProcessor(world, vm, values), 32773)
  assert.equal((await setProcessor(world, vm, { VirtualQuantity: 24 })).returnValue, 0)
})

test('while a machine runs its processors stay; their shares can be changed from Server 2016 on', async () => {
  for (const [build, code] of [
    [9600, 4096],
    [14393, 0],
  ] as const) {
    const world = new World({ build })
    const vm = world.define('cpu', 1)
    world.start(vm)

    assertFailedJob(await setProcessor(world, vm, { VirtualQuantity: 2 }), 32775)
    assert.equal((await setProcessor(world, vm, { Weight: 300 })).returnValue, code)
  }
})

test('a client that sends a whole object back changes what differs in it, and nothing else', async () => {
  const world = new World()
  const vm = world.define('cpu')
  const [row] = world.partsOf(vm, 'Msvm_ProcessorSettingData')
  assert(row !== undefined)

  const text = world.clone(row, { VirtualQuantity: 3, Caption: 'mine', Description: '' })
  const { returnValue } = await world.manage('ModifyResourceSettings', { ResourceSettings: [text] })

  const [after] = world.partsOf(vm, 'Msvm_ProcessorSettingData')
  assert.equal(returnValue, 0)
  assert.equal(valueIn(after, 'VirtualQuantity'), 3n)
  assert.deepEqual(
    [...row.values].filter(([name, value]) => textOf(value) !== textOf(after?.values.get(name))).map(([name]) => name),
    ['VirtualQuantity'],
  )
})

test('static memory is an even number of megabytes; what else is given of it does not matter', async () => {
  const world = new World()
  const vm = world.define('memory')

  assert.equal((await setMemory(world, vm, { VirtualQuantity: 3072 })).returnValue, 0)
  assert.equal((await setMemory(world, vm, { Limit: 1024 })).returnValue, 0)
  for (const amount of [0, 30, 1025, 240 * 1_048_576 + 2]) {
    assertFailedJob(await setMemory(world, vm, { VirtualQuantity: amount }), 32773)
  }

  const [row] = world.partsOf(vm, 'Msvm_MemorySettingData')
  assert.deepEqual([valueIn(row, 'VirtualQuantity'), valueIn(row, 'Limit')], [3072n, 1024n])
})

test('dynamic memory needs virtual NUMA off first, and bounds around what the machine starts with', async () => {
  const world = new World()
  const vm = world.define('dynamic')
  const dynamic = { DynamicMemoryEnabled: true, Reservation: 512, VirtualQuantity: 1024, Limit: 2048 }

  const spanning = await setMemory(world, vm, dynamic)
  spanNoNuma(vm)
  const enabled = await setMemory(world, vm, dynamic)

  assertFailedJob(spanning, 32773)
  assert.match(spanning.job?.failure?.message ?? '', /Cannot enable dynamic memory because NUMA is span based/)
  assert.equal(enabled.returnValue, 0)
  for (const values of [
    { Reservation: 1026 },
    { Limit: 1022 },
    { TargetMemoryBuffer: 4 },
    { TargetMemoryBuffer: 2001 },
    { Weight: 10_001 },
  ]) {
    assertFailedJob(await setMemory(world, vm, values), 32773)
  }
})

test('while a machine runs its static memory can be changed from Server 2016 on, up to what the host has free', async () => {
  const old = new World({ build: 9600 })
  const oldVm = old.define('memory', 1)
  const world = new World()
  const vm = world.define('memory')
  old.start(oldVm)
  world.start(vm)

  assertFailedJob(await setMemory(old, oldVm, { VirtualQuantity: 1024 }), 32775)
  assert.equal((await setMemory(world, vm, { VirtualQuantity: 2048 })).returnValue, 0)
  assertFailedJob(await setMemory(world, vm, { VirtualQuantity: 1_000_000 }), 32778)
  assertFailedJob(await setMemory(world, vm, { DynamicMemoryEnabled: true }), 32775)
})

test('while a machine runs with dynamic memory, its bounds can only become wider', async () => {
  const world = new World()
  const vm = world.define('dynamic')
  spanNoNuma(vm)
  await setMemory(world, vm, { DynamicMemoryEnabled: true, Reservation: 512, VirtualQuantity: 1024, Limit: 2048 })
  world.start(vm)

  assert.equal((await setMemory(world, vm, { Limit: 4096, Reservation: 256 })).returnValue, 0)
  assert.equal((await setMemory(world, vm, { TargetMemoryBuffer: 30, Weight: 6000 })).returnValue, 0)
  assertFailedJob(await setMemory(world, vm, { Limit: 2048 }), 32775)
  assertFailedJob(await setMemory(world, vm, { VirtualQuantity: 2048 }), 32775)
})

test('a serial port is connected to a named pipe, and to nothing else', async () => {
  const world = new World()
  const vm = world.define('serial')
  const id = `Microsoft:${vm.id}\\8E3A359F-559A-4B6A-98A9-1690A6100ED7\\0`
  const connect = (...pipes: string[]) =>
    world.modify('Msvm_SerialPortSettingData', { InstanceID: id, Connection: pipes })

  assert.equal((await connect('\\\\.\\pipe\\com1')).returnValue, 0)
  for (const pipe of ['COM1', 'C:\\file', '\\\\.\\pipe\\']) assertFailedJob(await connect(pipe), 32773)
  assertFailedJob(await connect('\\\\.\\pipe\\a', '\\\\.\\pipe\\b'), 32773)

  const [row] = world.partsOf(vm, 'Msvm_SerialPortSettingData')
  assert.deepEqual(valueIn(row, 'Connection'), ['\\\\.\\pipe\\com1'])
})

test('the screen has one of three kinds of resolution, and integration components are on or off', async () => {
  const world = new World()
  const vm = world.define('screen')
  const screen = `Microsoft:${vm.id}\\F3CF6965-E8D3-44A9-9B7D-A04245EA7525`
  const display = { InstanceID: screen, ResolutionType: 3, HorizontalResolution: 1280, VerticalResolution: 1024 }
  const timeSync = `Microsoft:${vm.id}\\2497F4DE-E9FA-4204-80E4-4B75C46419C0`
  const turn = (state: number) =>
    world.modify('Msvm_TimeSyncComponentSettingData', { InstanceID: timeSync, EnabledState: state })

  assert.equal((await world.modify('Msvm_SyntheticDisplayControllerSettingData', display)).returnValue, 0)
  assertFailedJob(
    await world.modify('Msvm_SyntheticDisplayControllerSettingData', { InstanceID: screen, ResolutionType: 9 }),
    32773,
  )
  assert.equal((await turn(3)).returnValue, 0)
  assertFailedJob(await turn(1), 32773)

  const [row] = world.partsOf(vm, 'Msvm_TimeSyncComponentSettingData')
  assert.equal(valueIn(row, 'EnabledState'), 3)
})

test('what Msvm_SecurityService guards is not changed as a resource', async () => {
  const world = new World()
  const vm = world.define('secure')
  const [row] = world.repository.associators(nameAt(world.settingsPath(vm)), {
    resultClass: 'Msvm_SecuritySettingData',
  })
  assert(row !== undefined)

  const { returnValue } = await world.manage('ModifyResourceSettings', {
    ResourceSettings: [world.clone(row, { TpmEnabled: true })],
  })

  assert.equal(returnValue, 32773)
})
