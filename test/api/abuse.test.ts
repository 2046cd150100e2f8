import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ApiClient, readAnswer } from '../support/client.ts'
import type { Reply } from '../support/http.ts'
import { ADMIN } from '../support/server.ts'
import { decodeResponse, encodeCall, encodeValue, Fault } from '../support/xml-rpc.ts'
import { escapeXml } from '../support/xml.ts'
import { AWKWARD } from './samples.ts'
import { call, NONSENSE, param } from './nonsense.ts'
import { make, startWorld } from './world.ts'

const { server, client, root } = await startWorld()
const MIB = 1024 * 1024
const BODY_MAX = 4 * MIB
/** What the server may grow by whatever it is sent: bodies and the trees they are read into. */
const GROWTH_MAX = 200 * MIB
/** The same while as many large bodies are held at once as come at once. */
const CROWD_GROWTH_MAX = 800 * MIB
/** Much shorter than what requests and connections are given. */
const SOON_MS = 10_000
const restingBytes = await server.residentBytes()

async function assertUnharmed(): Promise<void> {
  const vms = await root.list('VM.list')
  assert.ok(vms.length >= 3)
  const bytes = await server.residentBytes()
  assert.ok(bytes < restingBytes + GROWTH_MAX, `${bytes} bytes are resident, ${restingBytes} were`)
}

/** What an answer to nonsense may be: a fault, or a refusal by HTTP, and in either case a sentence that says why. */
function assertRefused({ status, body }: Reply): void {
  if (status === 200) assert.throws(() => decodeResponse(body), Fault)
  else assert.ok([400, 408, 413, 415, 431].includes(status) && body.length > 10, `${status} ${body}`)
  assert.ok(body.length < 2000, 'a bounded answer')
  assert.doesNotMatch(body, /node:internal|\.ts:\d+/)
}

describe('a body that is no call is refused in a few words, and the server goes on', () => {
  for (const [what, body] of Object.entries(NONSENSE)) {
    test(what, async () => {
      const startMs = performance.now()

      assertRefused(await client.http.post(body))

      assert.ok(performance.now() - startMs < SOON_MS)
      await assertUnharmed()
    })
  }
})

