import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CimInterval, CimTimestamp } from '../../src/protocols/wsman/datetime.ts'
import { embedded, typed } from '../../src/protocols/wsman/embedded.ts'
import { reference } from '../../src/protocols/wsman/endpoint-reference.ts'
import { readEmbedded } from '../../src/protocols/wsman/instance.ts'
import { fixture } from './client-script.ts'

/** Instances as WMI of Server 2012 wrote them, by what they are. */
const recorded: Readonly<Record<string, readonly string[]>> = JSON.parse(fixture('ws2012-instances.json').toString())
const all = Object.entries(recorded).flatMap(([name, texts]) => texts.map((text): [string, string] => [name, text]))

test('every instance that Server 2012 wrote is read, its system properties too', () => {
  assert.equal(all.length, 35)
  for (const [name, text] of all) {
    const instance = readEmbedded(text)

    assert.equal(instance.className, name.split(' / ')[0])
    const told = [...text.matchAll(/<PROPERTY(?:\.ARRAY)? NAME="([^"]*)"[^>]* TYPE="([^"]*)"/g)]
    assert.deepEqual(
      instance.names,
      told.map(([, property]) => property),
    )
    for (const [element, property = '', type = ''] of told) {
      const isArray = element.startsWith('<PROPERTY.ARRAY')
      assert.equal(instance.type(property), isArray ? `${type}[]` : type)
      readAll(instance, property, type)
    }
    if (text.includes('__GENUS')) {
      assert.equal(instance.number('__GENUS'), 2)
      assert.equal(instance.string('__CLASS'), instance.className)
      assert.equal(instance.strings('__DERIVATION').at(-1), 'CIM_ManagedElement')
      const own = instance.names.filter(property => !property.startsWith('__'))
      assert.equal(instance.number('__PROPERTY_COUNT'), own.length)
    }
  }
})

/** Reads a property as the type that it is told to be of. */
function readAll(instance: ReturnType<typeof readEmbedded>, property: string, type: string): void {
  if (type === 'boolean') instance.booleans(property)
  else if (type === 'datetime') instance.intervals(property)
  else if (type === 'string') instance.strings(property)
  else instance.bigints(property)
}

test('settings of memory, as Server 2012 wrote them', () => {
  const memory = readEmbedded(recorded['Msvm_MemorySettingData / Microsoft Virtual Machine Memory']?.[0] ?? '')

  assert.equal(memory.bigint('VirtualQuantity'), 512n)
  assert.equal(memory.boolean('DynamicMemoryEnabled'), false)
  assert.equal(memory.string('Address'), undefined)
  assert.equal(memory.isNull('HostResource'), true)
  assert.deepEqual(memory.strings('HostResource'), [])
  assert.equal(memory.string('__SERVER'), 'HV12OSDEMO1')
  assert.equal(memory.has('Nothing'), false)
})

test('an error in a job, and a disk without a parent, as Server 2012 wrote them', () => {
  const error = readEmbedded(recorded['Msvm_Error']?.[0] ?? '')
  const disk = readEmbedded(recorded['Msvm_VirtualHardDiskInfo']?.[1] ?? '')

  assert.deepEqual(error.strings('MessageArguments').length, 3)
  assert.equal(error.string('MessageID'), '21024')
  assert.match(error.string('Message') ?? '', /^Virtual machine migration operation for /)
  assert.equal(disk.string('ParentPath'), '')
  assert.equal(disk.bigint('FileSize'), 8_192n)
  assert.equal(disk.boolean('InUse'), false)
})

test('what Server 2012 wrote is written again byte for byte, but for where a class is derived from', () => {
  for (const [, text] of all) {
    const plain = text.replaceAll(/ (?:CLASSORIGIN|PROPAGATED)="[^"]*"/g, '')

    // They were kept with an apostrophe written as \' and are otherwise without a character that needs escaping.
    assert.equal(readEmbedded(text).toCimXml(), plain)
  }
})

