import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { reference } from '../../src/protocols/wsman/endpoint-reference.ts'
import { TransportError, type TransportErrorKind } from '../../src/protocols/wsman/transport.ts'
import { contextOf, enumerated, faultWith, lost, pulled, type Step, scripted, V2, vm } from './client-script.ts'

const VM = reference('root/virtualization/v2', 'Msvm_ComputerSystem', { Name: 'one' })
const DONE = `<p:X_OUTPUT xmlns:p="${V2}/Msvm_ComputerSystem"><p:ReturnValue>0</p:ReturnValue></p:X_OUTPUT>`
const QUOTA = () => faultWith('w:InternalError', 0x803381a6)

/** `count` times `step`, and then `last`. */
function after(count: number, step: Step, last: Step): readonly Step[] {
  return [...Array.from({ length: count }, () => step), last]
}

const broken = (kind: TransportErrorKind, wasSent: boolean) => () => {
  throw new TransportError(kind, kind, { wasSent })
}

describe('what only reads is asked again', () => {
  test('where the connection broke, be it before or after it was sent', async () => {
    for (const wasSent of [true, false]) {
      const { client, host } = scripted(
        after(
          4,
          () => lost(wasSent),
          () => vm('one'),
        ),
      )

      assert.equal((await client.get(VM)).string('Name'), 'one')
      assert.equal(host.asked.length, 5)
      assert.equal(new Set(host.asked.map(({ messageId }) => messageId)).size, 5)
    }
  })

  test('where the host serves too many already', async () => {
    const { client, host } = scripted(after(4, QUOTA, () => vm('one')))

    assert.equal((await client.get(VM)).string('Name'), 'one')
    assert.equal(host.asked.length, 5)
  })

  test('but not for ever', async () => {
    for (const [step, error] of [
      [() => lost(true), { name: 'TransportError', kind: 'lost' }],
      [QUOTA, { name: 'WsmanFault', kind: 'quota' }],
    ] as const) {
      const { client, host } = scripted([step])

      await assert.rejects(client.get(VM), error)
      assert.equal(host.asked.length, 5)
    }
  })

  test('as often as the policy says', async () => {
    const { client, host } = scripted([() => lost(true)], { retry: { retries: 1, pauseMs: 1 } })

    await assert.rejects(client.identify(), { kind: 'lost' })
    assert.equal(host.asked.length, 2)
  })
})

describe('what is not asked again, for it would change nothing', () => {
  for (const kind of ['unreachable', 'untrusted', 'refused', 'timed-out', 'aborted', 'closed', 'garbage'] as const) {
    test(`a request that failed as ${kind}`, async () => {
      const { client, host } = scripted([broken(kind, false)])

      await assert.rejects(client.get(VM), { name: 'TransportError', kind })
      assert.equal(host.asked.length, 1)
    })
  }

  for (const [subcode, kind] of [
    ['w:AccessDenied', 'access-denied'],
    ['w:TimedOut', 'timed-out'],
    ['w:InternalError', 'internal'],
  ] as const) {
    test(`a request that was refused as ${kind}`, async () => {
      const { client, host } = scripted([() => faultWith(subcode)])

      await assert.rejects(client.get(VM), { name: 'WsmanFault', kind })
      assert.equal(host.asked.length, 1)
    })
  }

  test('a request whose answer makes no sense', async () => {
    const { client, host } = scripted([() => Buffer.from('garbage')])

    await assert.rejects(client.get(VM), { name: 'WsmanReplyError' })
    assert.equal(host.asked.length, 1)
  })
})

describe('what changes something', () => {
  test('is sent again where it did not reach the host', async () => {
    const { client, host } = scripted(
      after(
        2,
        () => lost(false),
        () => DONE,
      ),
    )

    assert.equal((await client.invoke(VM, 'X')).returnValue, 0)
    assert.equal(host.asked.length, 3)
  })

  test('is never sent again where it may have reached the host, nor where the host was busy', async () => {
    for (const step of [() => lost(true), QUOTA]) {
      const { client, host } = scripted([step])
      const calls = [
        () => client.invoke(VM, 'X'),
        () => client.put(VM, {}),
        () => client.create('Msvm_X', {}),
        () => client.delete(VM),
      ]

      for (const call of calls) await assert.rejects(call())
      assert.equal(host.asked.length, calls.length)
    }
  })
})

describe('an enumeration', () => {
  test('is pulled again where the Pull did not reach the host, or the host was busy', async () => {
    for (const step of [() => lost(false), QUOTA]) {
      const { client, host } = scripted([() => enumerated([vm('1')], 'uuid:A'), step, step, () => pulled([vm('2')])])

      assert.equal((await client.query('Msvm_X')).length, 2)
      assert.deepEqual(host.actions, ['Enumerate', 'Pull', 'Pull', 'Pull'])
      assert.deepEqual(host.asked.map(contextOf), [undefined, 'uuid:A', 'uuid:A', 'uuid:A'])
    }
  })

  test('as it comes is broken off where an answer was lost, for items would be missing', async () => {
    const { client, host } = scripted([() => enumerated([vm('1')], 'uuid:A'), () => lost(true), () => ''])
    const walk = client.enumerate('Msvm_X')

    assert.equal((await walk.next()).done, false)
    await assert.rejects(walk.next(), { name: 'TransportError', kind: 'lost' })
    await client.close()

    assert.deepEqual(host.actions, ['Enumerate', 'Pull', 'Release'])
  })

  test('as a whole is begun anew where an answer was lost, or the host has forgotten it', async () => {
    const forgotten = () => faultWith('n:InvalidEnumerationContext', 0x8033801b)
    for (const step of [() => lost(true), forgotten]) {
      const { client, host } = scripted([
        ...[1, 2, 3, 4].flatMap(() => [() => enumerated([vm('1')], 'uuid:A'), step, () => '']),
        () => enumerated([vm('1'), vm('2')]),
      ])

      assert.equal((await client.query('Msvm_X')).length, 2)
      assert.equal(host.actions.filter(action => action === 'Enumerate').length, 5)
      assert.equal(host.actions.filter(action => action === 'Release').length, 4)
    }
  })

  test('as a whole is not begun anew for ever', async () => {
    const round: readonly Step[] = [() => enumerated([vm('1')], 'uuid:A'), () => lost(true), () => '']
    const { client, host } = scripted(Array.from({ length: 10 }, () => round).flat())

    await assert.rejects(client.query('Msvm_X'), { name: 'TransportError', kind: 'lost' })
    assert.equal(host.actions.filter(action => action === 'Enumerate').length, 5)
  })

  test('that cannot be begun is not begun twice as often', async () => {
    const { client, host } = scripted([() => lost(true)])

    await assert.rejects(client.query('Msvm_X'), { name: 'TransportError', kind: 'lost' })
    assert.equal(host.asked.length, 5)
  })
})

test('whoever aborts while we wait to ask again is told so at once', async () => {
  const stop = new AbortController()
  const { client, host } = scripted([() => lost(true)], { retry: { retries: 4, pauseMs: 60_000 } })

  const asking = client.get(VM, { signal: stop.signal })
  setImmediate(() => stop.abort(new Error('enough')))

  await assert.rejects(asking, { name: 'TransportError', kind: 'aborted', wasSent: false })
  assert.equal(host.asked.length, 1)
})
