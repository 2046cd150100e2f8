import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import * as fc from 'fast-check'
import { recordToXml } from '../../src/engine/record-xml.ts'
import { classes } from '../../src/model/index.ts'
import { type Class, wireName } from '../../src/model/kernel/define.ts'
import { visibleFields } from '../../src/model/kernel/operations.ts'
import type { Type } from '../../src/model/kernel/types.ts'
import { run } from '../support/command.ts'
import { HttpClient } from '../support/http.ts'
import { readSimpleString } from '../support/simple-string.ts'
import { parseXml } from '../support/xml.ts'
import { fieldsOf } from '../draft/operations.ts'
import { accessor } from './samples.ts'
import { CLASSES, makeObjects, startWorld } from './world.ts'

const { root, server } = await startWorld()
const objects = await makeObjects(root)

const folder = await mkdtemp(join(tmpdir(), 'polyvisor-dtd-'))
after(() => rm(folder, { recursive: true }))

/** What the running server serves, without a session. */
async function fetchDtd(path: string): Promise<string> {
  const http = new HttpClient(server.http)
  const reply = await http.exchange({ method: 'GET', path }, request => void request.end())
  http.close()
  assert.equal(reply.status, 200)
  assert.equal(reply.headers['content-type'], 'application/xml-dtd; charset=utf-8')
  const file = join(folder, `${path.replaceAll('/', '_')}.dtd`)
  await writeFile(file, reply.body)
  return file
}

/** What xmllint says against documents; empty when they are valid. */
async function validate(dtd: string, documents: readonly string[]): Promise<string> {
  const files = await Promise.all(
    documents.map(async (document, at) => {
      const file = join(folder, `${at}.xml`)
      await writeFile(file, document)
      return file
    }),
  )
  const { code, stderr } = await run('xmllint', ['--noout', '--nonet', '--dtdvalid', dtd, ...files])
  return code === 0 ? '' : `${code}: ${stderr}`
}

/** Text that would break a careless writer, of characters that XML can carry. */
const HOSTILE = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    ', ',
    '(1, 2)',
    '"',
    '\\',
    '\\"',
    ']]>',
    '<VM>',
    '&amp;',
    '\r\n',
    '\t',
    '-->',
    '\u0085\u2028',
  ),
  fc.string({ unit: fc.constantFrom(...Array.from('a ,()"\\\n\t\r&<>=\u009f€😀')) }),
)

function valueOf(type: Type): fc.Arbitrary<unknown> {
  switch (type.kind) {
    case 'int':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    case 'float':
      return fc.double({ noDefaultInfinity: true, noNaN: true }).map(value => (value === 0 ? 0 : value)) // No -0 on the wire.
    case 'bool':
      return fc.boolean()
    case 'dateTime':
      return fc
        .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
        .map(date => new Date(Math.floor(date.getTime() / 1000) * 1000))
    case 'enum':
      return fc.constantFrom(...Object.keys(type.values))
    case 'ref':
      return fc.oneof(fc.uuid(), fc.constant(''))
    case 'set':
      return fc.uniqueArray(valueOf(type.of))
    case 'map':
      return fc
        .uniqueArray(fc.tuple(valueOf(type.key), valueOf(type.value)), { selector: ([key]) => key })
        .map(pairs => new Map(pairs))
    default:
      return HOSTILE
  }
}

const recordOf = (of: Class) =>
  fc.record(Object.fromEntries(visibleFields(of).map(([path, { type }]) => [wireName(path), valueOf(type)])))

const withDocuments = Object.values(classes).filter(({ objects: kind }) => kind !== 'none')

describe('a document of any values is valid by the served document type, of all classes and of its own', async () => {
  for (const of of withDocuments) {
    test(of.name, async () => {
      const documents = fc.sample(recordOf(of), 60).map(record => recordToXml(of, record))

      assert.equal(await validate(await fetchDtd('/dtd'), documents), '')
      assert.equal(await validate(await fetchDtd(`/dtd/${of.name}`), documents), '')
    })
  }
})

describe('what a document says is read back as the values that were written', () => {
  for (const of of withDocuments) {
    test(of.name, () => {
      fc.assert(
        fc.property(recordOf(of), record => {
          const { children } = parseXml(recordToXml(of, record))

          const types = new Map(visibleFields(of).map(([path, { type }]) => [wireName(path), type]))
          const back = children.map(({ name, text }) => [
            name,
            readSimpleString(types.get(name) ?? assert.fail(name), text),
          ])
          assert.deepEqual(Object.fromEntries(back), { ...record })
        }),
      )
    })
  }
})

describe('to_XML of an object with hostile texts is valid by the served document type', () => {
  for (const of of CLASSES) {
    test(of, async () => {
      const self = objects[of] ?? assert.fail(of)
      const texts = fieldsOf(of).filter(([qualifier, path, type]) => {
        return qualifier === 'RW' && type === 'string' && /^(name|other_config|fullname)/.test(path)
      })
      for (const [, path] of texts) {
        const text = fc.sample(HOSTILE, 1)[0] ?? ''
        await root.ok(accessor('set', of, path), self, text)
      }

      const document = await root.text(`${of}.to_XML`, self)

      assert.equal(await validate(await fetchDtd('/dtd'), [document]), '')
      assert.equal(await validate(await fetchDtd(`/dtd/${of}`), [document]), '')
    })
  }
})

test('the document type refuses a document with a field too few, and one with a field of another class', async () => {
  const document = await root.text('user.to_XML', objects['user'] ?? assert.fail())
  const dtd = await fetchDtd('/dtd/user')

  assert.match(await validate(dtd, [document.replace(/<fullname>.*<\/fullname>/s, '')]), /does not follow the DTD/)
  assert.match(await validate(dtd, [document.replaceAll('fullname', 'power_state')]), /No declaration for element/)
})

test('there is no document type of a class without documents, nor of no class', async () => {
  const http = new HttpClient(server.http)
  for (const path of ['/dtd/session', '/dtd/Nobody', '/dtd/', '/dtd/VM/x']) {
    const reply = await http.exchange({ method: 'GET', path }, request => void request.end())
    assert.equal(reply.status, 404, path)
  }
  http.close()
})
