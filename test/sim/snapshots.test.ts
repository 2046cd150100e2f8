import assert from 'node:assert/strict'
import { test } from 'node:test'
import { textOf, valueOf } from '../../sim/hyperv/cim/instance.ts'
import type { Vm } from '../../sim/hyperv/host/model.ts'
import { restore, turnOff, turnOn } from '../../sim/hyperv/host/power.ts'
import { numberIn, processorsOf, resourceOf, textIn } from '../../sim/hyperv/host/settings.ts'
import { embedded, jobAt, machineIn, manage, onlyOne, query, settingsOf, systemOf, worldOf } from './host-world.ts'
import { ended } from './images-world.ts'
import {
  apply,
  destroy,
  destroyTree,
  joinedTo,
  snapshotPath,
  snapshotService,
  take,
  taking,
} from './snapshots-world.ts'

const setProcessors = (vm: Vm, count: number): void => {
  const settings = resourceOf(vm.configuration, 'Msvm_ProcessorSettingData')
  assert(settings !== undefined)
  vm.configuration.resources = vm.configuration.resources.map(one =>
    one === settings ? { ...one, values: { ...one.values, VirtualQuantity: BigInt(count) } } : one,
  )
}

test('a snapshot of a machine that is off is taken by a job, which tells what it made', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web-1', 'none', 2)

  const answer = await taking(world, vm, { SnapshotSettings: '' })
  await world.clock.advance(20)
  const running = jobAt(world, answer)
  const meanwhile = systemOf(world, vm)
  const end = await ended(world, Promise.resolve(answer))

  assert.deepEqual([end.returnValue, end.code], [4096, 0])
  assert.equal(answer.output?.['ResultingSnapshot'], undefined)
  assert.equal(textOf(running, 'JobType'), '70')
  assert.deepEqual(valueOf(meanwhile, 'OperationalStatus'), [2, 32768])
  assert.deepEqual(valueOf(systemOf(world, vm), 'OperationalStatus'), [2])
  const wql = `REFERENCES OF {Msvm_ConcreteJob.InstanceID='${end.jobId}'} WHERE ResultClass = Msvm_AffectedJobElement`
  const made = query(world.v2, wql).filter(one => JSON.stringify(valueOf(one, 'ElementEffects')) === '[5]')
  assert.deepEqual(
    made.map(one => textOf(one, 'AffectedElement')),
    [snapshotPath(vm.snapshots[0]?.id ?? '')],
  )
  await world.close()
})

test('a snapshot has the name, type and machine that were seen on a real host', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web-1', 'none', 2)
  const { id } = await take(world, vm)

  const settings = onlyOne(world.v2, `SELECT * FROM Msvm_VirtualSystemSettingData WHERE InstanceID = 'Microsoft:${id}'`)

  assert.match(textOf(settings, 'ElementName'), /^web-1 - \(2026\/10\/5 - 4:2\d:\d\d\)$/)
  assert.equal(textOf(settings, 'VirtualSystemType'), 'Microsoft:Hyper-V:Snapshot:Realized')
  assert.equal(textOf(settings, 'VirtualSystemIdentifier'), vm.id)
  assert.equal(valueOf(settings, 'Parent'), null)
  assert.equal(textOf(settingsOf(world, vm), 'Parent'), snapshotPath(id))
  assert.equal(textOf(settingsOf(world, vm), 'VirtualSystemType'), 'Microsoft:Hyper-V:System:Realized')
  await world.close()
})

test('the name of a snapshot is in the language of the host, or what is wanted', async () => {
  const world = await worldOf({ locale: 'ja-JP' })
  const vm = machineIn(world, 'web-1')
  await take(world, vm)
  const SnapshotSettings = embedded('Msvm_VirtualSystemSnapshotSettingData', {
    ElementName: ['string', 'before update'],
  })
  await take(world, vm, { SnapshotSettings })

  const names = vm.snapshots.map(({ configuration }) => textIn(configuration.system, 'ElementName'))

  assert.match(names[0] ?? '', /^web-1 - \(2026\/10\/05 - 04:2\d:\d\d\)$/)
  assert.equal(names[1], 'before update')
  await world.close()
})

