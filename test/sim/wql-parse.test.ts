import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { parseXml } from '../../src/wire/xml/tree.ts'
import { parseWql, type Query } from '../../sim/hyperv/wql/query.ts'
import { WqlError } from '../../sim/hyperv/wql/wql-error.ts'
import { cpuMs } from '../support/cpu-time.ts'

const ID = '43b3f39e-2b2a-4f97-8a36-82937a779ee1'

function whereOf(condition: string): unknown {
  const query = parseWql(`SELECT * FROM C WHERE ${condition}`)
  assert(query.kind === 'select')
  return query.where
}

function kindOf(text: string): string {
  try {
    parseWql(text)
    return 'ok'
  } catch (error) {
    assert(error instanceof WqlError, String(error))
    return error.kind
  }
}

test('a selection has properties, a class and a condition', () => {
  assert.deepEqual(parseWql('SELECT * FROM Msvm_ComputerSystem'), { kind: 'select', className: 'Msvm_ComputerSystem' })
  assert.deepEqual(parseWql(' select\tName , __PATH\nFrom CIM_Datafile  '), {
    kind: 'select',
    properties: ['Name', '__PATH'],
    className: 'CIM_Datafile',
  })
})

test('comparisons have an operator, and a property on either side', () => {
  const compare = (property: string, comparator: string, literal: unknown): unknown => ({
    kind: 'compare',
    property,
    comparator,
    literal,
  })
  const cases: readonly [string, unknown][] = [
    ["Name = 'x'", compare('Name', '=', 'x')],
    ['Name="x"', compare('Name', '=', 'x')],
    ['A<>1', compare('A', '!=', 1n)],
    ['A != -1', compare('A', '!=', -1n)],
    ['A <= 0x1F', compare('A', '<=', 31n)],
    ['A >= 18446744073709551615', compare('A', '>=', 18_446_744_073_709_551_615n)],
    ['A < 1.5', compare('A', '<', 1.5)],
    ['A > 1e3', compare('A', '>', 1000)],
    ['1 < A', compare('A', '>', 1n)],
    ['2 >= A', compare('A', '<=', 2n)],
    ['A = true', compare('A', '=', true)],
    ['FALSE = A', compare('A', '=', false)],
    ['A IS NULL', { kind: 'null', property: 'A', isNull: true }],
    ['A is not Null', { kind: 'null', property: 'A', isNull: false }],
    ['A = NULL', { kind: 'null', property: 'A', isNull: true }],
    ['A <> null', { kind: 'null', property: 'A', isNull: false }],
    ["A LIKE '%x'", { kind: 'like', property: 'A', pattern: '%x' }],
    ["__CLASS ISA 'B'", { kind: 'isa', property: '__CLASS', className: 'B' }],
    ['Name != __SERVER', { kind: 'compare-properties', property: 'Name', comparator: '!=', other: '__SERVER' }],
  ]
  for (const [text, condition] of cases) assert.deepEqual(whereOf(text), condition, text)
})

test('NOT binds closest, then AND, then OR, and parentheses change that', () => {
  const flat = (condition: unknown): unknown => JSON.parse(JSON.stringify(condition, shorten))
  function shorten(_: string, value: unknown): unknown {
    if (typeof value !== 'object' || value === null || !('kind' in value)) return value
    if (value.kind === 'null' && 'property' in value) return value.property
    if (value.kind === 'not' && 'part' in value) return ['not', value.part]
    if ('parts' in value && Array.isArray(value.parts)) return [value.kind, ...value.parts]
    return value
  }
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(name => `${name} IS NULL`)

  assert.deepEqual(flat(whereOf(`${a} or ${b} AND not ${c} Or ${d}`)), ['or', 'a', ['and', 'b', ['not', 'c']], 'd'])
  assert.deepEqual(flat(whereOf(`(${a} or ${b}) AND NOT (${c} AND ${d})`)), [
    'and',
    ['or', 'a', 'b'],
    ['not', ['and', 'c', 'd']],
  ])
  assert.deepEqual(flat(whereOf(`((${a})) and ${b} and ${c}`)), ['and', 'a', 'b', 'c'])
})

