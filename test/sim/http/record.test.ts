import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { record, type RecordOptions } from '../../../sim/hyperv/http/record.ts'
import type { RecordedExchange } from '../../../sim/hyperv/http/recording.ts'
import type { Listening } from '../../../sim/hyperv/http/server.ts'
import type { Target } from '../../../sim/hyperv/http/upstream.ts'
import { makeCertificate } from './certificate.ts'
import { ForeignClient } from './foreign-client.ts'
import { type EchoListener, envelope, FAULT, HOST, IDENTIFY, listenEcho, LOST, PASSWORD, USER } from './listener.ts'
import { RawClient } from './raw-client.ts'

const ASKED = envelope('<x>ü</x>')
const PROXY_PASSWORD = 'of the proxy'
const BASIC = { Authorization: `Basic ${Buffer.from(`proxy:${PROXY_PASSWORD}`).toString('base64')}` }
const SECRETS = [
  PASSWORD,
  PROXY_PASSWORD,
  Buffer.from(`${USER}:${PASSWORD}`).toString('base64'),
  BASIC.Authorization.slice(6),
]
const folder = mkdtempSync(join(tmpdir(), 'polyvisor-record-'))
const tls = await makeCertificate('127.0.0.1')
let files = 0
after(() => rmSync(folder, { recursive: true }))

/** A proxy that is closed with its test, and what it has written. */
class Recorder implements AsyncDisposable {
  readonly listening: Listening
  readonly file: string
  readonly failures: unknown[]

  constructor(listening: Listening, file: string, failures: unknown[]) {
    this.listening = listening
    this.file = file
    this.failures = failures
  }

  static async open(host: EchoListener, target: Partial<Target> = {}, listen: Partial<RecordOptions['listen']> = {}) {
    const file = join(folder, `${files++}.jsonl`)
    const failures: unknown[] = []
    const listening = await record({
      file,
      target: { url: new URL(host.url), user: USER, password: PASSWORD, scheme: 'negotiate', ...target },
      listen: {
        hostName: HOST,
        osVersion: { major: 10, minor: 0, build: 20348 },
        accounts: [{ name: 'proxy', password: PROXY_PASSWORD }],
        policy: { basic: true, allowUnencrypted: true },
        onFailure: error => failures.push(error),
        ...listen,
      },
    })
    return new Recorder(listening, file, failures)
  }

  exchanges(): RecordedExchange[] {
    const text = readFileSync(this.file, 'utf8')
    for (const secret of SECRETS) assert.ok(!text.includes(secret), 'no secret goes into the file')
    return text.split('\n').flatMap(line => (line === '' ? [] : [JSON.parse(line)]))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.listening.close()
  }
}

test('what passes to a host that wants everything sealed is written down in the clear', async () => {
  await using host = await listenEcho()
  await using recorder = await Recorder.open(host)
  using client = await RawClient.connect(recorder.listening.port)

  const replies = [await client.post(ASKED, BASIC), await client.post(FAULT, BASIC)]

  assert.deepEqual(
    replies.map(reply => reply?.status),
    [200, 500],
  )
  assert.match(String(replies[0]?.body), /<user>HYPERV1\\Administrator<\/user>.*<x>ü<\/x>/)
  const [first, second, ...others] = recorder.exchanges()
  assert.equal(others.length, 0)
  assert.equal(first?.user, 'HYPERV1\\proxy')
  assert.equal(first.request.body, ASKED)
  assert.equal(first.request.wasSealed, false)
  assert.deepEqual(
    first.request.headers.find(([name]) => name === 'Authorization'),
    ['Authorization', 'Basic (redacted)'],
  )
  assert.deepEqual([first.response?.status, first.response?.wasSealed], [200, true])
  assert.equal(first.response?.body, String(replies[0]?.body))
  assert.deepEqual(
    first.response.headers.find(([name]) => name === 'Server'),
    ['Server', 'Microsoft-HTTPAPI/2.0'],
  )
  assert.equal(second?.response?.status, 500)
  assert.ok(host.requests.every(({ isSealed, user }) => isSealed && user === 'HYPERV1\\Administrator'))
  assert.equal(statSync(recorder.file).mode & 0o777, 0o600)
  assert.deepEqual(recorder.failures, [])
})

test('clients may seal what they send to the proxy, and ask for its identity', async () => {
  await using host = await listenEcho()
  await using recorder = await Recorder.open(host, {}, { policy: {} })
  await using foreign = new ForeignClient()
  using client = await RawClient.connect(recorder.listening.port)

  await foreign.logOn(recorder.listening.port, { by: 'ntlm', user: 'proxy', password: PROXY_PASSWORD })
  const { body } = await foreign.ask('ask', { body: ASKED })
  const identified = await client.post(IDENTIFY, { WSMANIDENTIFY: 'unauthenticated' })

  assert.match(String(body), /HYPERV1\\Administrator/)
  assert.match(String(identified?.body), /<user>nobody<\/user>/)
  const [sealed, anonymous] = recorder.exchanges()
  assert.deepEqual([sealed?.request.wasSealed, sealed?.request.body], [true, ASKED])
  assert.deepEqual([anonymous?.user, anonymous?.response?.wasSealed], [null, false])
})

test('over TLS the host is logged on to by Basic, or by NTLM bound to the channel', async () => {
  await using host = await listenEcho({ tls, policy: { basic: true, cbtHardening: 'strict' } })
  const targets: Partial<Target>[] = [
    { scheme: 'basic', ca: tls.cert },
    { scheme: 'negotiate', ca: tls.cert },
    { scheme: 'basic', isUnverified: true },
  ]
  for (const target of targets) {
    await using recorder = await Recorder.open(host, target)
    using client = await RawClient.connect(recorder.listening.port)

    assert.equal((await client.post(ASKED, BASIC))?.status, 200)
    assert.equal(recorder.exchanges()[0]?.response?.wasSealed, false)
  }
})

test('a host that cannot be trusted, reached or logged on to is told at once, without secrets', async () => {
  await using host = await listenEcho({ tls, policy: { basic: true } })
  const rejects = async (target: Partial<Target>, expected: RegExp) => {
    await assert.rejects(
      async () => (await Recorder.open(host, target))[Symbol.asyncDispose](),
      error => error instanceof Error && expected.test(error.message) && !error.message.includes(PASSWORD),
    )
  }

  await rejects({ scheme: 'basic' }, /self-signed/)
  await rejects({ ca: tls.cert, password: 'wrong' }, /does not accept user and password/)
  await rejects({ ca: tls.cert, password: 'wrong', scheme: 'basic' }, /answers an Identify with 401/)
  await rejects({ url: new URL('http://127.0.0.1:1/wsman') }, /ECONNREFUSED/)
})

test('a host that breaks off is written down, and its client is cut off too; the next request finds it again', async () => {
  await using host = await listenEcho()
  await using recorder = await Recorder.open(host)
  using client = await RawClient.connect(recorder.listening.port)

  assert.equal(await client.post(LOST, BASIC), undefined)
  using later = await RawClient.connect(recorder.listening.port)
  assert.equal((await later.post(ASKED, BASIC))?.status, 200)

  const [lost, found] = recorder.exchanges()
  assert.equal(lost?.response, undefined)
  assert.equal(lost?.failure, 'socket hang up')
  assert.equal(found?.response?.status, 200)
})
