import assert from 'node:assert/strict'
import { test } from 'node:test'
import { textOf, valueOf } from '../../sim/hyperv/cim/instance.ts'
import type { CimValue } from '../../sim/hyperv/cim/model.ts'
import { pathOf } from '../../sim/hyperv/cim/path.ts'
import { isInstance } from '../../sim/hyperv/cim/value.ts'
import type { Vm } from '../../sim/hyperv/host/model.ts'
import {
  embedded,
  jobAt,
  machineIn,
  manage,
  onlyOne,
  pathTo,
  query,
  settingsOf,
  systemOf,
  V2,
  call,
  type World,
  worldOf,
} from './host-world.ts'

const SETTINGS = 'Msvm_VirtualSystemSettingData'

async function start(world: World, vm: Vm): Promise<void> {
  const result = await call(world.v2, systemOf(world, vm), 'RequestStateChange', { RequestedState: 2 })
  assert.equal(result.returnValue, 4096)
  await world.clock.advance(10_000)
}

const pathOfSystem = (world: World, vm: Vm): string => pathTo(world, systemOf(world, vm))
const pathOfSettings = (world: World, vm: Vm): string => pathTo(world, settingsOf(world, vm))

test('a machine is defined by its name alone, as libvirt does it, and is there with all that it begins with', async () => {
  const world = await worldOf()
  const text = `<?xml version="1.0"?>\n<INSTANCE CLASSNAME="${SETTINGS}">\n  <PROPERTY NAME="ElementName" TYPE="string">\n    <VALUE>newvm</VALUE>\n  </PROPERTY>\n</INSTANCE>\n`

  const { returnValue, output } = await manage(world, 'DefineSystem', { SystemSettings: text })

  assert.equal(returnValue, 0)
  const row = onlyOne(world.v2, "SELECT * FROM Msvm_ComputerSystem WHERE ElementName = 'newvm'")
  assert.equal(output?.['ResultingSystem'], pathOf(row, 'HVHOST', V2))
  const of = `ASSOCIATORS OF {${SETTINGS}.InstanceID='Microsoft:${textOf(row, 'Name')}'} WHERE AssocClass = Msvm_VirtualSystemSettingDataComponent ResultClass =`
  assert.equal(query(world.v2, `${of} Msvm_ProcessorSettingData`).length, 1)
  assert.equal(query(world.v2, `${of} Msvm_MemorySettingData`).length, 1)
  assert.equal(query(world.v2, `${of} Msvm_SerialPortSettingData`).length, 2)
})

test('a machine is defined with resources, all of it or nothing', async () => {
  const world = await worldOf()
  const settings = embedded(SETTINGS, { ElementName: ['string', 'web'] })
  const controller = embedded('Msvm_ResourceAllocationSettingData', {
    ResourceType: ['uint16', 6],
    ResourceSubType: ['string', 'Microsoft:Hyper-V:Synthetic SCSI Controller'],
  })
  const nonsense = embedded('Msvm_ResourceAllocationSettingData', { ResourceType: ['uint16', 4242] })

  const good = await manage(world, 'DefineSystem', { SystemSettings: settings, ResourceSettings: [controller] })
  assert.equal(good.returnValue, 0)
  const [vm] = world.host.state.vms
  assert(vm?.configuration.resources.some(one => one.values['ResourceType'] === 6))

  const bad = await manage(world, 'DefineSystem', {
    SystemSettings: settings,
    ResourceSettings: [controller, nonsense],
  })
  assert.equal(bad.returnValue, 4096)
  await world.clock.advance(1000)
  assert.equal(valueOf(jobAt(world, bad), 'JobState'), 10)
  assert.equal(world.host.state.vms.length, 1)
})

test('a machine is defined after another', async () => {
  const world = await worldOf()
  const model = machineIn(world, 'model', 'none', 2)

  const { returnValue } = await manage(world, 'DefineSystem', {
    SystemSettings: embedded(SETTINGS, { ElementName: ['string', 'copy'] }),
    ReferenceConfiguration: pathOfSettings(world, model),
  })

  assert.equal(returnValue, 0)
  assert.equal(
    world.host.state.vms[1]?.configuration.system.values['VirtualSystemSubType'],
    'Microsoft:Hyper-V:SubType:2',
  )
})

