import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { CimClass, CimProperty, Schema } from '../../sim/hyperv/cim/model.ts'
import { loadSchema, makeSchema, type Namespace } from '../../sim/hyperv/cim/schema.ts'
import { readSchemaText } from '../../sim/hyperv/cim/schema-text.ts'

const V1 = 'root\\virtualization'
const V2 = 'root\\virtualization\\v2'
const CIMV2 = 'root\\cimv2'
const NAMESPACES: readonly Namespace[] = [V1, V2, CIMV2]

function classOf(schema: Schema, name: string): CimClass {
  const cls = schema.find(name)
  assert(cls !== undefined, `${schema.namespace} has no ${name}`)
  return cls
}

function propertyOf(schema: Schema, className: string, name: string): CimProperty {
  const property = classOf(schema, className).property(name)
  assert(property !== undefined, `${className} has no ${name}`)
  return property
}

function keysOf(schema: Schema, className: string): string[] {
  return classOf(schema, className)
    .properties.filter(property => property.isKey)
    .map(property => property.name)
}

/** By class: type and name of each property, arrays with brackets behind the name. */
function readLibvirtList(version: 'v1' | 'v2'): Map<string, [string, string][]> {
  const url = new URL(`../fixtures/hyperv/schema/${version}-properties-read-by-libvirt.json`, import.meta.url)
  const list = new Map<string, [string, string][]>()
  const read: unknown = JSON.parse(readFileSync(url, 'utf8'))
  assert(typeof read === 'object' && read !== null)
  for (const [name, properties] of Object.entries(read)) {
    assert(Array.isArray(properties))
    list.set(
      name,
      properties.map((property: unknown) => {
        assert(Array.isArray(property))
        return [String(property[0]), String(property[1])]
      }),
    )
  }
  return list
}

function describe({ name, type, isArray }: CimProperty): string {
  return `${type} ${name}${isArray ? '[]' : ''}`
}

/** What of a list the schema does not have, or has otherwise. */
function differences(cls: CimClass, list: readonly [string, string][]): string[] {
  return list.flatMap(([type, name]) => {
    const wanted = `${type.replace(/^int/, 'sint')} ${name}`
    const property = cls.property(name.replace('[]', ''))
    if (property === undefined) return [`${cls.name}: ${wanted} is missing`]
    return describe(property) === wanted ? [] : [`${cls.name}: ${wanted} is ${describe(property)}`]
  })
}

test('every property that libvirt 11.3.0 reads in root\\virtualization\\v2 and root\\cimv2 is there', () => {
  const found = [...readLibvirtList('v2')].flatMap(([name, list]) => {
    const schema = loadSchema(/^(Win32|CIM)_/.test(name) ? CIMV2 : V2, 26100)
    return differences(classOf(schema, name), list)
  })

  // What differs is libvirt's: it reads a number as text, and an array that is not there as one without items.
  assert.deepEqual(found, [
    'Msvm_SerialPortSettingData: string VirtualSystemIdentifiers[] is missing',
    'Msvm_SyntheticDisplayController: string EnabledState is uint16 EnabledState',
    'Msvm_S3DisplayController: string EnabledState is uint16 EnabledState',
    'Msvm_VideoHead: string EnabledState is uint16 EnabledState',
  ])
})

test('every property that the driver for v1 reads is there on both builds that have v1', () => {
  for (const build of [7601, 9200]) {
    const found = [...readLibvirtList('v1')].flatMap(([name, list]) => {
      if (name.endsWith('_2012')) return []
      // That driver's table puts it here, but it never asks for it: no host has it in v1.
      const isOfV2 = name === 'Msvm_VirtualHardDiskSettingData'
      if (isOfV2) return differences(classOf(loadSchema(V2, 26100), name), list)
      return differences(classOf(loadSchema(/^(Win32|CIM)_/.test(name) ? CIMV2 : V1, build), name), list)
    })

    // Arrays with one item each, which that driver reads as scalars.
    assert.deepEqual(found, [
      'Msvm_VirtualSystemManagementService: uint16 OperationalStatus is uint16 OperationalStatus[]',
      'Msvm_VirtualSystemManagementService: string StatusDescriptions is string StatusDescriptions[]',
    ])
  }
})

