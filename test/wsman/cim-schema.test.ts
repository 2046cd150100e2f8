import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CimInterval, CimTimestamp } from '../../src/protocols/wsman/datetime.ts'
import { embedded, typed } from '../../src/protocols/wsman/embedded.ts'
import { reference } from '../../src/protocols/wsman/endpoint-reference.ts'
import { readEmbedded, readInstance } from '../../src/protocols/wsman/instance.ts'
import {
  argumentsOf,
  defineClass,
  defineMethod,
  type InputOf,
  instanceOf,
  resultOf,
  type Types,
  valuesOf,
} from '../../src/protocols/wsman/schema.ts'
import { parseXml } from '../../src/wire/xml/tree.ts'
import { scripted, V2 } from './client-script.ts'

const MemorySettings = defineClass('Msvm_MemorySettingData', {
  InstanceID: 'string',
  VirtualQuantity: 'uint64',
  Weight: 'uint32',
  DynamicMemoryEnabled: 'boolean',
  HostResource: 'string[]',
})

const ModifyResourceSettings = defineMethod('Msvm_VirtualSystemManagementService', 'ModifyResourceSettings', {
  input: { ResourceSettings: 'instance[]' },
  output: { ResultingResourceSettings: 'reference[]', Job: 'reference' },
})

const SERVICE = reference('root/virtualization/v2', 'Msvm_VirtualSystemManagementService', {})

// Proves: hypervGetPropType
test('an instance of a declared class is sent with the types of the declaration', () => {
  const settings = instanceOf(MemorySettings, { InstanceID: 'Microsoft:1', VirtualQuantity: 2_048n, Weight: undefined })

  assert.equal(
    settings.toCimXml(),
    '<INSTANCE CLASSNAME="Msvm_MemorySettingData"><PROPERTY NAME="InstanceID" TYPE="string"><VALUE>Microsoft:1</VALUE></PROPERTY>' +
      '<PROPERTY NAME="VirtualQuantity" TYPE="uint64"><VALUE>2048</VALUE></PROPERTY></INSTANCE>',
  )
})

test('what is sent is read back with the same types', () => {
  const sent = {
    InstanceID: 'Microsoft:1',
    VirtualQuantity: 18_446_744_073_709_551_615n,
    Weight: 5_000,
    DynamicMemoryEnabled: false,
    HostResource: ['a'],
  }

  const read = valuesOf(MemorySettings, readEmbedded(instanceOf(MemorySettings, sent).toCimXml()))

  assert.deepEqual(read, sent)
  assert.deepEqual(valuesOf(MemorySettings, instanceOf(MemorySettings, {})), {
    InstanceID: undefined,
    VirtualQuantity: undefined,
    Weight: undefined,
    DynamicMemoryEnabled: undefined,
    HostResource: [],
  })
})

test('every type is read as it is declared', () => {
  const all = defineClass('Msvm_All', {
    Truth: 'boolean',
    Text: 'string',
    Char: 'char16',
    U8: 'uint8',
    S64: 'sint64',
    R: 'real64',
    When: 'datetime',
    Long: 'interval',
    Octets: 'uint8[]',
    Inner: 'instance',
    Inners: 'instance[]',
  })
  const inner = embedded('Msvm_Inner', { N: typed('uint8', 7) })
  const instance = instanceOf(all, {
    Truth: true,
    Text: 't',
    Char: 'c',
    U8: 255,
    S64: -1n,
    R: 0.5,
    When: new CimTimestamp(5n),
    Long: new CimInterval(6n),
    Octets: [1, 2],
    Inner: inner,
    Inners: [inner, inner],
  })

  const read = valuesOf(all, readEmbedded(instance.toCimXml()))

  assert.deepEqual(
    [read.Truth, read.Text, read.Char, read.U8, read.S64, read.R, [...read.Octets]],
    [true, 't', 'c', 255, -1n, 0.5, [1, 2]],
  )
  assert.equal(read.When?.epochMicroseconds, 5n)
  assert.equal(read.Long?.microseconds, 6n)
  assert.equal(read.Inner?.number('N'), 7)
  assert.equal(read.Inners.length, 2)
})

