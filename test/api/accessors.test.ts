import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { elementOf, fieldsOf, wire } from '../draft/operations.ts'
import { type DraftField, ENUMS } from '../draft/table.ts'
import { asString, asStrings, asStruct, type Value } from '../support/value.ts'
import { parseXml } from '../support/xml.ts'
import { accessor, samplesOf } from './samples.ts'
import { CLASSES, MADE_BY_CLIENTS, make, makeObjects, NOBODY, startWorld } from './world.ts'

const { root } = await startWorld()
const objects = await makeObjects(root)
const selfOf = (of: string) => objects[of] ?? assert.fail(of)

/** The type of the wire that a value of a type of the draft comes as. Source: readings of §1.3 and §2.3. */
function assertOfType(type: string, value: Value, name: string): void {
  const element = elementOf(type)
  if (element !== undefined) {
    for (const one of asStrings(value)) assertOfType(element, one, name)
  } else if (type.endsWith(' Map')) asStruct(value)
  else if (type === 'bool') assert.equal(typeof value, 'boolean', name)
  else if (type === 'float') assert.equal(typeof value, 'number', name)
  else {
    const text = asString(value)
    if (type === 'int') assert.match(text, /^-?\d+$/, name)
    if (type.endsWith(' ref')) assert.match(text, /^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?$/, name)
    if (ENUMS[type] !== undefined) assert.ok(ENUMS[type].includes(text), `${name} is ${text}`)
  }
}

describe('get_f answers a value of the field’s type, in the wire form of the draft', () => {
  for (const of of CLASSES) {
    test(of, async () => {
      for (const [, path, type] of fieldsOf(of)) {
        const name = accessor('get', of, path)
        assertOfType(type, await root.ok(name, selfOf(of)), name)
      }
    })
  }
})

// Proves: VM.name/label, VM.name/description, VM.user_version, host.name/label, host.name/description
// Proves: network.name/label, network.name/description, VIF.name, SR.name/label, SR.name/description
// Proves: VDI.name/label, VDI.name/description, user.fullname, VM.other_config, host.other_config
// Proves: host_cpu.other_config, network.other_config, VIF.other_config, SR.other_config, VDI.other_config
// Proves: VBD.other_config, user.other_config
describe('set_f changes what get_f answers, to_XML shows it, and it answers an empty string', () => {
  for (const of of CLASSES) {
    for (const field of fieldsOf(of)) {
      const [qualifier, path, type] = field
      if (qualifier === 'RW' && samplesOf(of, field).length > 0)
        test(`${of}.${path}`, () => setAndGet(of, path, type, samplesOf(of, field)))
    }
  }
})

/** A value as §2.15 writes it. */
function show(value: Value): string {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return JSON.stringify(value)
  return Object.entries(asStruct(value))
    .map(([key, member]) => `(${quoted(key)}, ${quoted(asString(member))})`)
    .join(', ')
}

