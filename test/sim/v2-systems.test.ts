import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { keysOf, textOf, valueOf } from '../../sim/hyperv/cim/instance.ts'
import { loadSchema } from '../../sim/hyperv/cim/schema.ts'
import type { Faults } from '../../sim/hyperv/faults/plan.ts'
import { ManualClock } from '../../sim/hyperv/host/clock.ts'
import { Host } from '../../sim/hyperv/host/host.ts'
import { Jobs } from '../../sim/hyperv/host/jobs.ts'
import { newState } from '../../sim/hyperv/host/new-state.ts'
import { turnOn } from '../../sim/hyperv/host/power.ts'
import { randomOf } from '../../sim/hyperv/host/random.ts'
import { jobRow } from '../../sim/hyperv/v2/jobs.ts'
import { systemRow } from '../../sim/hyperv/v2/computer-system.ts'
import { InstanceWriter } from '../../sim/hyperv/wsman/instance-writer.ts'
import {
  call,
  jobAt,
  machineIn,
  nameOfVmSystem,
  onlyOne,
  OWNER,
  query,
  settingsOf,
  START,
  systemOf,
  V2,
  worldOf,
} from './host-world.ts'

function recorded(name: string, className: string): string {
  const url = new URL(`../fixtures/hyperv/recorded/${name}.xml`, import.meta.url)
  const match = new RegExp(`<p:${className} .*</p:${className}>`, 's').exec(readFileSync(url, 'utf8'))
  assert(match !== null)
  return match[0]
}

/** The host of the recordings: Japanese, on the newest build, with names and GUIDs that were replaced. */
function recordedHost(clock: ManualClock): Host {
  const state = newState({ name: 'HOST', build: 26100 }, randomOf('recorded'), clock.now())
  return new Host(state, { clock, locale: 'ja-JP', random: randomOf('recorded') })
}

test('a machine that runs is shown byte for byte as one was recorded', async () => {
  const clock = new ManualClock(Date.parse('2026-07-29T14:10:59.467Z') + 0.886)
  const world = { ...(await worldOf()), host: recordedHost(clock), clock }
  const vm = { ...machineIn(world, 'scrubbed-3'), id: '00000000-0000-4000-8000-00000000000A' }
  turnOn(world.host, vm)
  vm.installedAt = Date.parse('2025-12-17T09:55:22.702Z') + 0.341
  vm.processId = 9624
  vm.ranMs = 6_138_294_371

  const schema = loadSchema(V2, 26100)
  const written = new InstanceWriter(V2).write(systemRow(world.host, schema, vm))

  const lowered = written.replace(vm.id, vm.id.toLowerCase())
  assert.equal(lowered, recorded('pull_computersystem_running_vm', 'Msvm_ComputerSystem'))
})

test('a storage job that runs, and one that has completed, are shown byte for byte as they were recorded', async () => {
  const clock = new ManualClock(START)
  const host = recordedHost(clock)
  const schema = loadSchema(V2, 26100)
  const random = { ...randomOf(undefined), guid: () => '00000000-0000-4000-8000-000000000003' }
  const jobs = new Jobs({ clock, random, faults: host.faults, pace: 1 })
  const id = jobs.start(
    {
      className: 'Msvm_StorageJob',
      type: 1,
      target: 'C:\\disk.vhdx',
      owner: 'scrubbed-1\\scrubbed-8',
      durationMs: 1004.17,
    },
    () => undefined,
  )
  const written = (): string => {
    const job = jobs.find(id)
    assert(job !== undefined)
    return new InstanceWriter(V2).write(jobRow(host, schema, { ...job, percent: job.hasEnded ? job.percent : 0 }))
  }

  await clock.advance(14.947)
  assert.equal(written(), recorded('get_response_storagejob_running', 'Msvm_StorageJob'))
  await clock.advance(1004.17 - 14.947)
  assert.equal(written(), recorded('get_response_storagejob_completed', 'Msvm_StorageJob'))
})

