import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keysOf, makeInstance, textOf } from '../../sim/hyperv/cim/instance.ts'
import type { Instance } from '../../sim/hyperv/cim/model.ts'
import { nameOf, parsePath, sameName } from '../../sim/hyperv/cim/path.ts'
import type { ObjectName, Provider } from '../../sim/hyperv/cim/provider.ts'
import { Wbem } from '../../sim/hyperv/cim/provider.ts'
import { Repository } from '../../sim/hyperv/cim/repository.ts'
import { HOST, idOf, makeWorld } from './cim-world.ts'

function system(number: number): ObjectName {
  return name(`Msvm_ComputerSystem.CreationClassName='Msvm_ComputerSystem',Name='${idOf(number)}'`)
}

function name(path: string): ObjectName {
  const parsed = parsePath(path)
  assert(parsed !== undefined)
  return parsed
}

function labels(instances: readonly Instance[]): string[] {
  return instances.map(instance => `${instance.class.name}:${[...keysOf(instance).values()].at(-1) ?? ''}`).sort()
}

test('a class is listed with all that derive from it', () => {
  const { v2 } = makeWorld(2)

  assert.equal(v2.list('msvm_computersystem').length, 3)
  const classes = new Set(v2.list('CIM_ResourceAllocationSettingData').map(instance => instance.class.name))
  assert.deepEqual([...classes].sort(), [
    'Msvm_MemorySettingData',
    'Msvm_ProcessorSettingData',
    'Msvm_ResourceAllocationSettingData',
    'Msvm_SyntheticEthernetPortSettingData',
  ])
  assert.deepEqual(v2.list('Msvm_StorageJob'), [])
  assert.throws(() => v2.list('Msvm_Nothing'), { name: 'WmiError', hresult: Wbem.invalidClass })
})

test('an instance is found by its keys, in any case, and through a superclass', () => {
  const { v2, counts } = makeWorld(3)
  const lower = name(`msvm_computersystem.name='${idOf(2).toLowerCase()}',creationclassname='MSVM_ComputerSystem'`)

  assert.equal(v2.find(lower)?.values.get('ElementName'), 'vm2')
  assert.equal(v2.find({ ...lower, className: 'CIM_System' })?.values.get('ElementName'), 'vm2')
  assert.equal(v2.find(name(`CIM_SettingData='Microsoft:${idOf(1)}'`))?.class.name, 'Msvm_VirtualSystemSettingData')
  assert.equal(counts.listed, 0)
})

test('other keys, keys too few and keys too many lead to nothing', () => {
  const { v2 } = makeWorld(1)
  for (const path of [
    `Msvm_ComputerSystem.Name='${idOf(1)}'`,
    `Msvm_ComputerSystem.CreationClassName='Msvm_ComputerSystem',Name='${idOf(1)}',ElementName='vm1'`,
    `Msvm_ComputerSystem.CreationClassName='Msvm_ComputerSystem',ElementName='vm1'`,
    `Msvm_ComputerSystem.CreationClassName='Msvm_ComputerSystem',Name='${idOf(9)}'`,
    `Msvm_VirtualEthernetSwitch.CreationClassName='Msvm_ComputerSystem',Name='${idOf(1)}'`,
    'Msvm_ComputerSystem',
  ]) {
    assert.equal(v2.find(name(path)), undefined, path)
  }
  assert.throws(() => v2.find(name("Msvm_Nothing.Name='x'")), { hresult: Wbem.invalidClass })
})

test('a provider that finds the wrong instance is not believed', () => {
  const { v2 } = makeWorld(1)
  const [host] = v2.list('Msvm_ComputerSystem')
  assert(host !== undefined)
  const provider: Provider = { classes: { Msvm_ComputerSystem: { list: () => [host], find: () => host } } }
  const repository = new Repository(v2.schema, [provider], HOST)

  assert.equal(repository.find(system(1)), undefined)
  assert.equal(repository.find(nameOf(host)), host)
})

test('an association is found by its own name, from one of its ends', () => {
  const { v2, counts } = makeWorld(20)
  const [association] = v2.list('Msvm_SettingsDefineState')
  assert(association !== undefined)
  counts.listed = 0

  const found = v2.find(name(v2.pathOf(association)))

  assert(found !== undefined && sameName(nameOf(found), nameOf(association), v2.schema))
  assert.equal(counts.listed, 0)
})

test('the settings of a machine are associated with it, and with a class of association its snapshots are not', () => {
  const { v2 } = makeWorld(3)
  const resultClass = 'Msvm_VirtualSystemSettingData'

  const own = v2.associators(system(1), { associationClass: 'Msvm_SettingsDefineState', resultClass })
  const all = v2.associators(system(1), { resultClass })

  assert.deepEqual(labels(own), [`Msvm_VirtualSystemSettingData:Microsoft:${idOf(1)}`])
  assert.deepEqual(
    labels(all),
    [
      `Msvm_VirtualSystemSettingData:Microsoft:${idOf(1)}`,
      'Msvm_VirtualSystemSettingData:Microsoft:5A9B0000-0000-4000-8000-000000000001',
    ].sort(),
  )
})