// Proves: hypervAddEmbeddedParam
test('each type is written in the form that CIM-XML has for it', () => {
  const instance = embedded('Msvm_Thing', {
    Text: typed('string', 'ä"\''),
    Empty: typed('string', ''),
    Null: typed('uint16', null),
    Yes: typed('boolean', true),
    Small: typed('sint8', -128),
    Big: typed('uint64', 18_446_744_073_709_551_615n),
    Exact: typed('uint64', 5),
    Real: typed('real64', 1.5),
    Char: typed('char16', 'x'),
    When: typed('datetime', new CimTimestamp(1_765_965_322_702_341n)),
    Long: typed('interval', CimInterval.ofMilliseconds(1_800_000)),
    Inner: typed('instance', embedded('Msvm_Inner', { N: typed('uint8', 1) })),
    Many: typed('string[]', ['a', 'b']),
    None: typed('string[]', []),
    NullMany: typed('uint32[]', null),
    Octets: typed('uint8[]', Uint8Array.of(0, 255)),
  })

  assert.equal(
    instance.toCimXml().replaceAll(/<\/PROPERTY(\.ARRAY)?>/g, '$&\n'),
    `<INSTANCE CLASSNAME="Msvm_Thing"><PROPERTY NAME="Text" TYPE="string"><VALUE>ä"'</VALUE></PROPERTY>
<PROPERTY NAME="Empty" TYPE="string"><VALUE></VALUE></PROPERTY>
<PROPERTY NAME="Null" TYPE="uint16"></PROPERTY>
<PROPERTY NAME="Yes" TYPE="boolean"><VALUE>TRUE</VALUE></PROPERTY>
<PROPERTY NAME="Small" TYPE="sint8"><VALUE>-128</VALUE></PROPERTY>
<PROPERTY NAME="Big" TYPE="uint64"><VALUE>18446744073709551615</VALUE></PROPERTY>
<PROPERTY NAME="Exact" TYPE="uint64"><VALUE>5</VALUE></PROPERTY>
<PROPERTY NAME="Real" TYPE="real64"><VALUE>1.5</VALUE></PROPERTY>
<PROPERTY NAME="Char" TYPE="char16"><VALUE>x</VALUE></PROPERTY>
<PROPERTY NAME="When" TYPE="datetime"><VALUE>20251217095522.702341+000</VALUE></PROPERTY>
<PROPERTY NAME="Long" TYPE="datetime"><VALUE>00000000003000.000000:000</VALUE></PROPERTY>
<PROPERTY NAME="Inner" TYPE="string"><VALUE>&#60;INSTANCE CLASSNAME="Msvm_Inner"&gt;&#60;PROPERTY NAME="N" TYPE="uint8"&gt;&#60;VALUE&gt;1&#60;/VALUE&gt;&#60;/PROPERTY&gt;&#60;/INSTANCE&gt;</VALUE></PROPERTY>
<PROPERTY.ARRAY NAME="Many" TYPE="string"><VALUE.ARRAY><VALUE>a</VALUE><VALUE>b</VALUE></VALUE.ARRAY></PROPERTY.ARRAY>
<PROPERTY.ARRAY NAME="None" TYPE="string"><VALUE.ARRAY></VALUE.ARRAY></PROPERTY.ARRAY>
<PROPERTY.ARRAY NAME="NullMany" TYPE="uint32"></PROPERTY.ARRAY>
<PROPERTY.ARRAY NAME="Octets" TYPE="uint8"><VALUE.ARRAY><VALUE>0</VALUE><VALUE>255</VALUE></VALUE.ARRAY></PROPERTY.ARRAY>
</INSTANCE>`,
  )
  assert.equal(readEmbedded(instance.toCimXml()).instance('Inner')?.number('N'), 1)
})

