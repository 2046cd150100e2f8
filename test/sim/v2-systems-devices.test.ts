import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keysOf, textOf, valueOf } from '../../sim/hyperv/cim/instance.ts'
import type { Instance } from '../../sim/hyperv/cim/model.ts'
import type { Vm } from '../../sim/hyperv/host/model.ts'
import { call, machineIn, nameOfVmSystem, onlyOne, query, systemOf, type World, worldOf } from './host-world.ts'

const RUNTIME = [
  'Msvm_Keyboard',
  'Msvm_SyntheticMouse',
  'Msvm_SyntheticDisplayController',
  'Msvm_VideoHead',
  'Msvm_ShutdownComponent',
  'Msvm_HeartbeatComponent',
  'Msvm_KvpExchangeComponent',
  'Msvm_TimeSyncComponent',
  'Msvm_VssComponent',
]

async function started(guest: Vm['guest'], generation: 1 | 2 = 1): Promise<{ readonly world: World; readonly vm: Vm }> {
  const world = await worldOf()
  const vm = machineIn(world, 'web', guest, generation)
  assert.equal(
    (await call(world.v2, systemOf(world, vm), 'RequestStateChange', { RequestedState: 2 })).returnValue,
    4096,
  )
  await world.clock.advance(10_000)
  return { world, vm }
}

const of = ({ v2 }: World, vm: Vm, className: string): readonly Instance[] =>
  query(v2, `SELECT * FROM ${className} WHERE SystemName = '${vm.id.toLowerCase()}'`)

function device(world: World, vm: Vm, className: string): Instance {
  const [found, ...others] = of(world, vm, className)
  assert(found !== undefined && others.length === 0, className)
  return found
}

test('what a machine has while it runs is not there while it is off', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web', 'windows')
  for (const className of RUNTIME) {
    assert.deepEqual(query(world.v2, `SELECT * FROM ${className}`), [], className)
    assert.deepEqual(world.v2.associators(nameOfVmSystem(vm), { resultClass: className }), [], className)
  }

  const { world: other, vm: running } = await started('windows')
  for (const className of RUNTIME) {
    assert(of(other, running, className).length > 0, className)
    const related = other.v2.associators(nameOfVmSystem(running), { resultClass: className })
    assert.equal(related.length, of(other, running, className).length, className)
  }
})

test('integration services are there when a guest answers: none without one, and not while it boots', async () => {
  const { world, vm } = await started('none')
  for (const name of ['Shutdown', 'KvpExchange', 'TimeSync', 'Vss']) {
    assert.deepEqual(of(world, vm, `Msvm_${name}Component`), [])
  }
  assert.deepEqual(valueOf(device(world, vm, 'Msvm_HeartbeatComponent'), 'OperationalStatus'), [12, 12])

  const booting = await worldOf()
  const late = machineIn(booting, 'late', 'windows')
  await call(booting.v2, systemOf(booting, late), 'RequestStateChange', { RequestedState: 2 })
  await booting.clock.advance(5000)
  assert.deepEqual(of(booting, late, 'Msvm_ShutdownComponent'), [])
  await booting.clock.advance(5000)
  assert.equal(of(booting, late, 'Msvm_ShutdownComponent').length, 1)
  assert.deepEqual(valueOf(device(booting, late, 'Msvm_HeartbeatComponent'), 'OperationalStatus'), [2, 2])
})

test('an integration service that is disabled has no device', async () => {
  const { world, vm } = await started('windows')
  vm.configuration.resources = vm.configuration.resources.map(one =>
    one.className === 'Msvm_ShutdownComponentSettingData'
      ? { ...one, values: { ...one.values, EnabledState: 3 } }
      : one,
  )

  assert.deepEqual(of(world, vm, 'Msvm_ShutdownComponent'), [])
  assert.equal(of(world, vm, 'Msvm_KvpExchangeComponent').length, 1)
})

test('a guest is asked to shut down, and does so some seconds later', async () => {
  const { world, vm } = await started('windows')
  const component = device(world, vm, 'Msvm_ShutdownComponent')
  const shutDown = () => call(world.v2, component, 'InitiateShutdown', { Force: false, Reason: 'a test' })

  assert.deepEqual(await shutDown(), { returnValue: 0, output: {} })
  assert.equal((await shutDown()).returnValue, 32775)
  await world.clock.advance(3000)

  assert.equal(valueOf(systemOf(world, vm), 'EnabledState'), 3)
  assert.equal((await shutDown()).returnValue, 32775)
})

