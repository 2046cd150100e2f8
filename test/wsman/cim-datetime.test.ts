import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { CimInterval, CimTimestamp, parseInterval, parseTimestamp } from '../../src/protocols/wsman/datetime.ts'

const SECOND = 1_000_000n

test('a time is read in the form of XML Schema, to the microsecond', () => {
  const times: readonly (readonly [string, bigint])[] = [
    ['1970-01-01T00:00:00Z', 0n],
    ['1970-01-01T00:00:00.5Z', 500_000n],
    ['1969-12-31T23:59:59.999999Z', -1n],
    ['2025-12-17T09:55:22.702341Z', 1_765_965_322_702_341n],
    ['2025-12-17T10:55:22.702341+01:00', 1_765_965_322_702_341n],
    ['2025-12-17T04:25:22.702341-05:30', 1_765_965_322_702_341n],
    ['2025-12-17T09:55:22.7023419Z', 1_765_965_322_702_341n],
    ['2025-12-17T09:55:22', 1_765_965_322_000_000n],
    ['2024-02-29T00:00:00Z', 1_709_164_800_000_000n],
    ['1970-01-02', 86_400_000_000n],
    ['0000-03-01T00:00:00Z', -62_162_035_200_000_000n],
  ]
  for (const [text, microseconds] of times) assert.equal(parseTimestamp(text)?.epochMicroseconds, microseconds, text)
})

test("a time is read in CIM's own form", () => {
  const morning = parseTimestamp('20251217105522.702341+060')

  assert.equal(morning?.epochMicroseconds, 1_765_965_322_702_341n)
  assert.equal(morning?.offsetMinutes, 60)
  assert.equal(morning?.toCim(), '20251217105522.702341+060')
  assert.equal(morning?.toIso(), '2025-12-17T09:55:22.702341Z')
  assert.equal(parseTimestamp('16010101000000.000000+000')?.isUnset, true)
  assert.equal(parseTimestamp('1601-01-01T00:00:00Z')?.isUnset, true)
  assert.equal(parseTimestamp('1601-01-01T00:00:01Z')?.isUnset, false)
})

test('what is no time, or leaves a field open, is not made one', () => {
  const broken = [
    '',
    'yesterday',
    '2025-13-01T00:00:00Z',
    '2025-02-30T00:00:00Z',
    '2025-06-31',
    '2025-01-01T24:00:00Z',
    '2025-01-01T00:60:00Z',
    '2025-01-01T00:00:00.Z',
    '2025-01-01T00:00:00 Z',
    '20251217******.******+060',
    '20251217105522.702341+60',
    '00000000003000.000000:000',
  ]
  for (const text of broken) assert.equal(parseTimestamp(text), undefined, text)
})

test('an interval is read in both forms', () => {
  const intervals: readonly (readonly [string, bigint])[] = [
    ['P0DT0H0M1.00417S', 1_004_170n],
    ['P0DT0H5M0S', 300n * SECOND],
    ['P1D', 86_400n * SECOND],
    ['PT1H', 3_600n * SECOND],
    ['PT90M', 5_400n * SECOND],
    ['P99999999DT23H59M59.999999S', 100_000_000n * 86_400n * SECOND - 1n],
    ['00000000003000.000000:000', 1_800n * SECOND],
    ['00000001020304.000005:000', (86_400n + 7_384n) * SECOND + 5n],
  ]
  for (const [text, microseconds] of intervals) assert.equal(parseInterval(text)?.microseconds, microseconds, text)
  for (const text of [
    '',
    'P',
    'PT',
    'P1Y',
    'P1M',
    '-PT1S',
    'PT1.S',
    'P1DT',
    '5',
    'P999999999D',
    '20250101000000.000000+000',
  ]) {
    assert.equal(parseInterval(text), undefined, text)
  }
})

test('times and intervals come back from either form as they went', () => {
  const year10000 = 253_402_300_800n * SECOND
  fc.assert(
    fc.property(fc.bigInt({ min: -62_162_035_200n * SECOND, max: year10000 - 1n }), microseconds => {
      const time = new CimTimestamp(microseconds)
      assert.equal(parseTimestamp(time.toIso())?.epochMicroseconds, microseconds)
      assert.equal(parseTimestamp(time.toCim())?.epochMicroseconds, microseconds)
      assert.equal(BigInt(time.toDate().getTime()), microseconds / 1_000n - (microseconds % 1_000n < 0n ? 1n : 0n))
    }),
  )
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 100_000_000n * 86_400n * SECOND - 1n }), microseconds => {
      const interval = new CimInterval(microseconds)
      assert.equal(parseInterval(interval.toIso())?.microseconds, microseconds)
      assert.equal(parseInterval(interval.toCim())?.microseconds, microseconds)
      assert.equal(interval.toCim().length, 25)
    }),
  )
})

test('what CIM cannot say is refused', () => {
  assert.throws(() => new CimInterval(-1n), { name: 'CimError' })
  assert.throws(() => CimInterval.ofMilliseconds(Number.NaN), { name: 'CimError' })
  assert.throws(() => new CimInterval(100_000_000n * 86_400n * SECOND), { name: 'CimError' })
  assert.throws(() => CimTimestamp.of(new Date('no date')), { name: 'CimError' })
  assert.throws(() => new CimTimestamp(253_402_300_800n * SECOND).toCim(), { name: 'CimError' })
  assert.throws(() => new CimTimestamp(10n ** 30n).toIso(), { name: 'CimError' })
  assert.equal(CimInterval.ofMilliseconds(1.5).microseconds, 1_500n)
  assert.equal(CimTimestamp.of(new Date(5)).epochMicroseconds, 5_000n)
})
