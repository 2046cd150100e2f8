import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { recordFromXml } from '../../src/client/record.ts'
import { recordToXml } from '../../src/engine/record-xml.ts'
import { classes, VM } from '../../src/model/index.ts'
import { wireName } from '../../src/model/kernel/define.ts'
import { visibleFields } from '../../src/model/kernel/operations.ts'
import type { Type } from '../../src/model/kernel/types.ts'

const INT = { min: -(2n ** 63n), max: 2n ** 63n - 1n }
/** Text that XML carries: the server replaces all else. */
const text = fc.string({ unit: fc.constantFrom('a', 'b', 'ü', ...' ,()"\\\'<>&]\n\t'.split('')) })

/** Values of a type. */
function valuesOf(type: Type): fc.Arbitrary<unknown> {
  switch (type.kind) {
    case 'int':
    case 'int32':
      return fc.bigInt(INT)
    case 'float':
      return fc.double({ noNaN: true, noDefaultInfinity: true }).map(value => value + 0) // -0 is 0 as text.
    case 'bool':
      return fc.boolean()
    case 'dateTime':
      return fc.integer({ min: 0, max: 4_000_000_000 }).map(seconds => new Date(seconds * 1000))
    case 'enum':
      return fc.constantFrom(...Object.keys(type.values))
    case 'set':
      return fc.array(valuesOf(type.of), { maxLength: 4 })
    case 'map':
      return fc.array(fc.tuple(valuesOf(type.key), valuesOf(type.value)), { maxLength: 4 }).map(pairs => new Map(pairs))
    default:
      return text
  }
}

for (const of of Object.values(classes)) {
  const fields = visibleFields(of).map(([path, field]) => [wireName(path), valuesOf(field.type)] as const)
  if (fields.length === 0) continue

  test(`any ${of.name} that the server writes is read back as it was`, () => {
    fc.assert(
      fc.property(fc.record(Object.fromEntries(fields)), record => {
        assert.deepEqual(recordFromXml(of, recordToXml(of, record)), { ...record })
      }),
      { numRuns: 50 },
    )
  })
}

const DOCUMENT = recordToXml(
  VM,
  Object.fromEntries(visibleFields(VM).map(([path, { type }]) => [wireName(path), zero(type)])),
)

/** Something of each type. */
function zero(type: Type): unknown {
  const [value] = fc.sample(valuesOf(type), { numRuns: 1, seed: 1 })
  return value
}

test('a document that is not as declared is refused with the field’s name', () => {
  const broken: ReadonlyArray<readonly [RegExp, string, RegExp]> = [
    [/<VM>/, '<VDI>', /./],
    [/<memory_actual>.*<\/memory_actual>/, '', /has no memory_actual/],
    [/<memory_actual>.*<\/memory_actual>/, '<memory_actual>much</memory_actual>', /value of memory_actual/],
    [/<is_a_template>.*<\/is_a_template>/, '<is_a_template>maybe</is_a_template>', /value of is_a_template/],
    [/<VIFs>[^<]*<\/VIFs>/, '<VIFs>a b" c</VIFs>', /value of VIFs/],
    [/<VCPUs_utilisation>[^<]*</, '<VCPUs_utilisation>(0, 1<', /value of VCPUs_utilisation/],
    [/<VCPUs_utilisation>[^<]*</, '<VCPUs_utilisation>0, 1<', /value of VCPUs_utilisation/],
  ]
  for (const [pattern, replacement, message] of broken) {
    const document = DOCUMENT.replace(pattern, replacement)
    assert.notEqual(document, DOCUMENT)
    assert.throws(() => recordFromXml(VM, document), { name: 'UnexpectedAnswer', message }, replacement)
  }
})
