import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CimValue } from '../../sim/hyperv/cim/model.ts'
import {
  defineSystem,
  destroySystem,
  findSettings,
  modifySystem,
  requireDestroyable,
} from '../../sim/hyperv/host/definition.ts'
import type { Vm } from '../../sim/hyperv/host/model.ts'
import { turnOn } from '../../sim/hyperv/host/power.ts'
import { machineIn, type World, worldOf } from './host-world.ts'

type Values = Readonly<Record<string, CimValue>>

const given = (values: Values): ReadonlyMap<string, CimValue> => new Map(Object.entries(values))

function change({ host }: World, vm: Vm, values: Values): void {
  modifySystem(host, given({ InstanceID: `Microsoft:${vm.id}`, ...values }))
}

const valueOf = (vm: Vm, name: string): CimValue | undefined => vm.configuration.system.values[name]

function refuses(work: () => unknown, code: number): void {
  assert.throws(work, { name: 'OperationError', code })
}

function addSnapshot(vm: Vm, id: string): void {
  const system = structuredClone(vm.configuration.system)
  system.values['InstanceID'] = `Microsoft:${id}`
  vm.snapshots.push({ id, configuration: { system, resources: [] }, createdAt: 0, holdsState: false })
}

test('a new machine has what a host chooses for it', async () => {
  const world = await worldOf()
  const vm = defineSystem(world.host, { settings: given({ ElementName: 'web' }) })

  assert.match(vm.id, /^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/)
  assert.equal(vm.power, 'off')
  const expected: Values = {
    ElementName: 'web',
    InstanceID: `Microsoft:${vm.id}`,
    VirtualSystemIdentifier: vm.id,
    VirtualSystemType: 'Microsoft:Hyper-V:System:Realized',
    VirtualSystemSubType: 'Microsoft:Hyper-V:SubType:1',
    Version: '12.0',
    AutomaticStartupAction: 3,
    AutomaticShutdownAction: 3,
    AutomaticRecoveryAction: 3,
    AutomaticStartupActionDelay: '00000000000000.000000:000',
    AutomaticCriticalErrorAction: 1,
    AutomaticCriticalErrorActionTimeout: '00000000003000.000000:000',
    UserSnapshotType: 3,
    BIOSNumLock: false,
    BootOrder: [1, 2, 3, 0],
    VirtualNumaEnabled: true,
    LowMmioGapSize: 128n,
    HighMmioGapSize: 512n,
    EnhancedSessionTransportType: 0,
  }
  for (const [name, value] of Object.entries(expected)) assert.deepEqual(valueOf(vm, name), value, name)
})

test('a machine of the second generation starts securely and has no BIOS', async () => {
  const vm = machineIn(await worldOf(), 'web', 'none', 2)

  assert.equal(valueOf(vm, 'SecureBootEnabled'), true)
  assert.equal(valueOf(vm, 'SecureBootTemplateId'), '1734C6E8-3154-4DDA-BA5F-A874CC483422')
  assert.equal(valueOf(vm, 'BootOrder'), undefined)
})

test('the version of the configuration is that of the build, and the second generation came with 9600', async () => {
  const versions: Readonly<Record<number, string>> = {
    9200: '4.0',
    9600: '5.0',
    14393: '8.0',
    17763: '9.0',
    20348: '10.0',
    26100: '12.0',
  }
  for (const [build, version] of Object.entries(versions)) {
    assert.equal(valueOf(machineIn(await worldOf({ build: Number(build) }), 'web'), 'Version'), version)
  }
  const old = await worldOf({ build: 9200 })
  refuses(() => machineIn(old, 'web', 'none', 2), 32773)
  assert.equal(old.host.state.vms.length, 0)
})

test('the identifier of a machine is the host’s choice, and a name may be there twice', async () => {
  const { host } = await worldOf()
  const wish = '11111111-2222-4333-8444-555555555555'
  const settings = given({ ElementName: 'web', VirtualSystemIdentifier: wish, InstanceID: `Microsoft:${wish}` })

  const vms = [defineSystem(host, { settings }), defineSystem(host, { settings })]

  assert.equal(host.state.vms.length, 2)
  assert.equal(new Set([wish, ...vms.map(({ id }) => id)]).size, 3)
  assert.equal(host.vm(vms[0]?.id.toLowerCase() ?? '')?.id, vms[0]?.id)
})

test('what is in machines that clients define is what the host was told', async () => {
  const told = await worldOf({ guest: 'linux' })
  assert.equal(defineSystem(told.host, { settings: given({}) }).guest, 'linux')
  const untold = await worldOf()
  assert.equal(defineSystem(untold.host, { settings: given({}) }).guest, 'none')
})

