import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { type Type, t, typeName } from '../../src/model/kernel/types.ts'
import { codecOf } from '../../src/store/codec.ts'

const text = fc.string({ unit: 'binary' })
const int = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const open = fc.letrec<{ value: unknown }>(tie => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(text, int, fc.double(), fc.boolean(), fc.date({ noInvalidDate: true }), fc.constant(null)),
    fc.array(tie('value')),
    fc.dictionary(fc.oneof(text, fc.constantFrom('int', '__proto__', 'struct', 'date')), tie('value')),
  ),
})).value

const VALUES: readonly (readonly [Type, fc.Arbitrary<unknown>])[] = [
  [t.string, text],
  [t.ref('VM'), text],
  [t.int, int],
  [t.float, fc.double()],
  [t.bool, fc.boolean()],
  [t.dateTime, fc.date({ noInvalidDate: true })],
  [t.enum('colour', { red: '', green: '' }), fc.constantFrom('red', 'green')],
  [t.set(t.int), fc.array(int)],
  [t.set(t.dateTime), fc.array(fc.date({ noInvalidDate: true }))],
  [t.set(t.set(t.string)), fc.array(fc.array(text))],
  [t.map(t.int, t.float), fc.array(fc.tuple(int, fc.double())).map(pairs => new Map(pairs))],
  [t.map(t.string, t.set(t.int)), fc.array(fc.tuple(text, fc.array(int))).map(pairs => new Map(pairs))],
  [t.open('anything'), open],
]

describe('values through JSON', () => {
  for (const [type, values] of VALUES) {
    it(`are exact: ${typeName(type)}`, () => {
      const codec = codecOf(type)
      fc.assert(
        fc.property(values, value => {
          const kept = codec.normalise(value)
          const read = codec.decode(JSON.parse(JSON.stringify(codec.encode(kept))))
          assert.deepStrictEqual(read, kept)
          assert.ok(codec.equal(read, kept))
          assert.deepStrictEqual(codec.normalise(read), kept)
        }),
      )
    })
  }

  it('keep the numbers that JSON cannot write', () => {
    const codec = codecOf(t.float)
    for (const value of [Number.NaN, Infinity, -Infinity, -0]) {
      assert.ok(Object.is(codec.decode(JSON.parse(JSON.stringify(codec.encode(value)))), value))
    }
  })

  it('are refused when another type wrote them', () => {
    const wrong: readonly (readonly [Type, unknown])[] = [
      [t.string, 1],
      [t.int, 1],
      [t.int, '1.5'],
      [t.int, '9223372036854775808'],
      [t.float, 'one'],
      [t.bool, 'true'],
      [t.dateTime, '2006'],
      [t.enum('colour', { red: '' }), 'toString'],
      [t.set(t.string), 'a'],
      [t.map(t.string, t.string), [['a']]],
      [t.open('anything'), { unknown: 1 }],
    ]
    for (const [type, json] of wrong) assert.throws(() => codecOf(type).decode(json), TypeError, typeName(type))
  })

  it('are refused for types that no field may have', () => {
    assert.throws(() => codecOf(t.void), TypeError)
    assert.throws(() => codecOf(t.struct('s', {})), TypeError)
    assert.throws(() => codecOf(t.map(t.dateTime, t.string)), /keys/)
  })
})
