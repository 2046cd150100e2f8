import assert from 'node:assert/strict'
import { after, test } from 'node:test'

import { ForeignClient } from './foreign-client.ts'
import { envelope, FAULT, listenEcho, PASSWORD, USER } from './listener.ts'

const ASKED = envelope('<x>ü</x>')
const client = new ForeignClient()
after(() => client[Symbol.asyncDispose]())

/** Implementations that are none of ours, and how they wrap NTLM. */
const CLIENTS = [
  { name: 'gss-ntlmssp by itself', by: 'ntlm', legs: [401, 200] },
  { name: 'gss-ntlmssp in the SPNEGO of MIT Kerberos', by: 'spnego-ntlm', legs: [401, 200] },
  { name: 'ntlm_auth in SPNEGO with the list signed', by: 'ntlm-auth', legs: [401, 200] },
  { name: 'ntlm_auth in SPNEGO without signature', by: 'ntlm-auth', mic: false, legs: [401, 200] },
  {
    name: 'ntlm_auth in SPNEGO after Kerberos was offered',
    by: 'ntlm-auth',
    prefersKerberos: true,
    legs: [401, 401, 200],
  },
]

for (const { name, legs, ...how } of CLIENTS) {
  test(`${name}: logs on, and seals request after request, in both encodings`, async () => {
    await using host = await listenEcho()

    assert.deepEqual(await client.logOn(host.port, { ...how, user: USER, password: PASSWORD }), { statuses: legs })

    for (const charset of ['utf-8', 'utf-8', 'utf-16', 'utf-8']) {
      const { status, type, body } = await client.ask('ask', { body: ASKED, charset })
      assert.equal(status, 200)
      assert.match(
        String(type),
        /^multipart\/encrypted;protocol="application\/HTTP-SPNEGO-session-encrypted";boundary=/,
      )
      assert.match(String(body), /<user>HYPERV1\\Administrator<\/user>.*<x>ü<\/x>/)
    }
    assert.equal((await client.ask('ask', { body: FAULT }))['status'], 500)
    assert.ok(host.requests.every(({ isSealed, isAdministrator }) => isSealed && isAdministrator))
    assert.deepEqual(host.failures, [])
  })

  test(`${name}: is refused with another password, or as somebody whom nobody knows`, async () => {
    await using host = await listenEcho()
    const refused = { statuses: [...legs.slice(0, -1), 401], offers: ['Negotiate', 'Kerberos'] }

    assert.deepEqual(await client.logOn(host.port, { ...how, user: USER, password: 'wrong' }), refused)
    assert.deepEqual(await client.logOn(host.port, { ...how, user: 'somebody', password: PASSWORD }), refused)
    assert.equal(host.requests.length, 0)
  })

  test(`${name}: what is altered, repeated or in clear is refused, and the connection ends`, async () => {
    await using host = await listenEcho()
    const logOn = () => client.logOn(host.port, { ...how, user: USER, password: PASSWORD })

    await logOn()
    assert.equal((await client.ask('ask', { body: ASKED, spoil: 3 }))['status'], 400)
    assert.equal((await client.ask('ask', { body: ASKED }))['status'], 'closed')
    await logOn()
    assert.equal((await client.ask('ask', { body: ASKED }))['status'], 200)
    assert.equal((await client.ask('repeat'))['status'], 400)
    assert.equal((await client.ask('ask', { body: ASKED }))['status'], 'closed')
    await logOn()
    assert.deepEqual(await client.ask('clear', { body: ASKED }), { status: 401, type: null })
    await logOn()
    assert.equal((await client.ask('ask', { body: ASKED, protocol: 'Kerberos' }))['status'], 400)

    assert.equal(host.requests.length, 1)
    assert.deepEqual(host.failures, [])
  })
}

test('a client that would have liked another mechanism must sign what it had offered', async () => {
  await using host = await listenEcho()
  const logon = { by: 'ntlm-auth', user: USER, password: PASSWORD, prefersKerberos: true, mic: false }

  const refused = { statuses: [401, 401, 401], offers: ['Negotiate', 'Kerberos'] }
  assert.deepEqual(await client.logOn(host.port, logon), refused)
  assert.deepEqual(await client.logOn(host.port, { ...logon, mic: true, forgesList: true }), refused)
})

test('a message that was sealed on one connection means nothing on another', async () => {
  await using host = await listenEcho()
  const logon = { by: 'ntlm', user: USER, password: PASSWORD }
  await client.logOn(host.port, logon)
  assert.equal((await client.ask('ask', { body: ASKED }))['status'], 200)

  await client.ask('open', { port: host.port })
  assert.equal((await client.ask('repeat'))['status'], 401)
  await using other = new ForeignClient()
  await other.logOn(host.port, logon)
  assert.equal((await other.ask('ask', { body: ASKED }))['status'], 200)

  assert.equal(host.requests.length, 2)
})

test('clear text is taken after NTLM where the host allows it', async () => {
  await using host = await listenEcho({ policy: { allowUnencrypted: true } })
  await client.logOn(host.port, { by: 'ntlm', user: USER, password: PASSWORD })

  const { status, type, body } = await client.ask('clear', { body: ASKED })

  assert.deepEqual([status, type], [200, 'application/soap+xml;charset=UTF-8'])
  assert.match(String(body), /HYPERV1\\Administrator/)
  assert.equal((await client.ask('ask', { body: ASKED }))['status'], 200)
})

test('users are found under the forms of their names, and printed as Windows does', async () => {
  const accounts = [
    { name: 'Operator', password: PASSWORD, isAdministrator: false },
    { name: 'SIM\\alice', password: PASSWORD },
    { name: 'bob@sim.test', password: PASSWORD },
  ]
  await using host = await listenEcho({ accounts })
  const printed = async (user: string) => {
    const { statuses } = await client.logOn(host.port, { by: 'ntlm-auth', user, password: PASSWORD })
    if (!Array.isArray(statuses) || statuses.at(-1) !== 200) return 'refused'
    await client.ask('ask', { body: ASKED })
    return host.requests.at(-1)?.user
  }

  for (const user of ['operator', '.\\Operator', 'hyperv1\\OPERATOR', 'WORKGROUP\\operator', 'operator@hyperv1']) {
    assert.equal(await printed(user), 'HYPERV1\\Operator', user)
  }
  assert.equal(host.requests[0]?.isAdministrator, false)
  for (const user of ['SIM\\alice', 'sim.test\\Alice', 'alice@sim.test'])
    assert.equal(await printed(user), 'SIM\\alice')
  for (const user of ['SIM\\bob', 'bob@SIM.TEST']) assert.equal(await printed(user), 'SIM\\bob', user)
  for (const user of ['alice', 'SIM\\operator', 'other\\alice']) assert.equal(await printed(user), 'refused', user)
})

test('a host without Negotiate takes no NTLM', async () => {
  await using host = await listenEcho({ policy: { negotiate: false } })

  const refused = { statuses: [401], offers: ['Kerberos'] }
  assert.deepEqual(await client.logOn(host.port, { by: 'ntlm', user: USER, password: PASSWORD }), refused)
})
