import * as fc from 'fast-check'
import { isWritable } from '../../src/wire/xml/write.ts'
import { setMember, type WireValue } from '../../src/wire/xmlrpc/value.ts'

/** What breaks careless codecs, in pieces that may be put together to something worse. */
const TRICKY = [
  '<',
  '>',
  '&',
  ']]>',
  ']]',
  '"',
  "'",
  '\r\n',
  '\r',
  '\n',
  '\t',
  ' ',
  '&amp;',
  '&#65;',
  '<!--',
  '-->',
  '<![CDATA[',
  '<?',
  '?>',
  '</value>',
  '<value>',
  'é',
  '漢',
  '😀',
  '\u00a0',
  '\u0085',
  '\u2028',
  '\ufeff',
  '\ufffd',
  '\u007f',
  '__proto__',
  'constructor',
  '0',
  '-1',
  'true',
] as const

/** Text of every kind, with characters that XML cannot carry. */
export const anyText: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(fc.constantFrom(...TRICKY), fc.string({ maxLength: 8 }), fc.string({ unit: 'binary', maxLength: 4 })),
    {
      maxLength: 4,
    },
  )
  .map(pieces => pieces.join(''))

/** Text that XML can carry. */
export const text: fc.Arbitrary<string> = anyText.map(value => Array.from(value).filter(isWritable).join(''))

/** A name without a colon that is no namespace declaration. */
export const xmlName: fc.Arbitrary<string> = fc
  .oneof(fc.stringMatching(/^[A-Za-z_é漢][A-Za-z0-9_.\-é漢]{0,7}$/), fc.constantFrom('__proto__', 'constructor'))
  .filter(name => name !== 'xmlns')

/** The name of a member: white space at its ends would be lost on the way. */
const memberName: fc.Arbitrary<string> = fc
  .oneof(fc.constantFrom('__proto__', 'constructor', 'toString', '', '0', '10'), xmlName, text)
  .map(name => name.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, ''))

const int: fc.Arbitrary<bigint> = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(0n, -1n, 2n ** 31n - 1n, 2n ** 31n, -(2n ** 31n), -(2n ** 31n) - 1n, 2n ** 63n - 1n, -(2n ** 63n)),
)

/** Whole seconds of the years 0 to 9999. */
const date: fc.Arbitrary<Date> = fc
  .integer({ min: Date.parse('0000-01-01T00:00:00Z') / 1000, max: Date.parse('9999-12-31T23:59:59Z') / 1000 })
  .map(seconds => new Date(seconds * 1000))

/** Any value that XML-RPC carries and gives back unchanged. */
export const wireValue: fc.Arbitrary<WireValue> = fc.letrec<{ value: WireValue }>(tie => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    text,
    int,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    date,
    fc.uint8Array({ maxLength: 20 }),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.array(fc.tuple(memberName, tie('value')), { maxLength: 5 }).map(structOf),
  ),
})).value

function structOf(members: readonly (readonly [string, WireValue])[]): WireValue {
  const struct: Record<string, WireValue> = {}
  for (const [name, value] of members) setMember(struct, name, value)
  return struct
}