test('the host is a row among its machines that is told from them without a word of any language', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web')
  const { v2 } = world

  const host = onlyOne(v2, 'SELECT * FROM Msvm_ComputerSystem WHERE Name = __SERVER')
  assert.equal(textOf(host, 'Name'), textOf(host, 'ElementName'))
  assert.equal(valueOf(host, 'InstallDate'), null)
  assert.equal(valueOf(host, 'ProcessID'), null)
  assert.equal(valueOf(host, 'RequestedState'), 12)
  assert.equal(valueOf(host, 'EnabledState'), 2)
  assert.equal(textOf(host, 'Description'), 'Microsoft Hosting Computer System')
  const settings = (name: Parameters<typeof v2.associators>[0]) =>
    v2.associators(name, { resultClass: 'Msvm_VirtualSystemSettingData' })
  assert.equal(settings({ className: host.class.name, keys: keysOf(host) }).length, 0)
  assert.equal(settings(nameOfVmSystem(vm)).length, 1)
})

test('a machine at rest says what machines at rest were seen to say', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web')

  const row = systemOf(world, vm)

  const expected = {
    EnabledState: 3,
    EnabledDefault: 3,
    EnhancedSessionModeState: 3,
    RequestedState: 5,
    HealthState: 5,
    OperationalStatus: [2],
    Status: 'OK',
    ProcessID: null,
    OnTimeInMilliseconds: 0n,
    HwThreadsPerCoreRealized: null,
    TransitioningToState: null,
  }
  for (const [name, value] of Object.entries(expected)) assert.deepEqual(valueOf(row, name), value, name)
})

test('machines are found as clients ask for them', async () => {
  const world = await worldOf()
  const [web, db] = [machineIn(world, 'web'), machineIn(world, 'db')]
  turnOn(world.host, db)
  const { v2 } = world
  const names = (where: string): string[] =>
    query(v2, `SELECT * FROM Msvm_ComputerSystem WHERE Name != __SERVER AND ${where}`).map(row =>
      textOf(row, 'ElementName'),
    )

  assert.deepEqual(names('(EnabledState != 0 and EnabledState != 3 and EnabledState != 32769) '), ['db'])
  assert.deepEqual(names('(EnabledState = 0 or EnabledState = 3 or EnabledState = 32769) '), ['web'])
  assert.deepEqual(names(`Name = '${web.id.toLowerCase()}'`), ['web'])
  assert.deepEqual(names("ElementName = 'WEB'"), ['web'])
  assert.deepEqual(names(`ProcessID = ${db.processId}`), ['db'])
  assert.deepEqual(names("ElementName = 'nobody'"), [])
})

test('a machine is joined to its own settings in both directions, and to those alone', async () => {
  const world = await worldOf({ vms: 3 })
  const vm = machineIn(world, 'web')
  const { v2 } = world
  const own = `ASSOCIATORS OF {Msvm_ComputerSystem.CreationClassName='Msvm_ComputerSystem',Name='${vm.id}'} WHERE AssocClass = Msvm_SettingsDefineState ResultClass = Msvm_VirtualSystemSettingData`
  assert.equal(textOf(onlyOne(v2, own), 'InstanceID'), `Microsoft:${vm.id}`)

  const back = `ASSOCIATORS OF {Msvm_VirtualSystemSettingData.InstanceID='Microsoft:${vm.id}'} WHERE AssocClass = Msvm_SettingsDefineState`
  assert.equal(textOf(onlyOne(v2, back), 'Name'), vm.id)
  assert.equal(query(v2, 'SELECT * FROM Msvm_SettingsDefineState').length >= 4, true)
})

test('machines depend on their host', async () => {
  const world = await worldOf({ vms: 3 })
  const { v2 } = world
  const host = "{Msvm_ComputerSystem.CreationClassName='Msvm_ComputerSystem',Name='HVHOST'}"

  const dependents = query(v2, `ASSOCIATORS OF ${host} WHERE AssocClass = Msvm_HostedDependency ResultRole = Dependent`)

  assert.deepEqual(
    dependents.map(row => textOf(row, 'ElementName')),
    ['vm-0001', 'vm-0002', 'vm-0003'],
  )
  const services = query(v2, `ASSOCIATORS OF ${host} WHERE AssocClass = Msvm_HostedService`)
  assert(services.some(row => row.class.name === 'Msvm_VirtualSystemManagementService'))
})

