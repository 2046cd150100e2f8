import assert from 'node:assert/strict'
import { test } from 'node:test'

import { client, echo, post, signal, start, statusOf, text } from './world.ts'

const GIB = 1024 ** 3
/** Much longer than what is set here for a connection, and shorter than what a server has by itself. */
const IN_TIME_MS = 10_000
/** How often somebody comes again who was turned away. */
const ATTEMPTS_MAX = 1_000
const chunk = (size: number) => `${size.toString(16)}\r\n${'x'.repeat(size)}\r\n`
const CHUNKED = 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n'

test('a body of exactly the limit is taken', async context => {
  const { port } = await start(context, { limits: { bodyBytes: 1000 } })
  const raw = client(context, port)

  raw.send(post('x'.repeat(1000)))

  assert.equal(statusOf(await raw.until(/x{1000}$/)), 200)
})

test('an announced body over the limit is refused at once, and the connection closed', async context => {
  const { port } = await start(context, { handle: () => assert.fail('handled') })
  const raw = client(context, port)

  raw.send(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${GIB}\r\n\r\n`)
  const answer = await raw.closed

  assert.equal(statusOf(answer), 413)
  assert.match(answer, /Connection: close/)
})

test('a client that sends a gibibyte all the same reads why it is refused before it is cut off', async context => {
  const { port } = await start(context, { limits: { lingerMs: 300 } })
  const raw = client(context, port, true)
  const begun = performance.now()

  raw.send(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${GIB}\r\n\r\n`)
  const sender = setInterval(() => raw.send(Buffer.alloc(64 * 1024)), 1)
  const answer = await raw.closed.finally(() => clearInterval(sender))

  assert.equal(statusOf(answer), 413)
  assert.ok(performance.now() - begun < IN_TIME_MS)
  assert.ok(raw.socket.bytesWritten < GIB / 4)
})

test('a chunked body is counted as it comes', async context => {
  const { port } = await start(context, { limits: { bodyBytes: 1000 }, handle: () => assert.fail('handled') })
  const raw = client(context, port)

  raw.send(CHUNKED + chunk(600))
  raw.send(chunk(600))

  assert.equal(statusOf(await raw.closed), 413)
})

test('a chunked body within the limit is put together', async context => {
  const { port } = await start(context)
  const raw = client(context, port)

  raw.send(`${CHUNKED}${chunk(600)}`)
  raw.send(`${chunk(500)}0\r\n\r\n`)

  assert.equal(statusOf(await raw.until(/x{1100}$/)), 200)
})

test('bodies of all connections together are bounded, and the bound is free again afterwards', async context => {
  const gate = signal()
  const arrived = signal()
  const { port } = await start(context, {
    limits: { bodiesBytes: 1500 },
    handle: async request => {
      arrived.resolve()
      await gate.promise
      return echo(request)
    },
  })
  const [first, second, third] = [client(context, port), client(context, port), client(context, port)]

  first.send(post('1'.repeat(1000)))
  await arrived.promise
  second.send(post('2'.repeat(1000)))
  const refused = await second.closed
  gate.resolve()
  await first.until(/1{1000}$/)
  third.send(post('3'.repeat(1000)))

  assert.equal(statusOf(refused), 503)
  assert.match(refused, /Retry-After: 1/)
  assert.equal(statusOf(await third.until(/3{1000}$/)), 200)
})

test('100-continue is given to a body that fits and denied to one that does not', async context => {
  const { port } = await start(context)
  const [small, large, odd] = [client(context, port), client(context, port), client(context, port)]
  const headers = (length: number, expect: string) =>
    `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\nExpect: ${expect}\r\n\r\n`

  small.send(headers(5, '100-continue'))
  await small.until(/^HTTP\/1.1 100 Continue\r\n\r\n$/)
  small.send('hello')
  large.send(headers(GIB, '100-continue'))
  odd.send(headers(5, '200-maybe'))

  assert.match(await small.until(/hello$/), /200 OK/)
  assert.equal(statusOf(await large.closed), 413)
  assert.equal(statusOf(await odd.closed), 417)
})

test('headers over the limit are refused', async context => {
  const { port } = await start(context, { limits: { headerBytes: 1024 } })
  const raw = client(context, port)

  raw.send(`GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'a'.repeat(2000)}\r\n\r\n`)

  assert.equal(statusOf(await raw.closed), 431)
})

