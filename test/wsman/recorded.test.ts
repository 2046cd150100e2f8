import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reference } from '../../src/protocols/wsman/endpoint-reference.ts'
import type { CimInstance } from '../../src/protocols/wsman/instance.ts'
import { wql } from '../../src/protocols/wsman/wql.ts'
import { fixture, type Step, scripted, V2 } from './client-script.ts'

// What a real host answered: Windows Server, Japanese, root\virtualization\v2. See fixtures/hyperv/README.md.

const NAMESPACE = 'root/virtualization/v2'
const ANY_JOB = reference(NAMESPACE, 'Msvm_StorageJob', { InstanceID: '00000000-0000-4000-8000-000000000003' })

/** A client that is answered with a recorded reply, to the request whose name ends so, and with `after` from then on. */
function replay(name: string, relatesTo: string, ...after: readonly Step[]) {
  const answer = fixture(`recorded/${name}.xml`)
  return scripted([() => answer, ...after], {
    newMessageId: () => `uuid:00000000-0000-4000-8000-0000000000${relatesTo}`,
  })
}

/** Each property, as what it is asked for as. */
function values(instance: CimInstance, types: Readonly<Record<string, 'string' | 'number' | 'boolean'>>) {
  return Object.fromEntries(Object.entries(types).map(([name, type]) => [name, instance[type](name)]))
}

test('a running machine: every property of it', async () => {
  const { client } = replay('pull_computersystem_running_vm', '08')

  const { items, context } = await client.pull('Msvm_ComputerSystem', 'uuid:1')

  assert.equal(context, 'uuid:00000000-0000-4000-8000-000000000009')
  assert.equal(items.length, 1)
  const machine = items[0]?.instance
  assert.ok(machine)
  assert.equal(machine.className, 'Msvm_ComputerSystem')
  assert.equal(machine.namespace, NAMESPACE)
  assert.equal(machine.resourceUri, `${V2}/Msvm_ComputerSystem`)
  const texts = ['Caption', 'CreationClassName', 'Description', 'ElementName', 'Name', 'Status']
  assert.deepEqual(
    texts.map(name => machine.string(name)),
    [
      '仮想マシン',
      'Msvm_ComputerSystem',
      'Microsoft Virtual Machine',
      'scrubbed-3',
      '00000000-0000-4000-8000-00000000000a',
      'OK',
    ],
  )
  const numbers = {
    EnabledDefault: 2,
    EnabledState: 2,
    EnhancedSessionModeState: 6,
    FailedOverReplicationType: 0,
    HealthState: 5,
    HwThreadsPerCoreRealized: 2,
    LastReplicationType: 0,
    NumberOfNumaNodes: 1,
    OnTimeInMilliseconds: 6_138_294_371,
    ProcessID: 9_624,
    ReplicationHealth: 0,
    ReplicationMode: 0,
    ReplicationState: 0,
    RequestedState: 5,
    ResetCapability: 1,
  }
  assert.deepEqual(Object.fromEntries(Object.keys(numbers).map(name => [name, machine.number(name)])), numbers)
  assert.equal(machine.bigint('OnTimeInMilliseconds'), 6_138_294_371n)
  assert.deepEqual(machine.numbers('OperationalStatus'), [2])
  assert.deepEqual(machine.strings('StatusDescriptions'), ['正常稼働中'])
  assert.equal(machine.datetime('InstallDate')?.toIso(), '2025-12-17T09:55:22.702341Z')
  assert.equal(machine.datetime('InstallDate')?.epochMicroseconds, 1_765_965_322_702_341n)
  const changed = ['TimeOfLastConfigurationChange', 'TimeOfLastStateChange']
  for (const name of changed) assert.equal(machine.datetime(name)?.toIso(), '2026-07-29T14:10:59.467886Z')
  const never = ['LastApplicationConsistentReplicationTime', 'LastReplicationTime']
  for (const name of never) assert.equal(machine.datetime(name), undefined)
  const nulls = machine.names.filter(name => machine.isNull(name))
  assert.deepEqual(
    nulls.join(' '),
    'CommunicationStatus DetailedStatus InstanceID LastSuccessfulBackupTime ManagementVtlImageFileName ' +
      'ManagementVtlImageVersion NameFormat OperatingStatus OtherEnabledState PrimaryOwnerContact PrimaryOwnerName ' +
      'PrimaryStatus TransitioningToState',
  )
  for (const name of nulls) assert.equal(machine.string(name), undefined)
  // Nothing of it was left unlooked at.
  const seen = [...texts, ...Object.keys(numbers), ...changed, ...never, ...nulls, 'InstallDate']
  assert.deepEqual([...seen, 'OperationalStatus', 'StatusDescriptions'].toSorted(), machine.names.toSorted())
})

