import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { TargetError, wql, type WsmanTarget } from '../../src/protocols/wsman/index.ts'
import { HYPERV_ADMIN, type SimHyperv, startSimHyperv } from '../support/sim-hyperv.ts'
import { PASSWORD as REALM_PASSWORD, Realm, REALM, USER } from '../wsman/kerberos-realm.ts'
import { makeCertificate } from '../wsman/tls-certificates.ts'
import { connect, finish, machineNamed, stateOf } from './client-world.ts'

// Our client and the simulated host share no code but the reading of XML: each way of logging on, from the command line
// of the one to the calls of the other.

const folder = mkdtempSync(join(tmpdir(), 'polyvisor-logons-'))
const file = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text, { mode: 0o600 })
  return path
}
const authority = await makeCertificate({ name: 'CN=An authority', isAuthority: true })
const server = await makeCertificate({ issuer: authority.issuer })
const [mine, another] = [await makeCertificate({ name: 'CN=me' }), await makeCertificate({ name: 'CN=another' })]
const cacert = file('authority.pem', authority.cert)
const certificate = { certFile: file('me.pem', mine.cert), keyFile: file('me.key', mine.key) }
const LISTEN = ['--listen', 'http://127.0.0.1:0', '--listen', 'https://127.0.0.1:0', '--vms', '2', '--pace', '0']
const TLS = ['--cert', file('server.pem', server.cert), '--key', file('server.key', server.key)]

const realm = new Realm()
/** In its default configuration, but that it takes Basic over TLS and a certificate. */
let host: SimHyperv
/** Of a domain, and as strict as can be. */
let member: SimHyperv

const started: SimHyperv[] = []
const start = async (...options: readonly string[]): Promise<SimHyperv> => {
  const sim = await startSimHyperv(...options)
  started.push(sim)
  return sim
}

before(async () => {
  await realm.start()
  realm.login()
  Object.assign(process.env, realm.environment)
  const strict = ['--channel-binding', 'strict', '--keytab', realm.serviceKeytab, '--user', `${USER}@${REALM}`]
  ;[host, member] = await Promise.all([
    start(...LISTEN, ...TLS, '--basic', '--client-cert', certificate.certFile),
    start(...LISTEN, ...TLS, ...strict),
  ])
})
after(async () => {
  try {
    for (const each of started) {
      assert.equal(await each.stop(), 0)
      assert.equal(each.complaints(), '')
    }
  } finally {
    await realm[Symbol.asyncDispose]() // Whatever failed: it is a process that would keep this one alive.
    rmSync(folder, { recursive: true })
  }
})

const HTTPS = { listener: 1, cacert } as const
const KERBEROS = { auth: 'kerberos', user: `${REALM}\\${USER}` } as const
const OF_DOMAIN = { user: `${USER}@${REALM}` } as const

interface Way {
  readonly name: string
  readonly target: Partial<WsmanTarget> & { readonly listener?: number }
  readonly at: () => SimHyperv
  readonly user?: string
}
const WAYS: readonly Way[] = [
  { name: 'NTLM, every message sealed', target: {}, at: () => host },
  { name: 'NTLM in SPNEGO, every message sealed', target: { negotiate: 'spnego' }, at: () => host },
  { name: 'NTLM as a user of the host itself', target: { user: '.\\administrator' }, at: () => host },
  { name: 'NTLM over TLS', target: HTTPS, at: () => host },
  { name: 'NTLM in SPNEGO over TLS', target: { ...HTTPS, negotiate: 'spnego' }, at: () => host },
  { name: 'Basic over TLS', target: { ...HTTPS, auth: 'basic' }, at: () => host },
  { name: 'Basic over TLS, whoever answers', target: { listener: 1, noVerify: true, auth: 'basic' }, at: () => host },
  { name: 'a certificate', target: { ...HTTPS, auth: 'certificate', certificate }, at: () => host },
  { name: 'NTLM as a user of a domain', target: OF_DOMAIN, at: () => member },
  { name: 'NTLM bound to its channel', target: { ...HTTPS, ...OF_DOMAIN }, at: () => member },
  {
    name: 'NTLM in SPNEGO bound to its channel',
    target: { ...HTTPS, ...OF_DOMAIN, negotiate: 'spnego' },
    at: () => member,
  },
  { name: 'Kerberos by the ticket of the cache, every message sealed', target: { auth: 'kerberos' }, at: () => member },
  {
    name: 'Kerberos by the key of the user, every message sealed',
    target: { ...KERBEROS, kerberos: { keytab: realm.userKeytab } },
    at: () => member,
  },
  {
    name: 'Kerberos by a password, every message sealed',
    target: { ...KERBEROS, password: () => REALM_PASSWORD },
    at: () => member,
  },
  { name: 'Kerberos bound to its channel', target: { ...HTTPS, auth: 'kerberos' }, at: () => member },
]

