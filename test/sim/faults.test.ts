import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { FIXTURES } from '../../sim/hyperv/faults/fixtures.ts'
import { patternOf } from '../../sim/hyperv/faults/pattern.ts'
import type { Faults, JobFacts, RequestFacts } from '../../sim/hyperv/faults/plan.ts'
import { PlanError, readPlan } from '../../sim/hyperv/faults/plan-file.ts'
import { seededFaults } from '../../sim/hyperv/faults/seeded.ts'
import { cpuMs } from '../support/cpu-time.ts'

const planned = (plan: unknown, seed = 'a'): Faults => seededFaults({ plan: readPlan(JSON.stringify(plan)), seed })

const PULL: RequestFacts = { operation: 'Pull', className: 'Msvm_ComputerSystem', user: 'HOST\\Administrator' }
const START: JobFacts = { className: 'Msvm_ConcreteJob', type: 12, target: 'web-1' }

describe('a plan of faults', () => {
  test('that is empty lets everything work, as on a real host', () => {
    const faults = planned({})

    assert.equal(faults.answers, 'real')
    assert.equal(faults.ofRequest(PULL), undefined)
    assert.equal(faults.ofJob(START), undefined)
  })

  test('tells whether calls end in their answer or in a job', () => {
    assert.equal(planned({ answers: 'async' }).answers, 'async')
    assert.equal(planned({ answers: 'sync' }).answers, 'sync')
  })

  test('matches requests by operation, class, method and user, with wildcards and in any case', () => {
    const faults = planned({
      requests: [
        { operation: 'pull', class: 'msvm_*', user: '*\\operator', fault: 'throttled' },
        { method: 'Request?tateChange', fault: 'access-denied' },
      ],
    })

    assert.equal(faults.ofRequest(PULL), undefined)
    assert.deepEqual(faults.ofRequest({ ...PULL, user: 'HOST\\Operator' }), { kind: 'throttled' })
    assert.equal(faults.ofRequest({ ...PULL, operation: 'Get', user: 'HOST\\Operator' }), undefined)
    assert.deepEqual(faults.ofRequest({ ...PULL, operation: 'Invoke', method: 'RequestStateChange' }), {
      kind: 'access-denied',
    })
  })

  test('does not match a class where the request names none', () => {
    const faults = planned({ requests: [{ class: '*', fault: 'lost-before' }] })

    assert.equal(faults.ofRequest({ operation: 'Enumerate', user: 'u' }), undefined)
    assert.deepEqual(faults.ofRequest(PULL), { kind: 'lost-before' })
  })

  test('takes effect at the nth match alone', () => {
    const faults = planned({ requests: [{ operation: 'Pull', nth: 3, fault: 'lost-after' }] })

    const kinds = [1, 2, 3, 4].map(() => faults.ofRequest(PULL)?.kind)

    assert.deepEqual(kinds, [undefined, undefined, 'lost-after', undefined])
  })

  test('takes effect no more often than its limit', () => {
    const faults = planned({ requests: [{ limit: 2, fault: 'slow', ms: 500 }] })

    const faultsMet = [1, 2, 3].map(() => faults.ofRequest(PULL))

    assert.deepEqual(faultsMet, [{ kind: 'slow', ms: 500 }, { kind: 'slow', ms: 500 }, undefined])
  })

  test('takes effect with its chance, the same for the same seed', () => {
    const run = (seed: string) => {
      const faults = planned({ requests: [{ probability: 0.3, fault: 'lost-before' }] }, seed)
      return Array.from({ length: 1000 }, () => faults.ofRequest(PULL) !== undefined)
    }

    const first = run('one')

    assert.deepEqual(run('one'), first)
    assert.notDeepEqual(run('two'), first)
    const share = first.filter(Boolean).length
    assert.ok(share > 230 && share < 370, `${share} of 1000`)
  })

  test('lets the first rule that is due decide, without counting that match for those behind it', () => {
    const faults = planned({
      requests: [
        { nth: 1, fault: 'lost-before' },
        { nth: 1, fault: 'throttled' },
      ],
    })

    const kinds = [1, 2, 3].map(() => faults.ofRequest(PULL)?.kind)

    assert.deepEqual(kinds, ['lost-before', 'throttled', undefined])
  })

  test('slows and fails jobs by class, type and target', () => {
    const faults = planned({
      jobs: [
        { class: 'Msvm_StorageJob', slowness: 5 },
        { type: 12, target: 'web-*', failure: { code: 32788, message: 'no memory' }, slowness: 2 },
      ],
    })

    assert.deepEqual(faults.ofJob({ className: 'Msvm_StorageJob', type: 1, target: 'C:\\a.vhdx' }), { slowness: 5 })
    assert.deepEqual(faults.ofJob(START), { slowness: 2, failure: { code: 32788, message: 'no memory' } })
    assert.equal(faults.ofJob({ ...START, type: 13 }), undefined)
    assert.equal(faults.ofJob({ ...START, target: 'db-1' }), undefined)
  })

  for (const [what, text, message] of [
    ['that is no JSON', '{', /not JSON/],
    ['that is no object', '[]', /the plan is not an object/],
    ['with a field that is not known', '{"job": []}', /no field job; there are answers, requests, jobs/],
    ['with a list that is none', '{"jobs": {}}', /jobs is not a list/],
    ['with an answer mode that is not known', '{"answers": "maybe"}', /answers is none of real, sync, async/],
    ['with a rule without a fault', '{"requests": [{}]}', /requests\[0\] lacks fault/],
    ['with a fault that is not known', '{"requests": [{"fault": "fire"}]}', /requests\[0\]: fault is none of/],
    ['with slowness without milliseconds', '{"requests": [{"fault": "slow"}]}', /ms goes with slow/],
    ['with milliseconds without slowness', '{"requests": [{"fault": "throttled", "ms": 1}]}', /ms goes with slow/],
    ['with a negative time', '{"requests": [{"fault": "slow", "ms": -1}]}', /ms is not a whole number from 0/],
    ['with an empty pattern', '{"requests": [{"fault": "throttled", "class": ""}]}', /class is not a text of 1 to/],
    ['with a number for a pattern', '{"requests": [{"fault": "throttled", "class": 1}]}', /class is not a text/],
    [
      'with a chance above 1',
      '{"requests": [{"fault": "throttled", "probability": 2}]}',
      /probability is not a number/,
    ],
    ['with a chance of nothing', '{"requests": [{"fault": "throttled", "probability": 0}]}', /never takes effect/],
    ['with nth and a limit', '{"requests": [{"fault": "throttled", "nth": 1, "limit": 1}]}', /limit has no meaning/],
    ['with an nth of 0', '{"requests": [{"fault": "throttled", "nth": 0}]}', /nth is not a whole number from 1/],
    ['with a job that nothing happens to', '{"jobs": [{}]}', /neither slowness nor failure/],
    ['with a failure without a code', '{"jobs": [{"failure": {}}]}', /jobs\[0\]\.failure lacks code/],
    ['with a failure that is none', '{"jobs": [{"failure": 5}]}', /jobs\[0\]\.failure is not an object/],
  ] as const) {
    test(`${what} is refused with a clear error`, () => {
      assert.throws(() => readPlan(text), { name: 'PlanError', message })
    })
  }

  test('of any kind is read or refused, and nothing else', () => {
    const rule = fc.record(
      {
        fault: fc.constantFrom('slow', 'lost-before', 'x'),
        ms: fc.oneof(fc.integer(), fc.string()),
        nth: fc.anything(),
        class: fc.oneof(fc.string(), fc.constant(null)),
      },
      { requiredKeys: [] },
    )
    const plan = fc.oneof(
      fc.json(),
      fc.record({ requests: fc.array(rule) }).map(value => JSON.stringify(value)),
    )

    fc.assert(
      fc.property(plan, text => {
        try {
          readPlan(text)
        } catch (error) {
          assert.ok(error instanceof PlanError, String(error))
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('a name that goes wrong', () => {
  test('fails what it says, and nothing else', () => {
    const faults = seededFaults()

    const failing = faults.ofJob({ ...START, target: 'vm-that-fails-to-start' })

    assert.equal(failing?.failure?.code, 32778)
    assert.match(failing?.failure?.message ?? '', /'vm-that-fails-to-start' failed to start/)
    assert.equal(faults.ofJob({ ...START, target: 'vm-that-fails-to-start', type: 3 }), undefined)
    assert.equal(faults.ofJob(START), undefined)
  })

  test('may go on, and may be in any case', () => {
    assert.ok(seededFaults().ofJob({ ...START, target: 'VM-that-fails-to-start-2' })?.failure)
  })

  test('speaks the language of the host', () => {
    const faults = seededFaults({ locale: 'ja-JP' })

    assert.match(faults.ofJob({ ...START, target: 'vm-that-fails-to-start' })?.failure?.message ?? '', /起動できません/)
  })

  test('of an image is the last part of its path', () => {
    const create = { className: 'Msvm_StorageJob', type: 1, target: 'C:\\VMs\\disk-that-fails-to-be-created.vhdx' }

    assert.match(seededFaults().ofJob(create)?.failure?.message ?? '', /C:\\VMs\\disk-that-fails-to-be-created\.vhdx/)
  })

  test('can be slow instead', () => {
    assert.deepEqual(seededFaults().ofJob({ ...START, target: 'vm-that-is-slow' }), { slowness: 20 })
  })

  test('fails also where the plan makes it slow', () => {
    const faults = planned({ jobs: [{ target: 'vm-*', slowness: 3 }] })

    const fault = faults.ofJob({ ...START, target: 'vm-that-fails-to-start' })

    assert.equal(fault?.slowness, 3)
    assert.ok(fault.failure)
  })

  test('is different from every other', () => {
    const names = FIXTURES.map(({ name }) => name)

    assert.equal(new Set(names).size, names.length)
    for (const name of names) assert.equal(names.filter(other => other.startsWith(name)).length, 1, name)
  })
})

describe('a pattern', () => {
  for (const [pattern, text, expected] of [
    ['*', '', true],
    ['a*c', 'abbbc', true],
    ['a*c', 'ABC', true],
    ['a?c', 'ac', false],
    ['*a*b*', 'xxaxxbxx', true],
    ['*a*b*', 'xxbxxaxx', false],
    ['vm-*', 'vm-', true],
    ['vm', 'vm1', false],
    ['[a]', 'a', false],
  ] as const) {
    test(`${pattern} ${expected ? 'matches' : 'does not match'} ${JSON.stringify(text)}`, () => {
      assert.equal(patternOf(pattern)(text), expected)
    })
  }

  test('made to be slow is not', () => {
    const started = cpuMs()

    assert.equal(patternOf(`${'*a'.repeat(100)}b`)('a'.repeat(100_000)), false)

    assert.ok(cpuMs() - started < 2_000)
  })
})