test('what cannot be read of settings is refused in the answer itself, with the code that hosts return', async () => {
  const world = await worldOf()
  const cases: readonly (readonly [string, number])[] = [
    ['', 32768],
    ['not xml', 32768],
    ['<INSTANCE CLASSNAME="Msvm_NoSuchClass"/>', 32773],
    ['<INSTANCE CLASSNAME="Msvm_MemorySettingData"/>', 32773],
    [embedded(SETTINGS, { NoSuchProperty: ['string', 'x'] }), 32773],
    [embedded(SETTINGS, { ElementName: ['uint32', 7] }), 32768],
    [embedded(SETTINGS, { AutomaticStartupActionDelay: ['string', '00000000000200.000000:000'] }), 32768],
    [embedded(SETTINGS, { ElementName: ['string', 'x'] }).replace('>x<', '>a &amp; b<'), 32768],
    [embedded(SETTINGS, { ElementName: ['string', 'x'] }).replace('>x<', '>a &lt; b<'), 32773],
  ]
  for (const [text, code] of cases) {
    assert.deepEqual(await manage(world, 'DefineSystem', { SystemSettings: text }), { returnValue: code }, text)
    assert.deepEqual(await manage(world, 'ModifySystemSettings', { SystemSettings: text }), { returnValue: code }, text)
  }
  assert.deepEqual(await manage(world, 'ModifySystemSettings'), { returnValue: 32773 })
  const name = embedded(SETTINGS, { ElementName: ['string', 'x'] }).replace('>x<', '>a &#38; b &#60; c<')
  assert.equal((await manage(world, 'DefineSystem', { SystemSettings: name })).returnValue, 0)
  assert.equal(world.host.state.vms[0]?.configuration.system.values['ElementName'], 'a & b < c')
})

test('settings are changed at once, and a value that is refused ends in a job', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web')
  const modify = (properties: Parameters<typeof embedded>[1]) =>
    manage(world, 'ModifySystemSettings', {
      SystemSettings: embedded(SETTINGS, { InstanceID: ['string', `Microsoft:${vm.id}`], ...properties }),
    })

  const good = await modify({ AutomaticStartupAction: ['uint16', 4], ElementName: ['string', 'renamed'] })
  assert.equal(good.returnValue, 0)
  assert.equal(valueOf(settingsOf(world, vm), 'AutomaticStartupAction'), 4)
  assert.equal(textOf(systemOf(world, vm), 'ElementName'), 'renamed')

  const bad = await modify({ AutomaticRecoveryAction: ['uint16', 1] })
  assert.equal(bad.returnValue, 4096)
  await world.clock.advance(1000)
  assert.equal(valueOf(jobAt(world, bad), 'JobState'), 10)
  assert.equal(valueOf(jobAt(world, bad), 'ErrorCode'), 32773)
  assert.equal(valueOf(settingsOf(world, vm), 'AutomaticRecoveryAction'), 3)
})

test('where everything is answered at once a refused value is its code, and where all are jobs a change is one', async () => {
  const values = (id: string, action: number): Readonly<Record<string, CimValue>> => ({
    SystemSettings: embedded(SETTINGS, {
      InstanceID: ['string', `Microsoft:${id}`],
      AutomaticStartupAction: ['uint16', action],
    }),
  })
  const sync = await worldOf({ answers: 'sync' })
  const one = machineIn(sync, 'web')
  assert.equal((await manage(sync, 'ModifySystemSettings', values(one.id, 1))).returnValue, 32773)
  assert.equal((await manage(sync, 'ModifySystemSettings', values(one.id, 4))).returnValue, 0)
  assert.equal((await manage(sync, 'DestroySystem', { AffectedSystem: pathOfSystem(sync, one) })).returnValue, 0)
  assert.equal(sync.host.state.vms.length, 0)

  const async = await worldOf({ answers: 'async' })
  const other = machineIn(async, 'web')
  const result = await manage(async, 'ModifySystemSettings', values(other.id, 4))
  assert.equal(result.returnValue, 4096)
  assert.equal(valueOf(settingsOf(async, other), 'AutomaticStartupAction'), 3)
  await async.clock.advance(1000)
  assert.equal(valueOf(settingsOf(async, other), 'AutomaticStartupAction'), 4)
})

