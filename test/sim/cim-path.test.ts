import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { makeInstance } from '../../sim/hyperv/cim/instance.ts'
import type { CimClass } from '../../sim/hyperv/cim/model.ts'
import { nameOf, type ObjectPath, parsePath, pathOf, printPath, sameName } from '../../sim/hyperv/cim/path.ts'
import { loadSchema } from '../../sim/hyperv/cim/schema.ts'
import { cpuMs } from '../support/cpu-time.ts'

const V2 = 'root\\virtualization\\v2'
const schema = loadSchema(V2, 9200)
const VM = 'BEA3D940-A13D-44BC-A5D6-959B11AAE3A4'
const DRIVE = `Microsoft:${VM}\\83F8638B-8DCA-4152-9EDA-2CA8B33039B4\\0\\0\\D`
const PRINTED = String.raw`\\HV1\root\virtualization\v2:Msvm_ResourceAllocationSettingData.InstanceID="Microsoft:${VM}\\83F8638B-8DCA-4152-9EDA-2CA8B33039B4\\0\\0\\D"`

function classOf(name: string): CimClass {
  const cls = schema.find(name)
  assert(cls !== undefined)
  return cls
}

function parse(text: string): ObjectPath {
  const path = parsePath(text)
  assert(path !== undefined, `no path: ${text}`)
  return path
}

test('a path as Windows prints it is read and printed again', () => {
  const path = parse(PRINTED)

  assert.deepEqual(path, {
    host: 'HV1',
    namespace: V2,
    className: 'Msvm_ResourceAllocationSettingData',
    keys: new Map([['InstanceID', DRIVE]]),
  })
  assert.equal(printPath(path), PRINTED)
})

test('the same instance is meant however a client spells its path', () => {
  const meant = parse(PRINTED)
  for (const spelled of [
    String.raw`\\hv1.example.org\Root\Virtualization\V2:Msvm_ResourceAllocationSettingData.InstanceID="Microsoft:${VM}\\83F8638B-8DCA-4152-9EDA-2CA8B33039B4\\0\\0\\D"`,
    String.raw`\\.\root\virtualization\v2:Msvm_ResourceAllocationSettingData.InstanceID='Microsoft:${VM}\83F8638B-8DCA-4152-9EDA-2CA8B33039B4\0\0\D'`,
    String.raw`//HV1/root/virtualization/v2:msvm_resourceallocationsettingdata.instanceid = "microsoft:${VM.toLowerCase()}\\83f8638b-8dca-4152-9eda-2ca8b33039b4\\0\\0\\d"`,
    String.raw`\HV1\root\virtualization\v2:Msvm_ResourceAllocationSettingData.InstanceID="Microsoft:${VM}\83F8638B-8DCA-4152-9EDA-2CA8B33039B4\0\0\D"`,
    String.raw`root\virtualization\v2:Msvm_ResourceAllocationSettingData="Microsoft:${VM}\\83F8638B-8DCA-4152-9EDA-2CA8B33039B4\\0\\0\\D"`,
    String.raw`Msvm_ResourceAllocationSettingData.InstanceID="Microsoft:${VM}\\83F8638B-8DCA-4152-9EDA-2CA8B33039B4\\0\\0\\D"`,
    String.raw`CIM_SettingData.InstanceID="Microsoft:${VM}\\83F8638B-8DCA-4152-9EDA-2CA8B33039B4\\0\\0\\D"`,
  ]) {
    assert(sameName(parse(spelled), meant, schema), spelled)
    assert(sameName(meant, parse(spelled), schema), spelled)
  }
})

test('another key, another class, and a key too few are another instance', () => {
  const meant = parse(`Msvm_ComputerSystem.CreationClassName="Msvm_ComputerSystem",Name="${VM}"`)

  assert(sameName(parse(`Msvm_ComputerSystem.Name='${VM}',CreationClassName='Msvm_ComputerSystem'`), meant, schema))
  for (const spelled of [
    `Msvm_ComputerSystem.CreationClassName="Msvm_ComputerSystem",Name="${VM}0"`,
    `Msvm_VirtualEthernetSwitch.CreationClassName="Msvm_ComputerSystem",Name="${VM}"`,
    `Msvm_ComputerSystem.Name="${VM}"`,
    `Msvm_ComputerSystem="${VM}"`,
    'Msvm_ComputerSystem',
    'Msvm_Nothing',
  ]) {
    assert(!sameName(parse(spelled), meant, schema), spelled)
  }
})

