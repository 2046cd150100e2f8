import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CimInstance, readInstance } from '../../src/protocols/wsman/instance.ts'
import { parseXml } from '../../src/wire/xml/tree.ts'
import { V2 } from './client-script.ts'

const XSI = 'http://www.w3.org/2001/XMLSchema-instance'
const CIM = 'http://schemas.dmtf.org/wbem/wscim/1/common'
const WSA = 'http://schemas.xmlsoap.org/ws/2004/08/addressing'
const WSMAN = 'http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd'
const CLASS = `${V2}/Msvm_Thing`

function instance(properties: string): CimInstance {
  const text = `<p:Msvm_Thing xmlns:p="${CLASS}" xmlns:xsi="${XSI}" xmlns:cim="${CIM}" xmlns:a="${WSA}" xmlns:w="${WSMAN}">${properties}</p:Msvm_Thing>`
  return readInstance(parseXml(Buffer.from(text)))
}

const isNoSuch = (name: string) => ({ name: 'CimError', message: new RegExp(`^${name} of Msvm_Thing holds no `) })

test('the same property is one value or several, as it is asked for', () => {
  const one = instance('<p:X>7</p:X>')
  const two = instance('<p:X>7</p:X><p:Y/><p:X>8</p:X>')

  assert.equal(one.number('X'), 7)
  assert.deepEqual(one.numbers('X'), [7])
  assert.deepEqual(two.numbers('X'), [7, 8])
  assert.deepEqual(two.names, ['X', 'Y'])
  assert.throws(() => two.number('X'), isNoSuch('X'))
})

test('null, absent and empty are three things', () => {
  const thing = instance('<p:Null xsi:nil="true"/><p:One xsi:nil="1"/><p:Empty></p:Empty><p:Short/>')

  assert.deepEqual([thing.has('Null'), thing.isNull('Null'), thing.string('Null')], [true, true, undefined])
  assert.deepEqual([thing.has('One'), thing.isNull('One'), thing.strings('One')], [true, true, []])
  assert.deepEqual([thing.has('Gone'), thing.isNull('Gone'), thing.string('Gone')], [false, true, undefined])
  assert.deepEqual([thing.has('Empty'), thing.isNull('Empty'), thing.string('Empty')], [true, false, ''])
  assert.equal(thing.string('Short'), '')
  assert.deepEqual(thing.strings('Gone'), [])
  assert.throws(() => thing.number('Empty'), isNoSuch('Empty'))
  assert.deepEqual(instance('<p:X>a</p:X><p:X xsi:nil="true"/><p:X>b</p:X>').strings('X'), ['a', 'b'])
})

test('a name is found whatever its case, and one in another namespace is another', () => {
  const thing = instance('<p:PoolID>a</p:PoolID><w:Name>b</w:Name><Name>c</Name><p:__proto__>d</p:__proto__>')

  assert.equal(thing.string('PoolId'), 'a')
  assert.equal(thing.string('POOLID'), 'a')
  assert.equal(thing.has('Name'), false)
  assert.equal(thing.string('__proto__'), 'd')
  assert.equal(thing.has('constructor'), false)
})

test('numbers are exact or refused', () => {
  const thing = instance(
    '<p:Big>18446744073709551615</p:Big><p:Hex>0xFF</p:Hex><p:Signed>-5</p:Signed><p:Space> 12 </p:Space>' +
      '<p:Text>12a</p:Text><p:Long>123456789012345678901</p:Long><p:Real>-1.25e-3</p:Real><p:Inf>INF</p:Inf><p:Half>.5</p:Half>',
  )

  assert.equal(thing.bigint('Big'), 18_446_744_073_709_551_615n)
  assert.throws(() => thing.number('Big'), isNoSuch('Big'))
  assert.equal(thing.number('Hex'), 255)
  assert.equal(thing.number('Signed'), -5)
  assert.equal(thing.number('Space'), 12)
  assert.equal(thing.bigint('Signed'), -5n)
  for (const name of ['Text', 'Long', 'Real']) assert.throws(() => thing.bigint(name), isNoSuch(name))
  assert.deepEqual([thing.real('Real'), thing.real('Half'), thing.real('Signed')], [-0.001_25, 0.5, -5])
  assert.equal(thing.real('Inf'), Number.POSITIVE_INFINITY)
  assert.throws(() => thing.real('Text'), isNoSuch('Text'))
})

test('truth is told in any case', () => {
  const thing = instance('<p:A>true</p:A><p:B>FALSE</p:B><p:C>1</p:C><p:D>0</p:D><p:E>yes</p:E>')

  assert.deepEqual(
    ['A', 'B', 'C', 'D'].map(name => thing.boolean(name)),
    [true, false, true, false],
  )
  assert.throws(() => thing.boolean('E'), isNoSuch('E'))
})

test('octets are read from base64 and from numbers, and never from what is neither', () => {
  const thing = instance(
    '<p:Packed>AAH/</p:Packed><p:Broken>A A\nH/</p:Broken><p:Many>0</p:Many><p:Many>255</p:Many><p:One>12</p:One>' +
      '<p:Null xsi:nil="true"/><p:Empty/><p:Bad>AAH</p:Bad><p:Over>1</p:Over><p:Over>256</p:Over>',
  )

  assert.deepEqual([...(thing.bytes('Packed') ?? [])], [0, 1, 255])
  assert.deepEqual([...(thing.bytes('Broken') ?? [])], [0, 1, 255])
  assert.deepEqual([...(thing.bytes('Many') ?? [])], [0, 255])
  assert.deepEqual([...(thing.bytes('One') ?? [])], [12])
  assert.deepEqual([thing.bytes('Null'), thing.bytes('Gone')], [undefined, undefined])
  assert.equal(thing.bytes('Empty')?.length, 0)
  for (const name of ['Over', 'Bad']) assert.throws(() => thing.bytes(name), isNoSuch(name))
})

