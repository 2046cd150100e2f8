import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { ApiRequest } from '../../src/server/request.ts'
import { client, echo, post, signal, start, statusOf, text } from './world.ts'

test('a handler gets the request as it was sent, and the client its answer', async context => {
  let seen: ApiRequest | undefined
  const { addresses } = await start(context, {
    handle: async request => {
      seen = request
      return text('done', { contentType: 'text/xml', headers: { 'X-Own': '1', 'cache-control': 'max-age=1' } })
    },
  })

  const answer = await fetch(`${addresses[0]?.url}/a%20b?c=d%26&c=e`, { method: 'POST', body: 'hello' })

  assert.equal(await answer.text(), 'done')
  assert.equal(answer.headers.get('content-type'), 'text/xml')
  assert.equal(answer.headers.get('x-own'), '1')
  assert.equal(answer.headers.get('cache-control'), 'max-age=1')
  assert.equal(seen?.method, 'POST')
  assert.equal(seen.path, '/a%20b')
  assert.deepEqual(seen.query.getAll('c'), ['d&', 'e'])
  assert.equal(seen.body.toString(), 'hello')
  assert.equal(seen.dialect, '0.2')
  assert.equal(seen.transport, 'http')
  assert.equal(seen.remoteAddress, '127.0.0.1')
  assert.equal(seen.signal.aborted, false)
})

test('an answer says how it may be used and not what made it', async context => {
  const { addresses } = await start(context)

  const { headers } = await fetch(addresses[0]?.url ?? '', { method: 'POST', body: 'x' })

  assert.equal(headers.get('x-content-type-options'), 'nosniff')
  assert.equal(headers.get('cache-control'), 'no-store')
  assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'/)
  assert.equal(headers.get('server'), null)
  assert.equal(headers.get('x-powered-by'), null)
})

test('GET and HEAD have an empty body, and HEAD gets none', async context => {
  const methods: string[] = []
  const { port } = await start(context, {
    handle: async ({ method, body }) => {
      methods.push(`${method} ${body.length}`)
      return text('page')
    },
  })
  const raw = client(context, port)

  raw.send('HEAD / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  const answers = await raw.closed

  assert.deepEqual(methods, ['HEAD 0', 'GET 0'])
  assert.equal(answers.match(/Content-Length: 4/g)?.length, 2)
  assert.equal(answers.match(/page/g)?.length, 1)
})

test('the body of a GET is not read', async context => {
  const { port } = await start(context, { handle: async () => text('page') })
  const raw = client(context, port)

  raw.send('GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nabc')
  const answer = await raw.closed

  assert.equal(statusOf(answer), 200)
  assert.match(answer, /Connection: close/)
})

test('other methods are refused with those that there are', async context => {
  const { port } = await start(context)
  for (const method of ['PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
    const raw = client(context, port)

    raw.send(`${method} / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    const answer = await raw.closed

    assert.equal(statusOf(answer), 405)
    assert.match(answer, /Allow: GET, HEAD, POST\r\n/)
  }
})

test('a request that names a whole URL is served by its path', async context => {
  const { port } = await start(context, { handle: async ({ path, query }) => text(`${path}|${query.get('b')}`) })
  const raw = client(context, port)

  raw.send('GET http://example.org/a?b=c HTTP/1.1\r\nHost: x\r\n\r\n')

  assert.match(await raw.until(/\/a\|c/), /200 OK/)
})

test('what is not HTTP gets 400 and a closed connection', async context => {
  const { port } = await start(context)
  const nonsense = ['nonsense\r\n\r\n', 'GET / HTTP/1.1\r\n\r\n', post('x', '/', 'Transfer-Encoding: chunked\r\n')]
  for (const sent of [...nonsense, 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n']) {
    const raw = client(context, port)

    raw.send(sent)
    const answer = await raw.closed

    assert.equal(statusOf(answer), 400, sent)
    assert.match(answer, /Connection: close/i)
  }
})

test('a request before nonsense is still answered, and nothing after it', async context => {
  const gate = signal()
  const { port } = await start(context, {
    handle: async request => {
      await gate.promise
      return echo(request)
    },
  })
  const raw = client(context, port)

  raw.send(`${post('first')}nonsense\r\n\r\n`)
  setTimeout(gate.resolve, 50)
  const answer = await raw.closed

  assert.equal(statusOf(answer), 200)
  assert.match(answer, /Connection: close[\s\S]*first$/)
})

test('compressed bodies are refused', async context => {
  const { port } = await start(context)
  const raw = client(context, port)

  raw.send(post('x', '/', 'Content-Encoding: gzip\r\n'))

  assert.equal(statusOf(await raw.closed), 415)
})

test('a failing handler gives 500 with the id that is in the log, and no stack', async context => {
  const { addresses, lines } = await start(context, {
    handle: async () => {
      throw new Error('secret cause')
    },
  })

  const answer = await fetch(addresses[0]?.url ?? '')
  const body = await answer.text()

  assert.equal(answer.status, 500)
  assert.doesNotMatch(body, /secret cause|at /)
  const line = lines.find(({ level }) => level === 'error')
  assert.ok(body.includes(String(line?.fields['id'])))
  assert.match(String(line?.fields['err']), /secret cause/)
})

test('a reply that is no HTTP is a failure of the handler', async context => {
  const { addresses } = await start(context, { handle: async () => text('x', { headers: { 'X-Bad': 'a\r\nb' } }) })

  assert.equal((await fetch(addresses[0]?.url ?? '')).status, 500)
})

test('the signal is aborted when the client goes away before its answer', async context => {
  const arrived = signal()
  const aborted = signal()
  const { port, lines } = await start(context, {
    handle: async request => {
      request.signal.addEventListener('abort', () => aborted.resolve())
      arrived.resolve()
      await aborted.promise
      throw new Error('given up')
    },
  })
  const raw = client(context, port)

  raw.send(post('x'))
  await arrived.promise
  raw.socket.destroy()
  await aborted.promise

  assert.deepEqual(lines, [])
})

test('the signal is not aborted once the client has its answer', async context => {
  let kept: AbortSignal | undefined
  const { port } = await start(context, {
    handle: async request => {
      kept = request.signal
      return echo(request)
    },
  })
  const raw = client(context, port)

  raw.send(post('x', '/', 'Connection: close\r\n'))
  await raw.closed

  assert.equal(kept?.aborted, false)
})

test('a long call is not cut off by any of the times that bound requests', async context => {
  const { port } = await start(context, {
    limits: { headersMs: 200, requestMs: 200, keepAliveMs: 200, replyMs: 200 },
    handle: async request => {
      await new Promise(resolve => setTimeout(resolve, 600))
      return echo(request)
    },
  })
  const raw = client(context, port)

  raw.send(post('patience'))

  assert.equal(statusOf(await raw.until(/patience/)), 200)
})