test('a guest is asked to restart or to hibernate where the build knows it and the machine allows it', async () => {
  const { world, vm } = await started('linux')
  const component = () => device(world, vm, 'Msvm_ShutdownComponent')
  const reboot = await call(world.v2, component(), 'InitiateReboot', { Force: false, Reason: '' })
  assert.equal(reboot.returnValue, 0)
  await world.clock.advance(1500)
  assert.deepEqual(of(world, vm, 'Msvm_ShutdownComponent'), [])
  await world.clock.advance(4000)
  assert.equal((await call(world.v2, component(), 'InitiateHibernate')).returnValue, 32770)
  const { system } = vm.configuration
  vm.configuration.system = { ...system, values: { ...system.values, EnableHibernation: true } }
  assert.equal((await call(world.v2, component(), 'InitiateHibernate')).returnValue, 0)
  await world.clock.advance(1500)
  assert.equal(vm.power, 'off')

  const old = await worldOf({ build: 9600 })
  assert.equal(old.v2.schema.find('Msvm_ShutdownComponent')?.method('InitiateReboot'), undefined)
})

test('a keyboard has the identifier that every keyboard has, and its machine tells it from others', async () => {
  const { world, vm } = await started('none')

  const keyboard = device(world, vm, 'Msvm_Keyboard')

  assert.equal(textOf(keyboard, 'DeviceID'), 'Microsoft:DE6CDC86-E1FB-4940-801B-C3C1A26C4DA4')
  assert.equal(textOf(keyboard, 'Layout'), '00000409')
  assert.equal(valueOf(keyboard, 'UnicodeSupported'), true)
  assert.equal(valueOf(keyboard, 'NumberOfFunctionKeys'), 12)
})

test('keys are pressed, held, asked for and let go, and text is typed as far as there are keys', async () => {
  const { world, vm } = await started('none')
  const keyboard = device(world, vm, 'Msvm_Keyboard')
  const on = (method: string, input: Parameters<typeof call>[3] = {}) => call(world.v2, keyboard, method, input)
  const isPressed = async (key: number) => (await on('IsKeyPressed', { KeyCode: key })).output?.['KeyState']

  assert.equal((await on('TypeText', { AsciiText: 'Hello' })).returnValue, 0)
  assert.equal((await on('TypeText', { AsciiText: 'こんにちは' })).returnValue, 1)
  assert.equal((await on('TypeText', { AsciiText: 'x'.repeat(513) })).returnValue, 32773)
  assert.equal((await on('TypeKey', { KeyCode: 13 })).returnValue, 0)
  assert.equal((await on('PressKey', { KeyCode: 65 })).returnValue, 0)
  assert.equal(await isPressed(65), true)
  assert.equal((await on('ReleaseKey', { KeyCode: 65 })).returnValue, 0)
  assert.equal(await isPressed(65), false)
  assert.equal((await on('PressKey', { KeyCode: 17 })).returnValue, 0)
  assert.deepEqual([await isPressed(17), await isPressed(162)], [false, true])
  assert.equal((await on('TypeCtrlAltDel')).returnValue, 0)
  assert.equal((await on('TypeScancodes', { Scancodes: [0x1e, 0x9e] })).returnValue, 0)
  for (const key of [0, 255, 70_000]) assert.equal((await on('PressKey', { KeyCode: key })).returnValue, 32773)

  assert.equal(vm.typed, 'Hello<13><+65><-65><+162><ctrl-alt-del><scan 1e 9e>')
  await call(world.v2, systemOf(world, vm), 'RequestStateChange', { RequestedState: 3 })
  await world.clock.advance(1000)
  assert.deepEqual(vm.pressedKeys, [])
  assert.equal((await on('TypeKey', { KeyCode: 13 })).returnValue, 32775)
})

test('what was typed is kept as far back as there is room', async () => {
  const { world, vm } = await started('none')
  const keyboard = device(world, vm, 'Msvm_Keyboard')

  for (let count = 0; count < 20; count++) {
    await call(world.v2, keyboard, 'TypeText', { AsciiText: String.fromCodePoint(97 + count).repeat(500) })
  }

  assert.equal(vm.typed.length, 4096)
  assert(vm.typed.endsWith('t'.repeat(500)))
})

test('a mouse does nothing without a driver in the guest, with the codes that were seen', async () => {
  const { world, vm } = await started('none')
  const mouse = device(world, vm, 'Msvm_SyntheticMouse')
  assert.equal(textOf(mouse, 'DeviceID'), 'Microsoft:58F75A6D-D949-4320-99E1-A2A2576D581C')
  const put = (to: Instance, x: number, y: number) =>
    call(world.v2, to, 'SetAbsolutePosition', { HorizontalPosition: x, VerticalPosition: y })
  assert.equal((await put(mouse, 0, 0)).returnValue, 32773)
  assert.equal((await call(world.v2, mouse, 'ClickButton', { ButtonIndex: 1 })).returnValue, 32768)
})