test('a backslash escapes itself and quotes, and stands for itself otherwise', () => {
  const cases: readonly [string, string][] = [
    [String.raw`'c:\\windows\\system32\\vmms.exe'`, String.raw`c:\windows\system32\vmms.exe`],
    [String.raw`'c:\windows\system32\vmms.exe'`, String.raw`c:\windows\system32\vmms.exe`],
    [String.raw`'\\windows\\system32\\'`, String.raw`\windows\system32` + '\\'],
    [String.raw`'it\'s'`, "it's"],
    [String.raw`"a \"b\" 'c'"`, `a "b" 'c'`],
    ["''", ''],
    ["'日本 😀'", '日本 😀'],
  ]
  for (const [text, value] of cases) {
    assert.deepEqual(whereOf(`A = ${text}`), { kind: 'compare', property: 'A', comparator: '=', literal: value }, text)
  }
})

test('associators and references have an object, and terms that blanks separate', () => {
  const of = { className: 'C', keys: new Map([['Name', 'x']]) }

  assert.deepEqual(parseWql("ASSOCIATORS OF {C.Name='x'}"), { kind: 'associators', of })
  assert.deepEqual(
    parseWql(`associators of { C.Name="x" } where AssocClass=A ResultClass = R role = P RESULTROLE='Q'
      RequiredQualifier = Dynamic RequiredAssocQualifier = Association`),
    {
      kind: 'associators',
      of,
      associationClass: 'A',
      resultClass: 'R',
      role: 'P',
      resultRole: 'Q',
      requiredQualifier: 'Dynamic',
      requiredAssociationQualifier: 'Association',
    },
  )
  assert.deepEqual(parseWql("REFERENCES OF {C.Name='x'} WHERE ResultClass = A Role = P"), {
    kind: 'references',
    of,
    resultClass: 'A',
    role: 'P',
  })
})

test('an object path in braces holds quotes, braces and backslashes as clients write them', () => {
  const keysIn = (text: string): unknown => {
    const query = parseWql(`ASSOCIATORS OF {${text}}`)
    return query.kind === 'associators' ? query.of.keys.get('DeviceID') : undefined
  }

  assert.equal(keysIn(String.raw`C.DeviceID='Microsoft:G\5ced1297'`), String.raw`Microsoft:G\5ced1297`)
  assert.equal(keysIn(String.raw`C.DeviceID="Microsoft:G\\5ced1297"`), String.raw`Microsoft:G\5ced1297`)
  assert.equal(keysIn(`C.DeviceID="Microsoft:{${ID}}"`), `Microsoft:{${ID}}`)
  assert.equal(keysIn(String.raw`C.DeviceID="a\"}b"`), 'a"}b')
})

test('what is no data query is refused', () => {
  const refused: readonly [string, string][] = [
    ['', 'syntax'],
    ['SELECT', 'syntax'],
    ['SELECT * FROM', 'syntax'],
    ['SELECT FROM C', 'syntax'],
    ['SELECT A, FROM C', 'syntax'],
    ['SELECT A B FROM C', 'syntax'],
    ['SELECT *, A FROM C', 'syntax'],
    ['SELECT COUNT(*) FROM C', 'syntax'],
    ['SELECT * FROM C, D', 'syntax'],
    ['SELECT * FROM C JOIN D', 'syntax'],
    ['SELECT * FROM C ORDER BY A', 'syntax'],
    ['SELECT * FROM C GROUP BY A', 'syntax'],
    ['SELECT * FROM __InstanceCreationEvent WITHIN 2', 'syntax'],
    ['SELECT * FROM C WHERE', 'syntax'],
    ['SELECT * FROM C WHERE A', 'syntax'],
    ['SELECT * FROM C WHERE A =', 'syntax'],
    ['SELECT * FROM C WHERE A == 1', 'syntax'],
    ['SELECT * FROM C WHERE A = 1 AND', 'syntax'],
    ['SELECT * FROM C WHERE A = 1 B = 2', 'syntax'],
    ['SELECT * FROM C WHERE (A = 1', 'syntax'],
    ['SELECT * FROM C WHERE A = 1)', 'syntax'],
    ['SELECT * FROM C WHERE 1 = 1', 'syntax'],
    ['SELECT * FROM C WHERE A < NULL', 'syntax'],
    ['SELECT * FROM C WHERE A IS 1', 'syntax'],
    ['SELECT * FROM C WHERE A LIKE B', 'syntax'],
    ['SELECT * FROM C WHERE A ISA 1', 'syntax'],
    ["SELECT * FROM C WHERE 'x' LIKE 'x'", 'syntax'],
    ["SELECT * FROM C WHERE A = 'x", 'syntax'],
    ["SELECT * FROM C WHERE A = 'x''y'", 'syntax'],
    ['SELECT * FROM C WHERE A = 12abc', 'syntax'],
    ['SELECT * FROM C;', 'syntax'],
    ['SELECT * FROM C WHERE Like = 1', 'syntax'],
    ['INSERT INTO C', 'syntax'],
    ["ASSOCIATORS {C.Name='x'}", 'syntax'],
    ['ASSOCIATORS OF C', 'syntax'],
    ["ASSOCIATORS OF {C.Name='x'", 'syntax'],
    ["ASSOCIATORS OF {C.Name='x'} WHERE", 'syntax'],
    ["ASSOCIATORS OF {C.Name='x'} WHERE AssocClass", 'syntax'],
    ["ASSOCIATORS OF {C.Name='x'} WHERE AssocClass = A AND ResultClass = B", 'syntax'],
    ["ASSOCIATORS OF {C.Name='x'} WHERE AssocClass = A AssocClass = B", 'syntax'],
    ["ASSOCIATORS OF {C.Name='x'} WHERE constructor = A", 'syntax'],
    ["REFERENCES OF {C.Name='x'} WHERE AssocClass = A", 'syntax'],
    ['ASSOCIATORS OF {not a path}', 'syntax'],
    ['ASSOCIATORS OF {C}', 'unsupported'],
    ["ASSOCIATORS OF {C.Name='x'} WHERE ClassDefsOnly", 'unsupported'],
    ["ASSOCIATORS OF {C.Name='x'} WHERE KeysOnly", 'unsupported'],
    ["REFERENCES OF {C.Name='x'} WHERE SchemaOnly", 'unsupported'],
  ]
  for (const [text, kind] of refused) assert.equal(kindOf(text), kind, text)
})