test('a machine that was defined in a job is found through what the job affects', async () => {
  const world = await worldOf({ answers: 'async' })
  const result = await manage(world, 'DefineSystem', {
    SystemSettings: embedded(SETTINGS, { ElementName: ['string', 'late'] }),
  })
  assert.equal(result.returnValue, 4096)
  assert.equal(result.output?.['ResultingSystem'], undefined)
  await world.clock.advance(1000)

  const job = textOf(jobAt(world, result), 'InstanceID')
  const affected = query(
    world.v2,
    `REFERENCES OF {Msvm_ConcreteJob.InstanceID='${job}'} WHERE ResultClass = Msvm_AffectedJobElement`,
  )
  assert.deepEqual(
    affected.map(row => valueOf(row, 'ElementEffects')),
    [[5]],
  )
  assert.equal(
    affected[0] === undefined
      ? ''
      : textOf(affected[0], 'AffectedElement').includes(world.host.state.vms[0]?.id ?? '?'),
    true,
  )
})

test('a machine is destroyed by a job, and only when it is off', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web')
  await start(world, vm)
  const destroy = (path: string) => manage(world, 'DestroySystem', { AffectedSystem: path })

  assert.equal((await destroy(pathOfSystem(world, vm))).returnValue, 32775)
  await call(world.v2, systemOf(world, vm), 'RequestStateChange', { RequestedState: 3 })
  await world.clock.advance(1000)
  const result = await destroy(pathOfSystem(world, vm).replace('HVHOST', 'hvhost.example').toLowerCase())
  assert.equal(result.returnValue, 4096)
  assert.equal(valueOf(jobAt(world, result), 'JobType'), 3)
  await world.clock.advance(1000)

  assert.equal(query(world.v2, `SELECT * FROM Msvm_ComputerSystem WHERE Name = '${vm.id}'`).length, 0)
  for (const path of ['nonsense', 'Msvm_ComputerSystem.CreationClassName="Msvm_ComputerSystem",Name="HVHOST"']) {
    assert.deepEqual(await destroy(path), { returnValue: 32773 })
  }
})

test('a picture is as large as was asked for, two bytes a pixel, changes with time, and is there while there is a screen', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web')
  const other = machineIn(world, 'other')
  const picture = (of: Vm, WidthPixels: number, HeightPixels: number) =>
    manage(world, 'GetVirtualSystemThumbnailImage', {
      TargetSystem: pathOfSettings(world, of),
      WidthPixels,
      HeightPixels,
    })
  assert.deepEqual(await picture(vm, 80, 60), { returnValue: 32775 })
  await start(world, vm)
  await start(world, other)

  const bytes = async (of: Vm, width: number, height: number): Promise<readonly unknown[]> => {
    const { returnValue, output } = await picture(of, width, height)
    assert.equal(returnValue, 0)
    const data = output?.['ImageData']
    assert(Array.isArray(data))
    return data
  }
  for (const [width, height] of [
    [80, 60],
    [160, 120],
    [1, 1],
    [1024, 768],
  ] as const) {
    assert.equal((await bytes(vm, width, height)).length, width * height * 2)
  }
  const first = await bytes(vm, 80, 60)
  assert(new Set(first).size > 10)
  assert(first.every(byte => typeof byte === 'number' && byte >= 0 && byte <= 255))
  assert.deepEqual(await bytes(vm, 80, 60), first)
  assert.notDeepEqual(await bytes(other, 80, 60), first)
  await world.clock.advance(2000)
  assert.notDeepEqual(await bytes(vm, 80, 60), first)
  for (const [width, height] of [
    [0, 60],
    [65_535, 65_535],
  ] as const) {
    assert.equal((await picture(vm, width, height)).returnValue, 32773)
  }
})

