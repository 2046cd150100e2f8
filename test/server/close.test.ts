import assert from 'node:assert/strict'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect } from 'node:tls'

import { client, echo, folder, post, signal, start, statusOf } from './world.ts'

/** Of the grace that these servers are given: what is at once takes less. */
const HALF_GRACE_MS = 5_000

test('closing refuses new connections and ends idle ones at once', async context => {
  const server = await start(context)
  const [silent, idle, half] = [
    client(context, server.port),
    client(context, server.port),
    client(context, server.port),
  ]
  idle.send(post('x'))
  half.send('POST / HTTP/1.1\r\n')
  await idle.until(/x$/)
  const begun = performance.now()

  await server.close(10_000)

  await Promise.all([silent.closed, idle.closed, half.closed])
  assert.ok(performance.now() - begun < HALF_GRACE_MS)
  const [error] = await once(client(context, server.port).socket, 'error')
  assert.equal(error.code, 'ECONNREFUSED')
})

test('a running request is finished, and is the last of its connection', async context => {
  const [arrived, gate] = [signal(), signal()]
  const server = await start(context, {
    handle: async request => {
      arrived.resolve()
      await gate.promise
      return echo(request)
    },
  })
  const raw = client(context, server.port)
  raw.send(post('running') + post('waiting'))
  await arrived.promise

  const closed = server.close(10_000)
  setTimeout(gate.resolve, 50)
  await closed
  const answer = await raw.closed

  assert.equal(statusOf(answer), 200)
  assert.match(answer, /Connection: close[\s\S]*running$/)
})

test('a request that takes longer than the grace is cut off and told so', async context => {
  const [arrived, aborted] = [signal(), signal()]
  const server = await start(context, {
    handle: async request => {
      request.signal.addEventListener('abort', () => aborted.resolve())
      arrived.resolve()
      await aborted.promise
      return echo(request)
    },
  })
  const raw = client(context, server.port)
  raw.send(post('x'))
  await arrived.promise

  await server.close(50)
  await aborted.promise

  assert.equal(await raw.closed, '')
})

test('closing twice is harmless, and the shorter grace counts', async context => {
  const arrived = signal()
  const server = await start(context, {
    handle: () => {
      arrived.resolve()
      return new Promise(() => {})
    },
  })
  client(context, server.port).send(post('x'))
  await arrived.promise
  const begun = performance.now()

  await Promise.all([server.close(60_000), server.close(20)])
  await server.close(0)

  assert.ok(performance.now() - begun < HALF_GRACE_MS)
})

test('connections within TLS and before it end too', async context => {
  const server = await start(context, { urls: ['https://127.0.0.1:0'] })
  const silent = client(context, server.port)
  await once(silent.socket, 'connect')
  const idle = connect({ host: '127.0.0.1', port: server.port, rejectUnauthorized: false })
  await once(idle, 'secureConnect')
  idle.on('error', () => {})
  const begun = performance.now()

  // Not `once`, which rejects where there is an error.
  const closed = new Promise(resolve => idle.once('close', resolve))
  await Promise.all([server.close(10_000), closed, silent.closed])

  assert.ok(performance.now() - begun < HALF_GRACE_MS)
})

test('a server that cannot have one of its listeners has none', async context => {
  const taken = await start(context)
  const path = join(await folder(context), 'xenapi.sock')
  const url = `http://127.0.0.1:${taken.port}`

  await assert.rejects(start(context, { urls: [`unix://${path}`, url] }), {
    name: 'ConfigurationError',
    message: new RegExp(`cannot listen on ${url}: the port is taken`),
  })

  const [error] = await once(client(context, path).socket, 'error')
  assert.equal(error.code, 'ENOENT')
})

test('an address that is not this machine’s is refused with the way out', async context => {
  await assert.rejects(start(context, { urls: ['https://192.0.2.7:0'] }), {
    name: 'ConfigurationError',
    message: /this machine has no such address/,
  })
})
