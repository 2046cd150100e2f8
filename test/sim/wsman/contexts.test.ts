import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ManualClock } from '../../../sim/hyperv/host/clock.ts'
import { randomOf } from '../../../sim/hyperv/host/random.ts'
import { Contexts } from '../../../sim/hyperv/wsman/contexts.ts'
import { parseDuration } from '../../../sim/hyperv/wsman/duration.ts'
import { limitsOf } from '../../../sim/hyperv/wsman/limits.ts'
import { faultOf } from './replies.ts'
import { makeRequest } from './requests.ts'
import { makeWorld, USER } from './world.ts'

const enumerationOf = (user: string, length: number) => ({
  user,
  namespace: 'root\\cimv2',
  className: undefined,
  items: { length, write: () => '' },
  position: 0,
})

describe('contexts', () => {
  const make = () => {
    const clock = new ManualClock(0)
    return { clock, contexts: new Contexts(clock, randomOf('a'), limitsOf(20348)) }
  }

  test('are found in any case, by the user who has them in any case', () => {
    const { contexts } = make()
    const context = contexts.add(enumerationOf(USER, 1))

    assert.ok(contexts.find(context.toLowerCase(), USER.toUpperCase()))
    assert.equal(contexts.find(context, 'other'), undefined)
    assert.equal(contexts.countOf(USER.toLowerCase()), 1)
  })

  test('hold no more items together than a bound, and hold more once some are given back', () => {
    const { contexts } = make()
    const first = contexts.add(enumerationOf('a', 400_000))

    assert.throws(() => contexts.add(enumerationOf('b', 150_000)), { name: 'WsmanFault', fault: 'busy' })
    contexts.remove(first)
    contexts.remove(first)

    assert.ok(contexts.add(enumerationOf('b', 150_000)))
    assert.throws(() => contexts.add(enumerationOf('c', 400_000)), { fault: 'busy' })
  })

  test('give back what they hold when they expire', async () => {
    const { clock, contexts } = make()
    contexts.add(enumerationOf('a', 400_000))

    await clock.advance(240_000)

    assert.ok(contexts.add(enumerationOf('b', 400_000)))
    assert.equal(contexts.countOf('a'), 0)
  })
})

test('a name that leads to several services is ambiguous', async () => {
  const name = 'Msvm_VirtualSystemManagementService'
  const service = (Name: string) => ({
    CreationClassName: name,
    Name,
    SystemCreationClassName: 'Msvm_ComputerSystem',
    SystemName: 'x',
  })
  const world = makeWorld({ content: { [name]: [service('one'), service('two')] } })

  const fault = faultOf(await world.post(makeRequest('Get', name, { selectors: { CreationClassName: name } })))

  assert.equal(`${fault.subcode} ${fault.code} ${fault.detail}`, 'w:InvalidSelectors 2150858846 AmbiguousSelectors')
})

describe('a duration', () => {
  for (const [text, ms] of [
    ['PT60.000S', 60_000],
    ['PT60S', 60_000],
    ['PT60.0S', 60_000],
    [' PT1M30.5S ', 90_500],
    ['P1DT1H', 90_000_000],
    ['P0DT0H0M1.00417S', 1_004],
    ['PT0S', 0],
    ['P1Y', undefined],
    ['PT', undefined],
    ['P', undefined],
    ['PT1.S', undefined],
    ['-PT1S', undefined],
    ['60', undefined],
    ['', undefined],
  ] as const) {
    test(`${JSON.stringify(text)} is ${ms === undefined ? 'none' : `${ms} ms`}`, () => {
      assert.equal(parseDuration(text), ms)
    })
  }
})
