import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VIR_ERR_INVALID_ARG, VIR_ERR_XML_DETAIL, VIR_ERR_XML_ERROR } from '../../../src/libvirt/error-numbers.ts'
import { metadataIn, withMetadata, writeMetadata } from '../../../src/libvirt/xml/metadata.ts'
import { domain, read, throwsWith } from './domains.ts'

const OSINFO = 'http://libosinfo.org/xmlns/libvirt/domain/1.0'

test('what others note in a description is kept by its namespace, with all prefixes that it uses', () => {
  const rest = `<metadata xmlns:l='${OSINFO}' xmlns:unused='urn:x'><l:libosinfo><l:os id='http://debian.org/debian/12'/></l:libosinfo>
    <two xmlns='urn:two'/><nobody/><again xmlns='urn:two'/></metadata>`

  const { annotations } = read(domain({ head: '<title>A title</title>', rest }))

  assert.deepEqual(annotations, {
    title: 'A title',
    metadata: {
      [OSINFO]: `<l:libosinfo xmlns:l='${OSINFO}'><l:os id='http://debian.org/debian/12'/></l:libosinfo>`,
      'urn:two': "<two xmlns='urn:two'/>",
    },
  })
})

test('a title has one line', () => {
  throwsWith(() => read(domain({ head: '<title>one\ntwo</title>' })), VIR_ERR_XML_ERROR)
})

test('an element is given into its namespace, comes back without it, and goes', () => {
  const note = { namespace: 'urn:mine', prefix: 'my', text: "<app a='1'><deep>x &amp; y</deep></app>" }

  const annotations = withMetadata({ title: 'kept' }, note)

  assert.deepEqual(annotations, {
    title: 'kept',
    metadata: { 'urn:mine': "<my:app xmlns:my='urn:mine' a='1'><my:deep>x &amp; y</my:deep></my:app>" },
  })
  assert.equal(metadataIn(annotations, 'urn:mine'), "<app a='1'><deep>x &amp; y</deep></app>")
  assert.equal(metadataIn(annotations, 'urn:other'), undefined)
  assert.deepEqual(withMetadata(annotations, { ...note, text: null }), { title: 'kept' })
  assert.equal(withMetadata({}, { ...note, text: null }), undefined)
})

test('what is no element, too long, or in our own namespace is not noted', () => {
  const note =
    (text: string, namespace = 'urn:mine') =>
    () =>
      withMetadata({}, { namespace, prefix: 'my', text })

  throwsWith(note('<a>'), VIR_ERR_XML_DETAIL)
  throwsWith(note(`<a>${'x'.repeat(70_000)}</a>`), VIR_ERR_INVALID_ARG)
  throwsWith(note('<a/>', 'urn:polyvisor:libvirt:domain:1'), VIR_ERR_INVALID_ARG)
  throwsWith(note('<a/>', ''), VIR_ERR_INVALID_ARG)
})

test('what somebody has broken where a host keeps it is not told', () => {
  assert.equal(writeMetadata({ metadata: { 'urn:x': '<a' } }, undefined), undefined)
  assert.equal(metadataIn({ metadata: { 'urn:x': '<a' } }, 'urn:x'), undefined)
})
