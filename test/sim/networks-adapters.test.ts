import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  SWITCH_SETTINGS,
  ALLOCATION,
  ADAPTER,
  VLAN,
  HOST_PATH,
  defineSwitch,
  privateSwitch,
  adapter,
  connection,
  connect,
} from './networks-world.ts'
import { assertFailedJob, type Given, nameAt, paths, textIn, valueIn, World } from './resources-world.ts'

test('an adapter that is cloned from the default has an address once its machine has started', async () => {
  const world = new World()
  const vm = world.define('net')
  const template = world.defaultOf(ADAPTER, 'Synthetic Ethernet Port')
  const identifier = '{70bc1b6d-0000-4000-8000-000000000001}'

  const [path] = await world.add(vm, world.clone(template, { VirtualSystemIdentifiers: [identifier] }))
  const before = world.at(path)
  world.start(vm)
  const after = world.at(path)

  assert.match(textIn(before, 'InstanceID'), new RegExp(`^Microsoft:${vm.id}\\\\[0-9A-F-]{36}$`))
  assert.equal(textIn(before, 'ElementName'), 'Network Adapter')
  assert.deepEqual([valueIn(before, 'Address'), valueIn(before, 'StaticMacAddress')], ['000000000000', false])
  assert.equal(paths(valueIn(before, 'VirtualSystemIdentifiers')).length, 2)
  assert.equal(paths(valueIn(before, 'VirtualSystemIdentifiers'))[0], identifier)
  assert.match(textIn(after, 'Address'), /^00155D[0-9A-F]{6}$/)
})

test('addresses that a host gives out differ, and end after 256', async () => {
  const world = new World()
  const seen = new Set<string>()
  for (let number = 0; number < 32; number++) {
    const vm = world.define(`net${number}`)
    await world.add(vm, ...Array.from({ length: 8 }, () => adapter(world)))
    await world.modify('Msvm_MemorySettingData', {
      InstanceID: `Microsoft:${vm.id}\\4764334d-e001-4176-82ee-5594ec9b530e`,
      VirtualQuantity: 32,
    })
    world.start(vm)
    for (const row of world.partsOf(vm, ADAPTER)) seen.add(textIn(row, 'Address'))
  }
  const one = world.define('one too many')
  await world.add(one, adapter(world))

  assert.equal(seen.size, 256)
  assert.throws(() => world.start(one), { name: 'OperationError', code: 32768 })
})

test('a static address is twelve hexadecimal digits, and changes only while the machine is off', async () => {
  const world = new World()
  const vm = world.define('net')
  const [path] = await world.add(vm, adapter(world, { Address: '00155daabbcc', StaticMacAddress: true }))
  const InstanceID = textIn(world.at(path), 'InstanceID')

  assert.equal(textIn(world.at(path), 'Address'), '00155DAABBCC')
  assertFailedJob(await world.tryToAdd(vm, adapter(world, { Address: '00:15:5d:aa:bb:cc' })), 32773)
  assertFailedJob(await world.modify(ADAPTER, { InstanceID, Address: 'none' }), 32773)
  assert.equal((await world.modify(ADAPTER, { InstanceID, Address: '00155DAABBCD' })).returnValue, 0)
  world.start(vm)
  assertFailedJob(await world.modify(ADAPTER, { InstanceID, Address: '00155DAABBCE' }), 32775)
  world.stop(vm)
  await world.modify(ADAPTER, { InstanceID, StaticMacAddress: false })
  assert.equal(textIn(world.at(path), 'Address'), '000000000000')
})

test('adapters are plugged into machines of generation 2 that run, from Server 2016 on', async () => {
  for (const [build, generation, code] of [
    [26100, 2, 0],
    [26100, 1, 4096],
    [9600, 2, 4096],
  ] as const) {
    const world = new World({ build })
    const vm = world.define('net', generation)
    world.start(vm)

    const added = await world.tryToAdd(vm, adapter(world))

    assert.equal(added.returnValue, code)
    if (code !== 0) assertFailedJob(added, 32775)
    else assert.match(textIn(world.partsOf(vm, ADAPTER)[0], 'Address'), /^00155D/)
  }
})

test('emulated adapters are for generation 1, and eight synthetic ones are enough', async () => {
  const world = new World()
  const [first, second] = [world.define('one', 1), world.define('two', 2)]
  const emulated = world.clone(world.defaultOf('Msvm_EmulatedEthernetPortSettingData', 'Emulated Ethernet Port'))

  assert.equal((await world.tryToAdd(first, emulated)).returnValue, 0)
  assertFailedJob(await world.tryToAdd(second, emulated), 32773)
  await world.add(second, ...Array.from({ length: 8 }, () => adapter(world)))
  assertFailedJob(await world.tryToAdd(second, adapter(world)), 32773)
})

