import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keysOf, makeInstance, textOf, valueOf } from '../../sim/hyperv/cim/instance.ts'
import type { CimClass, CimType, CimValue } from '../../sim/hyperv/cim/model.ts'
import { loadSchema } from '../../sim/hyperv/cim/schema.ts'
import { isOfType, readScalar } from '../../sim/hyperv/cim/value.ts'

const schema = loadSchema('root\\virtualization\\v2', 9200)

function classOf(name: string): CimClass {
  const cls = schema.find(name)
  assert(cls !== undefined)
  return cls
}

const SYSTEM = classOf('Msvm_ComputerSystem')

test('an instance holds what is given, the defaults of the schema, and NULL for the rest', () => {
  const system = makeInstance(SYSTEM, {
    name: 'X',
    EnabledState: 2,
    OperationalStatus: [2, 3],
    TransitioningToState: null,
  })

  assert.equal(valueOf(system, 'Name'), 'X')
  assert.equal(valueOf(system, 'enabledstate'), 2)
  assert.deepEqual(valueOf(system, 'OperationalStatus'), [2, 3])
  assert.equal(valueOf(system, 'RequestedState'), 12)
  assert.equal(valueOf(system, 'TransitioningToState'), null)
  assert.equal(valueOf(system, 'ElementName'), null)
  assert.deepEqual([...(system.fallbacks ?? [])], ['EnabledDefault', 'RequestedState'])
})

test('a name that the class does not have, and a value of another type, are mistakes of ours', () => {
  const wrong: readonly Record<string, CimValue>[] = [
    { Nothing: 1 },
    { Name: 1 },
    { Name: ['X'] },
    { OperationalStatus: 2 },
    { EnabledState: 65_536 },
    { EnabledState: -1 },
    { EnabledState: 1.5 },
    { EnabledState: 2n },
    { OnTimeInMilliseconds: 1 },
    { OnTimeInMilliseconds: 2n ** 64n },
    { InstallDate: '2025-01-01T00:00:00Z' },
  ]
  for (const values of wrong) assert.throws(() => makeInstance(SYSTEM, values), { code: 'ERR_ASSERTION' })
  assert.throws(() => valueOf(makeInstance(SYSTEM, {}), 'Nothing'), { code: 'ERR_ASSERTION' })
})

test('keys are texts in alphabetical order', () => {
  const drive = makeInstance(classOf('Msvm_MountedStorageImage'), { PortNumber: 2, Lun: 1, PathId: 0, TargetId: 0 })

  assert.deepEqual(
    [...keysOf(drive)],
    [
      ['Lun', '1'],
      ['PathId', '0'],
      ['PortNumber', '2'],
      ['TargetId', '0'],
    ],
  )
})

test('one value is told as text, and several are not', () => {
  const memory = makeInstance(classOf('Msvm_MemorySettingData'), {
    VirtualQuantity: 18_446_744_073_709_551_615n,
    DynamicMemoryEnabled: false,
  })

  assert.equal(textOf(memory, 'VirtualQuantity'), '18446744073709551615')
  assert.equal(textOf(memory, 'DynamicMemoryEnabled'), 'FALSE')
  assert.equal(textOf(memory, 'Limit'), '')
  const shared = makeInstance(SYSTEM, { OperationalStatus: [2] })
  assert.throws(() => textOf(shared, 'OperationalStatus'), { code: 'ERR_ASSERTION' })
})

test('text is read as the type has it, and nothing else', () => {
  const read: readonly [CimType, string, unknown][] = [
    ['uint8', '255', 255],
    ['uint8', '256', undefined],
    ['uint8', '-1', undefined],
    ['sint8', '-128', -128],
    ['uint16', '0x10', 16],
    ['uint32', '+7', 7],
    ['uint64', '18446744073709551615', 18_446_744_073_709_551_615n],
    ['uint64', '18446744073709551616', undefined],
    ['sint64', '-9223372036854775808', -9_223_372_036_854_775_808n],
    ['uint16', '', undefined],
    ['uint16', ' 1', undefined],
    ['uint16', '1.0', undefined],
    ['uint16', '1e3', undefined],
    ['boolean', 'TRUE', true],
    ['boolean', 'False', false],
    ['boolean', '1', undefined],
    ['boolean', '', undefined],
    ['real64', '-1.5e3', -1500],
    ['real64', 'NaN', undefined],
    ['char16', 'x', 'x'],
    ['char16', 'xy', undefined],
    ['string', '', ''],
    ['datetime', '00000000003000.000000:000', '00000000003000.000000:000'],
    ['datetime', 'P0DT0H30M0S', undefined],
    ['object', 'x', undefined],
  ]
  for (const [type, text, value] of read) assert.equal(readScalar(text, type), value, `${type} ${text}`)
})

test('NULL is of every type, but not in an array', () => {
  const holed: CimValue = JSON.parse('[1, null]')

  assert(isOfType(null, { type: 'uint16', isArray: true }))
  assert(isOfType([], { type: 'uint16', isArray: true }))
  assert(!isOfType(holed, { type: 'uint16', isArray: true }))
  assert(isOfType(makeInstance(SYSTEM, {}), { type: 'object', isArray: false }))
  assert(!isOfType('x', { type: 'object', isArray: false }))
})