describe('a client gets in by', () => {
  for (const { name, target, at } of WAYS) {
    test(name, async () => {
      const client = connect(at(), target)

      const { productVersion } = await client.identify()
      assert.equal(productVersion, 'OS: 10.0.20348 SP: 0.0 Stack: 3.0')
      const names = (await client.query('Msvm_ComputerSystem')).map(each => each.string('ElementName') ?? '')
      assert.deepEqual(names.toSorted(), ['HVHOST', 'vm-0001', 'vm-0002'])
      const machine = await machineNamed(client, 'vm-0002')
      const wanted = (await stateOf(client, machine)) === 2 ? 3 : 2
      const job = await finish(client, await client.invoke(machine, 'RequestStateChange', { RequestedState: wanted }))

      assert.equal(job?.number('JobState'), 7)
      assert.equal(job.string('Owner'), at() === member ? `POLYVISOR\\${USER}` : `HVHOST\\${HYPERV_ADMIN.name}`)
      assert.equal(await stateOf(client, machine), wanted)
      await client.close()
    })
  }
})

describe('a client does not get in', () => {
  const refused = { name: 'TransportError', kind: 'refused', wasSent: false } as const
  const ask = async (at: SimHyperv, target: Parameters<typeof connect>[1]) => {
    const client = connect(at, target)
    try {
      await client.query(wql`SELECT Name FROM Msvm_ComputerSystem`)
    } finally {
      await client.close()
    }
  }

  test('with a wrong password, or a wrong name', async () => {
    for (const target of [{}, { negotiate: 'spnego' }, HTTPS, { ...HTTPS, auth: 'basic' }] as const) {
      await assert.rejects(ask(host, { ...target, password: () => 'wrong' }), refused)
      await assert.rejects(ask(host, { ...target, user: 'nobody' }), refused)
    }
    await assert.rejects(ask(member, { ...KERBEROS, password: () => 'wrong' }), refused)
  })

  test('with Basic in clear text, which it does not send by itself and the host does not take', async () => {
    await assert.rejects(ask(host, { auth: 'basic' }), TargetError)
    await assert.rejects(ask(host, { auth: 'basic', allowPlainBasic: true }), refused)
  })

  test('in a way that the host does not offer', async () => {
    await assert.rejects(ask(member, { ...HTTPS, auth: 'basic' }), refused)
    await assert.rejects(ask(member, { ...HTTPS, auth: 'certificate', certificate }), refused)
    await assert.rejects(ask(host, { auth: 'kerberos' }), refused)
  })

  test('with a certificate that is mapped to nobody', async () => {
    const other = { certFile: file('another.pem', another.cert), keyFile: file('another.key', another.key) }

    await assert.rejects(ask(host, { ...HTTPS, auth: 'certificate', certificate: other }), refused)
  })

  test('at a host whose certificate it does not trust', async () => {
    await assert.rejects(ask(host, { listener: 1 }), { name: 'TransportError', kind: 'untrusted', wasSent: false })
  })
})

test('who has not logged on learns that there is a host, and no more', async () => {
  const client = connect(host)

  const { osVersion, productVendor } = await client.identify({ isAnonymous: true })

  assert.deepEqual([osVersion, productVendor], [undefined, 'Microsoft Corporation'])
  await client.close()
})

test('who sits in between and passes a logon on gets in nowhere, however little the client looks at certificates', async () => {
  for (const [at, user] of [
    [host, HYPERV_ADMIN.name],
    [member, `${USER}@${REALM}`],
  ] as const) {
    const { port } = new URL(at.urls[1] ?? '')
    const between = createTlsServer({ cert: another.cert, key: another.key }, socket => {
      const onward = connectTls({ port: Number(port), host: '127.0.0.1', rejectUnauthorized: false })
      socket.pipe(onward).pipe(socket)
      for (const each of [socket, onward]) each.on('error', () => void [socket, onward].map(one => one.destroy()))
    })
    await new Promise<void>(resolve => between.listen(0, '127.0.0.1', resolve))
    const address = between.address()
    assert.ok(address !== null && typeof address !== 'string')
    const relayed = { ...at, urls: [`https://127.0.0.1:${address.port}`] }

    for (const negotiate of ['ntlm', 'spnego'] as const) {
      const client = connect(relayed, { user, negotiate, noVerify: true })
      await assert.rejects(client.query('Msvm_ComputerSystem'), { name: 'TransportError', kind: 'refused' })
      await client.close()
    }
    between.close()
  }
})
