import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { EmbeddedError, type EmbeddedForm, parseEmbedded, writeEmbedded } from '../../sim/hyperv/cim/embedded.ts'
import { makeInstance, withFallbacks } from '../../sim/hyperv/cim/instance.ts'
import type { CimClass, CimValue, Schema } from '../../sim/hyperv/cim/model.ts'
import { loadSchema } from '../../sim/hyperv/cim/schema.ts'
import { parseXml } from '../../src/wire/xml/tree.ts'

const v1 = loadSchema('root\\virtualization', 9200)
const v2 = loadSchema('root\\virtualization\\v2', 9200)

function classOf(schema: Schema, name: string): CimClass {
  const cls = schema.find(name)
  assert(cls !== undefined)
  return cls
}

/** By what each instance is of. */
function readRecorded(): [string, string[]][] {
  const url = new URL('../fixtures/hyperv/ws2012-instances.json', import.meta.url)
  const read: unknown = JSON.parse(readFileSync(url, 'utf8'))
  assert(typeof read === 'object' && read !== null)
  return Object.entries(read).map(([label, texts]) => {
    assert(Array.isArray(texts))
    return [label, texts.map(text => unescape(String(text)))]
  })
}

/** As the host wrote it: those who kept it had put a backslash before each backslash and apostrophe, some twice. */
function unescape(kept: string): string {
  const once = kept.replace(/\\([\\'])/g, '$1')
  return once.includes(String.raw`<VALUE>\\\\HV12OSDEMO1`) ? once.replace(/\\([\\'])/g, '$1') : once
}

function formOf(text: string, schema: Schema): EmbeddedForm {
  if (!text.includes('___SYSTEM')) return 'bare'
  const isPlaced = text.includes('NAME="__PATH" CLASSORIGIN="___SYSTEM" TYPE="string"><VALUE>')
  return isPlaced ? { host: 'HV12OSDEMO1', namespace: schema.namespace } : null
}

test('every instance recorded from Server 2012 fits its class, and is written back byte for byte', () => {
  const OF_V2 = /Msvm_(StorageAllocation|VirtualSystemMigration)SettingData/
  let count = 0
  for (const [label, texts] of readRecorded()) {
    const schema = OF_V2.test(label) ? v2 : v1
    for (const text of texts) {
      const { class: cls, values } = parseEmbedded(schema, text, { isStrict: true })
      assert.equal(writeEmbedded(withFallbacks(cls, values), formOf(text, schema)), text, label)
      count++
    }
  }
  assert.equal(count, 35)
})

test('what methods return says of NULL that it is inherited, and nothing of the system', () => {
  const item = makeInstance(classOf(v2, 'Msvm_KvpExchangeDataItem'), { Name: 'OSName', Data: 'a<b & c>"d"', Source: 2 })

  assert.equal(
    writeEmbedded(item),
    '<INSTANCE CLASSNAME="Msvm_KvpExchangeDataItem">' +
      '<PROPERTY NAME="Caption" PROPAGATED="true" TYPE="string"></PROPERTY>' +
      '<PROPERTY NAME="Data" TYPE="string"><VALUE>a&lt;b &amp; c&gt;"d"</VALUE></PROPERTY>' +
      '<PROPERTY NAME="Description" PROPAGATED="true" TYPE="string"></PROPERTY>' +
      '<PROPERTY NAME="ElementName" PROPAGATED="true" TYPE="string"></PROPERTY>' +
      '<PROPERTY NAME="InstanceID" PROPAGATED="true" TYPE="string"></PROPERTY>' +
      '<PROPERTY NAME="Name" TYPE="string"><VALUE>OSName</VALUE></PROPERTY>' +
      '<PROPERTY NAME="Source" TYPE="uint16"><VALUE>2</VALUE></PROPERTY></INSTANCE>',
  )
})

test('what libvirt sends is read: a declaration, white space, only some properties, in any order', () => {
  const text = `<?xml version="1.0"?>
<INSTANCE CLASSNAME="Msvm_MemorySettingData">
  <PROPERTY NAME="VirtualQuantity" TYPE="uint64"><VALUE>2048</VALUE></PROPERTY>
  <PROPERTY NAME="InstanceID" TYPE="string"><VALUE>Microsoft:A\\B</VALUE></PROPERTY>
</INSTANCE>
`
  const embedded = parseEmbedded(v2, text, { isStrict: true })

  assert.equal(embedded.class.name, 'Msvm_MemorySettingData')
  assert.deepEqual(
    [...embedded.values],
    [
      ['VirtualQuantity', 2048n],
      ['InstanceID', 'Microsoft:A\\B'],
    ],
  )
})

test('every embedded instance that foreign clients sent is read', () => {
  const schemas = { 'libvirt-v2': loadSchema('root\\virtualization\\v2', 20348), 'libvirt-seed-v1': v1 }
  let count = 0
  for (const [folder, schema] of Object.entries(schemas)) {
    const url = new URL(`../fixtures/hyperv/client-requests/${folder}/`, import.meta.url)
    for (const file of readdirSync(url)) {
      const envelope = parseXml(Buffer.from(readFileSync(new URL(file, url), 'utf8').replace(/^[^<]*/, '')))
      const parameters = envelope
        .elements('Body')
        .flatMap(body => body.elements())
        .flatMap(input => input.elements())
      for (const text of parameters.map(parameter => parameter.text()).filter(each => each.includes('<INSTANCE'))) {
        const { values } = parseEmbedded(schema, text, { isStrict: true })
        assert(values.size > 0 && ![...values.values()].includes(null), file)
        count++
      }
    }
  }
  assert.equal(count, 15)
})

test('names are taken in any case, and NULL is told from what was not given', () => {
  const text =
    '<INSTANCE CLASSNAME="msvm_processorsettingdata"><QUALIFIER NAME="Locale" TYPE="sint32"><VALUE>1033</VALUE></QUALIFIER>' +
    '<PROPERTY NAME="__GENUS" TYPE="sint32"><VALUE>2</VALUE></PROPERTY>' +
    '<PROPERTY NAME="PoolId" TYPE="string"></PROPERTY><PROPERTY.ARRAY NAME="HostResource" TYPE="string"/>' +
    '<PROPERTY.ARRAY NAME="Connection" TYPE="string"><VALUE.ARRAY></VALUE.ARRAY></PROPERTY.ARRAY>' +
    '<PROPERTY NAME="Address" PROPAGATED="true" TYPE="string"></PROPERTY>' +
    '<PROPERTY NAME="LimitProcessorFeatures" TYPE="boolean"><VALUE> True </VALUE></PROPERTY></INSTANCE>'

  const { values } = parseEmbedded(v2, text, { isStrict: true })

  assert.deepEqual(
    [...values],
    [
      ['PoolID', null],
      ['HostResource', null],
      ['Connection', []],
      ['LimitProcessorFeatures', true],
    ],
  )
})

/** An instance with these elements inside. */
function memory(inside: string): string {
  return `<INSTANCE CLASSNAME="Msvm_MemorySettingData">${inside}</INSTANCE>`
}

function note(value: string): string {
  return memory(`<PROPERTY NAME="ElementName" TYPE="string"><VALUE>${value}</VALUE></PROPERTY>`)
}

function codeOf(text: string, isStrict = true): string {
  try {
    parseEmbedded(v2, text, { isStrict })
    return 'ok'
  } catch (error) {
    assert(error instanceof EmbeddedError, String(error))
    return `${error.kind} ${error.code}`
  }
}

test('entities are refused as hosts refuse them, and taken when the host is not strict', () => {
  const elementName = (text: string, isStrict: boolean): CimValue =>
    parseEmbedded(v2, note(text), { isStrict }).values.get('ElementName') ?? null

  assert.equal(codeOf(note('a &amp; b')), 'entity 32768')
  assert.equal(codeOf(note('a &lt; b')), 'entity 32773')
  assert.equal(elementName('&#38;&#60;&gt;&#34;"', true), '&<>""')
  assert.equal(elementName('<![CDATA[&amp; <]]>', true), '&amp; <')
  assert.equal(elementName('a &amp; &lt;b', false), 'a & <b')
})

test('one mistake of every kind is answered with the code that hosts answer', () => {
  const quantity = (type: string, value: string): string =>
    memory(`<PROPERTY NAME="VirtualQuantity" TYPE="${type}"><VALUE>${value}</VALUE></PROPERTY>`)
  const mistakes: readonly [string, string][] = [
    [quantity('uint64', '4'), 'ok'],
    [quantity('string', '4'), 'type 32768'],
    [quantity('', '4'), 'type 32768'],
    [memory('<PROPERTY NAME="VirtualQuantity"><VALUE>4</VALUE></PROPERTY>'), 'type 32768'],
    [quantity('uint64', 'four'), 'value 32773'],
    [quantity('uint64', '-1'), 'value 32773'],
    [quantity('uint64', ''), 'value 32773'],
    [memory('<PROPERTY NAME="HostResource" TYPE="string"><VALUE>x</VALUE></PROPERTY>'), 'shape 32773'],
    [memory('<PROPERTY.ARRAY NAME="Limit" TYPE="uint64"><VALUE.ARRAY/></PROPERTY.ARRAY>'), 'shape 32773'],
    [memory('<PROPERTY NAME="Memory" TYPE="uint64"><VALUE>4</VALUE></PROPERTY>'), 'name 32773'],
    [memory('<PROPERTY TYPE="uint64"><VALUE>4</VALUE></PROPERTY>'), 'name 32773'],
    [memory('<PROPERTY NAME="Limit" TYPE="uint64"/><PROPERTY NAME="limit" TYPE="uint64"/>'), 'name 32773'],
    [memory('<PROPERTY NAME="Limit" TYPE="uint64"><VALUE.ARRAY/></PROPERTY>'), 'xml 32768'],
    [memory('<PROPERTY NAME="Limit" TYPE="uint64"><VALUE/><VALUE/></PROPERTY>'), 'xml 32768'],
    [memory('<PROPERTY NAME="Limit" TYPE="uint64"><VALUE><VALUE/></VALUE></PROPERTY>'), 'xml 32768'],
    [memory('<PROPERTY NAME="Limit" TYPE="uint64">4</PROPERTY>'), 'xml 32768'],
    [memory('<Limit>4</Limit>'), 'name 32773'],
    [memory('4'), 'xml 32768'],
    ['<INSTANCE CLASSNAME="Msvm_Nothing"/>', 'class 32773'],
    ['<INSTANCE CLASSNAME="CIM_ResourceAllocationSettingData"/>', 'class 32773'],
    ['<INSTANCE/>', 'class 32773'],
    ['<Msvm_MemorySettingData/>', 'xml 32768'],
    ['<INSTANCE CLASSNAME="Msvm_MemorySettingData">', 'xml 32768'],
    ['<!DOCTYPE x><INSTANCE CLASSNAME="Msvm_MemorySettingData"/>', 'xml 32768'],
    ['', 'xml 32768'],
    ['instance of Msvm_MemorySettingData {};', 'xml 32768'],
    [note('x'.repeat(600_000)), 'xml 32768'],
  ]
  for (const [text, code] of mistakes) assert.equal(codeOf(text), code, text.slice(0, 120))
  const delay = memory('')
    .replace('Memory', 'VirtualSystem')
    .replace(
      '></',
      '><PROPERTY NAME="AutomaticStartupActionDelay" TYPE="string"><VALUE>00000000003000.000000:000</VALUE></PROPERTY></',
    )
  assert.equal(codeOf(delay), 'type 32768')
  assert.equal(codeOf(delay.replace('TYPE="string"', 'TYPE="datetime"')), 'ok')
})

test('whatever text an instance holds, it is written and read again', () => {
  const text = fc.string({ unit: fc.constantFrom(...Array.from('aZ09 \\"\'<>&;#\n\tä漢😀')), maxLength: 30 })
  const cls = classOf(v2, 'Msvm_MemorySettingData')
  fc.assert(
    fc.property(text, fc.array(text, { maxLength: 4 }), fc.bigInt(0n, 2n ** 64n - 1n), (name, resources, limit) => {
      const values = { ElementName: name, HostResource: resources, Limit: limit, IsVirtualized: true }
      const written = writeEmbedded(makeInstance(cls, values))
      const read = parseEmbedded(v2, written, { isStrict: false })
      assert.deepEqual(Object.fromEntries(read.values), values)
    }),
  )
})

test('nothing but an EmbeddedError ever comes of reading', () => {
  const pieces = fc.constantFrom(
    '<INSTANCE CLASSNAME="Msvm_MemorySettingData">',
    '</INSTANCE>',
    '<PROPERTY NAME="Limit" TYPE="uint64">',
    '</PROPERTY>',
    '<PROPERTY.ARRAY NAME="HostResource" TYPE="string">',
    '</PROPERTY.ARRAY>',
    '<VALUE>',
    '</VALUE>',
    '<VALUE.ARRAY>',
    '</VALUE.ARRAY>',
    '<QUALIFIER/>',
    '&amp;',
    '&#60;',
    '&#x0;',
    ']]>',
    '<![CDATA[',
    '<!--',
    '7',
    ' ',
    '<?xml version="1.0"?>',
    '\u0000',
    '\ud800',
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 24 }), fc.boolean(), (parts, isStrict) => {
      codeOf(parts.join(''), isStrict)
    }),
    { numRuns: 3000 },
  )
})
