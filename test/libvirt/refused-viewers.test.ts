import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RefusedViewers } from '../../src/libvirt/rpc/refused-viewers.ts'

/** Refusals of a domain, what was told of them, and a clock that is moved by hand. */
function world() {
  const told: string[] = []
  const clock = { ms: 0 }
  const warn = (_: string, details: object = {}) => void told.push(Object.values(details).join(' '))
  return { refused: new RefusedViewers('web', warn, () => clock.ms), told, clock }
}

test('of a user who may not look at a domain the operator is told once, and then how often now and then', () => {
  const { refused, told, clock } = world()

  for (let round = 0; round < 1_000; round++) refused.add(1000)
  assert.deepEqual(told, ['web 1000'])
  clock.ms = 600_000
  for (let round = 0; round < 1_000; round++) refused.add(1000)
  assert.deepEqual(told, ['web 1000', 'web 1000 1000'])
  refused.end()
  refused.end()
  assert.deepEqual(told, ['web 1000', 'web 1000 1000', 'web 1000 999'])
})

test('of however many users who may not look at a domain, a bounded number is told of', () => {
  const { refused, told } = world()

  for (let user = 1; user <= 1_000; user++) refused.add(user)
  refused.add(undefined)

  assert.equal(told.length, 33)
  assert.equal(told.at(-1), 'web others')
})