test('a summary tells of a machine that is off what it is, and nothing of what runs', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web')
  const codes = [0, 1, 2, 3, 4, 5, 100, 101, 103, 104, 105, 106, 109, 110, 112]

  const { returnValue, output } = await manage(world, 'GetSummaryInformation', {
    SettingData: [pathOfSettings(world, vm)],
    RequestedInformation: codes,
  })

  assert.equal(returnValue, 0)
  const rows = output?.['SummaryInformation']
  assert(Array.isArray(rows) && rows.length === 1)
  const row: CimValue = rows[0] ?? null
  assert(isInstance(row))
  const expected = {
    Name: vm.id,
    ElementName: 'web',
    NumberOfProcessors: 1,
    EnabledState: 3,
    ProcessorLoad: null,
    MemoryUsage: null,
    Heartbeat: null,
    UpTime: 0n,
    GuestOperatingSystem: null,
    ThumbnailImage: null,
    HealthState: 5,
    MemoryAvailable: null,
    ReplicationState: null,
  }
  for (const [name, value] of Object.entries(expected)) assert.deepEqual(valueOf(row, name), value, name)
})

test('a summary tells of a machine that runs how it is', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web', 'windows')
  await start(world, vm)
  const job = await call(world.v2, systemOf(world, vm), 'RequestStateChange', { RequestedState: 9 })

  const { output } = await manage(world, 'GetSummaryInformation', {
    SettingData: [pathOfSettings(world, vm)],
    RequestedInformation: [5, 100, 101, 102, 103, 104, 105, 106, 108],
  })

  const rows = output?.['SummaryInformation']
  assert(Array.isArray(rows))
  const row: CimValue = rows[0] ?? null
  assert(isInstance(row))
  assert.equal(valueOf(row, 'EnabledState'), 32776)
  assert.equal(valueOf(row, 'MemoryUsage'), 1024n)
  assert.equal(valueOf(row, 'UpTime'), 9200n)
  assert.equal(typeof valueOf(row, 'ProcessorLoad'), 'number')
  const image = valueOf(row, 'ThumbnailImage')
  assert(Array.isArray(image) && image.length === 80 * 60 * 2)
  assert.equal(valueOf(row, 'ThumbnailImageWidth'), 80)
  const tasks = valueOf(row, 'AsynchronousTasks')
  assert(Array.isArray(tasks) && tasks.length === 1)
  const task: CimValue = tasks[0] ?? null
  assert(isInstance(task))
  assert.equal(textOf(task, 'InstanceID'), textOf(jobAt(world, job), 'InstanceID'))
})

test('a summary of all machines is one row for each, and of what is not there a row without a name', async () => {
  const world = await worldOf({ vms: 5 })
  const all = await manage(world, 'GetSummaryInformation', { RequestedInformation: [1] })
  const rows = all.output?.['SummaryInformation']
  assert(Array.isArray(rows))
  assert.deepEqual(
    rows.map((row: CimValue) => (isInstance(row) ? textOf(row, 'ElementName') : '')),
    [1, 2, 3, 4, 5].map(number => `vm-000${number}`),
  )

  const missing = `\\\\HVHOST\\${V2}:${SETTINGS}.InstanceID="Microsoft:AAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEEEE"`
  const { returnValue, output } = await manage(world, 'GetSummaryInformation', {
    SettingData: [missing],
    RequestedInformation: [0, 1],
  })
  assert.equal(returnValue, 0)
  const found = output?.['SummaryInformation']
  assert(Array.isArray(found) && found.length === 1)
  const row: CimValue = found[0] ?? null
  assert(isInstance(row))
  assert.equal(textOf(row, 'Name'), '')
})

test('pairs that the host gives to a guest are there at once, whether it runs or not', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web')
  const TargetSystem = pathOfSystem(world, vm)
  const item = (name: string, data: string, source = 0): string =>
    embedded('Msvm_KvpExchangeDataItem', {
      Name: ['string', name],
      Data: ['string', data],
      Source: ['uint16', source],
    })
  const change = async (method: string, ...items: readonly string[]): Promise<number> => {
    const result = await manage(world, method, { TargetSystem, DataItems: items })
    assert.equal(result.returnValue, 4096)
    await world.clock.advance(1000)
    return Number(valueOf(jobAt(world, result), 'JobState'))
  }
  const shown = (): string => {
    const row = onlyOne(
      world.v2,
      `SELECT * FROM Msvm_KvpExchangeComponentSettingData WHERE InstanceID LIKE 'Microsoft:${vm.id}%'`,
    )
    const items = valueOf(row, 'HostExchangeItems')
    return Array.isArray(items) ? items.join('\n') : ''
  }

  assert.equal(await change('AddKvpItems', item('key', 'Hello'), item('other', 'x')), 7)
  assert.match(shown(), /NAME="Data" TYPE="string"><VALUE>Hello<\/VALUE>/)
  assert.equal(await change('AddKvpItems', item('key', 'again')), 10)
  assert.equal(await change('AddKvpItems', item('of the guest', 'x', 2)), 10)
  assert.equal(await change('AddKvpItems', item('', 'x')), 10)
  assert.equal(await change('AddKvpItems', item('long', 'x'.repeat(1025))), 10)
  assert.equal(await change('ModifyKvpItems', item('key', 'changed')), 7)
  assert.equal(await change('ModifyKvpItems', item('missing', 'x')), 10)
  assert.equal(await change('RemoveKvpItems', item('other', '')), 7)

  assert.deepEqual(vm.hostItems, { key: 'changed' })
  assert.match(shown(), /<VALUE>changed<\/VALUE>/)
  assert.doesNotMatch(shown(), /other/)
})

