import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { readPlan } from '../../../sim/hyperv/faults/plan-file.ts'
import { seededFaults } from '../../../sim/hyperv/faults/seeded.ts'
import { systemClock } from '../../../sim/hyperv/host/clock.ts'
import { randomOf } from '../../../sim/hyperv/host/random.ts'
import { enumerate } from './pulling.ts'
import { faultOf } from './replies.ts'
import { makeRequest, type RequestParts } from './requests.ts'
import { HOST, makeWorld, post, USER, VMS, type World } from './world.ts'

const VM = { CreationClassName: 'Msvm_ComputerSystem', Name: VMS[0] }
const get = (parts: RequestParts = {}): string => makeRequest('Get', 'Msvm_ComputerSystem', { selectors: VM, ...parts })
const changeState = (parts: RequestParts = {}): string =>
  makeRequest('RequestStateChange', 'Msvm_ComputerSystem', {
    selectors: VM,
    input: '<p:RequestedState>2</p:RequestedState>',
    ...parts,
  })
const timeout = (duration: string): string => `<w:OperationTimeout>${duration}</w:OperationTimeout>`

const planned = (...requests: readonly object[]) =>
  seededFaults({ plan: readPlan(JSON.stringify({ requests })), seed: 'a' })

/** What an answer is once this much time has passed on the host. */
async function after<T>(world: World, ms: number, answer: Promise<T>): Promise<T | 'nothing yet'> {
  await new Promise(resolve => setImmediate(resolve))
  await world.clock.advance(ms)
  return Promise.race([answer, delay(20).then(() => 'nothing yet' as const)])
}

describe('a plan of faults', () => {
  test('can cut the connection before anything is done', async () => {
    const world = makeWorld({ faults: planned({ method: 'RequestStateChange', nth: 1, fault: 'lost-before' }) })

    await assert.rejects(world.post(changeState()), { message: 'lost' })
    assert.equal(world.calls.length, 0)

    assert.equal((await world.post(changeState())).status, 200)
  })

  test('can cut the connection after all was done', async () => {
    const world = makeWorld({ faults: planned({ class: 'Msvm_ComputerSystem', nth: 1, fault: 'lost-after' }) })

    await assert.rejects(world.post(changeState()), { message: 'lost' })
    assert.equal(world.calls.length, 1)
  })

  test('can cut the connection instead of a fault, and hides no mistake of the host by that', async () => {
    const world = makeWorld({
      faults: planned({ fault: 'lost-after' }),
      methods: { 'Msvm_ComputerSystem.RequestStateChange': { returnValue: 0, output: { Nothing: 1 } } },
    })

    await assert.rejects(world.post(get({ selectors: {} })), { message: 'lost' })
    assert.equal(world.bugs.length, 0)
    await assert.rejects(world.post(changeState()), { message: 'lost' })
    assert.equal(world.bugs.length, 1)
  })

  test('can deny access and throttle, as the host would', async () => {
    const world = makeWorld({
      faults: planned({ operation: 'Get', fault: 'access-denied' }, { operation: 'Invoke', fault: 'throttled' }),
    })

    const denied = faultOf(await world.post(get()))
    const throttled = await world.post(changeState())

    assert.equal(`${denied.subcode} ${denied.code}`, 'w:AccessDenied 5')
    const { who, subcode, code } = faultOf(throttled)
    assert.deepEqual({ who, subcode, code }, { who: 's:Receiver', subcode: 'w:InternalError', code: 2150859174 })
    // As in both faults of this kind that were recorded.
    assert.equal(throttled.root.element('Header')?.element('RelatesTo'), undefined)
    assert.match(throttled.text, /<p:MessageID xsi:type="cim:cimString">HRESULT 0x803381a6<\/p:MessageID>/)
    assert.equal(world.calls.length, 0)
  })

  test('knows a query by the class that it selects from, and its Pulls by the same', async () => {
    const seen: unknown[] = []
    const faults = seededFaults()
    const world = makeWorld({
      faults: {
        ...faults,
        ofRequest: facts => {
          seen.push(facts)
          return undefined
        },
      },
    })

    const { context } = await enumerate(world, { wql: 'select * from msvm_keyboard' })
    await world.post(makeRequest('Pull', 'Msvm_VirtualSystemManagementService', { context }))
    await world.post(changeState())

    assert.deepEqual(seen, [
      { operation: 'Enumerate', className: 'msvm_keyboard', user: USER },
      { operation: 'Pull', className: 'msvm_keyboard', user: USER },
      { operation: 'Invoke', className: 'Msvm_ComputerSystem', method: 'RequestStateChange', user: USER },
    ])
  })

  test('can be slow for as long as the client waits, and is timed out after that', async () => {
    const faults = planned({ fault: 'slow', ms: 5_000 })
    const world = makeWorld({ faults })

    const patient = world.post(changeState())
    assert.equal(await after(world, 4_999, patient), 'nothing yet')
    assert.equal(world.calls.length, 0)
    await world.clock.advance(1)
    assert.equal((await patient).status, 200)

    const impatient = world.post(changeState({ headers: timeout('PT1.5S') }))
    await new Promise(resolve => setImmediate(resolve))
    await world.clock.advance(1_500)
    const fault = faultOf(await impatient)
    assert.equal(`${fault.who} ${fault.subcode} ${fault.code}`, 's:Receiver w:TimedOut 2150858793')
    assert.equal(world.calls.length, 1)
  })

  test('can let a Pull wait longer than other requests may, where the client waits for it', async () => {
    const world = makeWorld({ faults: planned({ operation: 'Pull', fault: 'slow', ms: 90_000 }) })
    const { context } = await enumerate(world)
    const answer = world.post(makeRequest('Pull', 'X', { context, headers: timeout('PT2M') }))

    assert.equal(await after(world, 89_999, answer), 'nothing yet')
    await world.clock.advance(1)

    assert.equal((await answer).status, 200)
  })

  test('can let a Pull wait longer than it wants to, after which it can be pulled again', async () => {
    const world = makeWorld({ faults: planned({ operation: 'Pull', nth: 1, fault: 'slow', ms: 5_000 }) })
    const { context } = await enumerate(world)
    const request = makeRequest('Pull', 'X', { context, input: '<n:MaxTime>PT1S</n:MaxTime>' })

    const first = world.post(request)
    await new Promise(resolve => setImmediate(resolve))
    await world.clock.advance(1_000)

    const fault = faultOf(await first)
    assert.equal(`${fault.subcode} ${fault.code}`, 'n:TimedOut 2150858780')
    assert.equal((await world.post(request)).status, 200)
  })
})

