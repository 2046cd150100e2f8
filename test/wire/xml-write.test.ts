import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { parseXml, type XmlElement } from '../../src/wire/xml/tree.ts'
import { escapeAttribute, escapeText, isWritable, writeXml, type XmlOutput } from '../../src/wire/xml/write.ts'
import { anyText, text, xmlName } from './arbitraries.ts'

test('text and attributes are escaped where they have to be', () => {
  assert.equal(escapeText('plain é 😀 "\'\n\t'), 'plain é 😀 "\'\n\t')
  assert.equal(escapeText('<a> & ]]>\r\n'), '&lt;a&gt; &amp; ]]&gt;&#13;\n')
  assert.equal(escapeAttribute("plain é 😀 '"), "plain é 😀 '")
  assert.equal(escapeAttribute('<a> & "\t\r\n'), '&lt;a&gt; &amp; &quot;&#9;&#13;&#10;')
})

test('what XML cannot carry is refused, and known beforehand', () => {
  for (const character of [
    '\u0000',
    '\u0008',
    '\u000b',
    '\u001f',
    '\ufffe',
    '\uffff',
    '\ud800',
    '\udc00',
    '\ude00\ud83d',
  ]) {
    const broken = `ab${character}`
    assert.equal(isWritable(broken), false)
    assert.throws(() => escapeText(broken), { name: 'XmlError', kind: 'unwritable', offset: 2 })
    assert.throws(() => escapeAttribute(broken), { name: 'XmlError', kind: 'unwritable', offset: 2 })
  }
  assert.equal(isWritable('\u007f\u0085 😀\t\r\n'), true)
})

test('any text is refused or comes back as it was', () => {
  fc.assert(
    fc.property(anyText, value => {
      const root: XmlOutput = { name: 'a', attributes: { b: value }, children: [value] }
      if (!isWritable(value)) return assert.throws(() => writeXml(root), { kind: 'unwritable' })
      const read = parseXml(Buffer.from(writeXml(root)))
      assert.equal(read.text(), value)
      assert.equal(read.attribute('b'), value)
    }),
  )
})

test('a document is written in one line, or indented where that changes no text', () => {
  const root: XmlOutput = {
    name: 'domain',
    attributes: { type: 'qemu' },
    children: [
      { name: 'name', children: ['web & co'] },
      { name: 'features', children: [{ name: 'acpi' }] },
    ],
  }

  assert.equal(writeXml(root), '<domain type="qemu"><name>web &amp; co</name><features><acpi/></features></domain>')
  assert.equal(
    writeXml(root, { declaration: true, indent: 2 }),
    '<?xml version="1.0"?>\n<domain type="qemu">\n  <name>web &amp; co</name>\n  <features>\n    <acpi/>\n  </features>\n</domain>\n',
  )
})

test('names that are none are refused, and so is an element that holds itself', () => {
  assert.throws(() => writeXml({ name: 'a b' }), { kind: 'unwritable' })
  assert.throws(() => writeXml({ name: '' }), { kind: 'unwritable' })
  assert.throws(() => writeXml({ name: 'a', attributes: { 'b="1" c': '' } }), { kind: 'unwritable' })
  const children: XmlOutput[] = []
  const knot: XmlOutput = { name: 'a', children }
  children.push(knot)
  assert.throws(() => writeXml(knot), { kind: 'limit' })
})

const { element } = fc.letrec<{ element: XmlOutput; child: XmlOutput | string }>(tie => ({
  element: fc.record({
    name: xmlName,
    attributes: fc.dictionary(xmlName, text, { maxKeys: 3 }),
    children: fc.array(tie('child'), { maxLength: 4 }),
  }),
  child: fc.oneof({ depthSize: 'small' }, text, tie('element')),
}))

test('any document comes back as it was, but that texts in a row become one', () => {
  fc.assert(
    fc.property(element, root => assert.deepEqual(outputOf(parseXml(Buffer.from(writeXml(root)))), joined(root))),
  )
})

function outputOf(read: XmlElement): XmlOutput {
  return {
    name: read.name,
    attributes: Object.fromEntries(read.attributes.map(({ name, value }) => [name, value])),
    children: read.children.map(child => (typeof child === 'string' ? child : outputOf(child))),
  }
}

function joined({ name, attributes = {}, children = [] }: XmlOutput): XmlOutput {
  const merged: (XmlOutput | string)[] = []
  for (const child of children) {
    const last = merged.at(-1)
    if (typeof child !== 'string') merged.push(joined(child))
    else if (typeof last === 'string') merged[merged.length - 1] = last + child
    else if (child !== '') merged.push(child)
  }
  return { name, attributes: { ...attributes }, children: merged }
}

test('attributes stand between apostrophes where that is wished, and hold both kinds of quotes', () => {
  const root = { name: 'a', attributes: { b: `it's "quoted"` }, children: [{ name: 'c', attributes: { d: '1' } }] }

  assert.equal(writeXml(root, { quote: "'" }), "<a b='it&apos;s &quot;quoted&quot;'><c d='1'/></a>")
})
