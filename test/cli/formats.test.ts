import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { reportOf } from '../../src/cli/failure.ts'
import { jsonText } from '../../src/cli/json.ts'
import { formatBytes, parseBytes } from '../../src/cli/size.ts'
import { formatTable } from '../../src/cli/table.ts'
import { parseValue } from '../../src/cli/value.ts'
import { vmPowerState } from '../../src/model/enums.ts'
import { errors, fail } from '../../src/model/errors.ts'
import { ApiError } from '../../src/model/kernel/error.ts'
import { type Type, t } from '../../src/model/kernel/types.ts'

const SIZES: ReadonlyArray<readonly [bigint, string]> = [
  [0n, '0 B'],
  [1023n, '1023 B'],
  [1024n, '1 KiB'],
  [1536n, '1.5 KiB'],
  [268_435_456n, '256 MiB'],
  [10_737_418_240n, '10 GiB'],
  [2n ** 62n, '4 EiB'],
]

for (const [bytes, shown] of SIZES) {
  test(`${bytes} bytes are shown as ${shown} and read back`, () => {
    assert.equal(formatBytes(bytes), shown)
    assert.equal(parseBytes(shown), bytes)
  })
}

test('sizes are read in every usual spelling', () => {
  const gibibyte = 1_073_741_824n

  for (const text of ['1G', '1g', '1GB', '1 GiB', '1024M', '1073741824', ' 1G '])
    assert.equal(parseBytes(text), gibibyte)
  for (const text of ['', 'G', '-1', '1X', '1.2.3', '0x10', '1e3']) assert.equal(parseBytes(text), undefined, text)
})

test('what is shown of a size is at most a twentieth off', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), bytes => {
      const read = parseBytes(formatBytes(bytes)) ?? -1n
      const off = read > bytes ? read - bytes : bytes - read
      assert.ok(off * 20n <= bytes)
    }),
  )
})

test('JSON holds every digit of an integer, and maps and moments in their usual form', () => {
  const value = { size: 2n ** 63n - 1n, map: new Map([[1n, 0.5]]), when: new Date(0), none: [], nothing: null }

  assert.equal(
    jsonText(value),
    '{\n  "size": 9223372036854775807,\n  "map": {\n    "1": 0.5\n  },\n  "when": "1970-01-01T00:00:00.000Z",\n  "none": [],\n  "nothing": null\n}',
  )
})

test('what is JSON already is written as JSON.stringify does', () => {
  fc.assert(
    fc.property(fc.jsonValue(), value => {
      assert.deepEqual(JSON.parse(jsonText(value)), JSON.parse(JSON.stringify(value)))
    }),
  )
})

test('columns are as wide as their widest cell, and nothing trails', () => {
  const text = formatTable(
    ['NAME', 'N'],
    [
      ['naïve', '1'],
      ['x', '22'],
    ],
  )

  assert.equal(text, 'NAME   N\nnaïve  1\nx      22')
})

test('a name cannot move the cursor or colour the terminal', () => {
  assert.equal(formatTable(['NAME'], [['a\u{1B}[31mred\u{7}\nb']]), 'NAME\nared\u{FFFD}\u{FFFD}b')
})

const VALUES: ReadonlyArray<readonly [Type, string, unknown]> = [
  [t.string, ' as it is ', ' as it is '],
  [t.int, '-7', -7n],
  [t.int, '9223372036854775807', 9_223_372_036_854_775_807n],
  [t.int, '512M', 536_870_912n],
  [t.float, '0.5', 0.5],
  [t.bool, 'yes', true],
  [t.bool, 'false', false],
  [t.dateTime, '2006-11-22T08:00:00Z', new Date(Date.UTC(2006, 10, 22, 8))],
  [vmPowerState, 'Halted', 'Halted'],
  [t.set(t.string), 'a, b', ['a', 'b']],
  [t.set(t.string), '["a, b"]', ['a, b']],
  [t.set(t.string), '', []],
  [
    t.map(t.string, t.int),
    'a=1,b=2',
    new Map([
      ['a', 1n],
      ['b', 2n],
    ]),
  ],
  [t.map(t.int, t.float), '{"0": 0.5}', new Map([[0n, 0.5]])],
]

for (const [type, text, value] of VALUES) {
  test(`the word "${text}" is read as ${type.kind}`, () => {
    assert.deepEqual(parseValue(type, text, 'it'), value)
  })
}

test('a word of the wrong type is an error of usage that names the argument', () => {
  for (const [type, text] of [
    [t.int, 'many'],
    [t.float, ''],
    [t.bool, '1'],
    [t.dateTime, 'tomorrow'],
    [vmPowerState, 'halted'],
    [t.set(t.int), '1,x'],
    [t.map(t.string, t.string), 'a'],
    [t.map(t.string, t.string), '{'],
  ] as const) {
    assert.throws(() => parseValue(type, text, 'the value'), { name: 'Failure', message: /the value/ }, text)
  }
})

test('every error of the table is told in one line that begins with its code', () => {
  for (const [code, { params }] of Object.entries(errors.table)) {
    const error = new ApiError(code, params, code)
    const [line = '', ...hints] = reportOf(error, false).lines

    assert.ok(line.startsWith(`error: ${code}: `), line)
    assert.ok(hints.length <= 1 && hints.every(hint => hint.startsWith('hint: ')), code)
  }
})

test('an error that only the server knows is told all the same, without what could harm the terminal', () => {
  const { lines, code } = reportOf(new ApiError('FROM_THE_FUTURE', ['a\u{1B}[2Jb'], ''), false)

  assert.deepEqual(lines, ['error: FROM_THE_FUTURE: The server knows an error that this client does not. (1=ab)'])
  assert.equal(code, 1)
})

test('the stack is shown only where somebody debugs', () => {
  const error = fail('VM_IS_TEMPLATE', { vm: 'x' })

  assert.ok(!reportOf(error, false).lines.join('\n').includes('formats.test.ts'))
  assert.ok(reportOf(error, true).lines.join('\n').includes('formats.test.ts'))
})
