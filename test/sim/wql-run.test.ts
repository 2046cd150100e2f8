import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { makeInstance } from '../../sim/hyperv/cim/instance.ts'
import type { Instance } from '../../sim/hyperv/cim/model.ts'
import { Repository } from '../../sim/hyperv/cim/repository.ts'
import { parseWql } from '../../sim/hyperv/wql/query.ts'
import { type QueryResult, runQuery } from '../../sim/hyperv/wql/run.ts'
import { WqlError } from '../../sim/hyperv/wql/wql-error.ts'
import { HOST, idOf, makeWorld } from './cim-world.ts'
import { cpuMs } from '../support/cpu-time.ts'

const { v2, cimv2 } = makeWorld(4)

function run(text: string, repository: Repository = v2): QueryResult {
  return runQuery(repository, parseWql(text))
}

/** How many answers a query has. */
function count(text: string, repository: Repository = v2): number {
  return run(text, repository).instances.length
}

function names(text: string): string[] {
  return run(text).instances.map(nameIn)
}

function nameIn(instance: Instance): string {
  const value = instance.values.get('ElementName') ?? instance.values.get('InstanceID')
  return typeof value === 'string' ? value : ''
}

function systems(condition: string): string[] {
  return names(`SELECT * FROM Msvm_ComputerSystem WHERE Name != __SERVER AND (${condition})`)
}

function kindOf(text: string, repository: Repository = v2): string {
  try {
    run(text, repository)
    return 'ok'
  } catch (error) {
    assert(error instanceof WqlError, String(error))
    return error.kind
  }
}

test('every query that libvirt 11.3.0 sends has the answers that it looks for', () => {
  const id = idOf(1).toLowerCase()
  const system = `Msvm_ComputerSystem.CreationClassName='Msvm_ComputerSystem',Name='${id}'`
  const settings = `Msvm_VirtualSystemSettingData.InstanceID='Microsoft:${id}'`
  const component = 'AssocClass = Msvm_VirtualSystemSettingDataComponent'
  const expected: readonly [string, number, Repository?][] = [
    ['SELECT * FROM Win32_ComputerSystemProduct ', 1, cimv2],
    ['SELECT * FROM Win32_OperatingSystem ', 1, cimv2],
    ['SELECT * FROM Win32_ComputerSystem', 1, cimv2],
    [
      `ASSOCIATORS OF {Win32_ComputerSystem.Name='${HOST}'} WHERE AssocClass = Win32_ComputerSystemProcessor ResultClass = Win32_Processor`,
      1,
      cimv2,
    ],
    ['SELECT * FROM Msvm_ComputerSystem WHERE Name != __SERVER ', 4],
    [
      'SELECT * FROM Msvm_ComputerSystem WHERE Name != __SERVER AND (EnabledState != 0 and EnabledState != 3 and EnabledState != 32769) ',
      2,
    ],
    [
      'SELECT * FROM Msvm_ComputerSystem WHERE Name != __SERVER AND (EnabledState = 0 or EnabledState = 3 or EnabledState = 32769) ',
      2,
    ],
    [`SELECT * FROM Msvm_ComputerSystem WHERE Name != __SERVER AND Name = '${id}'`, 1],
    ["SELECT * FROM Msvm_ComputerSystem WHERE Name != __SERVER AND ElementName = 'vm1'", 1],
    ['SELECT * FROM Msvm_ComputerSystem WHERE Name != __SERVER AND ProcessID = 4321', 1],
    [`select * from Msvm_ComputerSystem where Name = "${id}"`, 1],
    [
      `ASSOCIATORS OF {${system}} WHERE AssocClass = Msvm_SettingsDefineState ResultClass = Msvm_VirtualSystemSettingData`,
      1,
    ],
    [`ASSOCIATORS OF {${system}} WHERE ResultClass = Msvm_VirtualSystemSettingData`, 2],
    [`ASSOCIATORS OF {${system}} WHERE ResultClass = Msvm_Keyboard`, 1],
    [`ASSOCIATORS OF {${settings}} WHERE ${component} ResultClass = Msvm_ProcessorSettingData`, 1],
    [`ASSOCIATORS OF {${settings}} WHERE ${component} ResultClass = Msvm_MemorySettingData`, 1],
    [`ASSOCIATORS OF {${settings}} WHERE ${component} ResultClass = Msvm_StorageAllocationSettingData`, 0],
    [`SELECT * FROM Msvm_VirtualSystemSettingData WHERE InstanceID='Microsoft:${id}'`, 1],
    ["SELECT * FROM Msvm_ProcessorSettingData WHERE InstanceID LIKE 'Microsoft:Definition%Maximum'", 1],
    [
      "SELECT * FROM Msvm_ResourceAllocationSettingData WHERE ResourceSubType = 'Microsoft:Hyper-V:Physical Disk Drive' AND InstanceID LIKE '%%Default%%'",
      1,
    ],
    ['SELECT * FROM Msvm_VirtualEthernetSwitch WHERE HealthState = 5', 0],
    [`SELECT * FROM Msvm_Keyboard WHERE SystemName = '${id}'`, 1],
    [`SELECT * FROM Msvm_ShutdownComponent WHERE SystemName = '${id}'`, 0],
    ["SELECT * FROM Win32_PerfRawData_HvStats_HyperVHypervisorVirtualProcessor WHERE Name = 'vm2:Hv VP 0'", 1, cimv2],
    ["SELECT * FROM Msvm_ConcreteJob WHERE InstanceID = '6d5a2b1c-0000-4000-8000-000000000001'", 1],
    [String.raw` Select Version from CIM_Datafile where Name='c:\\windows\\system32\\vmms.exe'`, 1, cimv2],
    [String.raw`select Version from CIM_DataFile where Path='\\windows\\system32\\' AND FileName='vmms'`, 1, cimv2],
  ]
  for (const [text, answers, repository] of expected) assert.equal(count(text, repository), answers, text)
})