test('the file that an external entity names is not read', async () => {
  const { body } = await client.http.post(NONSENSE['an external entity'] ?? '')

  assert.doesNotMatch(body, /root:|\/bin\//)
})

test('a body announced as a gigabyte is refused before it is sent', async () => {
  const startMs = performance.now()
  const reply = await client.http.exchange(
    { method: 'POST', path: '/', headers: { 'Content-Length': String(1024 * MIB) } },
    request => request.flushHeaders(),
  )

  assert.equal(reply.status, 413)
  assert.ok(performance.now() - startMs < SOON_MS)
  await assertUnharmed()
})

test('a gigabyte streamed in chunks is refused once it is too much, and not kept', async () => {
  const chunk = Buffer.alloc(MIB, 'x')
  const flood = new ApiClient(server.http)
  let sentBytes = 0
  const reply = await flood.http.exchange(
    { method: 'POST', path: '/', headers: { 'Transfer-Encoding': 'chunked' } },
    request => {
      const pour = () => {
        let hasRoom = true
        for (; hasRoom && sentBytes < 1024 * MIB && !request.destroyed; sentBytes += chunk.length)
          hasRoom = request.write(chunk)
        if (!hasRoom) request.once('drain', pour)
        else if (!request.destroyed) request.end()
      }
      pour()
    },
  )
  flood.close()

  assert.equal(reply.status, 413)
  assert.ok(sentBytes < 256 * MIB, `${sentBytes} bytes were taken`)
  await assertUnharmed()
})

test('a body of just under 4 MiB is taken whole, one byte more is not', async () => {
  const vm = await make(root, 'VM')
  const request = (length: number) => encodeCall('VM.set_name_description', [root.ref, vm, 'x'.repeat(length)])
  const rest = request(0).length

  assert.equal((await client.http.post(request(BODY_MAX - rest))).status, 200)
  assert.equal((await root.text('VM.get_name_description', vm)).length, BODY_MAX - rest)
  assert.equal((await client.http.post(request(BODY_MAX - rest + 1))).status, 413)
  await assertUnharmed()
})

test('a hundred thousand small values in a call are read or refused, and nothing is kept of them', async () => {
  const many = Array.from({ length: 70_000 }, (_, at) => `<value>${at}</value>`).join('')
  for (let round = 0; round < 5; round++) {
    const { status } = await client.http.post(
      call(param(root.ref) + param(`<array><data>${many}</data></array>`), 'VM.set_VCPUs_features_force_on'),
    )
    assert.ok([200, 413].includes(status))
  }
  await assertUnharmed()
})

test('a compressed body and an unknown method of HTTP are refused by name', async () => {
  assert.equal((await client.http.post('x', '/', { 'Content-Encoding': 'gzip' })).status, 415)
  const reply = await client.http.exchange({ method: 'PUT', path: '/' }, request => void request.end('x'))
  assert.equal(reply.status, 405)
  await assertUnharmed()
})

test('a request line, headers and bytes that are no HTTP are answered 4xx and the connection is closed', async () => {
  const rubbish = [
    '\0\0\0\0\r\n\r\n',
    'POST\r\n\r\n',
    `GET /${'x'.repeat(100_000)} HTTP/1.1\r\n\r\n`,
    `POST / HTTP/1.1\r\nHost: x\r\n${'X: y\r\n'.repeat(20_000)}\r\n`,
  ]
  for (const bytes of rubbish) assert.match(await converse(bytes), /^HTTP\/1\.1 4\d\d /)
  await assertUnharmed()
})

/** Sends bytes as they are, and answers what comes back until the server closes the connection. */
async function converse(bytes: string): Promise<string> {
  const { http } = server
  if (http.transport === 'unix') assert.fail()
  const socket = connect(http.port, http.host)
  let said = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => void (said += chunk))
  socket.on('error', () => undefined) // A reset after the answer is the server's right.
  socket.write(bytes)
  await once(socket, 'close', { signal: AbortSignal.timeout(10_000) })
  return said
}

test('strings of every kind come back as they were sent', async () => {
  const vm = await make(root, 'VM')
  const strings = [
    AWKWARD,
    '',
    ' ',
    '\t\n\r\n',
    '\u{10ffff}\ue000',
    '&amp;&lt;',
    '<![CDATA[x]]>',
    '𝕏'.repeat(10_000),
    'true',
    '0',
    '漢字仮名交じり文',
  ]
  for (const text of strings) {
    await root.ok('VM.set_name_description', vm, text)
    assert.equal(await root.text('VM.get_name_description', vm), text)
  }
})

test('CDATA, comments, character references and processing instructions within a string are read as XML has them', async () => {
  const vm = await make(root, 'VM')
  const written = 'a<![CDATA[<b>&amp;]]>c<!-- no -->d&#x20;&#233;&lt;<?pi nothing?>e'
  const { body } = await client.http.post(
    call(param(root.ref) + param(vm) + param(`<string>${written}</string>`), 'VM.set_name_description'),
  )

  assert.equal(readAnswer(decodeResponse(body)).status, 'Success')
  assert.equal(await root.text('VM.get_name_description', vm), 'a<b>&amp;cd é<e')
})

test('a method name of any length and kind is unknown, and shown no longer than it is useful', async () => {
  for (const method of [
    'x'.repeat(1_000_000),
    `VM.${'get_'.repeat(10_000)}`,
    '😀.list',
    'VM list',
    '../VM.list',
    escapeXml('<script>'),
  ]) {
    const { status, body } = await client.http.post(call(param(root.ref), method))
    assert.equal(status, 200)
    assert.ok(body.length < 2000)
    const answer = readAnswer(decodeResponse(body))
    assert.equal(answer.status === 'Failure' && answer.error[0], 'MESSAGE_METHOD_UNKNOWN')
  }
})

