import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test, type TestContext } from 'node:test'
import { inspect } from 'node:util'
import { ApiError, type ClientOptions, type TransportError, XenApiClient } from '../../src/client/index.ts'
import { encodeFault, encodeResponse } from '../../src/wire/xmlrpc/encode.ts'
import { failure, startFake, success } from './server.ts'
import { atEnd } from '../support/at-end.ts'

const SECRET = 'a-session-that-nobody-is-to-see'

function clientOf(context: TestContext, url: string, limits: ClientOptions['limits'] = {}): XenApiClient {
  const client = new XenApiClient({ url, limits })
  client.resume(SECRET)
  atEnd(context, () => client.close())
  return client
}

test('calls in a row share one connection, and calls at once share as many as are allowed', async context => {
  const server = await startFake(context, success([]))
  const client = clientOf(context, server.url, { connections: 2 })

  for (let calls = 0; calls < 3; calls += 1) await client.VM.get_all()
  assert.equal(server.connections(), 1)
  await Promise.all(Array.from({ length: 10 }, () => client.VM.get_all()))
  assert.equal(server.connections(), 2)
})

test('the session goes first, and integers go as decimal text', async context => {
  const server = await startFake(context, success('vm'))
  const client = clientOf(context, server.url)

  await client.VM.create({ name_label: 'x', memory_static_max: 2n ** 40n, VIFs: [] })
  assert.deepEqual(server.calls, [
    { method: 'VM.create', params: [SECRET, { name_label: 'x', memory_static_max: '1099511627776', VIFs: [] }] },
  ])
})

test('a call that takes too long ends with timeout', async context => {
  const server = await startFake(context, () => {})
  const client = clientOf(context, server.url, { timeoutMs: 50 })

  await assert.rejects(client.VM.get_all(), { name: 'TransportError', kind: 'timeout' })
  await assert.rejects(client.VM.get_all({}, { timeoutMs: 1 }), { kind: 'timeout' })
})

test('a call ends with the reason of its signal, before it is sent and while it waits', async context => {
  const reason = new Error('enough')
  const abort = new AbortController()
  const server = await startFake(context, () => abort.abort(reason))
  const client = clientOf(context, server.url)

  await assert.rejects(client.VM.get_all({}, { signal: abort.signal }), reason)
  await assert.rejects(client.VM.get_all({}, { signal: abort.signal }), reason)
  assert.equal(server.calls.length, 1)
})

test('an answer that is too large is not read to its end', async context => {
  const server = await startFake(context, response => void response.end(Buffer.alloc(1024 * 1024)))
  const client = clientOf(context, server.url, { answerBytes: 1024 })

  await assert.rejects(client.VM.get_all(), { kind: 'too-large', message: /larger than 1024 bytes$/ })
})

test('what is no answer of this API is told as that', async context => {
  const answers: ReadonlyArray<readonly [string | Buffer, RegExp]> = [
    ['<html>', /VM\.get_all at http:/],
    [encodeResponse('bare', 'draft'), /no struct with a Status/],
    [encodeResponse({ Status: 'Success' }, 'draft'), /neither a Value nor an ErrorDescription/],
    [encodeResponse({ Status: 'Success', Value: 'text' }, 'draft'), /must be of type \(VM ref\) Set and is a string/],
    [encodeResponse({ Status: 'Success', Value: [1n] }, 'draft'), /must be of type VM ref and is a bigint/],
    [encodeFault(-32600, 'no such thing', 'draft'), /did not understand the call: no such thing/],
  ]
  for (const [answer, message] of answers) {
    const server = await startFake(context, response => void response.end(answer))
    await assert.rejects(clientOf(context, server.url).VM.get_all(), {
      name: 'TransportError',
      kind: 'answer',
      message,
    })
  }
})

test('an HTTP status that is no success is told with the first line of what came with it', async context => {
  const server = await startFake(
    context,
    response => void response.writeHead(503).end('Too busy.\u{1B}[2J\nTry again.'),
  )

  await assert.rejects(clientOf(context, server.url).VM.get_all(), {
    kind: 'answer',
    message: `${server.url} answers HTTP 503: Too busy. [2J`,
  })
})

test('a connection that breaks before the answer came is told as that', async context => {
  const server = await startFake(context, response => void response.socket?.destroy())

  await assert.rejects(clientOf(context, server.url).VM.start({ vm: 'x', start_paused: false }), { kind: 'broken' })
})

test('reading is tried again on a fresh connection when a kept one was closed, and changing is not', async context => {
  const answered = new Set<unknown>()
  const server = await startFake(context, (response, _, request) => {
    // The first call of a connection is answered; with the second the connection breaks.
    if (answered.has(request.socket)) request.socket.destroy()
    else success([])(response)
    answered.add(request.socket)
  })
  const client = clientOf(context, server.url)

  await client.VM.get_all()
  assert.deepEqual(await client.VM.get_all(), [])
  await assert.rejects(client.VM.delete({ self: 'x' }), { kind: 'broken' })
  assert.deepEqual(
    server.calls.map(call => call.method),
    ['VM.get_all', 'VM.get_all', 'VM.get_all', 'VM.delete'],
  )
})