test('a path is compared by what it means, with and without doubled backslashes', () => {
  const from = 'SELECT * FROM Msvm_SyntheticEthernetPortSettingData WHERE __PATH'
  const key = `Microsoft:${idOf(2)}`
  for (const path of [
    String.raw`'\\\\${HOST}\\root\\virtualization\\v2:Msvm_SyntheticEthernetPortSettingData.InstanceID="${key}\\\\AAAAAAAA-0000-4000-8000-000000000001"'`,
    String.raw`'\\${HOST}\root\virtualization\v2:Msvm_SyntheticEthernetPortSettingData.InstanceID="${key}\\AAAAAAAA-0000-4000-8000-000000000001"'`,
    String.raw`'\\\\hvhost.example.org\\Root\\Virtualization\\V2:msvm_syntheticethernetportsettingdata.instanceid="${key.toLowerCase()}\\\\aaaaaaaa-0000-4000-8000-000000000001"'`,
    String.raw`"\\\\.\\root\\virtualization\\v2:Msvm_SyntheticEthernetPortSettingData.InstanceID=\"${key}\\\\AAAAAAAA-0000-4000-8000-000000000001\""`,
    String.raw`'Msvm_SyntheticEthernetPortSettingData.InstanceID="${key}\\AAAAAAAA-0000-4000-8000-000000000001"'`,
    String.raw`'CIM_SettingData.InstanceID="${key}\\AAAAAAAA-0000-4000-8000-000000000001"'`,
  ]) {
    assert.equal(count(`${from} = ${path}`), 1, path)
    assert.equal(count(`${from} <> ${path}`), 3, path)
    assert.equal(count(`${from} = ${path} OR Address = 'x'`), 1, path)
  }
  assert.equal(count(String.raw`${from} = '\\\\H\\root\\virtualization:Msvm_SyntheticEthernetPortSettingData="x"'`), 0)
  assert.equal(count(`${from} = 'no path'`), 0)
  assert.equal(count(`${from} LIKE '%${idOf(3).toLowerCase()}%'`), 1)
})