test('roles and superclasses choose among what is associated', () => {
  const { v2 } = makeWorld(3)
  const settings = name(`Msvm_VirtualSystemSettingData.InstanceID='Microsoft:${idOf(1)}'`)
  const count = (filter: Parameters<Repository['associators']>[1]): number => v2.associators(settings, filter).length

  assert.equal(count({}), 4)
  assert.equal(count({ associationClass: 'CIM_Component' }), 3)
  assert.equal(count({ associationClass: 'CIM_Component', resultClass: 'msvm_memorysettingdata' }), 1)
  assert.equal(count({ resultClass: 'CIM_ResourceAllocationSettingData' }), 3)
  assert.equal(count({ role: 'groupcomponent' }), 3)
  assert.equal(count({ role: 'PartComponent' }), 0)
  assert.equal(count({ resultRole: 'PartComponent' }), 3)
  assert.equal(count({ resultRole: 'ManagedElement' }), 1)
  assert.equal(count({ requiredQualifier: 'Dynamic' }), 4)
  assert.equal(count({ requiredQualifier: 'Association' }), 0)
  assert.equal(count({ requiredAssociationQualifier: 'association' }), 4)
  assert.equal(count({ requiredAssociationQualifier: 'Nothing' }), 0)
})

test('the associations themselves are told as references', () => {
  const { v2 } = makeWorld(3)
  const classes = (filter: Parameters<Repository['references']>[1]): string[] =>
    v2.references(system(1), filter).map(instance => instance.class.name)

  assert.deepEqual(classes({}).sort(), [
    'Msvm_SettingsDefineState',
    'Msvm_SnapshotOfVirtualSystem',
    'Msvm_SystemDevice',
  ])
  assert.deepEqual(classes({ resultClass: 'CIM_Dependency' }), ['Msvm_SnapshotOfVirtualSystem'])
  assert.deepEqual(classes({ role: 'GroupComponent' }), ['Msvm_SystemDevice'])
  assert.deepEqual(classes({ requiredQualifier: 'Singleton' }), [])
})

test('an object that is not there and a class that does not exist are told apart', () => {
  const { v2 } = makeWorld(1)

  assert.throws(() => v2.associators(system(9)), { hresult: Wbem.notFound })
  assert.throws(() => v2.references(system(9)), { hresult: Wbem.notFound })
  assert.throws(() => v2.associators(system(1), { associationClass: 'X' }), { hresult: Wbem.invalidClass })
  assert.throws(() => v2.associators(system(1), { resultClass: 'X' }), { hresult: Wbem.invalidClass })
  assert.throws(() => v2.references(system(1), { resultClass: 'X' }), { hresult: Wbem.invalidClass })
  assert.deepEqual(v2.associators(system(1), { associationClass: 'Msvm_ComputerSystem' }), [])
})

test('providers that cannot look up are searched', () => {
  const { v2 } = makeWorld(3)
  const classes = Object.fromEntries(
    ['Msvm_ComputerSystem', 'Msvm_VirtualSystemSettingData', 'Msvm_SettingsDefineState'].map(className => {
      const rows = v2.list(className)
      return [className, { list: () => rows }]
    }),
  )
  const plain = new Repository(v2.schema, [{ classes }], HOST)

  assert.deepEqual(labels(plain.associators(system(2))), [`Msvm_VirtualSystemSettingData:Microsoft:${idOf(2)}`])
  assert.equal(plain.references(system(2)).length, 1)
  const [association] = plain.list('Msvm_SettingsDefineState')
  assert(association !== undefined)
  assert.equal(plain.find(name(plain.pathOf(association))), association)
})

test('several providers give instances of one class, and a class of another build is left out', () => {
  const { v2 } = makeWorld(0)
  const cls = v2.schema.find('Msvm_ConcreteJob')
  assert(cls !== undefined)
  const providerOf = (id: string): Provider => {
    const job = makeInstance(cls, { InstanceID: id })
    return { classes: { Msvm_ConcreteJob: { list: () => [job] }, Msvm_OfTomorrow: { list: () => [] } } }
  }
  const repository = new Repository(v2.schema, [providerOf('1'), providerOf('2')], HOST)

  assert.deepEqual(
    repository.list('Msvm_ConcreteJob').map(job => textOf(job, 'InstanceID')),
    ['1', '2'],
  )
  assert.equal(repository.find(name("Msvm_ConcreteJob='2'"))?.values.get('InstanceID'), '2')
  assert.throws(() => new Repository(v2.schema, [{ classes: { CIM_Job: { list: () => [] } } }], HOST), /abstract/)
})

test('a method is found by the class of the instance, in any case', () => {
  const { v2 } = makeWorld(1)
  const [host] = v2.list('Msvm_ComputerSystem')
  const [job] = v2.list('Msvm_ConcreteJob')
  assert(host !== undefined && job !== undefined)

  assert.notEqual(v2.method(host, 'requeststatechange'), undefined)
  assert.equal(v2.method(host, 'SetPowerState'), undefined)
  assert.equal(v2.method(job, 'RequestStateChange'), undefined)
  const methods = { 'Msvm_ComputerSystem.RequestStateChange': () => ({ returnValue: 0 }) }
  assert.throws(() => new Repository(v2.schema, [{ methods }, { methods }], HOST), /twice/)
})

test('among 2,000 machines, what belongs to one is found without making the others', () => {
  const { v2, counts } = makeWorld(2000)
  const filter = { associationClass: 'Msvm_SettingsDefineState', resultClass: 'Msvm_VirtualSystemSettingData' }

  for (let number = 1; number <= 500; number++) assert.equal(v2.associators(system(number), filter).length, 1)

  assert.equal(counts.listed, 0)
  assert.equal(counts.referred, 500)
})