test('nobody who listens, no socket, no name and no HTTP are told with what to do', async context => {
  const odd = createServer(socket => void socket.end('220 mail ready\r\n'))
  odd.listen(0, '127.0.0.1')
  await new Promise(resolve => odd.once('listening', resolve))
  atEnd(context, () => odd.close())
  const address = odd.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0

  const cases: ReadonlyArray<readonly [string, TransportError['kind'], RegExp]> = [
    [
      'http://127.0.0.1:1',
      'refused',
      /^no answer from http:\/\/127\.0\.0\.1:1: nothing listens there; start a server with "polyvisor serve"/,
    ],
    ['unix:///nowhere/xenapi.sock', 'refused', /there is no such socket/],
    [`http://127.0.0.1:${port}`, 'answer', /what came is no HTTP$/],
    [`https://127.0.0.1:${port}`, 'answer', /does not speak TLS/],
  ]
  for (const [url, kind, message] of cases) {
    await assert.rejects(clientOf(context, url).VM.get_all(), { name: 'TransportError', kind, url, message })
  }
})

test('an error of the server has its code, its parameters and their names', async context => {
  const server = await startFake(context, failure('VM_BAD_POWER_STATE', 'x', 'Halted', 'Running'))

  await assert.rejects(clientOf(context, server.url).VM.start({ vm: 'x', start_paused: false }), {
    name: 'ApiError',
    code: 'VM_BAD_POWER_STATE',
    params: ['x', 'Halted', 'Running'],
    message: 'VM_BAD_POWER_STATE: vm=x, expected=Halted, actual=Running',
  })
})

test('the bare code of the draft’s example, and a code that is not in the table, are errors too', async context => {
  const bare = await startFake(context, response => {
    response.end(encodeResponse({ Status: 'Failure', ErrorDescription: 'SESSION_AUTHENTICATION_FAILED' }, 'draft'))
  })
  const strange = await startFake(context, failure('FROM_THE_FUTURE', 'a'))

  await assert.rejects(clientOf(context, bare.url).VM.get_all(), { code: 'SESSION_AUTHENTICATION_FAILED', params: [] })
  await assert.rejects(clientOf(context, strange.url).VM.get_all(), { message: 'FROM_THE_FUTURE: 1=a' })
})

test('the session is shown by no error and by no inspection', async context => {
  const server = await startFake(context, failure('SESSION_INVALID', SECRET))
  const client = clientOf(context, server.url)
  const error: unknown = await client.VM.get_all().catch((thrown: unknown) => thrown)

  assert.ok(error instanceof ApiError)
  assert.deepEqual(error.params, ['(session)'])
  for (const shown of [inspect(error, { depth: 9 }), inspect(client, { depth: 9, showHidden: true })]) {
    assert.ok(!shown.includes(SECRET))
  }
  assert.ok(!JSON.stringify(client).includes(SECRET))
})

test('a value of the wrong type is refused before it is sent, and not repeated', async context => {
  const server = await startFake(context, success(''))
  const client = clientOf(context, server.url)
  const wrong: ReadonlyArray<readonly [string, Readonly<Record<string, unknown>>, RegExp]> = [
    ['VM.start', { vm: 'x' }, /^VM\.start: start_paused must be a boolean, not left out$/],
    ['VM.start', { vm: 'x', start_paused: 'yes' }, /must be a boolean, not a string/],
    ['VM.start', { vm: 'x', start_paused: true, force: true }, /has no argument force; it takes vm, start_paused$/],
    ['VM.set_user_version', { self: 'x', value: 1 }, /must be a bigint of 64 bits, not a number/],
    ['VM.set_user_version', { self: 'x', value: 2n ** 63n }, /must be a bigint of 64 bits/],
    ['VM.create', { power_state: 'Running' }, /^VM\.create takes no field power_state$/],
    ['VM.set_VIFs', { self: 'x', value: new Set() }, /must be an array/],
    ['VM.nonsense', {}, /^there is no method VM\.nonsense$/],
    ['Async.task.GetStatus', {}, /^there is no method Async\.task\.GetStatus$/],
  ]
  for (const [method, args, message] of wrong) {
    await assert.rejects(client.invoke(method, args), { name: 'TypeError', message })
  }
  assert.deepEqual(server.calls, [])
})

test('a URL that is none, or that holds a password, is refused without repeating the password', () => {
  for (const url of ['nothing', 'ftp://x', 'unix://host/path', 'http://ada:s3cret@x', 'unix:///%FF']) {
    assert.throws(
      () => new XenApiClient({ url }),
      (error: unknown) => error instanceof TypeError && !error.message.includes('s3cret'),
      url,
    )
  }
  assert.throws(() => new XenApiClient({ url: 'https://x', tls: { fingerprint: 'AB:CD' } }), TypeError)
})