test('a job that is done, and the same job while it runs', async () => {
  const done = await replay('get_response_storagejob_completed', '09').client.get(ANY_JOB)
  const running = await replay('get_response_storagejob_running', '05').client.get(ANY_JOB)

  assert.equal(done.className, 'Msvm_StorageJob')
  assert.deepEqual(values(done, { JobState: 'number', PercentComplete: 'number', Cancellable: 'boolean' }), {
    JobState: 7,
    PercentComplete: 100,
    Cancellable: true,
  })
  assert.deepEqual(done.numbers('OperationalStatus'), [17, 2])
  assert.deepEqual(done.strings('StatusDescriptions'), ['ジョブは完了しました', 'ジョブは正常に完了しました'])
  assert.equal(done.interval('ElapsedTime')?.microseconds, 1_004_170n)
  assert.equal(done.interval('TimeBeforeRemoval')?.milliseconds, 300_000)
  assert.equal(done.string('ErrorDescription'), '')
  assert.equal(done.isNull('ErrorDescription'), false)
  assert.equal(done.boolean('DeleteOnCompletion'), false)
  assert.equal(done.string('Owner'), 'scrubbed-1\\scrubbed-8')
  assert.equal(done.datetime('InstallDate'), undefined)
  assert.deepEqual(done.datetime('StartTime')?.toDate(), new Date('2026-10-05T04:23:50Z'))
  assert.equal(done.datetime('UntilTime'), undefined)

  assert.deepEqual(values(running, { JobState: 'number', PercentComplete: 'number', JobStatus: 'string' }), {
    JobState: 4,
    PercentComplete: 0,
    JobStatus: 'ジョブは実行中です',
  })
  assert.deepEqual(running.numbers('OperationalStatus'), [2])
  assert.equal(running.interval('ElapsedTime')?.microseconds, 14_947n)
  assert.deepEqual(running.names.toSorted(), done.names.toSorted())
})

test('what a job affects: an association, its two ends references', async () => {
  const { client, host } = replay('pull_affectedjobelement', '82')

  const { items, context } = await client.pull(wql`SELECT * FROM Msvm_AffectedJobElement`, 'uuid:1')

  assert.equal(context, undefined)
  const association = items[0]?.instance
  assert.deepEqual(association?.names, ['AffectedElement', 'AffectingElement', 'ElementEffects'])
  const affected = association?.reference('AffectedElement')
  assert.equal(affected?.resourceUri, `${V2}/Msvm_VirtualSystemSettingData`)
  assert.deepEqual([affected?.namespace, affected?.className], [NAMESPACE, 'Msvm_VirtualSystemSettingData'])
  assert.equal(affected?.key('InstanceID'), 'Microsoft:00000000-0000-4000-8000-000000000083')
  assert.equal(association?.reference('AffectingElement')?.className, 'Msvm_ConcreteJob')
  assert.deepEqual(association?.numbers('ElementEffects'), [5])
  assert.deepEqual(host.actions, ['Pull'])
})

test('a method that answers at once: its reference, and no job', async () => {
  const { client } = replay('invoke_response_define_switch', '13')
  const service = reference(NAMESPACE, 'Msvm_VirtualEthernetSwitchManagementService', {
    CreationClassName: 'Msvm_VirtualEthernetSwitchManagementService',
  })

  const { returnValue, output } = await client.invoke(service, 'DefineSystem')

  assert.equal(returnValue, 0)
  assert.deepEqual(output.names, ['ResultingSystem', 'Job', 'ReturnValue'])
  const made = output.reference('ResultingSystem')
  assert.equal(made?.className, 'Msvm_VirtualEthernetSwitch')
  assert.deepEqual(
    [...(made?.selectors ?? [])],
    [
      ['CreationClassName', 'Msvm_VirtualEthernetSwitch'],
      ['Name', '00000000-0000-4000-8000-000000000014'],
    ],
  )
  assert.equal(output.reference('Job'), undefined)
  assert.deepEqual(output.references('Job'), [])
})

test('a recorded answer to another request is not taken for the answer', async () => {
  const { client } = replay('invoke_response_define_switch', '99')

  await assert.rejects(client.invoke(ANY_JOB, 'DefineSystem'), { name: 'WsmanReplyError', kind: 'garbage' })
})

test('prefixes decide nothing: recorded answers under others are read alike', async () => {
  const names = ['pull_computersystem_running_vm', 'pull_affectedjobelement']
  for (const [name, relatesTo] of [
    [names[0], '08'],
    [names[1], '82'],
  ]) {
    const plain = fixture(`recorded/${name}.xml`).toString()
    // Each prefix becomes another: in tags, in declarations, and in xsi:type, whose value has one too.
    const renamed = plain.replace(/(<\/?|xmlns:|xsi:type=")(\w+)(?=[:=])/g, '$1q-$2').replaceAll(' xsi:', ' q-xsi:')
    const answers = [plain, renamed].map(text => {
      const newMessageId = () => `uuid:00000000-0000-4000-8000-0000000000${relatesTo}`
      return scripted([() => Buffer.from(text)], { newMessageId }).client.pull('Msvm_X', 'uuid:1')
    })

    const [before, after] = (await Promise.all(answers)).map(({ items, context }) => {
      const instance = items[0]?.instance
      return { context, className: instance?.className, properties: instance?.names.map(each => look(instance, each)) }
    })

    assert.notEqual(plain, renamed)
    assert.deepEqual(after, before)
  }
})

/** A property, as whatever it can be read as. */
function look(instance: CimInstance, name: string): readonly unknown[] {
  const readers = [
    () => instance.strings(name),
    () => instance.datetimes(name).map(time => time.toIso()),
    () => instance.references(name).map(({ resourceUri, selectors }) => [resourceUri, [...selectors]]),
  ]
  for (const reader of readers) {
    try {
      return [name, reader()]
    } catch (error) {
      assert.equal(error instanceof Error && error.name, 'CimError')
    }
  }
  return assert.fail(`${name} can be read as nothing`)
}