test('a snapshot has all resources of its machine, with InstanceIDs and parents of its own', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web-1')
  const { id } = await take(world, vm)

  const component = 'AssocClass = Msvm_VirtualSystemSettingDataComponent'
  const partsOf = (owner: string) =>
    query(world.v2, `ASSOCIATORS OF {Msvm_VirtualSystemSettingData.InstanceID='Microsoft:${owner}'} WHERE ${component}`)
  const own = partsOf(vm.id).map(part => `${part.class.name} ${textOf(part, 'InstanceID')}`)
  const kept = partsOf(id).map(part => `${part.class.name} ${textOf(part, 'InstanceID')}`)

  assert(own.length > 10)
  assert.deepEqual(kept.toSorted(), own.map(text => text.replace(vm.id, id)).toSorted())
  const parents = partsOf(id).flatMap(part =>
    part.class.property('Parent') === undefined ? [] : [textOf(part, 'Parent')],
  )
  assert(parents.every(parent => !parent.includes(vm.id)))
  assert(parents.some(parent => parent.includes(id)))
  await world.close()
})

test('snapshots form a chain, and the machine knows the last of it', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web-1')
  const [one, two, three] = [await take(world, vm), await take(world, vm), await take(world, vm)]

  const pairs = query(world.v2, 'SELECT * FROM Msvm_ParentChildSettingData').map(pair => [
    textOf(pair, 'Antecedent'),
    textOf(pair, 'Dependent'),
  ])
  assert.deepEqual(pairs, [
    [snapshotPath(one.id), snapshotPath(two.id)],
    [snapshotPath(two.id), snapshotPath(three.id)],
    [snapshotPath(three.id), snapshotPath(vm.id)],
  ])
  const ids = (association: string) => joinedTo(world, vm, association).map(one => textOf(one, 'InstanceID'))
  assert.deepEqual(
    ids('Msvm_SnapshotOfVirtualSystem').toSorted(),
    [one, two, three].map(({ id }) => `Microsoft:${id}`).toSorted(),
  )
  assert.deepEqual(ids('Msvm_MostCurrentSnapshotInBranch'), [`Microsoft:${three.id}`])
  assert.deepEqual(ids('Msvm_LastAppliedSnapshot'), [])
  assert.deepEqual(ids('Msvm_SettingsDefineState'), [`Microsoft:${vm.id}`])
  // Source: without the association, snapshots are among the settings too.
  const name = `Msvm_ComputerSystem.CreationClassName='Msvm_ComputerSystem',Name='${vm.id}'`
  const wql = `ASSOCIATORS OF {${name}} WHERE ResultClass = Msvm_VirtualSystemSettingData`
  assert.equal(query(world.v2, wql).length, 4)
  await world.close()
})

test('applying a snapshot brings back what the machine was made of, but neither its name nor its notes', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web-1')
  const one = await take(world, vm)
  const two = await take(world, vm)
  setProcessors(vm, 2)
  const settings = embedded('Msvm_VirtualSystemSettingData', {
    InstanceID: ['string', `Microsoft:${vm.id}`],
    ElementName: ['string', 'web-one'],
    Notes: ['string', ['kept']],
  })
  assert.equal((await manage(world, 'ModifySystemSettings', { SystemSettings: settings })).returnValue, 0)

  const end = await apply(world, one)

  assert.deepEqual([end.returnValue, end.code], [4096, 0], end.text)
  assert.equal(processorsOf(vm.configuration), 1)
  const own = settingsOf(world, vm)
  assert.equal(textOf(own, 'ElementName'), 'web-one')
  assert.deepEqual(valueOf(own, 'Notes'), ['kept'])
  assert.equal(textOf(own, 'Parent'), snapshotPath(one.id))
  assert.equal(vm.power, 'off')
  const ids = (association: string) => joinedTo(world, vm, association).map(each => textOf(each, 'InstanceID'))
  assert.deepEqual(ids('Msvm_LastAppliedSnapshot'), [`Microsoft:${one.id}`])
  assert.deepEqual(ids('Msvm_MostCurrentSnapshotInBranch'), [`Microsoft:${one.id}`])
  const branch = await take(world, vm)
  assert.equal(branch.parent, one.id)
  assert.equal(two.parent, one.id)
  await world.close()
})

