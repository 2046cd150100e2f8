import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { WsmanClient } from '../../src/protocols/wsman/client.ts'
import { reference } from '../../src/protocols/wsman/endpoint-reference.ts'
import { failure, post, world } from './transport-world.ts'

const PROCESS = reference('root/cimv2', 'Win32_Process')
const silent = { answer: () => undefined }

test('time runs out while the host thinks, and its connection is not used again', async () => {
  let thinks = true
  await using at = await world({ answer: ({ envelope }, { reply }) => (thinks ? undefined : reply(envelope)) })

  await assert.rejects(post(at.transport, 'slow', { timeoutMs: 1_000 }), failure('timed-out', true))
  thinks = false
  assert.equal(await post(at.transport, 'quick'), 'quick')

  assert.equal(at.fake.sockets.length, 2)
})

test('time runs out while others have the connections, and nothing was sent', async () => {
  await using at = await world(silent, { connectionsMax: 1 })
  const first = post(at.transport, 'first').catch((error: unknown) => error)

  await assert.rejects(post(at.transport, 'second', { timeoutMs: 100 }), failure('timed-out', false))

  at.transport.close()
  await first
})

test('time runs out in the handshake, and nothing was sent', async () => {
  await using at = await world({ intercept: () => true })

  await assert.rejects(post(at.transport, '<Question/>', { timeoutMs: 100 }), failure('timed-out', false))
})

test('a caller who waits no more is let go, whether the host was told or not', async () => {
  await using at = await world(silent)
  const controller = new AbortController()
  const going = post(at.transport, '<Question/>', { signal: controller.signal })
  const outcome = assert.rejects(going, failure('aborted', true))
  while (at.fake.posted.length === 0) await sleep(5)

  controller.abort()

  await outcome
  await assert.rejects(post(at.transport, '', { signal: controller.signal }), failure('aborted', false))
})

test('closing ends what is under way and what waits, and is for good', async () => {
  await using at = await world(silent, { connectionsMax: 1 })
  const running = assert.rejects(post(at.transport, 'running'), failure('closed', true))
  const waiting = assert.rejects(post(at.transport, 'waiting'), failure('closed', false))
  while (at.fake.posted.length === 0) await sleep(5)

  at.transport.close()
  at.transport.close()

  await Promise.all([running, waiting])
  await assert.rejects(post(at.transport, 'late'), failure('closed', false))
})

test('closing a client ends its calls, those that wait among them, without a rejection left over', async () => {
  const left: unknown[] = []
  const note = (reason: unknown) => left.push(reason)
  process.on('unhandledRejection', note)
  await using at = await world(silent, { connectionsMax: 1 })
  const client = new WsmanClient(at.transport)
  const walk = client.enumerate('Win32_Process')
  const calls = [client.query('Win32_Process'), walk.next(), client.identify(), client.invoke(PROCESS, 'Create')]
  const ended = calls.map(call => assert.rejects(call, { name: 'TransportError', kind: 'closed' }))
  while (at.fake.posted.length === 0) await sleep(5)

  await client.close()

  await Promise.all(ended)
  await nextTurn()
  process.off('unhandledRejection', note)
  assert.deepEqual(left, [])
})

test('a place that was waited for in vain goes to the next', async () => {
  let release = () => {}
  const held = new Promise<void>(resolve => (release = resolve))
  await using at = await world(
    { answer: async ({ envelope }, { reply }) => (await held, reply(envelope)) },
    { connectionsMax: 1 },
  )
  const first = post(at.transport, '1')
  const second = assert.rejects(post(at.transport, '2', { timeoutMs: 50 }), failure('timed-out', false))
  const third = post(at.transport, '3')

  await second
  release()

  assert.deepEqual(await Promise.all([first, third]), ['1', '3'])
})
