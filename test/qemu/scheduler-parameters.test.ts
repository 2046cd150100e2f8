import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { schedulerParameters, withParameters } from '../../src/drivers/qemu/scheduler-parameters.ts'

const PLAIN = { weight: 256, capPercent: null, affinity: [1] } as const

test('weight and cap are told as control groups have them', () => {
  assert.deepEqual(schedulerParameters({ ...PLAIN, capPercent: 150 }), [
    { name: 'cpu_shares', type: 'ullong', value: 256n },
    { name: 'vcpu_period', type: 'ullong', value: 100_000n },
    { name: 'vcpu_quota', type: 'llong', value: 150_000n },
  ])
  assert.equal(schedulerParameters(PLAIN)[2]?.value, -1n)
})

test('what is told is what it is changed by, and what is not given stays', () => {
  const weights = fc.integer({ min: 1, max: 65_535 })
  const caps = fc.option(fc.integer({ min: 1, max: 1_000 }))
  fc.assert(
    fc.property(weights, caps, (weight, capPercent) => {
      const wanted = { weight, capPercent, affinity: null }
      const values = new Map(schedulerParameters(wanted).map(({ name, value }) => [name, value]))

      assert.deepEqual(withParameters({ ...PLAIN, affinity: null }, values), wanted)
      assert.deepEqual(withParameters(wanted, new Map()), wanted)
    }),
  )
  assert.equal(withParameters({ ...PLAIN, capPercent: 50 }, new Map([['vcpu_period', 50_000n]])).capPercent, 100)
  assert.equal(withParameters({ ...PLAIN, capPercent: 50 }, new Map([['vcpu_quota', -1n]])).capPercent, null)
})

test('parameters that there are not, and values that cannot be, are refused by name', () => {
  const refusals = [
    [{ emulator_quota: 1n }, /no parameter emulator_quota/],
    [{ cpu_shares: 0n }, /cpu_shares is from 1 to 65535, not 0/],
    [{ vcpu_quota: 10n }, /vcpu_quota is from 1000/],
    [{ vcpu_period: 1n }, /vcpu_period is from 1000/],
    [{ vcpu_period: 50_000n }, /a vcpu_period without a vcpu_quota is not kept/],
  ] as const
  for (const [values, message] of refusals) {
    assert.throws(() => withParameters(PLAIN, new Map(Object.entries(values))), { name: 'DriverError', message })
  }
})
