import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectPort, createPort, portsOf, switchNamed } from '../../sim/hyperv/host/switches.ts'
import {
  SWITCH_SETTINGS,
  ALLOCATION,
  HOST_PATH,
  cardPath,
  defineSwitch,
  privateSwitch,
  connect,
  portsUnder,
} from './networks-world.ts'
import { assertFailedJob, textIn, valueIn, World } from './resources-world.ts'

test('a private switch is made at once, and reads as a host prints switches', async () => {
  const world = new World()

  const path = await privateSwitch(world, 'alone')

  const row = world.at(path)
  const [settings] = world.repository.list(SWITCH_SETTINGS)
  assert.deepEqual(
    ['ElementName', 'EnabledState', 'HealthState', 'RequestedState', 'ResetCapability', 'Dedicated'].map(name =>
      valueIn(row, name),
    ),
    ['alone', 5, 5, 12, 5, [38]],
  )
  assert.equal(textIn(settings, 'InstanceID'), `Microsoft:${textIn(row, 'Name')}`)
  assert.deepEqual(valueIn(settings, 'Notes'), ['made by a test'])
  assert.deepEqual(portsUnder(world, path), [])
})

test('an internal switch takes a job, and has one port that leads to the host', async () => {
  const world = new World()

  const { returnValue, output, job } = await defineSwitch(world, 'inside', HOST_PATH)

  const [one] = world.repository.list('Msvm_VirtualEthernetSwitch')
  const [made] = job?.affected ?? []
  const id = textIn(one, 'Name')
  const ports = portsUnder(
    world,
    `Msvm_VirtualEthernetSwitch.CreationClassName="Msvm_VirtualEthernetSwitch",Name="${id}"`,
  )
  assert.deepEqual([returnValue, job?.state, output?.['ResultingSystem']], [4096, 7, undefined])
  assert.deepEqual([made?.name.keys.get('Name'), made?.effects], [id, [5]])
  assert.deepEqual(
    ports.map(row => valueIn(row, 'HostResource')),
    [[HOST_PATH]],
  )
  assert.match(textIn(ports[0], 'InstanceID'), new RegExp(`^Microsoft:${id}\\\\[0-9A-F-]{36}$`))
  assert.equal(world.repository.list('Msvm_InternalEthernetPort').length, 1)
})

test('an external switch is bound to a card by all four keys, and the card to no other switch', async () => {
  const world = new World()
  const [card, other] = world.repository.list('Msvm_ExternalEthernetPort')
  const half = cardPath(card).replace(/,SystemCreationClassName.*/, '')

  assert.equal((await defineSwitch(world, 'half', half)).returnValue, 32773)
  const made = await defineSwitch(world, 'outside', cardPath(card), HOST_PATH)
  const again = await defineSwitch(world, 'twice', cardPath(card))
  const two = await defineSwitch(world, 'two', cardPath(other), cardPath(other))

  assert.equal(made.job?.state, 7)
  assertFailedJob(again, 32773)
  assertFailedJob(two, 32773)
  assert.deepEqual(
    world.repository.list('Msvm_ExternalEthernetPort').map(row => valueIn(row, 'IsBound')),
    [true, false],
  )
  assert.equal(world.repository.list('Msvm_VirtualEthernetSwitch').length, 1)
})

test('a scalar in the place of an array has a code of its own with this service', async () => {
  const world = new World()
  const text = `<INSTANCE CLASSNAME="${ALLOCATION}"><PROPERTY NAME="HostResource" TYPE="string"><VALUE>x</VALUE></PROPERTY></INSTANCE>`

  const { returnValue } = await world.switching('DefineSystem', {
    SystemSettings: world.embed(SWITCH_SETTINGS, { ElementName: 'x' }),
    ResourceSettings: [text],
  })

  assert.equal(returnValue, 32776)
})

