import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LockBusy, Locks } from '../../src/engine/locks.ts'

test('who waits for a lock too long is told so, and holds up nobody who comes later', async () => {
  const locks = new Locks()
  const { promise: end, resolve } = Promise.withResolvers<void>()
  const order: string[] = []
  const first = locks.hold('key', () => end)

  const late = locks.hold('key', () => order.push('late'), 5)
  const patient = locks.hold('key', () => order.push('patient'), 60_000)
  await assert.rejects(late, LockBusy)
  assert(locks.isHeld('key'))
  resolve()
  await Promise.all([first, patient])

  assert.deepEqual(order, ['patient'])
  assert(!locks.isHeld('key'))
  await locks.hold('key', () => order.push('again'), 5)
  assert.deepEqual(order, ['patient', 'again'])
})