test('an adapter is connected, moved to another switch, cut off, and takes its connection along when it goes', async () => {
  const world = new World()
  const vm = world.define('net')
  const [one, other] = [await privateSwitch(world, 'one'), await privateSwitch(world, 'other')]
  const [adapterPath, connectionPath] = await connect(world, vm, one.replace('WIN-SIM', 'win-sim.example.org'))
  const InstanceID = textIn(world.at(connectionPath), 'InstanceID')

  assert.equal(InstanceID, `${textIn(world.at(adapterPath), 'InstanceID')}\\C`)
  assert.deepEqual(valueIn(world.at(connectionPath), 'HostResource'), [one])
  assert.equal(textIn(world.at(connectionPath), 'Parent'), adapterPath)
  assert.equal(textIn(world.at(connectionPath), 'LastKnownSwitchName'), 'one')

  await world.modify(ALLOCATION, { InstanceID, HostResource: [other] })
  assert.deepEqual(valueIn(world.at(connectionPath), 'HostResource'), [other])
  await world.modify(ALLOCATION, { InstanceID, EnabledState: 3 })
  assert.equal(valueIn(world.at(connectionPath), 'EnabledState'), 3)
  assertFailedJob(await world.modify(ALLOCATION, { InstanceID, EnabledState: 6 }), 32773)
  assertFailedJob(await world.tryToAdd(vm, connection(world, adapterPath, one)), 32773)
  assertFailedJob(await world.tryToAdd(vm, connection(world, connectionPath, one)), 32773)

  assert.equal((await world.remove(adapterPath)).returnValue, 0)
  assert.deepEqual(world.partsOf(vm, ALLOCATION), [])
})

test('a connection to a switch that is not there is refused', async () => {
  const world = new World()
  const vm = world.define('net')
  const [adapterPath = ''] = await world.add(vm, adapter(world))
  const gone = (await privateSwitch(world, 'gone')).replace(/Name="[^"]+"$/, `Name="${world.host.random.guid()}"`)

  assertFailedJob(await world.tryToAdd(vm, connection(world, adapterPath, gone)), 32773)
  assertFailedJob(await world.tryToAdd(vm, connection(world, adapterPath, HOST_PATH)), 32773)
})

test('a VLAN is set by the management service; the service for switches refuses it with message 26146', async () => {
  const world = new World()
  const vm = world.define('net')
  const [, connectionPath] = await connect(world, vm, await privateSwitch(world, 'one'))
  const features = { AffectedConfiguration: connectionPath, FeatureSettings: [vlan(world, 42)] }

  const refused = await world.switching('AddFeatureSettings', features)
  const added = await world.manage('AddFeatureSettings', features)
  const [path = ''] = paths(added.output?.['ResultingFeatureSettings'])
  const InstanceID = textIn(world.at(path), 'InstanceID')
  const changed = await world.manage('ModifyFeatureSettings', {
    FeatureSettings: [world.embed(VLAN, { InstanceID, OperationMode: 2, TrunkVlanIdArray: [1, 2, 4094] })],
  })

  assertFailedJob(refused, 32773)
  assert.equal(refused.job?.failure?.messageId, 26146)
  assert.deepEqual([added.returnValue, changed.returnValue], [0, 0])
  const [row] = world.repository.associators(nameAt(connectionPath), {
    associationClass: 'Msvm_EthernetPortSettingDataComponent',
    resultClass: VLAN,
  })
  assert.deepEqual(
    ['OperationMode', 'AccessVlanId', 'TrunkVlanIdArray'].map(name => valueIn(row, name)),
    [2, 42, [1, 2, 4094]],
  )
  assert.match(InstanceID, /\\C\\952C5004-4465-451C-8CB8-FA9AB382B773\\[0-9A-F-]{36}$/)
  assertFailedJob(await world.switching('RemoveFeatureSettings', { FeatureSettings: [path] }), 32773)
  assert.equal((await world.manage('RemoveFeatureSettings', { FeatureSettings: [path] })).returnValue, 0)
  assert.equal(world.repository.find(nameAt(path)), undefined)
})

const vlan = (world: World, id: number): string => world.embed(VLAN, { OperationMode: 1, AccessVlanId: id })

test('features that cannot be are refused: numbers out of range, a second of a kind, offload without SR-IOV', async () => {
  const world = new World()
  const vm = world.define('net')
  const [adapterPath, connectionPath] = await connect(world, vm, await privateSwitch(world, 'one'))
  const add = (text: string, to = connectionPath) =>
    world.manage('AddFeatureSettings', { AffectedConfiguration: to, FeatureSettings: [text] })
  const acl = world.embed('Msvm_EthernetSwitchPortExtendedAclSettingData', { Direction: 1, Action: 2, Weight: 1 })

  assertFailedJob(await add(vlan(world, 4095)), 32773)
  assertFailedJob(await add(vlan(world, 42), adapterPath), 32773)
  assertFailedJob(await add(world.embed('Msvm_EthernetSwitchPortOffloadSettingData', { VMQOffloadWeight: 0 })), 32773)
  assert.equal((await add(vlan(world, 42))).returnValue, 0)
  assertFailedJob(await add(vlan(world, 43)), 32773)
  assert.equal((await add(acl)).returnValue, 0)
  assert.equal((await add(acl)).returnValue, 0)
})