test('a machine can be defined after another one, whose devices become its own', async () => {
  const world = await worldOf()
  const model = machineIn(world, 'model', 'none', 2)
  change(world, model, { Notes: ['as it was'], AutomaticStartupAction: 4, SecureBootEnabled: false })

  const vm = defineSystem(world.host, {
    settings: given({ ElementName: 'copy' }),
    reference: model.configuration,
  })

  assert.equal(valueOf(vm, 'ElementName'), 'copy')
  assert.deepEqual(valueOf(vm, 'Notes'), ['as it was'])
  assert.equal(valueOf(vm, 'AutomaticStartupAction'), 4)
  assert.equal(valueOf(vm, 'SecureBootEnabled'), false)
  assert.equal(valueOf(vm, 'VirtualSystemSubType'), 'Microsoft:Hyper-V:SubType:2')
  assert.equal(vm.configuration.resources.length, model.configuration.resources.length)
  const own = JSON.stringify(vm.configuration, (_key, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  )
  assert(!own.includes(model.id))
})

test('a change of the name is one of the machine’s and its settings’', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'before')
  await world.clock.advance(5000)
  change(world, vm, { ElementName: 'after' })

  assert.equal(valueOf(vm, 'ElementName'), 'after')
  assert.equal(vm.configuredAt, world.clock.now())
  refuses(() => change(world, vm, { ElementName: 'x'.repeat(101) }), 32773)
})

test('of notes, only the first is kept', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web')

  change(world, vm, { Notes: ['a', 'b'] })
  assert.deepEqual(valueOf(vm, 'Notes'), ['a'])
  change(world, vm, { Notes: [] })

  assert.deepEqual(valueOf(vm, 'Notes'), [])
})

test('the GUID of the BIOS is taken with or without braces, and kept without, in upper case', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web')

  for (const guid of ['11112222-3333-4444-5555-66667777aaaa', '{11112222-3333-4444-5555-66667777AAAA}']) {
    change(world, vm, { BIOSGUID: guid })
    assert.equal(valueOf(vm, 'BIOSGUID'), '11112222-3333-4444-5555-66667777AAAA')
  }
  for (const guid of ['', 'web', '11112222333344445555666677778888']) {
    refuses(() => change(world, vm, { BIOSGUID: guid }), 32773)
  }
})

test('what a code stands for is checked: the automatic actions are those of v2', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web')
  const allowed: Readonly<Record<string, readonly number[]>> = {
    AutomaticStartupAction: [2, 3, 4],
    AutomaticShutdownAction: [2, 3, 4],
    AutomaticRecoveryAction: [2, 3, 4],
    UserSnapshotType: [2, 3, 4, 5],
    ConsoleMode: [0, 1, 2, 3],
    NetworkBootPreferredProtocol: [4096, 4097],
    EnhancedSessionTransportType: [0, 1],
  }
  for (const [name, codes] of Object.entries(allowed)) {
    for (const code of codes) {
      change(world, vm, { [name]: code })
      assert.equal(valueOf(vm, name), code)
    }
    for (const code of [Math.max(...codes) + 1, 4095]) refuses(() => change(world, vm, { [name]: code }), 32773)
  }
  for (const name of ['AutomaticStartupAction', 'AutomaticShutdownAction', 'AutomaticRecoveryAction']) {
    for (const code of [0, 1]) refuses(() => change(world, vm, { [name]: code }), 32773)
  }
})

test('delays are intervals, and the time-out of critical errors is of whole minutes while there is one', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web')

  change(world, vm, { AutomaticStartupActionDelay: '00000000000200.000000:000' })
  assert.equal(valueOf(vm, 'AutomaticStartupActionDelay'), '00000000000200.000000:000')
  change(world, vm, { AutomaticCriticalErrorActionTimeout: '00000000001430.000000:000' })
  assert.equal(valueOf(vm, 'AutomaticCriticalErrorActionTimeout'), '00000000001500.000000:000')
  change(world, vm, { AutomaticCriticalErrorAction: 0 })
  assert.equal(valueOf(vm, 'AutomaticCriticalErrorActionTimeout'), undefined)

  refuses(() => change(world, vm, { AutomaticStartupActionDelay: '20240101000000.000000+000' }), 32773)
})

test('the order of booting of a BIOS is four different devices', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web')

  change(world, vm, { BootOrder: [3, 0, 2, 1] })
  assert.deepEqual(valueOf(vm, 'BootOrder'), [3, 0, 2, 1])
  for (const order of [
    [3, 0, 2],
    [3, 3, 2, 1],
    [3, 0, 2, 9],
    [0, 1, 2, 3, 4],
  ]) {
    refuses(() => change(world, vm, { BootOrder: order }), 32773)
  }
})

test('what belongs to one generation is refused to the other', async () => {
  const world = await worldOf()
  const [bios, uefi] = [machineIn(world, 'bios'), machineIn(world, 'uefi', 'none', 2)]

  refuses(() => change(world, bios, { SecureBootEnabled: true }), 32773)
  refuses(() => change(world, bios, { SecureBootTemplateId: '272E7447-90A4-4563-A4B9-8E4AB00526CE' }), 32773)
  refuses(() => change(world, uefi, { BootOrder: [3, 0, 2, 1] }), 32773)
  refuses(() => change(world, uefi, { BIOSNumLock: true }), 32773)
  change(world, uefi, { SecureBootTemplateId: '272e7447-90a4-4563-a4b9-8e4ab00526ce' })

  assert.equal(valueOf(uefi, 'SecureBootTemplateId'), '272E7447-90A4-4563-A4B9-8E4AB00526CE')
})

