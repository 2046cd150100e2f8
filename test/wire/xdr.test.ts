import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { XdrError, type XdrErrorKind } from '../../src/wire/xdr/error.ts'
import {
  array,
  bool,
  bytes,
  double,
  fixedBytes,
  hyper,
  int,
  optional,
  readAll,
  string,
  struct,
  uhyper,
  uint,
  union,
  type ValueOf,
  type XdrType,
} from '../../src/wire/xdr/types.ts'
import { XdrWriter, written as writtenBy } from '../../src/wire/xdr/writer.ts'

const BYTES_MAX = 4096

describe('XDR', () => {
  // The bytes are those of RFC 4506, §4, each by its section.
  const pairs: readonly (readonly [string, XdrType<unknown>, unknown, string])[] = [
    ['an integer, §4.1', int, -2, 'fffffffe'],
    ['an unsigned integer, §4.2', uint, 0xffff_fffe, 'fffffffe'],
    ['a truth value, §4.4', bool, true, '00000001'],
    ['a hyper integer, §4.5', hyper, -(2n ** 63n), '8000000000000000'],
    ['an unsigned hyper integer, §4.5', uhyper, 2n ** 64n - 1n, 'ffffffffffffffff'],
    ['a double, §4.7', double, -2.5, 'c004000000000000'],
    ['opaque bytes of a fixed length, §4.9', fixedBytes(5), Buffer.from('12345'), '3132333435000000'],
    ['opaque bytes, §4.10', bytes(8), Buffer.from('12345'), '000000053132333435000000'],
    ['a text, §4.11', string(8), 'sílly', '0000000673c3ad6c6c790000'],
    ['an array, §4.13', array(int, 2), [1, 2], '000000020000000100000002'],
    ['a structure, §4.14', struct({ a: int, b: string(4) }), { a: 7, b: '' }, '0000000700000000'],
    [
      'a union, §4.15',
      union({ i: [1, int], s: [7, string(4)] }),
      { type: 's', value: 'x' },
      '000000070000000178000000',
    ],
    ['an optional value, §4.19', optional(int), 9, '0000000100000009'],
    ['an absent value, §4.19', optional(int), null, '00000000'],
  ]
  for (const [what, type, value, hex] of pairs) {
    test(`writes and reads ${what}`, () => {
      assert.equal(written(type, value), hex)
      assert.deepEqual(read(type, hex), value)
    })
  }

  const unreadable: readonly (readonly [string, XdrType<unknown>, string, XdrErrorKind])[] = [
    ['half an integer', int, '0000', 'truncated'],
    ['more than the value', int, '0000000100', 'malformed'],
    ['a truth value of 2', bool, '00000002', 'malformed'],
    ['a text with a NUL', string(8), '0000000361006200', 'malformed'],
    ['a text that is not UTF-8', string(8), '00000002c3280000', 'malformed'],
    ['a text over its bound', string(2), '0000000361626300', 'limit'],
    ['a text that ends early', string(8), '0000000861626364', 'truncated'],
    ['a last unit that is not filled with zeros', bytes(8), '0000000161000001', 'malformed'],
    ['an array over its bound', array(int, 1), '000000020000000100000002', 'limit'],
    ['an array of more items than there are bytes', array(uhyper, 0x7fff_ffff), '7fffffff0000', 'truncated'],
    ['an arm that the union lacks', union({ i: [1, int] }), '0000000200000000', 'malformed'],
  ]
  for (const [what, type, hex, kind] of unreadable) {
    test(`refuses to read ${what}`, () => {
      assert.throws(() => read(type, hex), { name: 'XdrError', kind })
    })
  }

  const unwritable: readonly (readonly [string, XdrType<unknown>, unknown])[] = [
    ['an integer of 33 bits', int, 2 ** 31],
    ['a fraction', int, 0.5],
    ['a negative number as an unsigned one', uint, -1],
    ['a hyper integer of 65 bits', hyper, 2n ** 63n],
    ['a negative number as an unsigned hyper one', uhyper, -1n],
    ['bytes of another length', fixedBytes(4), Buffer.alloc(5)],
    ['bytes over their bound', bytes(4), Buffer.alloc(5)],
    ['a text over its bound, counted in bytes', string(3), 'ééé'],
    ['a text with a NUL', string(8), 'a\0b'],
    ['half of a surrogate pair', string(8), '\ud83d'],
    ['an array over its bound', array(int, 1), [1, 2]],
    ['an arm that the union lacks', union({ i: [1, int] }), { type: 'toString', value: 1 }],
  ]
  for (const [what, type, value] of unwritable) {
    test(`refuses to write ${what}`, () => {
      assert.throws(() => written(type, value), { name: 'XdrError', kind: 'unwritable' })
    })
  }

  test('says where in the value something is wrong', () => {
    const type = struct({ params: array(struct({ field: string(2), value: union({ i: [1, int] }) }), 4) })

    const wrong = {
      params: [
        { field: 'a', value: { type: 'i' as const, value: 1 } },
        { field: 'abc', value: { type: 'i' as const, value: 1 } },
      ],
    }
    assert.throws(() => written(type, wrong), { path: 'params[1].field' })
    assert.throws(() => read(type, '00000001000000016100000000000009'), { path: 'params[0].value' })
  })

  test('writes no more than it is allowed to', () => {
    const writer = new XdrWriter(8)

    writer.hyper(1n)
    assert.throws(() => writer.bool(true), { name: 'XdrError', kind: 'limit' })
    assert.equal(writer.length, 8)
  })

  test('keeps what was written when more is, within it or after it failed', () => {
    const long = Buffer.alloc(100_000, 'x')
    let inner: Buffer = Buffer.alloc(0)
    const outer = writtenBy(200_000, writer => {
      writer.raw(long)
      inner = writtenBy(8, nested => nested.uint(7))
      writer.uint(9)
    })
    assert.throws(() => writtenBy(8, writer => writer.raw(long)), { kind: 'limit' })
    const later = writtenBy(200_000, writer => writer.raw(Buffer.alloc(100_004, 'y')))

    assert.ok(outer.equals(Buffer.concat([long, Buffer.from('00000009', 'hex')])))
    assert.equal(inner.toString('hex'), '00000007')
    assert.ok(later.equals(Buffer.alloc(100_004, 'y')))
  })

  test('infers what a structure carries', () => {
    const type = struct({ id: uhyper, name: optional(string(9)), all: array(union({ i: [1, int], s: [2, bool] }), 3) })
    const value: ValueOf<typeof type> = { id: 1n, name: null, all: [{ type: 's', value: true }] }

    assert.deepEqual(read(type, written(type, value)), value)
    // @ts-expect-error a number is no hyper integer
    assert.throws(() => written(type, { ...value, id: 1 }))
    // @ts-expect-error the arm carries something else
    assert.throws(() => written(type, { ...value, all: [{ type: 'i', value: 'x' }] }), XdrError)
  })
})