test('settings of the service are changed, and those that are the host’s own are not', async () => {
  const world = await worldOf()
  const settings = () => onlyOne(world.v2, 'SELECT * FROM Msvm_VirtualSystemManagementServiceSettingData')
  assert.equal(textOf(settings(), 'InstanceID'), 'Microsoft:HVHOST')
  assert.equal(
    textOf(settings(), 'DefaultVirtualHardDiskPath'),
    'C:\\ProgramData\\Microsoft\\Windows\\Virtual Hard Disks',
  )
  const modify = (properties: Parameters<typeof embedded>[1]) =>
    manage(world, 'ModifyServiceSettings', {
      SettingData: embedded('Msvm_VirtualSystemManagementServiceSettingData', properties),
    })

  assert.equal((await modify({ PrimaryOwnerName: ['string', 'somebody'] })).returnValue, 0)
  assert.equal(textOf(settings(), 'PrimaryOwnerName'), 'somebody')
  const bad = await modify({ InstanceID: ['string', 'Microsoft:OTHER'] })
  await world.clock.advance(1000)

  assert.equal(valueOf(jobAt(world, bad), 'JobState'), 10)
  assert.equal(textOf(settings(), 'InstanceID'), 'Microsoft:HVHOST')
})

test('a virtual TPM wants a key protector first, and a machine of the second generation', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web', 'none', 2)
  const service = onlyOne(world.v2, 'SELECT * FROM Msvm_SecurityService')
  const row = () =>
    onlyOne(world.v2, `SELECT * FROM Msvm_SecuritySettingData WHERE InstanceID LIKE 'Microsoft:${vm.id}%'`)
  const SecuritySettingData = embedded('Msvm_SecuritySettingData', {
    InstanceID: ['string', textOf(row(), 'InstanceID')],
    TpmEnabled: ['boolean', true],
  })
  const enable = () => call(world.v2, service, 'ModifySecuritySettings', { SecuritySettingData })

  const refused = await enable()
  assert.equal(refused.returnValue, 4096)
  await world.clock.advance(1000)
  assert.equal(valueOf(jobAt(world, refused), 'JobState'), 10)
  assert.equal(valueOf(row(), 'TpmEnabled'), false)

  const protector = [1, 2, 3, 4]
  const set = await call(world.v2, service, 'SetKeyProtector', { SecuritySettingData, KeyProtector: protector })
  assert.equal(set.returnValue, 0)
  assert.equal((await enable()).returnValue, 0)
  assert.equal(valueOf(row(), 'TpmEnabled'), true)
  const got = await call(world.v2, service, 'GetKeyProtector', { SecuritySettingData })
  assert.deepEqual(got.output?.['KeyProtector'], protector)
})

test('a configuration is brought up to date by a job while the machine is off', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web')
  vm.configuration.system = {
    ...vm.configuration.system,
    values: { ...vm.configuration.system.values, Version: '9.0' },
  }

  const result = await manage(world, 'UpgradeSystemVersion', {
    ComputerSystem: pathOfSystem(world, vm),
    UpgradeSettingData: '',
  })
  assert.equal(result.returnValue, 4096)
  await world.clock.advance(1000)

  assert.equal(textOf(settingsOf(world, vm), 'Version'), '12.0')
})
