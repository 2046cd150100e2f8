import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { likeMatcher } from '../../sim/hyperv/wql/like.ts'
import { cpuMs } from '../support/cpu-time.ts'

function isLike(text: string, pattern: string): boolean {
  return likeMatcher(pattern)(text)
}

test('a pattern has runs, single characters, sets and what stands for itself', () => {
  const cases: readonly [string, string, boolean][] = [
    ['', '', true],
    ['', '%', true],
    ['', '_', false],
    ['abc', 'abc', true],
    ['ABC', 'aBc', true],
    ['abc', 'ab', false],
    ['abc', 'ab_', true],
    ['abc', 'a%', true],
    ['abc', '%c', true],
    ['abc', '%b%', true],
    ['abc', '%d%', false],
    ['abc', '%%b%%', true],
    ['abc', 'a%b%c', true],
    ['abc', 'a%c%b', false],
    ['abbc', 'a%bc', true],
    ['cat', '[a-c]at', true],
    ['Cat', '[a-c]at', true],
    ['cat', '[A-C]at', true],
    ['rat', '[a-c]at', false],
    ['rat', '[^a-c]at', true],
    ['cat', '[^a-c]at', false],
    ['5', '[acx0-9]', true],
    ['-', '[a-]', true],
    ['a_c', 'a[_]c', true],
    ['abc', 'a[_]c', false],
    ['50%', '50[%]', true],
    ['a[c', 'a[c', true],
    ['a', '[]', false],
    ['a.c', 'a.c', true],
    ['abc', 'a.c', false],
    ['Microsoft:Definition\\G\\Maximum', 'Microsoft:Definition%Maximum', true],
    ['Microsoft:Definition\\G\\Default', '%%Default%%', true],
    ['Microsoft:Definition\\G\\Default', '%\\Default', true],
    ['漢字', '_字', true],
  ]
  for (const [text, pattern, expected] of cases) assert.equal(isLike(text, pattern), expected, `${text} ~ ${pattern}`)
})

test('a pattern means what a regular expression for it means', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 10 })
  const pattern = fc.array(fc.constantFrom('a', 'b', '%', '_', '[ab]', '[^a]', '[a-c]'), { maxLength: 7 })
  fc.assert(
    fc.property(text, pattern, (subject, parts) => {
      const expression = parts.map(part => (part === '%' ? '.*' : part === '_' ? '.' : part)).join('')
      assert.equal(isLike(subject, parts.join('')), new RegExp(`^${expression}$`).test(subject))
    }),
    { numRuns: 2000 },
  )
})

test('no pattern makes matching take long', () => {
  const started = cpuMs()

  assert.equal(isLike('a'.repeat(20_000), `${'%a'.repeat(500)}b`), false)
  assert.equal(isLike('a'.repeat(20_000), `%${'a'.repeat(900)}b`), false)
  assert.equal(isLike('a'.repeat(20_000), '%_'.repeat(500)), true)
  assert.throws(() => likeMatcher('a'.repeat(2000)), { name: 'WqlError', kind: 'limit' })

  assert(cpuMs() - started < 2000)
})