test('a query is bounded in length, depth and number', () => {
  const nested = (depth: number): string => `SELECT * FROM C WHERE ${'('.repeat(depth)}A = 1${')'.repeat(depth)}`
  const chained = (terms: number): string => `SELECT * FROM C WHERE ${Array(terms).fill('A=1').join(' OR ')}`

  assert.equal(kindOf(nested(64)), 'ok')
  assert.equal(kindOf(nested(65)), 'limit')
  assert.equal(kindOf(`SELECT * FROM C WHERE ${'NOT '.repeat(3000)} A = 1`), 'limit')
  assert.equal(kindOf(chained(1024)), 'ok')
  assert.equal(kindOf(chained(1025)), 'limit')
  assert.equal(kindOf(`SELECT ${Array(513).fill('A').join(',')} FROM C`), 'limit')
  assert.equal(kindOf(`SELECT * FROM C WHERE A = '${'x'.repeat(20_000)}'`), 'limit')
})

test('every query that foreign clients sent is read', () => {
  const folder = new URL('../fixtures/hyperv/client-requests/', import.meta.url)
  const queries: Query[] = []
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(path => path.endsWith('.txt'))) {
    const envelope = readFileSync(new URL(name, folder), 'utf8').replace(/^[^<]*/, '')
    const [body] = parseXml(Buffer.from(envelope)).elements('Body')
    for (const filter of body?.elements('Enumerate').flatMap(enumerate => enumerate.elements('Filter')) ?? []) {
      if (filter.attribute('Dialect')?.endsWith('/WQL') === true) queries.push(parseWql(filter.text()))
    }
  }

  assert(queries.length >= 6, String(queries.length))
})

test('reading a query gives it or a WqlError, and never takes long', () => {
  const words = fc.constantFrom(
    'SELECT',
    '*',
    'FROM',
    'WHERE',
    'ASSOCIATORS',
    'REFERENCES',
    'OF',
    '{C.Name="x"}',
    '{',
    '}',
    'AND',
    'OR',
    'NOT',
    '(',
    ')',
    '=',
    '<>',
    'LIKE',
    'ISA',
    'IS',
    'NULL',
    'Name',
    '__PATH',
    "'x'",
    '"',
    "'",
    '\\',
    '12',
    '-',
    '1.5e',
    'TRUE',
    ',',
    'AssocClass',
    '\u0000',
    '😀',
  )
  fc.assert(
    fc.property(fc.array(words, { maxLength: 30 }), parts => {
      kindOf(parts.join(' '))
      kindOf(`SELECT * FROM C WHERE ${parts.join(' ')}`)
    }),
    { numRuns: 3000 },
  )
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), text => void kindOf(text)))
  const started = cpuMs()
  for (const part of ['(', ' ', '\\', '0', "'", '{', '"\\"', '1.', 'a.', 'NOT ', '+']) kindOf(part.repeat(5000))
  assert(cpuMs() - started < 2000)
})