test('a class is as it was on the build that is asked for', () => {
  const [old, next, newest] = [loadSchema(V2, 9200), loadSchema(V2, 9600), loadSchema(V2, 26100)]

  assert.equal(old.find('Msvm_SerialPortSettingData'), undefined)
  assert.notEqual(newest.find('Msvm_SerialPortSettingData'), undefined)
  assert.equal(classOf(old, 'Msvm_ComputerSystem').property('EnhancedSessionModeState'), undefined)
  assert.equal(propertyOf(next, 'Msvm_ComputerSystem', 'EnhancedSessionModeState').type, 'uint16')
  assert.equal(classOf(next, 'Msvm_ShutdownComponent').method('InitiateReboot'), undefined)
  assert.notEqual(classOf(newest, 'Msvm_ShutdownComponent').method('InitiateReboot'), undefined)
  assert.equal(classOf(loadSchema(CIMV2, 7601), 'Win32_ComputerSystem').property('HypervisorPresent'), undefined)
  assert.notEqual(classOf(loadSchema(CIMV2, 9200), 'Win32_ComputerSystem').property('HypervisorPresent'), undefined)
  assert.equal(classOf(loadSchema(CIMV2, 7601), 'Win32_OperatingSystem').property('PortableOperatingSystem'), undefined)
})

test('a property that moved to a superclass of a later build is there on every build', () => {
  for (const build of [9200, 9600, 14393, 26100]) {
    const cls = classOf(loadSchema(V2, build), 'Msvm_SummaryInformation')

    for (const name of ['Name', 'ElementName', 'EnabledState', 'UpTime', 'ThumbnailImage']) {
      assert.notEqual(cls.property(name), undefined, `${name} at ${build}`)
    }
    assert.deepEqual(cls.superclasses.slice(0, 1), build < 10586 ? [] : ['Msvm_SummaryInformationBase'])
  }
})

test('keys are those of the families of CIM in both namespaces of Hyper-V', () => {
  const DEVICE = ['CreationClassName', 'DeviceID', 'SystemCreationClassName', 'SystemName']
  const SERVICE = ['CreationClassName', 'Name', 'SystemCreationClassName', 'SystemName']
  const keys: Readonly<Record<string, readonly string[]>> = {
    Msvm_ComputerSystem: ['CreationClassName', 'Name'],
    Msvm_Keyboard: DEVICE,
    Msvm_DiskDrive: DEVICE,
    Msvm_ShutdownComponent: DEVICE,
    Msvm_VirtualSystemManagementService: SERVICE,
    Msvm_ImageManagementService: SERVICE,
    Msvm_VirtualSystemSettingData: ['InstanceID'],
    Msvm_ProcessorSettingData: ['InstanceID'],
    Msvm_AllocationCapabilities: ['InstanceID'],
    Msvm_ResourcePool: ['InstanceID'],
    Msvm_ConcreteJob: ['InstanceID'],
    Msvm_StorageJob: ['InstanceID'],
    Msvm_SettingsDefineState: ['ManagedElement', 'SettingData'],
    Msvm_ElementSettingData: ['ManagedElement', 'SettingData'],
    Msvm_VirtualSystemSettingDataComponent: ['GroupComponent', 'PartComponent'],
    Msvm_SystemDevice: ['GroupComponent', 'PartComponent'],
    Msvm_SettingsDefineCapabilities: ['GroupComponent', 'PartComponent'],
    Msvm_HostedService: ['Antecedent', 'Dependent'],
    Msvm_VideoHeadOnController: ['Antecedent', 'Dependent'],
    Msvm_AffectedJobElement: ['AffectedElement', 'AffectingElement'],
    Msvm_MountedStorageImage: ['Lun', 'PathId', 'PortNumber', 'TargetId'],
    Msvm_KvpExchangeDataItem: [],
    Msvm_Error: [],
  }
  for (const [name, wanted] of Object.entries(keys)) {
    for (const schema of [loadSchema(V1, 9200), loadSchema(V2, 9200)]) {
      if (schema.find(name) !== undefined) assert.deepEqual(keysOf(schema, name), wanted, `${schema.namespace}:${name}`)
    }
  }
  const v1 = loadSchema(V1, 7601)
  assert.deepEqual(keysOf(v1, 'Msvm_SwitchPort'), SERVICE)
  assert.deepEqual(keysOf(v1, 'Msvm_VirtualSwitch'), ['CreationClassName', 'Name'])
  assert.deepEqual(keysOf(v1, 'Msvm_VirtualSystemGlobalSettingData'), ['InstanceID'])
  assert.deepEqual(keysOf(loadSchema(CIMV2, 9200), 'Win32_ComputerSystem'), ['Name'])
})