test('references, and paths in strings, are compared by what they mean as well', () => {
  const machine = String.raw`\\\\other\\ROOT\\virtualization\\v2:Msvm_ComputerSystem.Name=\"${idOf(2)}\",CreationClassName=\"Msvm_ComputerSystem\"`
  const settings = String.raw`\\\\.\\root\\virtualization\\v2:Msvm_VirtualSystemSettingData.InstanceID=\"microsoft:${idOf(2)}\"`

  assert.equal(count(`SELECT * FROM Msvm_SettingsDefineState WHERE ManagedElement = "${machine}"`), 1)
  assert.equal(count(`SELECT * FROM Msvm_SettingsDefineState WHERE ManagedElement != "${machine}"`), 3)
  assert.equal(count("SELECT * FROM Msvm_SettingsDefineState WHERE ManagedElement ISA 'CIM_System'"), 4)
  assert.equal(count(`SELECT * FROM Msvm_SyntheticEthernetPortSettingData WHERE Parent = "${settings}"`), 1)
  assert.equal(count("SELECT * FROM Msvm_SyntheticEthernetPortSettingData WHERE Parent = 'x'"), 0)
})

test('text is compared in any case, numbers as numbers, whatever they are spelled as', () => {
  assert.deepEqual(systems("ElementName = 'VM1'"), ['vm1'])
  assert.deepEqual(systems("ElementName > 'VM2'"), ['vm3', 'vm4'])
  assert.deepEqual(systems("ElementName <= 'vm1'"), ['vm1'])
  assert.deepEqual(systems("EnabledState = '2'"), ['vm1', 'vm3'])
  assert.deepEqual(systems('EnabledState = 0x3'), ['vm2', 'vm4'])
  assert.deepEqual(systems('EnabledState > 2.5'), ['vm2', 'vm4'])
  assert.deepEqual(systems('OnTimeInMilliseconds = 9007199254740992'), [])
  assert.equal(systems('OnTimeInMilliseconds = 9007199254740993').length, 4)
  assert.equal(systems('OnTimeInMilliseconds > 9007199254740992 AND OnTimeInMilliseconds < 9007199254740994').length, 4)
  assert.equal(count('SELECT * FROM Msvm_ConcreteJob WHERE DeleteOnCompletion = FALSE'), 1)
  assert.equal(count("SELECT * FROM Msvm_ConcreteJob WHERE DeleteOnCompletion = 'false'"), 1)
  assert.equal(count('SELECT * FROM Msvm_ConcreteJob WHERE DeleteOnCompletion <> 0'), 0)
  assert.equal(count("SELECT * FROM Msvm_ConcreteJob WHERE StartTime = '20250101130000.000000+060'"), 1)
  assert.equal(count("SELECT * FROM Msvm_ConcreteJob WHERE StartTime > '20240101000000.000000+000'"), 1)
  assert.equal(count("SELECT * FROM Msvm_ConcreteJob WHERE ElapsedTime < '00000000000002.000000:000'"), 1)
  assert.equal(count('SELECT * FROM Msvm_ConcreteJob WHERE JobState < PercentComplete'), 1)
})

test('NULL is unequal to every value, and neither less nor greater', () => {
  assert.deepEqual(systems('ProcessID IS NULL'), ['vm2', 'vm4'])
  assert.deepEqual(systems('ProcessID IS NOT NULL'), ['vm1', 'vm3'])
  assert.deepEqual(systems('ProcessID = NULL'), ['vm2', 'vm4'])
  assert.deepEqual(systems('ProcessID != 4321'), ['vm2', 'vm3', 'vm4'])
  assert.deepEqual(systems('ProcessID < 99999 OR ProcessID >= 0'), ['vm1', 'vm3'])
  assert.deepEqual(systems('NOT ProcessID = 4321'), ['vm2', 'vm3', 'vm4'])
  assert.deepEqual(systems("Description LIKE '%'"), [])
  assert.equal(systems('OperationalStatus IS NOT NULL').length, 4)
})