test('the default of each feature stands with its capabilities, and can be added as it is', async () => {
  const world = new World()
  const vm = world.define('net')
  const [, connectionPath] = await connect(world, vm, await privateSwitch(world, 'one'))
  const security = '776E0BA7-94A1-41C8-8F28-951F524251B5'

  const [template] = world.repository.associators(
    {
      className: 'Msvm_EthernetSwitchFeatureCapabilities',
      keys: new Map([['InstanceID', `Microsoft:${security}`]]),
    },
    { associationClass: 'Msvm_FeatureSettingsDefineCapabilities' },
  )
  assert(template !== undefined)
  const text = world.clone(template, { AllowMacSpoofing: true, EnableDhcpGuard: true })
  const added = await world.manage('AddFeatureSettings', {
    AffectedConfiguration: connectionPath,
    FeatureSettings: [text],
  })

  assert.equal(textIn(template, 'InstanceID'), `Microsoft:Definition\\${security}\\Default`)
  const row = world.at(paths(added.output?.['ResultingFeatureSettings'])[0])
  assert.deepEqual(
    ['AllowMacSpoofing', 'EnableDhcpGuard', 'EnableRouterGuard'].map(name => valueIn(row, name)),
    [true, true, false],
  )
})

test('features of a switch and of the host port on it stand with the switch', async () => {
  const world = new World()
  await defineSwitch(world, 'inside', HOST_PATH)
  const [settings] = world.repository.list(SWITCH_SETTINGS)
  const id = textIn(settings, 'InstanceID')
  const BANDWIDTH = 'Msvm_VirtualEthernetSwitchBandwidthSettingData'
  const port = world.repository.list(ALLOCATION).find(row => textIn(row, 'InstanceID').startsWith(`${id}\\`))
  const path = (className: string, InstanceID: string) =>
    `${className}.InstanceID="${InstanceID.replaceAll('\\', '\\\\')}"`

  const ofSwitch = await world.switching('AddFeatureSettings', {
    AffectedConfiguration: path(SWITCH_SETTINGS, id),
    FeatureSettings: [world.embed(BANDWIDTH, { DefaultFlowWeight: 10 })],
  })
  const ofPort = await world.manage('AddFeatureSettings', {
    AffectedConfiguration: path(ALLOCATION, textIn(port, 'InstanceID')),
    FeatureSettings: [vlan(world, 7)],
  })

  assert.deepEqual([ofSwitch.returnValue, ofPort.returnValue], [0, 0])
  const [bandwidth] = world.repository.associators(
    { className: SWITCH_SETTINGS, keys: new Map([['InstanceID', id]]) },
    { associationClass: 'Msvm_VirtualEthernetSwitchSettingDataComponent' },
  )
  const [tag] = world.repository.associators(
    { className: ALLOCATION, keys: new Map([['InstanceID', textIn(port, 'InstanceID')]]) },
    { resultClass: VLAN },
  )
  assert.equal(valueIn(bandwidth, 'DefaultFlowWeight'), 10n)
  assert.equal(valueIn(tag, 'AccessVlanId'), 7)
})

test('a guest is told its addresses through the adapter, and a running one shows what it has', async () => {
  const world = new World()
  const vm = world.define('guest')
  const [adapterPath] = await connect(world, vm, await privateSwitch(world, 'one'))
  const GUEST = 'Msvm_GuestNetworkAdapterConfiguration'
  const read = () => world.repository.associators(nameAt(adapterPath), { resultClass: GUEST })[0]
  const set = (values: Readonly<Record<string, Given>>) =>
    world.manage('SetGuestNetworkAdapterConfiguration', {
      ComputerSystem: `Msvm_ComputerSystem.CreationClassName="Msvm_ComputerSystem",Name="${vm.id}"`,
      NetworkConfiguration: [world.embed(GUEST, { InstanceID: textIn(read(), 'InstanceID'), ...values })],
    })
  const fixed = { DHCPEnabled: false, ProtocolIFType: 4096, IPAddresses: ['10.0.0.5'], Subnets: ['255.255.255.0'] }
  const adapterId = textIn(world.at(adapterPath), 'InstanceID').split('\\')[1] ?? ''

  assert.equal(textIn(read(), 'InstanceID'), `Microsoft:GuestNetwork\\${vm.id}\\${adapterId}`)
  assert.equal(valueIn(read(), 'IPAddresses'), null)
  vm.guest = 'linux'
  world.start(vm)
  await world.clock.advance(600_000)
  assert.match(paths(valueIn(read(), 'IPAddresses'))[0] ?? '', /^172\.16\./)
  assert.equal((await set(fixed)).returnValue, 0)
  assert.deepEqual(valueIn(read(), 'IPAddresses'), ['10.0.0.5'])
  for (const wrong of [{ IPAddresses: ['10.0.0'] }, { Subnets: [] }, { ProtocolIFType: 1 }, { DNSServers: ['::1'] }]) {
    assertFailedJob(await set({ ...fixed, ...wrong }), 32773)
  }
})