test('settings say whether memory was saved, and only what the build knows', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web')
  assert.equal(valueOf(settingsOf(world, vm), 'IsSaved'), false)
  vm.power = 'saved'
  assert.equal(valueOf(settingsOf(world, vm), 'IsSaved'), true)
  assert.notEqual(settingsOf(world, vm).class.property('UserSnapshotType'), undefined)

  const old = await worldOf({ build: 9200 })
  const row = settingsOf(old, machineIn(old, 'web'))
  assert.equal(row.class.property('UserSnapshotType'), undefined)
  assert.equal(row.class.property('VirtualSystemSubType'), undefined)
  assert.equal(valueOf(row, 'Version'), '4.0')
})

test('a request for a state is answered with a job, and the state shows what is on its way', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web', 'linux')
  const { v2, clock } = world
  const ask = (state: number) => call(v2, systemOf(world, vm), 'RequestStateChange', { RequestedState: state })
  const enabled = () => valueOf(systemOf(world, vm), 'EnabledState')
  const steps: readonly (readonly [number, number, number, number])[] = [
    [2, 12, 32770, 2],
    [9, 26, 32776, 9],
    [2, 27, 32777, 2],
    [6, 14, 32773, 6],
    [2, 15, 32770, 2],
    [11, 28, 32770, 2],
    [10, 29, 32774, 2],
    [3, 13, 32774, 3],
  ]
  for (const [state, type, via, then] of steps) {
    const result = await ask(state)
    assert.equal(result.returnValue, 4096, `state ${state}`)
    assert.equal(enabled(), via)
    const job = jobAt(world, result)
    assert.equal(valueOf(job, 'JobType'), type)
    assert.equal(textOf(job, 'Owner'), OWNER)
    assert.equal(valueOf(job, 'JobState'), 2)
    await clock.advance(10_000)
    assert.equal(valueOf(jobAt(world, result), 'JobState'), 7)
    assert.equal(enabled(), then)
  }
})

test('a guest is asked to shut down with state 4, and states of v1 are invalid here', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web', 'windows')
  const ask = async (state: number): Promise<number> =>
    (await call(world.v2, systemOf(world, vm), 'RequestStateChange', { RequestedState: state })).returnValue

  assert.equal(await ask(4), 32775)
  assert.equal(await ask(2), 4096)
  await world.clock.advance(10_000)
  for (const state of [2, 32768, 32769, 32770, 32771, 32773, 32774, 32776, 32777]) {
    assert.equal(await ask(state), 32775, `state ${state}`)
  }
  for (const state of [0, 1, 5, 12, 65_535]) assert.equal(await ask(state), 32773, `state ${state}`)
  const nothing = await call(world.v2, systemOf(world, vm), 'RequestStateChange')
  assert.equal(nothing.returnValue, 32773)

  assert.equal(await ask(4), 4096)
  await world.clock.advance(3000)
  assert.equal(valueOf(systemOf(world, vm), 'EnabledState'), 3)
})

test('the state of the host itself is not changed', async () => {
  const { v2 } = await worldOf()
  const host = onlyOne(v2, 'SELECT * FROM Msvm_ComputerSystem')

  for (const state of [3, 11]) {
    const { returnValue } = await call(v2, host, 'RequestStateChange', { RequestedState: state })
    assert.equal(returnValue, 32770)
  }
})

test('a job in exception tells why: in its properties, and as an error of the form that was recorded', async () => {
  const world = await worldOf({ memoryMb: 1024 })
  const vm = machineIn(world, 'web')
  const result = await call(world.v2, systemOf(world, vm), 'RequestStateChange', { RequestedState: 2 })
  await world.clock.advance(1000)

  const job = jobAt(world, result)
  assert.equal(valueOf(job, 'JobState'), 10)
  assert.equal(valueOf(job, 'ErrorCode'), 32788)
  assert.match(textOf(job, 'ErrorDescription'), /^'web' failed to start\./)
  assert.match(textOf(job, 'ErrorSummaryDescription'), /^'web' failed to start\.[^\n]*$/)
  const { output } = await call(world.v2, job, 'GetErrorEx')
  const errors = output?.['Errors']
  assert(Array.isArray(errors) && errors.length === 1)
  const [error] = errors
  assert(typeof error === 'string')
  assert.match(
    error,
    /^<INSTANCE CLASSNAME="Msvm_Error"><PROPERTY NAME="CIMStatusCode" TYPE="uint32"><VALUE>1<\/VALUE>/,
  )
  assert.match(error, /<PROPERTY NAME="CIMStatusCodeDescription" TYPE="string"><\/PROPERTY>/)
  const single = await call(world.v2, job, 'GetError')
  assert.equal(single.output?.['Error'], error)

  const service = onlyOne(world.v2, 'SELECT * FROM Msvm_VirtualSystemManagementService')
  const text = await call(world.v2, service, 'FormatError', { Errors: [error] })
  assert.equal(text.output?.['ErrorMessage'], textOf(job, 'ErrorDescription'))
})