test('a path may be of a class, of a singleton, and have keys that are numbers', () => {
  assert.deepEqual(parse('Msvm_ComputerSystem'), { className: 'Msvm_ComputerSystem', keys: new Map() })
  assert.deepEqual(parse('root\\virtualization\\v2:Msvm_ServicingSettings=@'), {
    namespace: V2,
    className: 'Msvm_ServicingSettings',
    keys: new Map(),
    isSingleton: true,
  })
  const mounted = parse('Msvm_MountedStorageImage.TargetId=0,Lun=1,PathId=0,PortNumber=2')
  assert.deepEqual(mounted.keys.get('Lun'), '1')
  const cls = classOf('Msvm_MountedStorageImage')
  assert.equal(printPath(mounted, cls), 'Msvm_MountedStorageImage.Lun=1,PathId=0,PortNumber=2,TargetId=0')
})

test('a path within a path, as associations have it, is read and compared by what it means', () => {
  const instance = makeInstance(classOf('Msvm_AffectedJobElement'), {
    AffectedElement: PRINTED,
    AffectingElement: String.raw`\\HV1\root\virtualization\v2:Msvm_ConcreteJob.InstanceID="${VM}"`,
  })

  const printed = pathOf(instance, 'HV1', V2)

  assert.equal(
    printed,
    String.raw`\\HV1\root\virtualization\v2:Msvm_AffectedJobElement.AffectedElement="\\\\HV1\\root\\virtualization\\v2:Msvm_ResourceAllocationSettingData.InstanceID=\"Microsoft:${VM}\\\\83F8638B-8DCA-4152-9EDA-2CA8B33039B4\\\\0\\\\0\\\\D\"",AffectingElement="\\\\HV1\\root\\virtualization\\v2:Msvm_ConcreteJob.InstanceID=\"${VM}\""`,
  )
  assert(sameName(parse(printed), nameOf(instance), schema))
  const spelled = String.raw`Msvm_AffectedJobElement.AffectingElement='Msvm_ConcreteJob.InstanceID="${VM.toLowerCase()}"',AffectedElement='//hv1/root/virtualization/v2:Msvm_ResourceAllocationSettingData.InstanceID="Microsoft:${VM}\83F8638B-8DCA-4152-9EDA-2CA8B33039B4\0\0\D"'`
  assert(sameName(parse(spelled), nameOf(instance), schema))
})

test('methods of Hyper-V take no backslash that is not doubled', () => {
  const single = String.raw`\\HV1\root\virtualization\v2:Msvm_ResourceAllocationSettingData.InstanceID="Microsoft:${VM}\0"`

  assert.notEqual(parsePath(single), undefined)
  assert.equal(parsePath(single, { isStrict: true }), undefined)
  assert.notEqual(parsePath(PRINTED, { isStrict: true }), undefined)
})

test('what is no path is none', () => {
  for (const text of [
    '',
    ' ',
    ':',
    '\\\\HV1',
    '\\\\HV1:',
    'root\\virtualization:',
    '.Name="x"',
    'Class.',
    'Class.=',
    'Class.Name',
    'Class.Name=',
    'Class.Name="x',
    'Class.Name="x"y',
    'Class.Name="x",',
    'Class.Name="x",Name="y"',
    'Class="x",Name="y"',
    'Class.1="x"',
    'C lass.Name="x"',
    'root\\\0:Class',
    'a'.repeat(40_000),
  ]) {
    assert.equal(parsePath(text), undefined, text.slice(0, 40))
  }
})

test('whatever its keys hold, a path that is printed is read as itself', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 40 })
  fc.assert(
    fc.property(text, text, fc.stringMatching(/^[A-Za-z][\w.-]{0,14}$/), (a, b, host) => {
      const path = {
        host,
        namespace: V2,
        className: 'C',
        keys: new Map([
          ['A', a],
          ['B', b],
        ]),
      }
      assert.deepEqual(parsePath(printPath(path)), path)
    }),
  )
})

test('reading a path never throws, and takes time in proportion to it', () => {
  const pieces = fc.constantFrom('\\', '"', "'", '=', ',', '.', ':', '/', ' ', 'A', 'root', '@')
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 60 }), parts => {
      const path = parsePath(parts.join(''))
      if (path !== undefined) assert.notEqual(parsePath(printPath(path)), undefined, parts.join(''))
    }),
    { numRuns: 2000 },
  )
  const started = cpuMs()
  for (const part of ['\\', '\\\\', 'A=', '"', ',A=1', '/', ' ']) parsePath(`C.A="${part.repeat(15_000)}`)
  assert(cpuMs() - started < 2000)
})