test('a client that sends its headers drop by drop is cut off in time', async context => {
  const { port } = await start(context, { limits: { headersMs: 150, requestMs: 300 } })
  const raw = client(context, port)
  const begun = performance.now()

  raw.send('POST / HTTP/1.1\r\nHost: x\r\n')
  const drip = setInterval(() => raw.send('X-A: b\r\n'), 20)
  const answer = await raw.closed.finally(() => clearInterval(drip))

  assert.equal(statusOf(answer), 408)
  assert.match(answer, /Connection: close/)
  assert.ok(performance.now() - begun < IN_TIME_MS)
})

test('a client that sends its body drop by drop is cut off in time', async context => {
  const { port } = await start(context, {
    limits: { headersMs: 150, requestMs: 200 },
    handle: () => assert.fail('handled'),
  })
  const raw = client(context, port)
  const begun = performance.now()

  raw.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n')
  const drip = setInterval(() => raw.send('x'), 20)
  const answer = await raw.closed.finally(() => clearInterval(drip))

  assert.equal(statusOf(answer), 408)
  assert.ok(performance.now() - begun < IN_TIME_MS)
})

test('a client that says nothing at all is cut off, before its first request and after it', async context => {
  const { port } = await start(context, { limits: { headersMs: 500, requestMs: 600, keepAliveMs: 50 } })
  const [silent, served] = [client(context, port), client(context, port)]

  served.send(post('x'))
  const answers = await Promise.all([silent.closed, served.closed])

  assert.equal(statusOf(answers[0]), 408)
  assert.equal(statusOf(answers[1]), 200)
})

test('a client that does not take its answer is cut off', async context => {
  const { port } = await start(context, {
    limits: { replyMs: 150 },
    handle: async () => text('x'.repeat(64 * 1024 * 1024)),
  })
  const raw = client(context, port)

  raw.send(post('x'))
  await raw.until(/200 OK/)
  raw.socket.pause()
  await new Promise(resolve => setTimeout(resolve, 400))
  raw.socket.resume()

  assert.ok((await raw.closed).length < 64 * 1024 * 1024)
})

test('connections are counted over all listeners, and one too many is closed at once', async context => {
  const urls = ['http://127.0.0.1:0', 'http://127.0.0.1:0']
  const { addresses, lines } = await start(context, { urls, limits: { connections: 2 } })
  const ports = addresses.map(({ url }) => Number(new URL(url).port))
  const [first, second] = [client(context, ports[0] ?? 0), client(context, ports[1] ?? 0)]
  first.send(post('one'))
  second.send(post('two'))
  await Promise.all([first.until(/one$/), second.until(/two$/)])

  const third = client(context, ports[0] ?? 0)
  third.send(post('three'))
  assert.equal(await third.closed, '')
  assert.match(lines[0]?.message ?? '', /too many connections/)

  first.socket.destroy()
  // The server hears of it a little later.
  let answer = ''
  for (let attempt = 0; answer === '' && attempt < ATTEMPTS_MAX; attempt++) {
    const fourth = client(context, ports[1] ?? 0)
    fourth.send(post('four', '/', 'Connection: close\r\n'))
    answer = await fourth.closed
  }
  assert.equal(statusOf(answer), 200)
})

test('requests handled at the same time are bounded, and one too many may try again', async context => {
  const gate = signal()
  const arrived = signal()
  const { port } = await start(context, {
    limits: { handled: 1 },
    handle: async request => {
      arrived.resolve()
      await gate.promise
      return echo(request)
    },
  })
  const [first, second] = [client(context, port), client(context, port)]

  first.send(post('one'))
  await arrived.promise
  second.send(post('two'))
  const refused = await second.until(/again/)
  gate.resolve()
  await first.until(/one$/)
  second.send(post('three'))

  assert.equal(statusOf(refused), 503)
  assert.match(refused, /Retry-After: 1/)
  assert.match(await second.until(/three$/), /200 OK/)
})

test('pipelined requests are handled one after another and answered in order', async context => {
  let running = 0
  const { port } = await start(context, {
    handle: async request => {
      assert.equal(running++, 0)
      await new Promise(resolve => setTimeout(resolve, 1))
      running--
      return echo(request)
    },
  })
  const raw = client(context, port)

  raw.send(Array.from({ length: 20 }, (_, index) => post(`<${index}>`)).join(''))
  const answers = await raw.until(/<19>/)

  assert.deepEqual(
    answers.match(/<\d+>/g),
    Array.from({ length: 20 }, (_, index) => `<${index}>`),
  )
})

test('a client that pipelines without end is cut off', async context => {
  const gate = signal()
  let handled = 0
  const { port } = await start(context, {
    limits: { pipelined: 10 },
    handle: async request => {
      handled++
      await gate.promise
      return echo(request)
    },
  })
  const raw = client(context, port)

  raw.send(post('x').repeat(1000))
  await raw.closed

  assert.equal(handled, 1)
  gate.resolve()
})
