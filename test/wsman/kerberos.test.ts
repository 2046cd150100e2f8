import assert from 'node:assert/strict'
import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { inspect } from 'node:util'
import type { AuthMechanism } from '../../src/protocols/wsman/auth-mechanism.ts'
import { Kerberos, type KerberosOptions } from '../../src/protocols/wsman/kerberos.ts'
import { Spnego } from '../../src/protocols/wsman/spnego.ts'
import { PASSWORD, REALM, Realm, USER } from './kerberos-realm.ts'
import { bytes, GssPeer, hex } from './ntlm-peer.ts'

const MALFORMED = { name: 'AuthError', failure: 'malformed' } as const
/** Bytes of a header in the pieces that Windows makes too: token, checksum and random bytes with AES. */
const AES_HEADER_BYTES = 60
const PRINCIPAL = `${USER}@${REALM}`

const realm = new Realm()
before(async () => {
  await realm.start()
  Object.assign(process.env, realm.environment)
})
after(() => realm[Symbol.asyncDispose]())

const kerberos = (options: Partial<KerberosOptions> = {}) =>
  new Kerberos({ host: 'localhost', service: 'HTTP', user: PRINCIPAL, password: () => PASSWORD, ...options })

async function startPeer(mechanism = 'kerberos', request: Readonly<Record<string, unknown>> = {}): Promise<GssPeer> {
  const peer = new GssPeer({ ...realm.environment, KRB5_KTNAME: realm.serviceKeytab })
  await peer.ask('start', { mechanisms: [mechanism], ...request })
  return peer
}

async function authenticate(peer: GssPeer, ours: AuthMechanism): Promise<void> {
  for (let token: Uint8Array | undefined = await ours.begin(); token !== undefined; ) {
    const answer = await peer.accept(token)
    token = answer && (await ours.next(answer))
  }
}

async function answerOf(peer: GssPeer, message: string) {
  const { header = '', data = '' } = await peer.ask('wrap_iov', { message: hex(Buffer.from(message)) })
  return { signature: bytes(header), data: bytes(data) }
}

async function exchange(peer: GssPeer, ours: AuthMechanism): Promise<void> {
  for (const message of ['first', 'x', 'long '.repeat(20_000), 'last']) {
    // As one token, as RFC 4121 has it, and in pieces, as Windows takes it.
    assert.equal(await peer.unwrap(await ours.seal(Buffer.from(message))), message)
    const { signature, data } = await ours.seal(Buffer.from(message))
    const taken = await peer.ask('unwrap_iov', { header: hex(signature), data: hex(data) })
    assert.equal(bytes(taken.message ?? '').toString(), message)
    assert.equal(taken.isEncrypted, true)
    assert.equal(Buffer.from(await ours.unseal(await answerOf(peer, `${message}!`))).toString(), `${message}!`)
  }
}

for (const mechanism of ['kerberos', 'spnego']) {
  test(`a service of the realm accepts us by ${mechanism}, and both read what the other seals`, async () => {
    using peer = await startPeer(mechanism)
    const ours = mechanism === 'spnego' ? new Spnego(kerberos()) : kerberos()

    await authenticate(peer, ours)

    assert.ok(ours.isComplete)
    assert.equal((await peer.ask('who')).name, PRINCIPAL)
    await exchange(peer, ours)
    ours.dispose()
  })
}

test('a message sealed in pieces has a header as long as that of Windows, and no padding', async () => {
  using peer = await startPeer()
  const ours = kerberos()
  await authenticate(peer, ours)

  const { signature, data } = await ours.seal(Buffer.from('seventeen letters'))

  assert.deepEqual([signature.length, data.length], [AES_HEADER_BYTES, 17])
  assert.ok(!Buffer.from(data).includes('letters'))
  ours.dispose()
})

test('credentials come from a file with the key of the user', async () => {
  using peer = await startPeer()
  const ours = new Kerberos({ host: 'localhost', service: 'HTTP', user: PRINCIPAL, keytab: realm.userKeytab })

  await authenticate(peer, ours)

  assert.equal((await peer.ask('who')).name, PRINCIPAL)
  ours.dispose()
})

