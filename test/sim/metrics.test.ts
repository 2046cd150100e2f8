import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Wbem, WmiError } from '../../sim/hyperv/cim/provider.ts'
import type { Vm } from '../../sim/hyperv/host/model.ts'
import { textIn, valueIn, World } from './resources-world.ts'

const systemPath = (vm: Vm): string =>
  `\\\\WIN-SIM\\root\\virtualization\\v2:Msvm_ComputerSystem.CreationClassName="Msvm_ComputerSystem",Name="${vm.id}"`

const ENABLE = 2
const DISABLE = 3
const RESET = 4

function control(world: World, vm: Vm, MetricCollectionEnabled: number, Definition?: string) {
  const which = Definition === undefined ? {} : { Definition }
  return world.call('Msvm_MetricService', 'ControlMetrics', {
    Subject: systemPath(vm),
    MetricCollectionEnabled,
    ...which,
  })
}

/** The values of a machine by the names of their metrics. */
function valuesOf(world: World, vm: Vm): ReadonlyMap<string, number> {
  const rows = world.repository.associators(
    {
      className: 'Msvm_ComputerSystem',
      keys: new Map([
        ['CreationClassName', 'Msvm_ComputerSystem'],
        ['Name', vm.id],
      ]),
    },
    { associationClass: 'Msvm_MetricForME' },
  )
  return new Map(rows.map(row => [textIn(row, 'ElementName'), Number(textIn(row, 'MetricValue'))]))
}

test('a host has ten base definitions, among them the one that the recipe printed', () => {
  const world = new World()

  const ids = world.repository
    .list('Msvm_BaseMetricDefinition')
    .filter(row => row.class.name === 'Msvm_BaseMetricDefinition')
    .map(row => textIn(row, 'Id'))

  assert.equal(ids.length, 10)
  assert.ok(ids.includes('Microsoft:3C215D49-078B-4D9F-8E2E-0C844642D3BB'))
})

test('a machine that is off has four values when metrics are turned on, all zero, and none when they are off', async () => {
  const world = new World()
  const vm = world.define('metered')

  const before = valuesOf(world, vm)
  const { returnValue } = await control(world, vm, ENABLE)
  const enabled = valuesOf(world, vm)
  await control(world, vm, DISABLE)

  assert.equal(returnValue, 0)
  assert.equal(before.size, 0)
  assert.deepEqual([...enabled.values()], [0, 0, 0, 0])
  assert.equal(valuesOf(world, vm).size, 0)
})

test('values move with the clock while a machine runs, and a reset begins them anew', async () => {
  const world = new World()
  const vm = world.define('metered')
  await control(world, vm, ENABLE)
  world.start(vm)

  await world.clock.advance(600_000)
  const ten = valuesOf(world, vm)
  const [value] = world.repository.list('Msvm_AggregationMetricValue')
  await control(world, vm, RESET)
  const reset = valuesOf(world, vm)

  assert.equal(ten.get('Average Memory Utilization'), 1024)
  assert.equal(ten.get('Maximum Memory'), 1024)
  assert.ok((ten.get('Average CPU Utilization') ?? 0) > 0)
  assert.equal(textIn(value, 'Duration'), '00000000001000.000000:000')
  assert.equal(textIn(value, 'MeasuredElementName'), 'metered')
  assert.equal(reset.get('Average CPU Utilization'), 0)
})

test('disks and connections are measured where a machine has them', async () => {
  const world = new World()
  const vm = world.define('metered')
  const drive = await world.addDrive(vm, await world.addScsi(vm), 0)
  await world.add(vm, world.image(drive, 'C:\\d.vhdx'))
  await control(world, vm, ENABLE)
  world.start(vm)

  await world.clock.advance(60_000)

  const values = valuesOf(world, vm)
  assert.ok((values.get('Disk Data Read') ?? 0) > 0)
  assert.ok((values.get('Normalized I/O Operations Completed') ?? 0) > 0)
  assert.equal(values.has('Filtered Incoming Network Traffic'), false)
})

test('one metric alone is turned on and off by its definition', async () => {
  const world = new World()
  const vm = world.define('metered')
  const cpu = 'Msvm_AggregationMetricDefinition.Id="Microsoft:3F6F1051-C8FC-47EF-9821-C07240848749"'

  await control(world, vm, ENABLE, cpu)
  const one = [...valuesOf(world, vm).keys()]
  const rows = world.repository
    .list('Msvm_MetricDefForME')
    .filter(row => valueIn(row, 'MetricCollectionEnabled') === ENABLE)
  await control(world, vm, ENABLE)
  await control(world, vm, DISABLE, cpu)

  assert.deepEqual(one, ['Average CPU Utilization'])
  assert.equal(rows.length, 1)
  assert.equal(valuesOf(world, vm).size, 3)
})

test('what cannot be measured or asked is refused', async () => {
  const world = new World()
  const vm = world.define('metered')
  const other = 'Msvm_BaseMetricDefinition.Id="Microsoft:00000000-0000-0000-0000-000000000000"'

  assert.equal((await control(world, vm, 5)).returnValue, 32773)
  assert.equal((await control(world, vm, ENABLE, other)).returnValue, 32773)
  await assert.rejects(
    () => world.call('Msvm_MetricService', 'ShowMetrics', { Subject: systemPath(vm) }),
    (error: unknown) => error instanceof WmiError && error.hresult === Wbem.invalidParameter,
  )
})