test('from the adapter of a machine that runs, a way leads over endpoints and a port to its switch', async () => {
  const world = new World()
  const vm = world.define('net')
  const path = await privateSwitch(world, 'one')
  const [adapterPath] = await connect(world, vm, path)
  const { repository } = world

  assert.deepEqual(repository.list('Msvm_SyntheticEthernetPort'), [])
  world.start(vm)
  const steps = [
    ['Msvm_SettingsDefineState', 'Msvm_SyntheticEthernetPort'],
    ['Msvm_EthernetDeviceSAPImplementation', 'Msvm_LANEndpoint'],
    ['Msvm_ActiveConnection', 'Msvm_LANEndpoint'],
    ['Msvm_EthernetDeviceSAPImplementation', 'Msvm_EthernetSwitchPort'],
    ['Msvm_SystemDevice', 'Msvm_VirtualEthernetSwitch'],
  ] as const
  let at = world.at(adapterPath)
  for (const [associationClass, resultClass] of steps) {
    const keys = new Map(at.class.properties.filter(one => one.isKey).map(one => [one.name, textIn(at, one.name)]))
    const [next, ...more] = repository.associators(
      { className: at.class.name, keys },
      { associationClass, resultClass },
    )
    assert(next !== undefined && more.length === 0, associationClass)
    at = next
  }

  assert.equal(textIn(at, 'Name'), textIn(world.at(path), 'Name'))
})

test('a switch is not destroyed while machines that run are connected to it', async () => {
  const world = new World()
  const vm = world.define('net')
  const path = await privateSwitch(world, 'one')
  const [, connectionPath] = await connect(world, vm, path)
  world.start(vm)

  const refused = await world.switching('DestroySystem', { AffectedSystem: path })
  world.stop(vm)
  const destroyed = await world.switching('DestroySystem', { AffectedSystem: path })

  assertFailedJob(refused, 32774)
  assert.match(refused.job?.failure?.message ?? '', /being used by running virtual machines/)
  assert.equal(destroyed.job?.state, 7)
  assert.deepEqual(world.repository.list('Msvm_VirtualEthernetSwitch'), [])
  assert.deepEqual(valueIn(world.at(connectionPath), 'HostResource'), [path])
  assert.equal((await world.switching('DestroySystem', { AffectedSystem: path })).returnValue, 32773)
})

test('a switch is renamed, gets a port to the host, and loses it again', async () => {
  const world = new World()
  const path = await privateSwitch(world, 'before')
  const id = textIn(world.at(path), 'Name')
  const InstanceID = `Microsoft:${id}`

  const renamed = await world.switching('ModifySystemSettings', {
    SystemSettings: world.embed(SWITCH_SETTINGS, { InstanceID, ElementName: 'after', Notes: ['new'] }),
  })
  const added = await world.switching('AddResourceSettings', {
    AffectedConfiguration: `${SWITCH_SETTINGS}.InstanceID="${InstanceID}"`,
    ResourceSettings: [world.embed(ALLOCATION, { HostResource: [HOST_PATH], ElementName: 'management' })],
  })
  const [port] = portsUnder(world, path)
  const portPath = `${ALLOCATION}.InstanceID="${textIn(port, 'InstanceID').replaceAll('\\', '\\\\')}"`
  const kind = switchNamed(world.host, id)?.kind
  const removed = await world.switching('RemoveResourceSettings', { ResourceSettings: [portPath] })

  assert.equal(renamed.returnValue, 0)
  assert.equal(textIn(world.at(path), 'ElementName'), 'after')
  assert.equal(added.job?.state, 7)
  assert.deepEqual([textIn(port, 'ElementName'), kind], ['management', 'internal'])
  assert.equal(removed.job?.state, 7)
  assert.deepEqual([portsUnder(world, path), switchNamed(world.host, id)?.kind], [[], 'private'])
})

test('a port that was made beforehand is that of the adapter which is put at it, and free once the adapter is gone', async () => {
  const world = new World()
  const vm = world.define('net')
  const path = await privateSwitch(world, 'one')
  const one = switchNamed(world.host, textIn(world.at(path), 'Name'))
  assert(one !== undefined)
  const port = createPort(world.host, one, 'made by v1')
  const [adapterPath] = await connect(world, vm, path)

  const before = portsOf(world.host, one).map(({ role }) => role)
  connectPort(world.host, port, textIn(world.at(adapterPath), 'InstanceID'))
  const at = portsOf(world.host, one).map(view => [view.role, view.port.id === port.id])
  await world.remove(adapterPath)
  const after = portsOf(world.host, one).map(({ role }) => role)

  assert.deepEqual(before, ['free', 'adapter'])
  assert.deepEqual(at, [['adapter', true]])
  assert.deepEqual(after, ['free'])
})

test('the host and its switches read in Japanese on a Japanese host, and their names stay what they are', async () => {
  const world = new World({ locale: 'ja-JP' })

  const row = world.at(await privateSwitch(world, 'Net'))

  assert.deepEqual([textIn(row, 'Caption'), textIn(row, 'ElementName')], ['仮想スイッチ', 'Net'])
})