test('a mouse with a driver goes where it is put', async () => {
  const { world, vm } = await started('windows')
  const mouse = () => device(world, vm, 'Msvm_SyntheticMouse')
  const put = (x: number, y: number) =>
    call(world.v2, mouse(), 'SetAbsolutePosition', { HorizontalPosition: x, VerticalPosition: y })

  assert.equal((await put(32_768, 65_535)).returnValue, 0)
  assert.deepEqual([valueOf(mouse(), 'HorizontalPosition'), valueOf(mouse(), 'VerticalPosition')], [32_768, 65_535])
  assert.equal((await put(-1, 0)).returnValue, 32773)
  assert.equal((await put(0, 65_536)).returnValue, 32773)
  assert.equal((await call(world.v2, mouse(), 'ClickButton', { ButtonIndex: 1 })).returnValue, 0)
  assert.equal((await call(world.v2, mouse(), 'ClickButton', { ButtonIndex: 4 })).returnValue, 32773)
})

test('a machine with a BIOS has two screens of which one shows something, and a driver in the guest takes the other', async () => {
  const { world, vm } = await started('none')
  const heads = (): Instance[] => [...of(world, vm, 'Msvm_VideoHead')]
  assert.equal(of(world, vm, 'Msvm_S3DisplayController').length, 1)
  assert.equal(of(world, vm, 'Msvm_SyntheticDisplayController').length, 1)
  assert.deepEqual(
    heads().map(head => valueOf(head, 'EnabledState')),
    [2, 3],
  )
  assert.deepEqual(
    heads().map(head => valueOf(head, 'CurrentHorizontalResolution')),
    [640, 0],
  )

  const { world: other, vm: driven } = await started('windows')
  assert.deepEqual(
    of(other, driven, 'Msvm_VideoHead').map(head => valueOf(head, 'EnabledState')),
    [3, 2],
  )
})

test('a screen is found from its controller, as libvirt looks for it', async () => {
  const { world, vm } = await started('none', 2)
  assert.deepEqual(of(world, vm, 'Msvm_S3DisplayController'), [])
  const controller = device(world, vm, 'Msvm_SyntheticDisplayController')
  const keys = [...keysOf(controller)].map(([name, value]) => `${name}='${value}'`).join(',')

  const head = onlyOne(
    world.v2,
    `ASSOCIATORS OF {Msvm_SyntheticDisplayController.${keys}} WHERE AssocClass = Msvm_VideoHeadOnController ResultClass = Msvm_VideoHead`,
  )

  assert.equal(valueOf(head, 'EnabledState'), 2)
  assert.deepEqual(
    [valueOf(head, 'CurrentHorizontalResolution'), valueOf(head, 'CurrentVerticalResolution')],
    [1024, 768],
  )
  const back = world.v2.associators(
    { className: head.class.name, keys: keysOf(head) },
    { associationClass: 'Msvm_VideoHeadOnController' },
  )
  assert.deepEqual(
    back.map(row => row.class.name),
    ['Msvm_SyntheticDisplayController'],
  )
})

test('processors are the host’s logical ones and those of machines that run', async () => {
  const { world, vm } = await started('linux')
  const { sockets, coresPerSocket, threadsPerCore } = world.host.state

  const all = query(world.v2, 'SELECT * FROM Msvm_Processor')
  assert.equal(all.length, sockets * coresPerSocket * threadsPerCore + 1)
  const [first] = all
  assert.equal(
    first === undefined ? '' : textOf(first, 'DeviceID'),
    'Microsoft:B637F347-6A0E-4DEC-AF52-BD70CB80A21D\\0\\0',
  )
  assert.equal(first === undefined ? '' : textOf(first, 'ElementName'), 'Logical Processor 0')
  const own = device(world, vm, 'Msvm_Processor')
  assert.equal(valueOf(own, 'CPUStatus'), 1)
  assert.equal(of(world, vm, 'Msvm_Memory').length, 1)
  assert.equal(valueOf(device(world, vm, 'Msvm_Memory'), 'NumberOfBlocks'), 1024n)
})

test('a guest says of itself what guests say', async () => {
  const { world, vm } = await started('windows')
  const items = valueOf(device(world, vm, 'Msvm_KvpExchangeComponent'), 'GuestIntrinsicExchangeItems')
  assert(Array.isArray(items))

  const text = items.join('\n')
  for (const name of [
    'FullyQualifiedDomainName',
    'OSName',
    'OSVersion',
    'IntegrationServicesVersion',
    'ProcessorArchitecture',
  ]) {
    assert.match(text, new RegExp(`NAME="Name" TYPE="string"><VALUE>${name}</VALUE>`))
  }
  assert.match(text, /NAME="Source" TYPE="uint16"><VALUE>2<\/VALUE>/)
})
