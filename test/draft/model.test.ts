import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { enums } from '../../src/model/enums.ts'
import { classes } from '../../src/model/index.ts'
import type { Class } from '../../src/model/kernel/define.ts'
import { operationsOf, visibleFields } from '../../src/model/kernel/operations.ts'
import { type Type, typeName } from '../../src/model/kernel/types.ts'
import { CHOSEN_ONCE, EXTENSION_FIELDS, EXTENSION_MESSAGES, MESSAGES_OF_CHAPTER_1 } from './extensions.ts'
import { asyncTwins, draftMethods } from './methods.ts'
import { BINDINGS, type DraftMessage, ENUMS, FIELDS, MESSAGES, POWER_STATES } from './table.ts'

const declared: readonly Class[] = Object.values(classes)
const ofDraft = (messages: readonly string[]) => new Set([...messages, ...MESSAGES_OF_CHAPTER_1])

test('the classes are those of §2.1, in its order', () => {
  assert.deepEqual(
    declared.map(of => of.name),
    Object.keys(FIELDS),
  )
})

describe('every class has the draft’s fields, with path, qualifier and type, in the order of its table', () => {
  for (const of of declared) {
    test(of.name, () => {
      const fields = visibleFields(of)
        .filter(([path]) => !EXTENSION_FIELDS.includes(`${of.name}.${path}`))
        .map(([path, { qualifier, type }]) => [qualifier, path, typeName(type)])

      assert.deepEqual(fields, FIELDS[of.name])
    })
  }
})

test('fields beyond the draft are those listed, and each says that it is one', () => {
  const fields = declared.flatMap(of =>
    visibleFields(of).map(([path, field]) => [`${of.name}.${path}`, field] as const),
  )
  const ofTables = new Set(Object.entries(FIELDS).flatMap(([of, rows]) => rows.map(([, path]) => `${of}.${path}`)))

  assert.deepEqual(
    fields
      .map(([name]) => name)
      .filter(name => !ofTables.has(name))
      .toSorted(),
    EXTENSION_FIELDS.toSorted(),
  )
  assert.deepEqual(
    fields
      .filter(([, { extension }]) => extension === true)
      .map(([name]) => name)
      .toSorted(),
    EXTENSION_FIELDS.toSorted(),
  )
})

test('the constructor takes no field that is computed at run time, but the one that nothing else could choose', () => {
  const chosen = declared.flatMap(of =>
    visibleFields(of)
      .filter(([, field]) => field.onCreate === true)
      .map(([path]) => `${of.name}.${path}`),
  )

  assert.deepEqual(chosen, CHOSEN_ONCE)
})

describe('every class has the draft’s messages, with result and parameters', () => {
  for (const of of declared) {
    test(of.name, () => {
      const expected = MESSAGES[of.name] ?? []
      const names = ofDraft(expected.map(([, name]) => name))
      const messages = Object.entries(of.messages)
        .filter(([name]) => names.has(name))
        .map(([name, { result, params }]) => {
          const rows = Object.entries(params).map(([param, [type]]) => [typeName(type), param])
          return [typeName(result), name, ...rows]
        })

      assert.deepEqual(messages, expected satisfies readonly DraftMessage[])
    })
  }
})

test('messages beyond the draft are those listed, and each says that it is one', () => {
  const messages = declared.flatMap(of =>
    Object.entries(of.messages).map(([name, { extension }]) => ({ name: `${of.name}.${name}`, extension })),
  )
  const known = new Set(Object.entries(MESSAGES).flatMap(([of, rows]) => rows.map(([, name]) => `${of}.${name}`)))

  assert.deepEqual(
    messages
      .map(({ name }) => name)
      .filter(name => !known.has(name) && !MESSAGES_OF_CHAPTER_1.includes(name))
      .toSorted(),
    EXTENSION_MESSAGES.toSorted(),
  )
  assert.deepEqual(
    messages
      .filter(({ extension }) => extension === true)
      .map(({ name }) => name)
      .toSorted(),
    EXTENSION_MESSAGES.toSorted(),
  )
})

test('the enumerations have the draft’s values, in its order', () => {
  const values = Object.entries(enums).map(([name, type]) => [name, type.name, Object.keys(type.values)])

  assert.deepEqual(
    values.map(([name]) => name),
    Object.keys(ENUMS),
  )
  assert.deepEqual(
    values.map(([, name]) => name),
    Object.keys(ENUMS),
  )
  assert.deepEqual(Object.fromEntries(values.map(([name, , list]) => [name, list])), ENUMS)
})

test('a field is bound exactly where the draft binds it, and both ends name each other', () => {
  const bound = declared.flatMap(of =>
    visibleFields(of).flatMap(([path, { boundTo }]) =>
      boundTo === undefined ? [] : [`${of.name}.${path} ${boundTo}`],
    ),
  )
  const expected = BINDINGS.flatMap(([a, b]) => [`${a} ${b}`, `${b} ${a}`])

  assert.deepEqual(bound.toSorted(), expected.toSorted())
})

test('the two ends of a bound pair refer to each other’s class, and one end at least is a set', () => {
  for (const [a, b] of BINDINGS) {
    const [typeOfA, typeOfB] = [fieldType(a), fieldType(b)]

    assert.ok(typeOfA.includes(`${b.split('.')[0]} ref`), a)
    assert.ok(typeOfB.includes(`${a.split('.')[0]} ref`), b)
    assert.ok(typeOfA.endsWith('Set') || typeOfB.endsWith('Set'), `${a} ${b}`)
  }
})

test('a message is allowed in the power states that the draft gives', () => {
  const allowed = Object.entries(classes.VM.messages satisfies Class['messages'])
    .filter(([name]) => name in POWER_STATES)
    .map(([name, message]) => [name, 'allowedIn' in message ? message.allowedIn : []])

  assert.deepEqual(Object.fromEntries(allowed), POWER_STATES)
})

test('the operations are those that §1.1 and §1.2 give to the draft’s tables, and each comes once', () => {
  const operations = declared.flatMap(of => operationsOf(of))
  const names = operations.map(({ name }) => name)

  assert.equal(new Set(names).size, names.length)
  assert.deepEqual(names.toSorted(), draftMethods().toSorted())
  assert.deepEqual(
    operations
      .filter(({ hasAsync }) => hasAsync)
      .map(({ name }) => `Async.${name}`)
      .toSorted(),
    asyncTwins(draftMethods()).toSorted(),
  )
})

test('every type that a field or a message has is one of the draft’s, or is listed with its extension', () => {
  const kinds = new Set(
    declared
      .flatMap(of => operationsOf(of).flatMap(({ result, params }) => [result, ...params.map(({ type }) => type)]))
      .map(leafName),
  )
  const refs = declared.map(({ name }) => `${name} ref`)
  const ours = ['record', 'task_status', 'serial_output', 'image_format']

  const known = new Set(['string', 'int', 'float', 'bool', 'void', ...refs, ...Object.keys(ENUMS), ...ours])
  assert.deepEqual(
    [...kinds].filter(kind => !known.has(kind)),
    [],
  )
})

function leafName(type: Type): string {
  if (type.kind === 'set') return leafName(type.of)
  return type.kind === 'map' ? leafName(type.value) : typeName(type)
}

function fieldType(name: string): string {
  const [of = '', path = ''] = name.split('.')
  return FIELDS[of]?.find(row => row[1] === path)?.[2] ?? ''
}