test('a job without an error has none to tell', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web')
  const result = await call(world.v2, systemOf(world, vm), 'RequestStateChange', { RequestedState: 2 })

  assert.deepEqual(await call(world.v2, jobAt(world, result), 'GetErrorEx'), { returnValue: 0, output: { Errors: [] } })
})

test('a job is joined to the machine that it is about, and to the service that started it', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web')
  const result = await call(world.v2, systemOf(world, vm), 'RequestStateChange', { RequestedState: 2 })
  const job = jobAt(world, result)
  const of = { className: job.class.name, keys: keysOf(job) }

  const [affected] = world.v2.associators(of, { associationClass: 'Msvm_AffectedJobElement' })
  assert.equal(affected === undefined ? '' : textOf(affected, 'Name'), vm.id)
  const [owner] = world.v2.associators(of, { associationClass: 'Msvm_OwningJobElement' })
  assert.equal(owner?.class.name, 'Msvm_VirtualSystemManagementService')
  const jobs = world.v2.associators(nameOfVmSystem(vm), { associationClass: 'Msvm_AffectedJobElement' })
  assert.deepEqual(
    jobs.map(row => textOf(row, 'InstanceID')),
    [textOf(job, 'InstanceID')],
  )
})

test('a job is terminated with 4 and killed with 5, and ended jobs are not', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web')
  const start = () => call(world.v2, systemOf(world, vm), 'RequestStateChange', { RequestedState: 2 })
  for (const [state, then] of [
    [4, 8],
    [5, 9],
  ] as const) {
    const result = await start()
    const job = jobAt(world, result)
    for (const other of [2, 3, 7]) {
      const refused = await call(world.v2, job, 'RequestStateChange', { RequestedState: other })
      assert.equal(refused.returnValue, 32773)
    }
    assert.equal((await call(world.v2, job, 'RequestStateChange', { RequestedState: state })).returnValue, 0)
    assert.equal(valueOf(jobAt(world, result), 'JobState'), then)
    assert.equal(valueOf(systemOf(world, vm), 'EnabledState'), 3)
    assert.equal((await call(world.v2, job, 'RequestStateChange', { RequestedState: 5 })).returnValue, 32775)
  }
  const result = await start()
  const job = jobAt(world, result)
  assert.equal((await call(world.v2, job, 'KillJob', { DeleteOnKill: true })).returnValue, 0)
  assert.deepEqual(
    query(world.v2, `SELECT * FROM Msvm_ConcreteJob WHERE InstanceID = '${textOf(job, 'InstanceID')}'`),
    [],
  )
})

test('a planned fault of jobs is met in what a client sees', async () => {
  const faults: Faults = {
    answers: 'real',
    ofRequest: () => undefined,
    ofJob: ({ target }) => (target === 'cursed' ? { failure: { code: 32768, message: 'as planned' } } : undefined),
  }
  const world = await worldOf({ faults })
  const [cursed, blessed] = [machineIn(world, 'cursed'), machineIn(world, 'blessed')]
  const results = await Promise.all(
    [cursed, blessed].map(vm => call(world.v2, systemOf(world, vm), 'RequestStateChange', { RequestedState: 2 })),
  )
  await world.clock.advance(1000)

  assert.deepEqual(
    results.map(result => valueOf(jobAt(world, result), 'JobState')),
    [10, 7],
  )
  assert.deepEqual([cursed.power, blessed.power], ['off', 'running'])
})
