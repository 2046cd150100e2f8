import assert from 'node:assert/strict'
import { test } from 'node:test'
import { XmlError } from '../../src/wire/xml/error.ts'
import { parseXml, TREE_DEPTH_MAX, type XmlElement } from '../../src/wire/xml/tree.ts'

const parse = (text: string): XmlElement => parseXml(Buffer.from(text))
const SOAP = 'http://www.w3.org/2003/05/soap-envelope'

test('a tree keeps elements and text in order', () => {
  const root = parse('<a> 1<b>2</b>3<!-- x -->4<c/></a>')

  assert.deepEqual(
    root.children.map(child => (typeof child === 'string' ? child : child.name)),
    [' 1', 'b', '34', 'c'],
  )
  assert.equal(root.text(), ' 134')
  assert.equal(root.element('b')?.text(), '2')
  assert.equal(root.element('c')?.text(), '')
  assert.equal(root.element('d'), undefined)
  assert.equal(root.elements().length, 2)
})

test('elements are found by name and namespace, whatever their prefix', () => {
  const root = parse(`<s:Envelope xmlns:s="${SOAP}" xmlns="urn:x"><t:Body xmlns:t="${SOAP}"/><Body/></s:Envelope>`)

  assert.equal(root.namespace, SOAP)
  assert.equal(root.prefix, 's')
  assert.equal(root.element('Body', SOAP)?.prefix, 't')
  assert.equal(root.element('Body', 'urn:x')?.prefix, '')
  assert.equal(root.elements('Body').length, 2)
  assert.equal(root.element('Body', ''), undefined)
})

test('the default namespace is for elements only, and can be taken back', () => {
  const root = parse('<a xmlns="urn:x" b="1"><c xmlns=""><d/></c><e/></a>')

  assert.equal(root.namespace, 'urn:x')
  assert.equal(root.attribute('b'), '1')
  assert.equal(root.attribute('b', 'urn:x'), undefined)
  assert.equal(root.element('c')?.element('d')?.namespace, '')
  assert.equal(root.element('e')?.namespace, 'urn:x')
})

test('attributes are told apart by namespace, and declarations are none of them', () => {
  const root = parse('<a xmlns:p="urn:p" xmlns:q="urn:q" p:x="1" q:x="2" x="3" xml:lang="de"/>')

  assert.equal(root.attribute('x', 'urn:p'), '1')
  assert.equal(root.attribute('x', 'urn:q'), '2')
  assert.equal(root.attribute('x'), '3')
  assert.equal(root.attribute('lang', 'http://www.w3.org/XML/1998/namespace'), 'de')
  assert.equal(root.attributes.length, 4)
})

test('a prefix inside a value can be looked up where it stands', () => {
  const root = parse('<a xmlns:p="urn:outer" xmlns="urn:default"><b xmlns:p="urn:inner">p:x</b></a>')

  assert.equal(root.namespaceOf('p'), 'urn:outer')
  assert.equal(root.element('b')?.namespaceOf('p'), 'urn:inner')
  assert.equal(root.element('b')?.namespaceOf(''), 'urn:default')
  assert.equal(root.namespaceOf('q'), undefined)
  assert.equal(parse('<a/>').namespaceOf(''), '')
})

test('names that mean something to JavaScript are names like any other', () => {
  const root = parse('<__proto__ constructor="1" __proto__="2"><toString/></__proto__>')

  assert.equal(root.name, '__proto__')
  assert.equal(root.attribute('constructor'), '1')
  assert.equal(root.attribute('__proto__'), '2')
  assert.equal(root.attribute('hasOwnProperty'), undefined)
})

test('what breaks the rules of namespaces is refused', () => {
  const broken = [
    '<p:a/>',
    '<a p:b="1"/>',
    '<a><b xmlns:p="urn:p"/><p:c/></a>',
    '<a xmlns:p="urn:x" xmlns:q="urn:x" p:b="1" q:b="2"/>',
    '<a xmlns:p=""/>',
    '<a xmlns:xmlns="urn:x"/>',
    '<a xmlns:p="http://www.w3.org/2000/xmlns/"/>',
    '<a xmlns:xml="urn:x"/>',
    '<a xmlns:p="http://www.w3.org/XML/1998/namespace"/>',
    '<a xmlns="http://www.w3.org/XML/1998/namespace"/>',
    '<xmlns:a/>',
    '<a:b:c xmlns:a="urn:a"/>',
    '<:a/>',
    '<a: xmlns:a="urn:a"/>',
    '<a:1 xmlns:a="urn:a"/>',
    '<a xmlns:="urn:x"/>',
  ]
  for (const document of broken) assert.throws(() => parse(document), { name: 'XmlError', kind: 'malformed' }, document)
  assert.equal(parse('<a xmlns:xml="http://www.w3.org/XML/1998/namespace"/>').name, 'a')
})

test('a tree is bounded, also where its default bounds are raised', () => {
  assert.throws(() => parse('<a>'.repeat(65) + '</a>'.repeat(65)), { name: 'XmlError', kind: 'limit' })
  assert.equal(parse('<a>'.repeat(64) + '</a>'.repeat(64)).name, 'a')
  assert.throws(() => parseXml(Buffer.from(`<a>${'<b/>'.repeat(10)}</a>`), { maxElements: 10 }), { kind: 'limit' })
  const nested = (depth: number) => Buffer.from('<a>'.repeat(depth) + '</a>'.repeat(depth))
  assert.equal(parseXml(nested(TREE_DEPTH_MAX), { maxDepth: 100_000 }).name, 'a')
  assert.throws(() => parseXml(nested(TREE_DEPTH_MAX + 1), { maxDepth: 100_000 }), { kind: 'limit' })
})

test('text outside the root, or a second root, is refused', () => {
  for (const document of ['<a/><b/>', '<a/>x', '', '<a>']) assert.throws(() => parse(document), XmlError)
})

test('siblings that declare a prefix alike share it, and those that declare it otherwise do not', () => {
  const root = parse('<a><b xmlns:p="urn:1"><p:x/></b><b xmlns:p="urn:2"><p:x/></b><b xmlns:p="urn:1"><p:x/></b></a>')

  assert.deepEqual(
    root.elements('b').map(child => child.elements()[0]?.namespace),
    ['urn:1', 'urn:2', 'urn:1'],
  )
  assert.throws(() => parse('<a><b xmlns:p="urn:1"><p:x/></b><p:x/></a>'), { name: 'XmlError', kind: 'malformed' })
  // Declarations whose texts run into each other alike.
  const tricky = parse('<a><b xmlns:p="urn:1 " xmlns:q="2"/><b xmlns:p="urn:1" xmlns:q=" 2"/></a>')
  assert.deepEqual(
    tricky.elements('b').map(child => [child.namespaceOf('p'), child.namespaceOf('q')]),
    [
      ['urn:1 ', '2'],
      ['urn:1', ' 2'],
    ],
  )
})

test('names stay apart however many there are', () => {
  const names = Array.from({ length: 2_000 }, (_, index) => `n${index.toString(36)}`)
  const elements = [...names, ...names].map(name => `<${name}/>`).join('')

  const root = parse(`<a>${elements}</a>`)

  assert.deepEqual(
    root.elements().map(({ name }) => name),
    [...names, ...names],
  )
})