test('properties stand in alphabetical order, whatever their case, and none stands twice', () => {
  for (const namespace of NAMESPACES) {
    for (const { name, properties } of loadSchema(namespace, 26100).classes) {
      const names = properties.map(property => property.name.toLowerCase())

      assert.deepEqual(names, [...new Set(names)].sort(), name)
    }
  }
})

test('whatever a class, a reference or a parameter names is of the same namespace', () => {
  // What Windows itself refers to without having it: profiles of the DMTF, and credentials.
  const ABSENT = new Set(['CIM_Credential', 'CIM_RegisteredProfile'])
  for (const namespace of NAMESPACES) {
    const schema = loadSchema(namespace, 26100)
    const named = schema.classes.flatMap(({ properties, methods }) =>
      [...properties, ...methods.flatMap(method => method.parameters)].flatMap(({ className }) => className ?? []),
    )
    const missing = new Set(named.filter(name => schema.find(name) === undefined && !ABSENT.has(name)))

    assert.deepEqual([...missing], [], namespace)
  }
})

test('a class is known by its ancestors, and an abstract one has no instances', () => {
  const schema = loadSchema(V2, 9200)

  assert(schema.isA('msvm_processorsettingdata', 'CIM_SettingData'))
  assert(schema.isA('Msvm_ProcessorSettingData', 'Msvm_ProcessorSettingData'))
  assert(!schema.isA('CIM_SettingData', 'Msvm_ProcessorSettingData'))
  assert(!schema.isA('Msvm_Nothing', 'Msvm_Nothing'))
  const resources = schema.concrete('CIM_ResourceAllocationSettingData').map(cls => cls.name)
  assert(resources.includes('Msvm_MemorySettingData'))
  assert(!resources.includes('CIM_ResourceAllocationSettingData'))
  assert.deepEqual(schema.concrete('Msvm_Nothing'), [])
})

test('an association is told by its superclass, and its references by where they lead', () => {
  const schema = loadSchema(V2, 9200)

  assert(classOf(schema, 'Msvm_SettingsDefineState').isAssociation)
  assert(!classOf(schema, 'Msvm_ComputerSystem').isAssociation)
  const end = propertyOf(schema, 'Msvm_VideoHeadOnController', 'Dependent')
  assert.deepEqual([end.type, end.className], ['reference', 'Msvm_VideoHead'])
})