test('a key asks the distribution centre once, however many connections it is for', async () => {
  const asked = () => readFileSync(join(realm.folder, 'kdc.log'), 'utf8').match(/AS_REQ .* ISSUE/g)?.length ?? 0
  const keytab = join(realm.folder, 'another.keytab')
  copyFileSync(realm.userKeytab, keytab)
  const before = asked()

  for (let connection = 0; connection < 3; connection++) {
    const ours = new Kerberos({ host: 'localhost', service: 'HTTP', user: PRINCIPAL, keytab })
    await ours.begin()
    ours.dispose()
  }

  assert.equal(asked() - before, 1)
})

describe('with a ticket in the cache', () => {
  before(() => realm.login())

  for (const [whose, options] of [
    ['the owner of the cache', {}],
    ['a named user', { user: PRINCIPAL }],
    ['a named cache', { cache: realm.environment['KRB5CCNAME'] ?? '' }],
  ] as const) {
    test(`credentials come from there, for ${whose}`, async () => {
      using peer = await startPeer()
      const ours = new Kerberos({ host: 'localhost', service: 'HTTP', ...options })

      await authenticate(peer, ours)

      assert.equal((await peer.ask('who')).name, PRINCIPAL)
      ours.dispose()
    })
  }
})

test('over TLS both sides must see the same channel', async () => {
  const channelBinding = Buffer.concat([Buffer.from('tls-server-end-point:'), Buffer.alloc(32, 7)])
  using peer = await startPeer('kerberos', { binding: hex(channelBinding) })
  using other = await startPeer('kerberos', { binding: hex(Buffer.from('tls-server-end-point: another')) })

  await authenticate(peer, kerberos({ channelBinding }))

  await assert.rejects(authenticate(other, kerberos({ channelBinding })))
})

test('a message that is changed, repeated, late, or in clear text is found out', async () => {
  using peer = await startPeer()
  const ours = kerberos()
  await authenticate(peer, ours)
  const [first, second, third] = [await answerOf(peer, '1'), await answerOf(peer, '2'), await answerOf(peer, '3')]
  const changed = { ...first, data: first.data.map(byte => byte ^ 1) }

  await assert.rejects(ours.unseal(changed), MALFORMED)
  assert.equal(Buffer.from(await ours.unseal(first)).toString(), '1')
  await assert.rejects(ours.unseal(first), MALFORMED)
  await assert.rejects(ours.unseal(third), MALFORMED)
  await assert.rejects(ours.unseal(second), MALFORMED)
  await assert.rejects(ours.unseal({ signature: bytes(''), data: bytes('') }), { name: 'AuthError' })
  ours.dispose()
})

test('a wrong password, an unknown user and an unknown service are refused', async () => {
  for (const options of [{ password: () => 'another' }, { user: `nobody@${REALM}` }, { service: 'NONE' }]) {
    await assert.rejects(kerberos(options).begin(), { name: 'AuthError', failure: 'refused' }, inspect(options))
  }
})

test('a realm of which no distribution centre is found is unreachable', async () => {
  await assert.rejects(kerberos({ user: 'alice@ELSEWHERE.TEST' }).begin(), {
    name: 'AuthError',
    failure: 'unreachable',
  })
})

test('a host that answers with anything else is refused', async () => {
  for (const token of [bytes('00'), bytes('6006060400000000'), Buffer.alloc(70_000, 0x60)]) {
    const ours = kerberos()
    await ours.begin()

    await assert.rejects(ours.next(token), { name: 'AuthError' })
    ours.dispose()
  }
})

test('what was let go is of no more use, and may be let go again, also while the library works', async () => {
  const ours = kerberos()
  const beginning = ours.begin()
  await nextTurn()
  ours.dispose()
  ours.dispose()

  await beginning
  await assert.rejects(ours.seal(Buffer.from('late')), { name: 'AuthError', failure: 'refused' })
})

test('the process goes on with its own work while the library waits for the network', async () => {
  let turns = 0
  const timer = setInterval(() => (turns += 1), 1)

  await Promise.all([kerberos(), kerberos(), kerberos(), kerberos()].map(ours => ours.begin()))

  clearInterval(timer)
  assert.ok(turns > 0)
})

test('the password shows neither in the object nor in its failures', async () => {
  const ours = kerberos({ password: () => 'a wrong secret' })

  const failure: unknown = await ours.begin().catch((error: unknown) => error)

  assert.ok(!(inspect(ours, { depth: 9, showHidden: true }) + inspect(failure, { depth: 9 })).includes('wrong secret'))
})
