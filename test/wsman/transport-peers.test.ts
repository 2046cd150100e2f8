import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { WsmanTarget } from '../../src/protocols/wsman/target.ts'
import { PASSWORD as REALM_PASSWORD, Realm, USER } from './kerberos-realm.ts'
import { GssPeer } from './ntlm-peer.ts'
import { makeCertificate } from './tls-certificates.ts'
import { gssAcceptor, type HostOptions, PASSWORD } from './transport-host.ts'
import { failure, post, world } from './transport-world.ts'

const folder = mkdtempSync(join(tmpdir(), 'polyvisor-peers-'))
const users = join(folder, 'users')
writeFileSync(users, `DOM:alice:${PASSWORD}\n`)
after(() => rmSync(folder, { recursive: true }))

const peers: GssPeer[] = []
after(() => peers.forEach(peer => peer[Symbol.dispose]()))

/** A process that accepts by the system's GSSAPI, started before the connection that it is for. */
async function startAcceptor(mechanism: string, environment: Readonly<Record<string, string>>) {
  const peer = new GssPeer(environment)
  peers.push(peer)
  await peer.ask('start', { mechanisms: [mechanism] })
  return gssAcceptor(peer)
}

async function hostFor(
  mechanism: string,
  environment: Readonly<Record<string, string>>,
  options: HostOptions,
  target: Partial<WsmanTarget>,
) {
  const acceptor = await startAcceptor(mechanism, environment)
  return world({ ...options, acceptor: () => acceptor }, target)
}

async function converse(at: Awaited<ReturnType<typeof world>>, connections = 1): Promise<void> {
  for (const envelope of ['first', '<e/>'.repeat(5_000), 'last']) {
    assert.equal(await post(at.transport, envelope), `<Answer>${envelope}</Answer>`)
  }
  assert.equal(at.fake.sockets.length, connections)
}

describe('a host that accepts by gss-ntlmssp', () => {
  for (const negotiate of ['ntlm', 'spnego'] as const) {
    test(`hears us by ${negotiate} over http`, async () => {
      await using at = await hostFor(negotiate, { NTLM_USER_FILE: users }, {}, { negotiate })

      await converse(at)

      assert.deepEqual(at.fake.handshakes, [0, 0])
    })
  }
})

describe('a host of a Kerberos realm', () => {
  const realm = new Realm()
  before(async () => {
    await realm.start()
    Object.assign(process.env, realm.environment)
  })
  after(() => realm[Symbol.asyncDispose]())

  const environment = () => ({ ...realm.environment, KRB5_KTNAME: realm.serviceKeytab })
  const kerberos = { auth: 'kerberos', user: `POLYVISOR.TEST\\${USER}`, password: () => REALM_PASSWORD } as const

  test('hears us by Kerberos under its own name', async () => {
    await using at = await hostFor('kerberos', environment(), { scheme: 'Kerberos' }, kerberos)

    await converse(at)

    assert.match(at.fake.posted[0]?.headers['content-type'] ?? '', /application\/HTTP-Kerberos-session-encrypted/)
  })

  test('hears us by Kerberos in SPNEGO, over another connection, where it offers Negotiate alone', async () => {
    await using at = await hostFor('spnego', environment(), { scheme: 'Negotiate' }, kerberos)

    await converse(at, 2)

    assert.match(at.fake.posted[0]?.headers['content-type'] ?? '', /application\/HTTP-SPNEGO-session-encrypted/)
  })

  test('hears us over TLS, where nothing is sealed once more', async () => {
    const tls = await makeCertificate()
    const options = { scheme: 'Kerberos', tls } as const
    await using at = await hostFor('kerberos', environment(), options, { ...kerberos, noVerify: true })

    await converse(at)

    assert.equal(at.fake.posted[0]?.headers['content-type'], 'application/soap+xml;charset=UTF-8')
  })

  test('does not hear us with a wrong password, which is told as the fault of the password', async () => {
    const target = { ...kerberos, password: () => 'a wrong secret' }
    await using at = await hostFor('kerberos', environment(), { scheme: 'Kerberos' }, target)

    await assert.rejects(post(at.transport, '<Question/>'), {
      ...failure('refused', false),
      message: /^(?!.*a wrong secret).*Kerberos/,
    })
    assert.deepEqual(at.fake.handshakes, [])
  })
})