test('a method lists its parameters in order, with direction, type and class', () => {
  const schema = loadSchema(V2, 9600)

  const method = classOf(schema, 'Msvm_VirtualSystemManagementService').method('addresourcesettings')

  assert.deepEqual(method, {
    name: 'AddResourceSettings',
    origin: 'Msvm_VirtualSystemManagementService',
    parameters: [
      {
        name: 'AffectedConfiguration',
        type: 'reference',
        isArray: false,
        className: 'CIM_VirtualSystemSettingData',
        isIn: true,
        isOut: false,
      },
      { name: 'ResourceSettings', type: 'string', isArray: true, isIn: true, isOut: false },
      {
        name: 'ResultingResourceSettings',
        type: 'reference',
        isArray: true,
        className: 'CIM_ResourceAllocationSettingData',
        isIn: false,
        isOut: true,
      },
      { name: 'Job', type: 'reference', isArray: false, className: 'CIM_ConcreteJob', isIn: false, isOut: true },
    ],
  })
})

test('the methods that libvirt calls in v1 have the parameters that it sends', () => {
  const schema = loadSchema(V1, 7601)
  const inputs = (className: string, method: string): string[] =>
    (classOf(schema, className).method(method)?.parameters ?? [])
      .filter(parameter => parameter.isIn)
      .map(parameter => parameter.name)

  assert.deepEqual(inputs('Msvm_VirtualSystemManagementService', 'DefineVirtualSystem'), [
    'SystemSettingData',
    'ResourceSettingData',
    'SourceSetting',
  ])
  assert.deepEqual(inputs('Msvm_VirtualSwitchManagementService', 'CreateSwitchPort'), [
    'VirtualSwitch',
    'Name',
    'FriendlyName',
    'ScopeOfResidence',
  ])
  assert.deepEqual(inputs('Msvm_ComputerSystem', 'RequestStateChange'), ['RequestedState', 'TimeoutPeriod'])
  assert.deepEqual(inputs('Msvm_Keyboard', 'PressKey'), ['KeyCode'])
})

test('defaults are of the type of their property, and last in classes that override it', () => {
  const schema = loadSchema(V2, 9200)

  assert.equal(propertyOf(schema, 'Msvm_ComputerSystem', 'RequestedState').fallback, 12)
  assert.equal(propertyOf(schema, 'Msvm_ComputerSystem', 'ElementName').fallback, undefined)
  const units = propertyOf(schema, 'Msvm_StorageAllocationSettingData', 'VirtualQuantityUnits')
  assert.deepEqual([units.fallback, units.origin], ['count(fixed size block)', 'CIM_ResourceAllocationSettingData'])
  assert.equal(propertyOf(schema, 'Msvm_ConcreteJob', 'TimeBeforeRemoval').fallback, '00000000000500.000000:000')
})

test('a data file that is not as its README says is told by the line', () => {
  assert.throws(() => readSchemaText('  Name string\n'), /no class before/)
  assert.throws(() => readSchemaText('class A\n  Name text\n'), /no such type: text/)
  assert.throws(() => readSchemaText('class A\n  Name string maybe\n'), /not a property: {3}Name string maybe/)
  assert.throws(() => readSchemaText('class A\n  Do(into Name string)\n'), /not a parameter: into Name string/)
  assert.throws(() => readSchemaText('class A\n  Name string @soon\n'), /not a range of builds: soon/)
})

test('a class whose superclass came later stands alone before that', () => {
  const texts = readSchemaText('class Below : Above\n  Own string\nclass Above @10000+\n  Theirs string\n')
  const names = (build: number): string[] =>
    classOf(makeSchema('x', texts, build), 'below').properties.map(property => property.name)

  assert.deepEqual(names(9200), ['Own'])
  assert.deepEqual(names(10000), ['Own', 'Theirs'])
})

test('no class stands in a data file twice, or derives from one that is nowhere', () => {
  for (const file of ['v1.txt', 'v2.txt', 'cimv2.txt']) {
    const text = readFileSync(new URL(`../../sim/hyperv/schema/${file}`, import.meta.url), 'utf8')
    const classes = readSchemaText(text)
    const names = new Set(classes.map(cls => cls.name))

    assert.equal(new Set([...names].map(name => name.toLowerCase())).size, classes.length, file)
    for (const { name, superclass } of classes) assert(superclass === undefined || names.has(superclass), name)
  }
})