describe('a method that takes long', () => {
  const slow = (): { readonly world: World; readonly finish: () => void } => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const world = makeWorld({
      methods: {
        'Msvm_ComputerSystem.RequestStateChange': async () => {
          await promise
          return { returnValue: 0 }
        },
      },
    })
    return { world, finish: resolve }
  }

  for (const [what, headers, ms] of [
    ['the time that the client gives it', timeout('PT5S'), 5_000],
    ['the minute that a host gives it', '', 60_000],
    ['no more than that, whatever the client gives it', timeout('PT1H'), 60_000],
  ] as const) {
    test(`has ${what}`, async () => {
      const { world, finish } = slow()
      const answer = world.post(changeState({ headers }))

      assert.equal(await after(world, ms - 1, answer), 'nothing yet')
      await world.clock.advance(1)

      assert.equal(faultOf(await answer).subcode, 'w:TimedOut')
      finish()
    })
  }

  test('is answered when it has ended', async () => {
    const { world, finish } = slow()
    const answer = world.post(changeState())
    await after(world, 1_000, answer)

    finish()

    assert.equal((await answer).status, 200)
  })

  test('takes a slot of its user while it runs', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const world = makeWorld({
      limits: { maxOperationsPerUser: 1 },
      methods: {
        'Msvm_ComputerSystem.RequestStateChange': async () => {
          await promise
          return { returnValue: 0 }
        },
      },
    })
    const running = world.post(changeState())
    await new Promise(done => setImmediate(done))

    const refused = await world.post(get())
    const other = await world.post(get(), `${HOST}\\Other`)
    resolve()
    await running

    assert.equal(faultOf(refused).code, 2150859174)
    assert.equal(other.status, 200)
    assert.equal((await world.post(get())).status, 200)
  })

  test('is left alone when its client is gone', async () => {
    const { world, finish } = slow()
    const client = new AbortController()
    const answer = post(world.service, changeState(), USER, client.signal)
    await new Promise(resolve => setImmediate(resolve))

    client.abort()

    await assert.rejects(answer, { message: 'lost' })
    assert.equal(world.calls.length, 1)
    finish()
  })

  test('that fails after it was given up on harms nothing', async () => {
    const { promise, reject } = Promise.withResolvers<never>()
    const world = makeWorld({ methods: { 'Msvm_ComputerSystem.RequestStateChange': () => promise } })
    const answer = world.post(changeState({ headers: timeout('PT1S') }))
    await new Promise(resolve => setImmediate(resolve))
    await world.clock.advance(1_000)
    await answer

    reject(new Error('too late'))
    await delay(5)

    assert.equal((await world.post(get())).status, 200)
  })
})

describe('latency', () => {
  test('passes once for every request, on the clock of the host', async () => {
    const world = makeWorld({ latency: { ms: 10 } })

    const answer = world.post(get())

    assert.equal(await after(world, 9, answer), 'nothing yet')
    await world.clock.advance(1)
    assert.equal((await answer).status, 200)
  })

  test('varies around what is said where it has a chance', async () => {
    const times: number[] = []
    const clock = {
      ...systemClock,
      after: (ms: number, action: () => void) => {
        times.push(ms)
        return systemClock.after(0, action)
      },
    }
    const world = makeWorld({ latency: { ms: 10, chance: randomOf('a') }, clock })
    for (let index = 0; index < 50; index++) await world.post('')

    assert.ok(Math.min(...times) >= 5 && Math.max(...times) < 15)
    assert.ok(new Set(times).size > 40)
  })
})

test('every answer has a MessageID of its own', async () => {
  const world = makeWorld()
  const ids = new Set<string>()

  for (let index = 0; index < 20; index++) {
    const { root } = await world.post(get())
    ids.add(root.element('Header')?.element('MessageID')?.text() ?? '')
  }

  assert.equal(ids.size, 20)
})