test('the entities are those that Windows takes: never &amp; and never &lt;', () => {
  const text = embedded('Msvm_Thing', { Notes: typed('string[]', ['a & b < c > d\r\n&amp;']) }).toCimXml()

  assert.match(text, /<VALUE>a &#38; b &#60; c &gt; d&#13;\n&#38;amp;<\/VALUE>/)
  assert.doesNotMatch(text, /&amp;|&lt;/)
  assert.deepEqual(readEmbedded(text).strings('Notes'), ['a & b < c > d\r\n&amp;'])
})

test('what CIM-XML has no way to carry is refused before it is sent', () => {
  const refused = { name: 'CimError' }
  const to = reference('root/virtualization/v2', 'Msvm_Keyboard', {})

  assert.throws(() => typed('uint8', 256), refused)
  assert.throws(() => typed('uint8', -1), refused)
  assert.throws(() => typed('sint16', 1.5), refused)
  assert.throws(() => typed('uint64', 2n ** 64n), refused)
  assert.throws(() => typed('uint64', 2 ** 60), refused)
  assert.throws(() => typed('real32', Number.NaN), refused)
  assert.throws(() => typed('char16', 'xy'), refused)
  assert.throws(() => embedded('Msvm Thing', {}).toCimXml(), refused)
  assert.throws(() => embedded('Msvm_Thing', { 'a b': typed('string', '') }).toCimXml(), refused)
  assert.throws(() => embedded('Msvm_Thing', { X: typed('string', '\u{0}') }).toCimXml(), refused)
  assert.throws(() => embedded('Msvm_Thing', { X: typed('string', '\u{d800}') }).toCimXml(), refused)
  assert.throws(() => embedded('Msvm_Thing', { X: typed('reference', to) }), refused)
})

test('settings with some changes keep their types, and what is not changed', () => {
  const [text = ''] = recorded['Msvm_MemorySettingData / Microsoft Virtual Machine Memory'] ?? []
  const before = readEmbedded(text)

  const after = before.with(embedded('Msvm_MemorySettingData', { virtualquantity: typed('uint64', 1_024n) }))

  assert.equal(after.bigint('VirtualQuantity'), 1_024n)
  assert.deepEqual(after.names, before.names)
  assert.equal(after.type('VirtualQuantity'), 'uint64')
  assert.equal(after.string('InstanceID'), before.string('InstanceID'))
  assert.equal(before.bigint('VirtualQuantity'), 512n)
})

test('declarations, blanks, qualifiers and what a host adds are passed over', () => {
  const text = `<?xml version="1.0" encoding="utf-16"?>
    <INSTANCE CLASSNAME="Msvm_Thing">
      <QUALIFIER NAME="dynamic" TYPE="boolean"><VALUE>TRUE</VALUE></QUALIFIER>
      <PROPERTY NAME="X"><QUALIFIER NAME="key" TYPE="boolean"/><VALUE><![CDATA[a < b]]></VALUE></PROPERTY>
      <PROPERTY.ARRAY NAME="Y" TYPE="UINT16"><VALUE.ARRAY><VALUE>1</VALUE><VALUE.NULL/><VALUE>2</VALUE></VALUE.ARRAY></PROPERTY.ARRAY>
    </INSTANCE>`

  const thing = readEmbedded(text)

  assert.equal(thing.string('X'), 'a < b')
  assert.equal(thing.type('X'), 'string')
  assert.deepEqual(thing.numbers('Y'), [1, 2])
})

test('references and objects of CIM-XML are read', () => {
  const path = `<INSTANCEPATH><NAMESPACEPATH><HOST>H</HOST><LOCALNAMESPACEPATH><NAMESPACE NAME="root"/><NAMESPACE NAME="cimv2"/></LOCALNAMESPACEPATH></NAMESPACEPATH><INSTANCENAME CLASSNAME="Win32_X"><KEYBINDING NAME="K"><KEYVALUE VALUETYPE="string">v</KEYVALUE></KEYBINDING><KEYBINDING NAME="R"><VALUE.REFERENCE>\\\\H\\root\\cimv2:Win32_Y.A="1"</VALUE.REFERENCE></KEYBINDING></INSTANCENAME></INSTANCEPATH>`
  const text = `<INSTANCE CLASSNAME="Msvm_Thing">
    <PROPERTY.REFERENCE NAME="Ref" REFERENCECLASS="Win32_X"><VALUE.REFERENCE>${path}</VALUE.REFERENCE></PROPERTY.REFERENCE>
    <PROPERTY.REFERENCE NAME="None" REFERENCECLASS="Win32_X"/>
    <PROPERTY.OBJECT NAME="Obj"><VALUE.OBJECT><INSTANCE CLASSNAME="In"><PROPERTY NAME="A" TYPE="string"><VALUE>1</VALUE></PROPERTY></INSTANCE></VALUE.OBJECT></PROPERTY.OBJECT>
  </INSTANCE>`

  const thing = readEmbedded(text)

  const to = thing.reference('Ref')
  assert.deepEqual([to?.namespace, to?.className, to?.key('K')], ['root/cimv2', 'Win32_X', 'v'])
  const inner = to?.selectors.get('R')
  assert.ok(typeof inner === 'object')
  assert.equal(inner.className, 'Win32_Y')
  assert.equal(thing.reference('None'), undefined)
  assert.equal(thing.instance('Obj')?.string('A'), '1')
  assert.throws(() => thing.toCimXml(), { name: 'CimError' })
})

test('what is no CIM-XML is refused with the declared error', () => {
  const property = '<PROPERTY NAME="X" TYPE="string"><VALUE>1</VALUE></PROPERTY>'
  const broken = [
    '',
    'text',
    '<INSTANCE>',
    '<INSTANCE/>',
    '<OTHER CLASSNAME="A"/>',
    `<INSTANCE CLASSNAME="A">${property}${property}</INSTANCE>`,
    '<INSTANCE CLASSNAME="A"><PROPERTY TYPE="string"/></INSTANCE>',
    '<INSTANCE CLASSNAME="A"><PROPERTY NAME="X" TYPE="int"/></INSTANCE>',
    '<INSTANCE CLASSNAME="A"><PROPERTY.ARRAY NAME="X" TYPE="string"><VALUE.ARRAY><INSTANCE/></VALUE.ARRAY></PROPERTY.ARRAY></INSTANCE>',
    '<!DOCTYPE x><INSTANCE CLASSNAME="A"/>',
    `${'<INSTANCE CLASSNAME="A">'.repeat(65)}${'</INSTANCE>'.repeat(65)}`,
  ]
  for (const text of broken) assert.throws(() => readEmbedded(text), { name: 'WsmanReplyError' }, text)
})