test('a snapshot is applied to a machine that is off or saved only', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web-1')
  const snapshot = await take(world, vm)
  turnOn(world.host, vm)

  const end = await apply(world, snapshot)

  assert.deepEqual([end.returnValue, vm.power], [32775, 'running'])
  await world.close()
})

test('a snapshot is renamed by the management service, in the answer itself', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web-1')
  const { id } = await take(world, vm)
  const SystemSettings = embedded('Msvm_VirtualSystemSettingData', {
    InstanceID: ['string', `Microsoft:${id}`],
    ElementName: ['string', 'renamed'],
  })

  const { returnValue } = await manage(world, 'ModifySystemSettings', { SystemSettings })

  assert.equal(returnValue, 0)
  const names = joinedTo(world, vm, 'Msvm_SnapshotOfVirtualSystem').map(one => textOf(one, 'ElementName'))
  assert.deepEqual(names, ['renamed'])
  assert.equal(textOf(settingsOf(world, vm), 'ElementName'), 'web-1')
  await world.close()
})

test('what came after a snapshot that is destroyed comes after what was before it', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web-1')
  const [one, two, three] = [await take(world, vm), await take(world, vm), await take(world, vm)]

  const end = await destroy(world, two)
  assert.deepEqual([end.returnValue, end.code], [4096, 0])
  assert.deepEqual(
    vm.snapshots.map(({ id, parent }) => [id, parent]),
    [
      [one.id, undefined],
      [three.id, one.id],
    ],
  )
  assert.equal(vm.snapshots[1]?.configuration.system.values['Parent'], snapshotPath(one.id))
  await destroy(world, three)
  assert.equal(vm.lastSnapshot, one.id)
  assert.equal(textOf(settingsOf(world, vm), 'Parent'), snapshotPath(one.id))
  await destroy(world, one)
  assert.equal(valueOf(settingsOf(world, vm), 'Parent'), null)
  assert.equal((await destroy(world, one)).returnValue, 32773)
  await world.close()
})

test('a tree of snapshots goes with its root, and no other', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web-1')
  const one = await take(world, vm)
  const two = await take(world, vm)
  await take(world, vm)
  await apply(world, one)
  const branch = await take(world, vm)

  const end = await destroyTree(world, two)

  assert.deepEqual([end.returnValue, end.code], [4096, 0])
  assert.deepEqual(
    vm.snapshots.map(({ id }) => id),
    [one.id, branch.id],
  )
  await destroyTree(world, one)
  assert.deepEqual(vm.snapshots, [])
  assert.deepEqual(joinedTo(world, vm, 'Msvm_MostCurrentSnapshotInBranch'), [])
  await world.close()
})

test('a machine cannot be destroyed, or have another snapshot taken, while one is being destroyed', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web-1')
  const snapshot = await take(world, vm)
  const answer = snapshotService(world, 'DestroySnapshot', { AffectedSnapshot: snapshotPath(snapshot.id) })
  await answer
  await world.clock.advance(20)

  const AffectedSystem = `\\\\HVHOST\\root\\virtualization\\v2:Msvm_ComputerSystem.CreationClassName="Msvm_ComputerSystem",Name="${vm.id}"`
  assert.equal((await manage(world, 'DestroySystem', { AffectedSystem })).returnValue, 32775)
  assert.equal((await taking(world, vm)).returnValue, 32775)

  await ended(world, answer)
  assert.equal((await ended(world, manage(world, 'DestroySystem', { AffectedSystem }))).code, 0)
  await world.close()
})

test('memory is in a snapshot of a machine that runs where that is the kind of snapshot that it has', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web-1', 'windows')
  turnOn(world.host, vm)
  await world.clock.advance(60_000)
  const setKind = async (UserSnapshotType: number) => {
    const SystemSettings = embedded('Msvm_VirtualSystemSettingData', {
      InstanceID: ['string', `Microsoft:${vm.id}`],
      UserSnapshotType: ['uint16', UserSnapshotType],
    })
    assert.equal((await manage(world, 'ModifySystemSettings', { SystemSettings })).returnValue, 0)
  }
  const PRODUCTION = 3
  const STANDARD = 5
  const DISABLED = 2

  assert.equal(numberIn(vm.configuration.system, 'UserSnapshotType'), PRODUCTION)
  assert.equal((await take(world, vm)).holdsState, false)
  await setKind(STANDARD)
  assert.equal((await take(world, vm)).holdsState, true)
  assert.equal((await take(world, vm, { SnapshotType: 3 })).holdsState, false)
  await setKind(DISABLED)
  assert.equal((await ended(world, taking(world, vm))).code, 32768)
  await world.close()
})