test('the system properties can be asked for and asked about', () => {
  assert.equal(count("SELECT * FROM CIM_SettingData WHERE __CLASS = 'msvm_memorysettingdata'"), 4)
  assert.equal(count("SELECT * FROM CIM_ManagedElement WHERE __CLASS ISA 'CIM_System'"), 5)
  assert.equal(count("SELECT * FROM CIM_ManagedElement WHERE __THIS ISA 'Msvm_Keyboard'"), 2)
  assert.equal(count("SELECT * FROM Msvm_ComputerSystem WHERE __SUPERCLASS = 'CIM_ComputerSystem' AND __GENUS = 2"), 5)
  assert.equal(count("SELECT * FROM Msvm_ComputerSystem WHERE __DYNASTY = 'CIM_ManagedElement'"), 5)
  assert.equal(count(String.raw`SELECT * FROM Msvm_ComputerSystem WHERE __NAMESPACE = 'ROOT\\virtualization\\v2'`), 5)
  assert.equal(count(`SELECT * FROM Msvm_ComputerSystem WHERE __SERVER = '${HOST.toLowerCase()}'`), 5)
  assert.equal(count('SELECT * FROM Msvm_ComputerSystem WHERE __PROPERTY_COUNT > 40'), 5)
  assert.equal(count("SELECT * FROM Msvm_ComputerSystem WHERE __RELPATH LIKE 'Msvm%'"), 5)
  assert.equal(count('SELECT * FROM Msvm_ComputerSystem WHERE __DERIVATION IS NOT NULL'), 5)
})

test('a projection tells each property once, in alphabetical order, by its own spelling', () => {
  const { instances, fields } = run(
    `SELECT name, __path, ElementName, NAME FROM Msvm_ComputerSystem WHERE ElementName='vm1'`,
  )
  const [instance] = instances
  assert(instance !== undefined && fields !== undefined)

  assert.deepEqual(
    fields.map(field => [field.name, field.read(instance)]),
    [
      [
        '__PATH',
        `\\\\${HOST}\\root\\virtualization\\v2:Msvm_ComputerSystem.CreationClassName="Msvm_ComputerSystem",Name="${idOf(1)}"`,
      ],
      ['ElementName', 'vm1'],
      ['Name', idOf(1)],
    ],
  )
  assert.equal(run('SELECT * FROM Msvm_ComputerSystem').fields, undefined)
})

test('what a query names without its being there, or compares without its being comparable, is told', () => {
  const mistakes: readonly [string, string][] = [
    ['SELECT * FROM Msvm_Nothing', 'class'],
    ['SELECT Nothing FROM Msvm_ComputerSystem', 'property'],
    ['SELECT * FROM Msvm_ComputerSystem WHERE Nothing = 1', 'property'],
    ['SELECT * FROM Msvm_ComputerSystem WHERE Name = Nothing', 'property'],
    ["SELECT * FROM CIM_SettingData WHERE ResourceSubType = 'x'", 'property'],
    ["SELECT * FROM Msvm_ComputerSystem WHERE EnabledState = 'two'", 'type'],
    ["SELECT * FROM Msvm_ConcreteJob WHERE DeleteOnCompletion = 'maybe'", 'type'],
    ["SELECT * FROM Msvm_ConcreteJob WHERE StartTime = 'noon'", 'type'],
    ['SELECT * FROM Msvm_ComputerSystem WHERE OperationalStatus = 2', 'type'],
    ["SELECT * FROM Msvm_ComputerSystem WHERE StatusDescriptions LIKE 'OK'", 'type'],
    ["SELECT * FROM Msvm_ComputerSystem WHERE Name ISA 'CIM_System'", 'type'],
    ["SELECT * FROM Msvm_ComputerSystem WHERE __CLASS ISA 'Nothing'", 'class'],
    [`SELECT * FROM Msvm_ComputerSystem WHERE Name LIKE '${'x'.repeat(2000)}'`, 'limit'],
    ["ASSOCIATORS OF {Msvm_Nothing.Name='x'}", 'class'],
    ["ASSOCIATORS OF {Msvm_ConcreteJob.InstanceID='x'}", 'object'],
    [`ASSOCIATORS OF {Msvm_ComputerSystem.Name='${idOf(1)}'}`, 'object'],
    [
      `ASSOCIATORS OF {root/cimv2:Msvm_ComputerSystem.CreationClassName='Msvm_ComputerSystem',Name='${idOf(1)}'}`,
      'object',
    ],
    ["REFERENCES OF {Msvm_ConcreteJob.InstanceID='x'}", 'object'],
    [
      `REFERENCES OF {Msvm_ComputerSystem.CreationClassName='Msvm_ComputerSystem',Name='${idOf(1)}'} WHERE ResultClass = X`,
      'class',
    ],
  ]
  for (const [text, kind] of mistakes) assert.equal(kindOf(text), kind, text)
})

