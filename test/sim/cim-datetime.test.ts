import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import * as fc from 'fast-check'
import {
  compareDatetimes,
  datetimeOf,
  fromXmlTime,
  intervalMilliseconds,
  intervalOf,
  isDatetime,
  isInterval,
  millisecondsOf,
  toXmlTime,
  UNSET_DATETIME,
} from '../../sim/hyperv/cim/datetime.ts'

test('times are shown as hosts show them', () => {
  const shown: readonly [string, string][] = [
    ['20251217095522.702341+000', '2025-12-17T09:55:22.702341Z'],
    ['20251217095522.700000+000', '2025-12-17T09:55:22.7Z'],
    ['20251217095522.000000+000', '2025-12-17T09:55:22Z'],
    ['20251217095522.000100+060', '2025-12-17T08:55:22.0001Z'],
    ['20251231233000.000000-480', '2026-01-01T07:30:00Z'],
    [UNSET_DATETIME, '1601-01-01T00:00:00Z'],
    ['19691231235959.500000+000', '1969-12-31T23:59:59.5Z'],
  ]
  for (const [cim, xml] of shown) assert.deepEqual(toXmlTime(cim), { kind: 'Datetime', text: xml })
})

test('intervals are shown as hosts show them', () => {
  const shown: readonly [string, string][] = [
    ['00000000000001.004170:000', 'P0DT0H0M1.00417S'],
    ['00000000000500.000000:000', 'P0DT0H5M0S'],
    ['00000001020304.500000:000', 'P1DT2H3M4.5S'],
    ['99999999235959.999999:000', 'P99999999DT23H59M59.999999S'],
  ]
  for (const [cim, xml] of shown) {
    assert.deepEqual(toXmlTime(cim), { kind: 'Interval', text: xml })
    assert.equal(fromXmlTime(xml), cim)
  }
})

test('every time of the recorded answers comes out of CIM as it was recorded', () => {
  let count = 0
  for (const file of ['pull_computersystem_running_vm', 'get_response_storagejob_running']) {
    const text = readFileSync(new URL(`../fixtures/hyperv/recorded/${file}.xml`, import.meta.url), 'utf8')
    for (const [, kind, time = ''] of text.matchAll(/<cim:(Datetime|Interval)>([^<]*)</g)) {
      assert.deepEqual(toXmlTime(fromXmlTime(time) ?? ''), { kind, text: time })
      count++
    }
  }
  assert(count > 8)
})

test('what clients write is read, in every form', () => {
  const read: readonly [string, string | undefined][] = [
    ['2025-12-17T09:55:22Z', '20251217095522.000000+000'],
    ['2025-12-17T09:55:22', '20251217095522.000000+000'],
    ['2025-12-17T09:55:22.1234567Z', '20251217095522.123456+000'],
    ['2025-12-17T09:55:22+01:30', '20251217082522.000000+000'],
    ['20251217095522.702341+060', '20251217095522.702341+060'],
    ['00000000003000.000000:000', '00000000003000.000000:000'],
    ['PT30M', '00000000003000.000000:000'],
    ['P1D', '00000001000000.000000:000'],
    ['PT90000S', '00000001010000.000000:000'],
    ['P', undefined],
    ['PT', undefined],
    ['P1Y', undefined],
    ['P100000000D', undefined],
    ['2025-02-30T00:00:00Z', undefined],
    ['2025-12-17', undefined],
    ['', undefined],
    ['soon', undefined],
  ]
  for (const [text, cim] of read) assert.equal(fromXmlTime(text), cim, text)
})

test('what the calendar or the clock does not have is no time', () => {
  for (const text of [
    '20250230000000.000000+000',
    '20251301000000.000000+000',
    '20250101240000.000000+000',
    '20250101006000.000000+000',
    '2025010100000.000000+000',
    '20250101000000.000000',
    '00000000240000.000000:000',
    '00000000006000.000000:000',
    '00000000000060.000000:000',
    '00000000000000.000000:001',
  ]) {
    assert.equal(isDatetime(text), false, text)
    assert.equal(toXmlTime(text), undefined, text)
  }
  assert(isDatetime('20240229000000.000000+000'))
  assert(isInterval('00000000235959.999999:000'))
  assert(!isInterval('20240229000000.000000+000'))
})

test('times are compared by when they are, intervals by how long', () => {
  assert.equal(compareDatetimes('20250101120000.000000+000', '20250101130000.000000+060'), 0)
  assert.equal(compareDatetimes('20250101120000.000000+000', '20250101120000.000001+000'), -1)
  assert.equal(compareDatetimes('00000001000000.000000:000', '00000000235959.000000:000'), 1)
  assert.equal(compareDatetimes('00000001000000.000000:000', '20250101120000.000000+000'), undefined)
})

test('milliseconds survive the way through CIM and XML', () => {
  const moment = fc.integer({ min: -11_644_473_600_000, max: 253_402_300_799_999 })
  fc.assert(
    fc.property(moment, at => {
      const datetime = datetimeOf(at)
      assert.equal(datetime.length, 25)
      assert.equal(millisecondsOf(datetime), at)
      assert.equal(fromXmlTime(toXmlTime(datetime)?.text ?? ''), datetime)
    }),
  )
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e12 }), length => {
      const interval = intervalOf(length)
      assert.equal(interval.length, 25)
      assert.equal(intervalMilliseconds(interval), length)
      assert.equal(fromXmlTime(toXmlTime(interval)?.text ?? ''), interval)
    }),
  )
})

test('reading a time never throws', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...Array.from('0123456789PDTHMSZ:.+-')), maxLength: 30 }), text => {
      const cim = fromXmlTime(text)
      if (cim !== undefined) assert(isDatetime(cim), text)
    }),
    { numRuns: 2000 },
  )
})
