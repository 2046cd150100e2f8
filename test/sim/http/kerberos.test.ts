import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { Realm, REALM, USER as ALICE } from '../../wsman/kerberos-realm.ts'
import { makeCertificate } from './certificate.ts'
import { ForeignClient } from './foreign-client.ts'
import { envelope, FAULT, listenEcho, PASSWORD, USER } from './listener.ts'
import { RawClient } from './raw-client.ts'

const ASKED = envelope('<x>ü</x>')
const ACCOUNTS = [
  { name: `${ALICE}@${REALM}`, isAdministrator: false },
  { name: USER, password: PASSWORD },
]
const realm = new Realm()
const tls = await makeCertificate('localhost')
let client: ForeignClient

before(async () => {
  await realm.start()
  realm.login()
  Object.assign(process.env, realm.environment) // The library of this process reads it as well.
  client = new ForeignClient(realm.environment)
})

after(async () => {
  await client[Symbol.asyncDispose]()
  await realm[Symbol.asyncDispose]()
})

const listenKerberos = (options: Parameters<typeof listenEcho>[0] = {}) =>
  listenEcho({ keytab: realm.serviceKeytab, accounts: ACCOUNTS, ...options })

for (const { by, protocol } of [
  { by: 'kerberos', protocol: 'Kerberos' },
  { by: 'spnego-kerberos', protocol: 'SPNEGO' },
]) {
  test(`${by}: a ticket logs on, and everything is sealed both ways, in both encodings`, async () => {
    await using host = await listenKerberos()

    assert.deepEqual(await client.logOn(host.port, { by }), { statuses: [200] })

    for (const charset of ['utf-8', 'utf-16', 'utf-8', 'utf-8']) {
      const { status, type, body } = await client.ask('ask', { body: ASKED, charset })
      assert.equal(status, 200)
      assert.match(String(type), new RegExp(`protocol="application/HTTP-${protocol}-session-encrypted"`))
      assert.match(String(body), /<user>POLYVISOR\\alice<\/user>.*<x>ü<\/x>/)
    }
    assert.equal((await client.ask('ask', { body: FAULT }))['status'], 500)
    assert.ok(host.requests.every(({ isSealed, isAdministrator }) => isSealed && !isAdministrator))
    assert.deepEqual(host.failures, [])
  })

  test(`${by}: clear text is 500; what is altered or repeated is refused, and the connection ends`, async () => {
    await using host = await listenKerberos()
    const logOn = () => client.logOn(host.port, { by })

    await logOn()
    assert.deepEqual(await client.ask('clear', { body: ASKED }), { status: 500, type: null })
    await logOn()
    assert.equal((await client.ask('ask', { body: ASKED, spoil: 3 }))['status'], 400)
    assert.equal((await client.ask('ask', { body: ASKED }))['status'], 'closed')
    await logOn()
    assert.equal((await client.ask('ask', { body: ASKED }))['status'], 200)
    assert.equal((await client.ask('repeat'))['status'], 400)
    await logOn()
    const other = protocol === 'Kerberos' ? 'SPNEGO' : 'Kerberos'
    assert.equal((await client.ask('ask', { body: ASKED, protocol: other }))['status'], 400)

    assert.equal(host.requests.length, 1)
    assert.deepEqual(host.failures, [])
  })

  test(`${by} over TLS: what is said of the channel must be right, and be said where the host is strict`, async () => {
    const getsIn = async (cbtHardening: 'none' | 'relaxed' | 'strict', channel?: string) => {
      await using host = await listenKerberos({ tls, policy: { cbtHardening } })
      const { statuses } = await client.logOn(host.port, { by, ...(channel === undefined ? {} : { channel }) }, true)
      return Array.isArray(statuses) && statuses.at(-1) === 200
    }

    assert.equal(await getsIn('relaxed'), true)
    assert.equal(await getsIn('relaxed', 'right'), true)
    assert.equal(await getsIn('relaxed', 'wrong'), false)
    assert.equal(await getsIn('strict'), false)
    assert.equal(await getsIn('strict', 'right'), true)
    assert.equal(await getsIn('none', 'wrong'), true)
  })
}

test('a ticket of somebody who has no account, or for a host without keys, is refused', async () => {
  await using stranger = await listenKerberos({ accounts: [] })
  await using keyless = await listenEcho({ accounts: ACCOUNTS })
  const refused = { statuses: [401], offers: ['Negotiate', 'Kerberos'] }

  assert.deepEqual(await client.logOn(stranger.port, { by: 'kerberos' }), refused)
  assert.deepEqual(await client.logOn(keyless.port, { by: 'kerberos' }), refused)
  assert.deepEqual(await client.logOn(keyless.port, { by: 'spnego-kerberos' }), refused)
})

test('NTLM is taken beside Kerberos, and nothing that only looks like a ticket', async () => {
  await using host = await listenKerberos()
  await using other = new ForeignClient()
  const junk = '602306092a864886f71201020201006e8202'
  const badSpnego =
    '60300606 2b0601050502 a0263024 a00d300b 06092a864886f712010202 a2130411 60 0f 06092a864886f712010202 01000000'

  assert.deepEqual(await other.logOn(host.port, { by: 'ntlm', user: USER, password: PASSWORD }), {
    statuses: [401, 200],
  })
  assert.equal((await other.ask('ask', { body: ASKED }))['status'], 200)
  for (const [scheme, token] of [
    ['Kerberos', junk],
    ['Negotiate', junk],
    ['Negotiate', badSpnego],
    ['Kerberos', badSpnego],
  ] as const) {
    using raw = await RawClient.connect(host.port)
    const Authorization = `${scheme} ${Buffer.from(token.replaceAll(' ', ''), 'hex').toString('base64')}`
    assert.equal((await raw.post('', { Authorization }))?.status, 401, `${scheme} ${token}`)
  }
  assert.deepEqual(host.failures, [])
})

test('handshakes over and over leave nothing behind', async () => {
  await using host = await listenKerberos()
  for (let count = 0; count < 30; count++) {
    assert.deepEqual(await client.logOn(host.port, { by: 'kerberos' }), { statuses: [200] })
  }
  assert.equal((await client.ask('ask', { body: ASKED }))['status'], 200)
})

test('a keytab that is not there is told at once', async () => {
  const keytab = join(realm.folder, 'nothing')

  const open = async () => (await listenKerberos({ keytab })).close()
  await assert.rejects(open, { message: `no keys of a service can be read from ${keytab}` })
})