test('the order of booting of UEFI is the host’s own entries in another order, however their paths are written', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web', 'none', 2)
  const entry = (number: number, host = 'HVHOST', namespace = 'root\\virtualization\\v2'): string =>
    `\\\\${host}\\${namespace}:Msvm_BootSourceSettingData.InstanceID="Microsoft:${vm.id}\\\\${number}\\\\B"`
  const { system } = vm.configuration
  vm.configuration.system = { ...system, values: { ...system.values, BootSourceOrder: [entry(1), entry(2), entry(3)] } }

  change(world, vm, { BootSourceOrder: [entry(3, 'hvhost.example', 'Root\\Virtualization\\V2'), entry(1)] })
  assert.deepEqual(valueOf(vm, 'BootSourceOrder'), [entry(3), entry(1), entry(2)])
  change(world, vm, { BootSourceOrder: [] })
  assert.deepEqual(valueOf(vm, 'BootSourceOrder'), [entry(3), entry(1), entry(2)])

  refuses(() => change(world, vm, { BootSourceOrder: [entry(4)] }), 32773)
  refuses(() => change(world, vm, { BootSourceOrder: [entry(1), entry(1)] }), 32773)
  refuses(() => change(world, vm, { BootSourceOrder: ['nonsense'] }), 32773)
})

test('what nobody may change is taken as it is and refused otherwise, and then nothing else is changed', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web')
  const whole = { ...vm.configuration.system.values }

  change(world, vm, { ...whole, ElementName: 'renamed' })
  assert.equal(valueOf(vm, 'ElementName'), 'renamed')

  const others: Values = {
    VirtualSystemType: 'Microsoft:Hyper-V:System:Planned',
    CreationTime: '20240101000000.000000+000',
    Version: '99.0',
    ConfigurationDataRoot: 'D:\\elsewhere',
    VirtualSystemSubType: 'Microsoft:Hyper-V:SubType:2',
    HighMmioGapBase: 1n,
  }
  for (const [name, value] of Object.entries(others)) {
    refuses(() => change(world, vm, { ElementName: 'not so', [name]: value }), 32768)
    assert.equal(valueOf(vm, 'ElementName'), 'renamed')
    assert.deepEqual(valueOf(vm, name), whole[name])
  }
})

test('what shapes the machine is changed while it is off, and the rest at any time', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web')
  turnOn(world.host, vm)

  change(world, vm, { ElementName: 'running', Notes: ['n'], AutomaticStartupAction: 2 })
  assert.equal(valueOf(vm, 'ElementName'), 'running')
  for (const values of [{ BIOSNumLock: true }, { BootOrder: [3, 0, 2, 1] }, { VirtualNumaEnabled: false }]) {
    refuses(() => change(world, vm, values), 32775)
  }
})

test('a snapshot can be named and described, and nothing else of it can be changed', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web')
  const id = 'AAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEEEE'
  addSnapshot(vm, id)
  const settings = given({ InstanceID: `Microsoft:${id}`, ElementName: 'before the update', Notes: ['why'] })

  modifySystem(world.host, settings)

  const found = findSettings(world.host, `Microsoft:${id.toLowerCase()}`)
  assert.equal(found?.configuration.system.values['ElementName'], 'before the update')
  assert.equal(valueOf(vm, 'ElementName'), 'web')
  refuses(() => modifySystem(world.host, given({ InstanceID: `Microsoft:${id}`, AutomaticStartupAction: 4 })), 32768)
})

test('settings that no machine has are refused', async () => {
  const { host } = await worldOf()

  for (const values of [
    {},
    { InstanceID: '' },
    { InstanceID: 'Microsoft:AAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEEEE' },
    { InstanceID: 'Microsoft:Definition' },
  ]) {
    refuses(() => modifySystem(host, given({ ElementName: 'web', ...values })), 32773)
  }
})

test('a machine is destroyed when it is off or saved, with its connections, and is not there any more', async () => {
  const world = await worldOf()
  const { host } = world
  const vm = machineIn(world, 'web')
  turnOn(host, vm)
  assert.throws(() => requireDestroyable(host, vm), { code: 32775, isImmediate: true })
  refuses(() => destroySystem(host, vm), 32775)
  vm.power = 'saved'
  vm.secondaryStatus = 32770
  refuses(() => destroySystem(host, vm), 32775)
  delete vm.secondaryStatus

  destroySystem(host, vm)

  assert.equal(host.vm(vm.id), undefined)
  assert.equal(findSettings(host, `Microsoft:${vm.id}`), undefined)
  assert.equal(host.state.vms.length, 0)
})

test('a host that lost one machine and got another finds both as they are', async () => {
  const world = await worldOf()
  const old = machineIn(world, 'old')
  assert.equal(world.host.vm(old.id), old)

  destroySystem(world.host, old)
  const fresh = machineIn(world, 'fresh')

  assert.equal(world.host.vm(old.id), undefined)
  assert.equal(world.host.vm(`{${fresh.id.toLowerCase()}}`), fresh)
})