test('times stand in elements of their own, or bare', () => {
  const thing = instance(
    '<p:When> <cim:Datetime> 2025-12-17T09:55:22Z </cim:Datetime> </p:When><p:Never><cim:Datetime>1601-01-01T00:00:00Z</cim:Datetime></p:Never>' +
      '<p:Bare>20251217095522.000000+000</p:Bare><p:Long><cim:Interval>PT2S</cim:Interval></p:Long><p:Text>soon</p:Text>',
  )

  assert.equal(thing.datetime('When')?.epochMicroseconds, 1_765_965_322_000_000n)
  assert.equal(thing.datetime('Never'), undefined)
  assert.deepEqual(thing.datetimes('Never'), [])
  assert.equal(thing.isNull('Never'), false)
  assert.equal(thing.datetime('Bare')?.epochMicroseconds, 1_765_965_322_000_000n)
  assert.equal(thing.interval('Long')?.milliseconds, 2_000)
  for (const name of ['Text', 'Long']) assert.throws(() => thing.datetime(name), isNoSuch(name))
  assert.throws(() => thing.string('When'), isNoSuch('When'))
})

test('references are read as endpoints, wrapped or not, and from object paths', () => {
  const parameters = `<a:Address>x</a:Address><a:ReferenceParameters><w:ResourceURI>${V2}/Msvm_Keyboard</w:ResourceURI><w:SelectorSet><w:Selector Name="DeviceID">k</w:Selector></w:SelectorSet></a:ReferenceParameters>`
  const thing = instance(
    `<p:Bare>${parameters}</p:Bare><p:Wrapped><a:EndpointReference>${parameters}</a:EndpointReference></p:Wrapped>` +
      String.raw`<p:Path>\\HOST\root\virtualization\v2:Msvm_Disk.InstanceID="Microsoft:1\\2\\L"</p:Path><p:Relative>Msvm_Disk.A="1"</p:Relative>` +
      `<p:None><w:Other/></p:None><p:NoPath>C:\\disk.vhdx</p:NoPath>`,
  )

  for (const name of ['Bare', 'Wrapped']) {
    assert.equal(thing.reference(name)?.className, 'Msvm_Keyboard')
    assert.equal(thing.reference(name)?.key('deviceid'), 'k')
  }
  assert.equal(thing.reference('Path')?.key('InstanceID'), 'Microsoft:1\\2\\L')
  assert.equal(thing.reference('Path')?.namespace, 'root/virtualization/v2')
  assert.equal(thing.reference('Relative')?.resourceUri, `${V2}/Msvm_Disk`)
  for (const name of ['None', 'NoPath']) assert.throws(() => thing.reference(name), isNoSuch(name))
})

test('the keys of a reference may be references', () => {
  const inner = (name: string) =>
    `<a:Address/><a:ReferenceParameters><w:ResourceURI>${V2}/${name}</w:ResourceURI><w:SelectorSet><w:Selector Name="Name">${name}</w:Selector></w:SelectorSet></a:ReferenceParameters>`
  const selector = `<w:Selector Name="Antecedent"><a:EndpointReference>${inner('Msvm_A')}</a:EndpointReference></w:Selector>`
  const outer = `<a:ReferenceParameters><w:ResourceURI>${V2}/Msvm_Link</w:ResourceURI><w:SelectorSet>${selector}</w:SelectorSet></a:ReferenceParameters>`

  const link = instance(`<p:X>${outer}</p:X>`).reference('X')

  const antecedent = link?.selectors.get('Antecedent')
  assert.ok(typeof antecedent === 'object')
  assert.equal(antecedent.key('Name'), 'Msvm_A')
  assert.equal(link?.key('Antecedent'), undefined)
})

test('objects are read from elements, under the class that they say they are of', () => {
  const summary = `<p:Info xmlns:q="${V2}/Msvm_SummaryInformation" xsi:type="q:Msvm_SummaryInformation_Type"><q:Name>one</q:Name><p:UpTime>5</p:UpTime></p:Info>`

  const infos = instance(`${summary}${summary}`).instances('Info')

  assert.deepEqual(
    infos.map(info => [info.className, info.string('Name'), info.bigint('UpTime')]),
    [
      ['Msvm_SummaryInformation', 'one', 5n],
      ['Msvm_SummaryInformation', 'one', 5n],
    ],
  )
})

test('objects are read from strings of CIM-XML', () => {
  const text =
    '&lt;INSTANCE CLASSNAME="Msvm_Inner"&gt;&lt;PROPERTY NAME="N" TYPE="uint16"&gt;&lt;VALUE&gt;4&lt;/VALUE&gt;&lt;/PROPERTY&gt;&lt;/INSTANCE&gt;'

  const thing = instance(`<p:X>${text}</p:X><p:Bad>nothing</p:Bad>`)

  assert.equal(thing.instance('X')?.className, 'Msvm_Inner')
  assert.equal(thing.instance('X')?.number('N'), 4)
  assert.equal(thing.instance('X')?.type('N'), 'uint16')
  assert.throws(() => thing.instance('Bad'), isNoSuch('Bad'))
  assert.throws(() => thing.toCimXml(), { name: 'CimError', message: /type/ })
})