test('a call without params, with empty params and with empty values is a call', async () => {
  for (const params of [
    '',
    '<params/>',
    '<params></params>',
    '<params><param><value/></param></params>',
    '<params><param><value></value></param></params>',
  ]) {
    const { body } = await client.http.post(`<methodCall><methodName>VM.list</methodName>${params}</methodCall>`)
    const answer = readAnswer(decodeResponse(body))
    const expected = params.includes('value') ? 'SESSION_INVALID' : 'MESSAGE_PARAMETER_COUNT_MISMATCH'
    assert.equal(answer.status === 'Failure' && answer.error[0], expected, params)
  }
})

test('an error never repeats more than a little of a huge argument', async () => {
  const huge = 'x'.repeat(3 * MIB)
  for (const [method, ...params] of [
    ['VM.get_uuid', huge],
    ['VM.get_by_uuid', huge],
    ['VIF.create', { MAC: huge }],
    ['host.add', huge],
    ['VM.create', { [huge]: 'x' }],
    ['VM.create', { actions_after_crash: huge }],
  ] as const) {
    const { body } = await client.http.post(encodeCall(method, [root.ref, ...params]))
    assert.ok(body.length < 2000, method)
  }
  await assertUnharmed()
})

test('structs with names that mean something to JavaScript are structs', async () => {
  for (const name of ['__proto__', 'constructor', 'toString', 'valueOf', 'then']) {
    const { body } = await client.http.post(
      call(
        param(root.ref) +
          param(
            `<struct><member><name>${name}</name><value>${encodeValue({ polluted: true })}</value></member></struct>`,
          ),
        'VM.create',
      ),
    )
    assert.deepEqual(readAnswer(decodeResponse(body)), { status: 'Failure', error: ['FIELD_UNKNOWN', 'VM', name] })
  }
})

test('10,000 calls on one connection are all answered, and leave no memory behind', async () => {
  const [vm = ''] = await root.list('VM.list')
  for (let count = 0; count < 10_000; count++) await root.ok('VM.get_power_state', vm)

  await assertUnharmed()
})

test('200 connections at once are all served, and 2,000 at once are served or closed', async () => {
  const crowd = new ApiClient(server.http, 200)
  const answers = await Promise.all(Array.from({ length: 400 }, () => crowd.call('VM.list', root.ref)))
  crowd.close()
  assert.ok(answers.every(({ status }) => status === 'Success'))

  const { http } = server
  if (http.transport === 'unix') assert.fail()
  const sockets = Array.from({ length: 2000 }, () => connect(http.port, http.host).on('error', () => undefined))
  await sleep(500)
  for (const socket of sockets) socket.destroy()
  await sleep(100)
  await assertUnharmed()
})

test('a client that sends its headers one byte at a time keeps nobody else from being served', async () => {
  const { http } = server
  if (http.transport === 'unix') assert.fail()
  const slow = Array.from({ length: 50 }, () => connect(http.port, http.host).on('error', () => undefined))
  for (const byte of 'POST / H') {
    for (const socket of slow) socket.write(byte)
    await assertUnharmed()
  }
  await client.login(ADMIN.name, ADMIN.password)
  for (const socket of slow) socket.destroy()
})

test('a client that goes away in the middle of its call leaves no trace', async () => {
  const vm = await make(root, 'VM', { name_label: 'vm-that-is-slow' })
  const fickle = new ApiClient(server.http)
  const start = fickle.call('VM.start', root.ref, vm, false)
  await sleep(100)
  fickle.close()

  await assert.rejects(start)
  await assertUnharmed()
})

// The last, for memory that was needed once is not given back at once.
test('forty calls of the largest size at once stay within a bound, and the server answers them all', async () => {
  const values = Array.from({ length: 190_000 }, (_, at) => `<value>${at}</value>`).join('')
  const body = call(param(root.ref) + param(`<array><data>${values}</data></array>`), 'VM.create')
  const crowd = new ApiClient(server.http, 40)

  const replies = await Promise.all(Array.from({ length: 40 }, () => crowd.http.post(body)))

  crowd.close()
  assert.ok(body.length > 0.9 * BODY_MAX && body.length < BODY_MAX)
  assert.ok(replies.every(({ status }) => status === 200 || status === 503))
  const bytes = await server.residentBytes()
  assert.ok(bytes < restingBytes + CROWD_GROWTH_MAX, `${bytes} bytes are resident, ${restingBytes} were`)
})
