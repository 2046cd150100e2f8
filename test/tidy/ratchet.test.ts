import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compare, type Held, measure, tighten } from './ratchet.ts'
import { sourceOf } from './source.ts'

const CASTS = measure([sourceOf('src/wire/a.ts', 'a as B\nc as D'), sourceOf('src/store/a.ts', 'a as B')])
const NONE = { anys: {}, suppressions: {}, 'long functions': {}, 'undocumented exports': {} }

test('numbers that are as they are held are not complained of', () => {
  assert.deepEqual(compare({ casts: { 'src/wire': 2, 'src/store': 1 } }, CASTS), [])
})

test('a number that rises is told with every place', () => {
  const [head, ...places] = compare({ casts: { 'src/wire': 1, 'src/store': 1 } }, CASTS)

  assert.match(head ?? '', /^src\/wire: casts rose from 1 to 2/)
  assert.equal(places.length, 2)
  assert.match(places[1] ?? '', /^ {2}src\/wire\/a\.ts:2: casts to D/)
})

test('a room that is not named is held at none', () => {
  assert.match(compare({ casts: { 'src/wire': 2 } }, CASTS)[0] ?? '', /^src\/store: casts rose from 0 to 1/)
})

test('a number that falls is to be held where it is, and the way to do so is told', () => {
  const held: Held = { casts: { 'src/wire': 2, 'src/store': 1, sim: 4 } }

  assert.deepEqual(compare(held, CASTS), [
    'sim: casts fell from 4 to 0; hold it there: node test/tidy/ratchet.ts --write',
  ])
})

test('numbers are only lowered, also where one has risen', () => {
  const held: Held = { casts: { 'src/wire': 1, 'src/store': 5 } }

  assert.deepEqual(tighten(held, CASTS), { casts: { 'src/store': 1, 'src/wire': 1 }, ...NONE })
})

test('where nothing was held, the numbers are taken as they are', () => {
  assert.deepEqual(tighten(null, CASTS), { casts: { 'src/store': 1, 'src/wire': 2 }, ...NONE })
})