describe('XDR, with whatever there may be', () => {
  const shape = struct({
    i: int,
    u: uint,
    h: hyper,
    n: uhyper,
    d: double,
    b: bool,
    s: string(64),
    o: bytes(64),
    f: fixedBytes(6),
    list: array(optional(struct({ s: string(16), u: union({ i: [1, int], d: [5, double], s: [7, string(16)] }) })), 8),
  })
  const text = (most: number) =>
    fc
      .string({ unit: 'grapheme', maxLength: 8 })
      .filter(value => !value.includes('\0') && Buffer.byteLength(value) <= most)
  const real = fc.double({ noNaN: true })
  const arm = fc.oneof(
    plain({ type: fc.constant('i' as const), value: fc.integer() }),
    plain({ type: fc.constant('d' as const), value: real }),
    plain({ type: fc.constant('s' as const), value: text(16) }),
  )
  const values: fc.Arbitrary<ValueOf<typeof shape>> = plain({
    i: fc.integer(),
    u: fc.nat().map(value => value * 2 + 1),
    h: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    n: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    d: real,
    b: fc.boolean(),
    s: text(64),
    o: fc.uint8Array({ maxLength: 64 }).map(value => Buffer.from(value)),
    f: fc.uint8Array({ minLength: 6, maxLength: 6 }).map(value => Buffer.from(value)),
    list: fc.array(fc.option(plain({ s: text(16), u: arm })), { maxLength: 8 }),
  })

  test('reads what it wrote', () => {
    fc.assert(fc.property(values, value => assert.deepEqual(read(shape, written(shape, value)), value)))
  })

  test('refuses every value that is cut short', () => {
    const cut = fc.tuple(values, fc.nat()).map(([value, at]) => {
      const whole = Buffer.from(written(shape, value), 'hex')
      return whole.subarray(0, at % whole.length).toString('hex')
    })
    fc.assert(fc.property(cut, hex => assert.throws(() => read(shape, hex), XdrError)))
  })

  test('reads anything as a value or says what is wrong with it', () => {
    const mutated = fc
      .tuple(values, fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }))
      .map(([value, changes]) => {
        const whole = Buffer.from(written(shape, value), 'hex')
        for (const [at, byte] of changes) whole[at % whole.length] = byte
        return whole
      })
    const random = fc.uint8Array({ maxLength: 256 }).map(value => Buffer.from(value))
    fc.assert(
      fc.property(fc.oneof(mutated, random), anything => {
        const outcome = attempt(() => readAll(shape, anything))

        // What can be read is written as it was: there is one way to write a value. NaN alone has many.
        if (outcome !== undefined && !Number.isNaN(outcome.d) && !outcome.list.some(item => item?.u.type === 'd')) {
          assert.equal(written(shape, outcome), anything.toString('hex'))
        }
      }),
    )
  })
})

function plain<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true })
}

function written<T>(type: XdrType<T>, value: T): string {
  const writer = new XdrWriter(BYTES_MAX)
  type.write(writer, value)
  return writer.take().toString('hex')
}

function read<T>(type: XdrType<T>, hex: string): T {
  return readAll(type, Buffer.from(hex, 'hex'))
}

function attempt<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch (error) {
    if (!(error instanceof XdrError)) throw error
    return undefined
  }
}