/** What would be mistaken for the writing round it stands in quotation marks. */
const quoted = (text: string): string =>
  /^[^"\\,()\s\p{Cc}]+$/u.test(text) ? text : `"${text.replace(/["\\]/g, mark => `\\${mark}`)}"`

async function setAndGet(of: string, path: string, type: string, samples: readonly Value[]): Promise<void> {
  const self = selfOf(of)
  for (const value of samples) {
    assert.equal(await root.ok(accessor('set', of, path), self, value), '')

    assert.deepEqual(await root.ok(accessor('get', of, path), self), value)
    const document = parseXml(await root.text(`${of}.to_XML`, self))
    const shown = document.children.find(({ name }) => name === wire(path))?.text
    assert.equal(shown, [value].flat().map(show).join(', '), `${path} of ${type}`)
  }
}

test('an int may also come as <int> or <i8>, to both ends of 64 bits', async () => {
  const vm = selfOf('VM')
  for (const value of [0n, -1n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 63n - 1n, -(2n ** 63n)]) {
    await root.ok('VM.set_user_version', vm, value)
    assert.equal(await root.text('VM.get_user_version', vm), String(value))
  }
})

describe('add_to_f and remove_from_f of a set: adding twice is adding once, removing what is not there is harmless', () => {
  for (const of of CLASSES) {
    for (const field of fieldsOf(of)) {
      if (field[0] === 'RW' && elementOf(field[2]) === 'cpu_feature')
        test(`${of}.${field[1]}`, () => addAndRemove(of, field))
    }
  }
})

async function addAndRemove(of: string, [, path]: DraftField): Promise<void> {
  const self = selfOf(of)
  const get = () => root.list(accessor('get', of, path), self)
  const add = (value: string) => root.ok(accessor('add_to', of, path), self, value)
  const remove = (value: string) => root.ok(accessor('remove_from', of, path), self, value)

  for (const value of ['PAE', 'MMX', 'PAE']) assert.equal(await add(value), '')
  assert.deepEqual(await get(), ['PAE', 'MMX'])

  assert.equal(await remove('FPU'), '')
  assert.deepEqual(await get(), ['PAE', 'MMX'])
  for (const value of ['PAE', 'PAE']) await remove(value)
  assert.deepEqual(await get(), ['MMX'])
}

test('a set that is given with duplicates keeps the first of each, in order', async () => {
  await root.ok('VM.set_VCPUs_features_force_off', selfOf('VM'), ['NX', 'PAE', 'NX', 'LM', 'PAE'])

  assert.deepEqual(await root.list('VM.get_VCPUs_features_force_off', selfOf('VM')), ['NX', 'PAE', 'LM'])
})

// Proves: VM.uuid, host.uuid, host_cpu.uuid, network.uuid, VIF.uuid, SR.uuid, VDI.uuid, VBD.uuid, user.uuid
// Proves: user.short_name
describe('an object is found by all the ways to find it', () => {
  for (const of of CLASSES) {
    test(of, async () => {
      const self = selfOf(of)
      const fields = fieldsOf(of).map(([, path]) => path)

      assert.equal(await root.text(`${of}.get_by_uuid`, self), self)
      assert.equal(await root.text(`${of}.get_uuid`, self), self)
      assert.deepEqual(await root.fails(`${of}.get_by_uuid`, NOBODY), ['UUID_INVALID', of, NOBODY])
      for (const path of ['short_name', 'name/label'].filter(name => fields.includes(name))) {
        const name = await root.text(accessor('get', of, path), self)
        assert.ok((await root.list(accessor('get_by', of, path), name)).includes(self))
        assert.deepEqual(await root.list(accessor('get_by', of, path), `no ${name}`), [])
      }
    })
  }
})

// Proves: VM.list, host.list, network.list, SR.list
test('get_all and list answer the same set', async () => {
  for (const name of ['VM', 'host', 'network', 'SR']) {
    assert.deepEqual(await root.list(`${name}.list`), await root.list(`${name}.get_all`), name)
  }
})

test('get_by_name_label answers every object of that name, and compares exactly', async () => {
  const twins = [
    await make(root, 'network', { name_label: 'twin' }),
    await make(root, 'network', { name_label: 'twin' }),
  ]
  await make(root, 'network', { name_label: 'Twin' })

  assert.deepEqual(await root.list('network.get_by_name_label', 'twin'), twins)
})

describe('to_XML is one element for the object with one for each field, in the order of the table', () => {
  for (const of of CLASSES) {
    test(of, async () => {
      const document = parseXml(await root.text(`${of}.to_XML`, selfOf(of)))

      assert.equal(document.name, of)
      assert.deepEqual(
        document.children.map(({ name }) => name),
        fieldsOf(of).map(([, path]) => wire(path)),
      )
      assert.ok(document.children.every(({ children }) => children.length === 0))
    })
  }
})

test('to_XML of a map is its pairs in brackets, those with a comma in quotes', async () => {
  const document = parseXml(await root.text('host.to_XML', selfOf('host')))
  const version = document.children.find(({ name }) => name === 'software_version')?.text ?? ''

  assert.match(version, /^\([^()]+, [^()]+\)(, \([^()]+, [^()]+\))*$/)
})

describe('delete removes the object from everything that lists it, and is done once', () => {
  for (const of of MADE_BY_CLIENTS) {
    test(of, async () => {
      const ref = await make(root, of)
      assert.ok((await root.list(`${of}.get_all`)).includes(ref))

      assert.equal(await root.ok(`${of}.delete`, ref), '')

      assert.ok(!(await root.list(`${of}.get_all`)).includes(ref))
      assert.deepEqual(await root.fails(`${of}.delete`, ref), ['HANDLE_INVALID', of, ref])
      assert.deepEqual(await root.fails(`${of}.get_uuid`, ref), ['HANDLE_INVALID', of, ref])
      assert.deepEqual(await root.fails(`${of}.get_by_uuid`, ref), ['UUID_INVALID', of, ref])
    })
  }
})