test('a guest that does not answer has its memory in the snapshot, or none is taken where that must not be', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web-1', 'none')
  turnOn(world.host, vm)

  assert.equal((await take(world, vm)).holdsState, true)
  const SnapshotSettings = embedded('Msvm_VirtualSystemSnapshotSettingData', { ConsistencyLevel: ['uint8', 1] })
  const end = await ended(world, taking(world, vm, { SnapshotSettings }))

  assert.equal(end.code, 32768)
  assert.match(end.text, /the guest does not answer/)
  await world.close()
})

test('a machine is saved after a snapshot with memory was applied, and goes on from there', async () => {
  const world = await worldOf({ build: 9600 })
  const vm = machineIn(world, 'web-1', 'linux')
  turnOn(world.host, vm)
  await world.clock.advance(60_000)
  const snapshot = await take(world, vm)
  assert.equal(snapshot.holdsState, true)
  const wql = `SELECT * FROM Msvm_VirtualSystemSettingData WHERE InstanceID = 'Microsoft:${snapshot.id}'`
  assert.equal(textOf(onlyOne(world.v2, wql), 'IsSaved'), 'TRUE')
  turnOff(world.host, vm)

  await apply(world, snapshot)
  assert.equal(textOf(systemOf(world, vm), 'EnabledState'), '6')
  restore(world.host, vm)
  assert.equal(vm.power, 'running')
  assert(vm.guestUpAt !== undefined && vm.guestUpAt <= world.clock.now())

  turnOff(world.host, vm)
  const cleared = await ended(
    world,
    snapshotService(world, 'ClearSnapshotState', { SnapshotSettingData: snapshotPath(snapshot.id) }),
  )
  assert.equal(cleared.code, 0)
  await apply(world, snapshot)
  assert.equal(vm.power, 'off')
  await world.close()
})

test('what is asked for wrongly is refused in the answer', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web-1')
  const unknown = snapshotPath('43B3F39E-2B2A-4F97-8A36-82937A779EE1')

  assert.equal((await taking(world, vm, { SnapshotType: 7 })).returnValue, 32773)
  assert.equal((await taking(world, vm, { SnapshotSettings: '<INSTANCE/>' })).returnValue, 32773)
  assert.equal((await taking(world, vm, { AffectedSystem: unknown })).returnValue, 32773)
  assert.equal((await snapshotService(world, 'ApplySnapshot', { Snapshot: unknown })).returnValue, 32773)
  assert.equal((await snapshotService(world, 'ApplySnapshot', { Snapshot: snapshotPath(vm.id) })).returnValue, 32773)
  assert.equal((await snapshotService(world, 'ConvertToReferencePoint', {})).returnValue, 32770)
  await world.close()
})

test('a machine has fifty snapshots at most', async () => {
  const world = await worldOf({ pace: 0 })
  const vm = machineIn(world, 'web-1')
  for (let count = 0; count < 50; count++) await take(world, vm)

  const end = await ended(world, taking(world, vm))

  assert.equal(end.code, 32768)
  assert.equal(vm.snapshots.length, 50)
  await world.close()
})

test('where no job is wanted, the answer names the snapshot', async () => {
  const world = await worldOf({ answers: 'sync' })
  const vm = machineIn(world, 'web-1')

  const { returnValue, output } = await taking(world, vm)

  assert.equal(returnValue, 0)
  assert.equal(output?.['ResultingSnapshot'], snapshotPath(vm.snapshots[0]?.id ?? ''))
  await world.close()
})

test('a job that is ended before its time takes no snapshot and leaves the machine free', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web-1')
  const answer = await taking(world, vm)
  await world.clock.advance(20)

  world.host.jobs.cancel(textOf(jobAt(world, answer), 'InstanceID'), 8)
  await world.clock.advance(60_000)

  assert.deepEqual([vm.snapshots.length, vm.secondaryStatus], [0, undefined])
  await take(world, vm)
  await world.close()
})
