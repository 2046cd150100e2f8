import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { enums } from '../../src/model/enums.ts'
import { classes } from '../../src/model/index.ts'
import { type Class, wireName } from '../../src/model/kernel/define.ts'
import { type Operation, operationsOf, visibleFields } from '../../src/model/kernel/operations.ts'
import { typeName } from '../../src/model/kernel/types.ts'
import { CHOSEN_ONCE, EXTENSION_FIELDS, EXTENSION_MESSAGES, MESSAGES_OF_CHAPTER_1 } from './extensions.ts'
import { allOperations, hasAsync } from './operations.ts'
import { BINDINGS, ENUMS, FIELDS, MESSAGES, POWER_STATES } from './table.ts'

const declared: readonly Class[] = Object.values(classes)
const inOurs = (table: Readonly<Record<string, readonly (readonly unknown[])[]>>, of: string, name: string) =>
  table[of]?.some(row => row[1] === name) ?? false

test('the classes are those of §2.1, in its order', () => {
  assert.deepEqual(
    declared.map(of => of.name),
    Object.keys(FIELDS),
  )
})

describe('a class has the draft’s fields, with qualifier, path and type, in the order of its table', () => {
  for (const of of declared) {
    test(of.name, () => {
      const fields = visibleFields(of)
        .filter(([path]) => !inOurs(EXTENSION_FIELDS, of.name, path))
        .map(([path, { qualifier, type }]) => [qualifier, path, typeName(type)])

      assert.deepEqual(fields, FIELDS[of.name])
    })
  }
})

test('fields beyond the draft are those listed as ours, and each says that it is one', () => {
  for (const of of declared) {
    const ours = visibleFields(of)
      .filter(([, { extension }]) => extension === true)
      .map(([path, { qualifier, type }]) => [qualifier, path, typeName(type)])

    assert.deepEqual(ours, EXTENSION_FIELDS[of.name] ?? [], of.name)
  }
})

test('the constructor takes no field that is computed at run time, but the one that nothing else could choose', () => {
  const chosen = declared.flatMap(of =>
    visibleFields(of)
      .filter(([, field]) => field.onCreate === true)
      .map(([path]) => `${of.name}.${path}`),
  )

  assert.deepEqual(chosen, CHOSEN_ONCE)
})

describe('a class has the draft’s messages, with result and parameters', () => {
  for (const of of declared) {
    test(of.name, () => {
      const isOurs = (name: string) =>
        inOurs(EXTENSION_MESSAGES, of.name, name) || inOurs(MESSAGES_OF_CHAPTER_1, of.name, name)
      const messages = messageRows(of).filter(([, name]) => !isOurs(name))

      assert.deepEqual(messages, MESSAGES[of.name])
    })
  }
})

test('messages beyond the draft are those listed as ours, and each says that it is one', () => {
  for (const of of declared) {
    const ours = messageRows(of).filter(([, name]) => of.messages[name]?.extension === true)

    assert.deepEqual(ours, EXTENSION_MESSAGES[of.name] ?? [], of.name)
  }
})

test('the enumerations have the draft’s values, in its order', () => {
  const values = Object.values(enums).map(({ name, values: meanings }) => [name, Object.keys(meanings)] as const)

  assert.deepEqual(Object.fromEntries(values), ENUMS)
  assert.deepEqual(Object.keys(enums), Object.keys(ENUMS))
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

test('a message is allowed in the power states that the draft gives', () => {
  const messages: Class['messages'] = classes.VM.messages

  for (const [name, states] of Object.entries(POWER_STATES)) assert.deepEqual(messages[name]?.allowedIn, states, name)
})

test('the operations are those that §1.1 and §1.2 give to the tables, with their parameters and results', () => {
  const operations = declared.flatMap(of => operationsOf(of))
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1)
  const expected = allOperations().map(operation => ({ ...operation, hasAsync: hasAsync(operation) }))

  assert.deepEqual(operations.map(operationRow).sort(byName), expected.sort(byName))
})

function messageRows(of: Class): (readonly [string, string, ...(readonly [string, string])[]])[] {
  return Object.entries(of.messages).map(([name, { result, params }]) => {
    const rows = Object.entries(params).map(([param, [type]]) => [typeName(type), param] as const)
    return [typeName(result), name, ...rows] as const
  })
}

function operationRow({ name, class: of, params, result, field, hasAsync: isAsync }: Operation) {
  // An accessor's value goes by the name of its field, in errors too.
  const nameOf = (param: string) => (param === 'value' && field !== undefined ? wireName(field) : param)
  const rows = params.map(({ name: param, type }) => [typeName(type), nameOf(param)])
  return { name, of: of.name, params: rows, result: typeName(result), hasAsync: isAsync }
}