test('what is associated with an object and of a class that the host does not have is nothing', () => {
  const of = `{Msvm_ComputerSystem.CreationClassName='Msvm_ComputerSystem',Name='${idOf(1)}'}`

  assert.deepEqual(run(`ASSOCIATORS OF ${of} WHERE ResultClass = Msvm_Nothing`).instances, [])
  assert.equal(kindOf("ASSOCIATORS OF {Msvm_ConcreteJob.InstanceID='x'} WHERE ResultClass = Msvm_Nothing"), 'object')
})

test('a query for one of 2,000 machines makes no other', () => {
  const { v2: many, counts } = makeWorld(2000)
  const id = idOf(1500).toLowerCase()
  for (const text of [
    `SELECT * FROM Msvm_ComputerSystem WHERE Name != __SERVER AND Name = '${id}'`,
    `SELECT * FROM Msvm_VirtualSystemSettingData WHERE InstanceID='Microsoft:${id}'`,
    `SELECT * FROM Msvm_ComputerSystem WHERE __PATH = "Msvm_ComputerSystem.CreationClassName='Msvm_ComputerSystem',Name='${id}'"`,
    `SELECT * FROM Msvm_SettingsDefineState WHERE SettingData = "Msvm_VirtualSystemSettingData='Microsoft:${id}'"`,
    `ASSOCIATORS OF {Msvm_VirtualSystemSettingData.InstanceID='Microsoft:${id}'} WHERE ResultClass = Msvm_MemorySettingData`,
    `REFERENCES OF {Msvm_VirtualSystemSettingData.InstanceID='Microsoft:${id}'} WHERE ResultClass = Msvm_SettingsDefineState`,
  ]) {
    assert.equal(count(text, many), 1, text)
  }

  assert.equal(counts.listed, 0)
})

test('20,000 instances are looked through in well under a few seconds', () => {
  const cls = v2.schema.find('Msvm_ComputerSystem')
  assert(cls !== undefined)
  const systems = Array.from({ length: 20_000 }, (_, index) =>
    makeInstance(cls, { Name: idOf(index), ElementName: `vm${index}`, EnabledState: 2 + (index % 2) }),
  )
  const many = new Repository(v2.schema, [{ classes: { Msvm_ComputerSystem: { list: () => systems } } }], HOST)
  const started = cpuMs()

  assert.equal(count('SELECT * FROM Msvm_ComputerSystem', many), 20_000)
  assert.equal(count('SELECT * FROM Msvm_ComputerSystem WHERE Name != __SERVER AND EnabledState = 2', many), 10_000)
  assert.equal(count("SELECT * FROM Msvm_ComputerSystem WHERE ElementName LIKE '%99' AND Caption IS NULL", many), 200)

  assert(cpuMs() - started < 3000)
})

test('whatever is asked, the answer is instances or a WqlError', () => {
  const names = fc.constantFrom('Name', 'EnabledState', 'InstallDate', 'OperationalStatus', '__PATH', '__CLASS', 'X')
  const values = fc.constantFrom(
    "'x'",
    "'%[a-'",
    '2',
    '-0x1',
    '1e400',
    'TRUE',
    'NULL',
    "'20250101120000.000000+000'",
    "'\\\\'",
  )
  const comparison = fc
    .tuple(names, fc.constantFrom('=', '!=', '<', '>=', 'LIKE', 'ISA', 'IS'), values)
    .map(parts => parts.join(' '))
  const condition = fc
    .array(fc.tuple(fc.constantFrom('AND', 'OR', 'AND NOT', 'OR NOT'), comparison), { maxLength: 4 })
    .chain(rest => comparison.map(first => [first, ...rest.flat()].join(' ')))
  const classes = fc.constantFrom('Msvm_ComputerSystem', 'CIM_ManagedElement', 'Msvm_SettingsDefineState', 'X')
  fc.assert(
    fc.property(classes, condition, (className, where) => {
      kindOf(`SELECT * FROM ${className} WHERE ${where}`)
    }),
    { numRuns: 2000 },
  )
})
