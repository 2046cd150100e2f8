import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { getEventListeners } from 'node:events'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { failure, post, world } from './transport-world.ts'

const REQUESTS = 1_000
const AT_ONCE = 200

/** The sockets of ours that are connected while it lives, and what Node warns of. */
function watch() {
  const sockets: Socket[] = []
  const warnings: Error[] = []
  const note = (message: unknown) => {
    const isOurs = typeof message === 'object' && message !== null && 'socket' in message
    if (isOurs && message.socket instanceof Socket) sockets.push(message.socket)
  }
  const warn = (warning: Error) => warnings.push(warning)
  subscribe('net.client.socket', note)
  process.on('warning', warn)
  return {
    sockets,
    warnings,
    [Symbol.dispose]() {
      unsubscribe('net.client.socket', note)
      process.off('warning', warn)
    },
  }
}

/** How many listen to what of a socket. */
function listenersOf(socket: Socket | undefined): Record<string, number> {
  const names = socket?.eventNames().filter(name => typeof name === 'string') ?? []
  return Object.fromEntries(names.map(name => [name, socket?.listenerCount(name) ?? 0]))
}

test('a thousand posts leave no listener on their signal or their connection, and no timer', async () => {
  using seen = watch()
  const { signal } = new AbortController()
  await using at = await world()
  await post(at.transport, 'first', { signal })
  const before = { listeners: listenersOf(seen.sockets[0]), active: process.getActiveResourcesInfo().length }

  for (let request = 0; request < REQUESTS; request++) await post(at.transport, 'next', { signal })
  await nextTurn()

  const after = { listeners: listenersOf(seen.sockets[0]), active: process.getActiveResourcesInfo().length }
  assert.equal(seen.sockets.length, 1)
  assert.deepEqual(after, before)
  assert.equal(getEventListeners(signal, 'abort').length, 0)
  assert.deepEqual(seen.warnings, [])
})

test('many that wait on one signal leave no listener and no connection, be they answered, out of time or aborted', async () => {
  using seen = watch()
  const controller = new AbortController()
  const { signal } = controller
  await using at = await world({
    answer: ({ envelope }, { reply }) => (envelope === 'silence' ? undefined : reply(envelope)),
  })
  const many = (envelope: string, timeoutMs = 20_000) =>
    Promise.allSettled(Array.from({ length: AT_ONCE }, () => post(at.transport, envelope, { signal, timeoutMs })))

  const answered = await many('question')
  assert.ok(answered.every(({ status }) => status === 'fulfilled'))
  assert.equal(getEventListeners(signal, 'abort').length, 0)

  await many('silence', 100)
  assert.equal(getEventListeners(signal, 'abort').length, 0)

  const aborted = many('silence')
  controller.abort()
  await aborted
  assert.equal(getEventListeners(signal, 'abort').length, 0)
  await assert.rejects(post(at.transport, 'late', { signal }), failure('aborted', false))
  assert.ok(seen.sockets.every(({ destroyed }) => destroyed))
  assert.deepEqual(seen.warnings, [])
})