test('what a host sends out of the range of its type is not taken', () => {
  const weight = readEmbedded(
    '<INSTANCE CLASSNAME="X"><PROPERTY NAME="Weight" TYPE="uint64"><VALUE>4294967296</VALUE></PROPERTY></INSTANCE>',
  )

  assert.throws(() => valuesOf(MemorySettings, weight), { name: 'CimError', message: /Weight of X is no uint32/ })
})

test('a name or a value that the declaration does not have is refused before it is sent', () => {
  const loose: InputOf<Types> = { Surprise: 1 }

  assert.throws(() => instanceOf<Types>(MemorySettings, loose), { name: 'CimError', message: /declares no Surprise/ })
  assert.throws(() => instanceOf<Types>(MemorySettings, { constructor: 'x' }), { name: 'CimError' })
  assert.throws(() => instanceOf<Types>(MemorySettings, { Weight: -1 }), {
    name: 'CimError',
    message: /Weight .* uint32/,
  })
  assert.throws(() => instanceOf<Types>(MemorySettings, { Weight: 2 ** 32 }), { name: 'CimError' })
  assert.throws(() => instanceOf<Types>(MemorySettings, { HostResource: 'a' }), {
    name: 'CimError',
    message: /no array/,
  })
  assert.throws(() => argumentsOf<Types>(ModifyResourceSettings, { Job: null }), { name: 'CimError' })
  assert.throws(() => argumentsOf<Types>(ModifyResourceSettings, { ResourceSettings: ['<INSTANCE/>'] }), {
    name: 'CimError',
  })
})

// Proves: hypervAddSimpleParam, hypervInvokeMethod
test('a declared method is called with checked arguments, and its result is typed', async () => {
  const to = (name: string) =>
    `<a:Address/><a:ReferenceParameters><w:ResourceURI>${V2}/${name}</w:ResourceURI><w:SelectorSet><w:Selector Name="InstanceID">1</w:Selector></w:SelectorSet></a:ReferenceParameters>`
  const { client, host } = scripted([
    () =>
      `<p:ModifyResourceSettings_OUTPUT xmlns:p="${V2}/Msvm_VirtualSystemManagementService"><p:ResultingResourceSettings>${to('Msvm_A')}</p:ResultingResourceSettings><p:ResultingResourceSettings>${to('Msvm_B')}</p:ResultingResourceSettings><p:Job>${to('Msvm_ConcreteJob')}</p:Job><p:ReturnValue>4096</p:ReturnValue></p:ModifyResourceSettings_OUTPUT>`,
  ])

  const { returnValue, values } = await client.call(SERVICE, ModifyResourceSettings, {
    ResourceSettings: [instanceOf(MemorySettings, { InstanceID: 'Microsoft:1', VirtualQuantity: 4 })],
  })

  assert.equal(returnValue, 4_096)
  assert.deepEqual(
    values.ResultingResourceSettings.map(({ className }) => className),
    ['Msvm_A', 'Msvm_B'],
  )
  assert.equal(values.Job?.key('InstanceID'), '1')
  const sent = host.asked[0]?.body?.elements('ResourceSettings')[0]?.text()
  assert.equal(readEmbedded(sent ?? '').bigint('VirtualQuantity'), 4n)
})

test('nothing is sent of a call whose arguments are wrong', async () => {
  const { client, host } = scripted([() => ''])

  await assert.rejects(client.call<Types, Types>(SERVICE, ModifyResourceSettings, { Wrong: 1 }), { name: 'CimError' })

  assert.equal(host.asked.length, 0)
})

test('a result of another type than is declared is not taken', () => {
  const output = readInstance(parseXml(Buffer.from('<p:X xmlns:p="urn:x"><p:Job>soon</p:Job></p:X>')))

  assert.throws(() => resultOf(ModifyResourceSettings, output), { name: 'CimError', message: /^Job of X/ })
})
