import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test, type TestContext } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { RpcClient } from '../../src/protocols/libvirt-rpc/index.ts'
import { atEnd } from '../support/at-end.ts'
import { type Authority, makeAuthority, writePki } from '../support/authority.ts'
import { ApiClient, type Session } from '../support/client.ts'
import { ScramClient } from '../support/scram-client.ts'
import { ADMIN, type Server, startServer } from '../support/server.ts'
import { printed, programNamed, refused, runTool } from './tool.ts'

const LISTENERS = [
  'libvirt+unix://FOLDER/libvirt-sock',
  'libvirt+unix://FOLDER/libvirt-sock-ro?readonly=1',
  'libvirt+tcp://127.0.0.1:0',
  'libvirt+tcp://127.0.0.1:0?auth=none',
  'libvirt+tls://127.0.0.1:0',
  'libvirt+tls://127.0.0.1:0?auth=certificate',
  'libvirt+tls://127.0.0.1:0?clients=password',
]
const ADA = { name: 'ada', password: 'pässword of ada' }
const DOMAIN = '<domain type="test"><name>made</name><memory>65536</memory><os><type>hvm</type></os></domain>'

let server: Server
let folder: string
let authority: Authority
let client: ApiClient
let root: Session

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pv-'))
  authority = await makeAuthority('authority of the test')
  const shown = await authority.issue({ name: 'server', hosts: ['localhost'] })
  await mkdir(join(folder, 'tls'), { mode: 0o700 })
  await writeFile(join(folder, 'tls', 'cert.pem'), shown.cert)
  await writeFile(join(folder, 'tls', 'key.pem'), shown.key)
  await writeFile(join(folder, 'tls', 'client-ca.pem'), authority.cert)
  const options = LISTENERS.flatMap(url => ['--listen', url.replace('FOLDER', folder)])
  server = await startServer({ data: folder, options })
  client = new ApiClient(server.unix)
  root = await client.login(ADMIN.name, ADMIN.password)
  await addUser(ADA)
})
after(async () => {
  client.close()
  const code = await server.stop()
  await rm(folder, { recursive: true, force: true })
  assert.equal(code, 0)
})

async function addUser({ name, password }: { readonly name: string; readonly password: string }): Promise<string> {
  const record = { short_name: name, fullname: '', other_config: {} }
  const ref = await root.text('user.create', record)
  await root.ok('user.change_password', ref, password)
  return ref
}

/** The ports, in the order of the listeners that have one. */
const ports = () =>
  server.urls.flatMap(({ protocol, port }) => (protocol.startsWith('libvirt+t') ? [Number(port)] : []))
const port = (index: number) => ports()[index] ?? assert.fail('no such listener')
const [SASL, OPEN, TLS, CERTIFICATE, PASSWORD] = [0, 1, 2, 3, 4]

describe('a libvirt client', () => {
  test('comes as the listener has it, and in no other way', async () => {
    const pki = async (name: string, issuer = authority, ageDays = 1) =>
      writePki(join(folder, 'pki', `${name}-${ageDays}`), authority, await issuer.issue({ name, ageDays }))
    const [ofRoot, ofEve, expired, ofStranger, none] = [
      await pki('root'),
      await pki('eve'),
      await pki('root', authority, 31),
      await pki('stranger', await makeAuthority('somebody else')),
      await writePki(join(folder, 'pki', 'none'), authority),
    ]
    const tls = (index: number, path: string) => `memory+tls://localhost:${port(index)}/lab?pkipath=${path}`
    const tcp = (index: number) => `memory+tcp://127.0.0.1:${port(index)}/lab`
    const nobody = { name: '', password: '' }
    const wrong = { name: 'ada', password: 'wrong' }
    const unknown = { name: 'mallory', password: 'wrong' }
    const names = await printed(runTool('virsh', ['-q', '-c', socket(''), 'list', '--all', '--name'], folder))
    const domains = names.split('\n').filter(name => name !== '')
    const [failed, unread] = ['authentication failed: authentication failed', 'Unable to read TLS confirmation']
    const unverified = 'server verification (of our certificate or IP address) failed'
    const cases: ReadonlyArray<readonly [object, readonly [readonly string[], boolean] | readonly [number, string]]> = [
      [{ uri: tcp(OPEN), ...nobody }, [domains, false]],
      [{ uri: tcp(SASL), ...ADA }, [45, 'No worthy mechs found']],
      [{ uri: tls(TLS, ofRoot), ...ADA }, [domains, true]],
      [{ uri: tls(TLS, ofRoot), ...wrong }, [45, failed]],
      [{ uri: tls(TLS, ofRoot), ...unknown }, [45, failed]],
      [{ uri: tls(TLS, none), ...ADA }, [38, unread]],
      // Otherwise the clients themselves do not want them.
      [{ uri: `${tls(TLS, ofStranger)}&no_sanity=1`, ...ADA }, [38, unread]],
      [{ uri: `${tls(TLS, expired)}&no_sanity=1`, ...ADA }, [38, unread]],
      [{ uri: tls(CERTIFICATE, ofRoot), ...nobody }, [domains, true]],
      [{ uri: tls(CERTIFICATE, ofEve), ...nobody }, [39, unverified]],
      [{ uri: tls(PASSWORD, none), ...ADA }, [domains, true]],
    ]

    const input = JSON.stringify(cases.map(([attempt]) => attempt))
    const { stdout, stderr } = await runTool('/usr/bin/python3', [programNamed('login.py')], folder, { input })
    const outcomes: readonly (readonly [unknown, unknown])[] = JSON.parse(stdout === '' ? assert.fail(stderr) : stdout)

    for (const [index, [attempt, expected]] of cases.entries()) {
      const [first, second] = outcomes[index] ?? []
      const said = typeof second === 'string' && String(expected[1]) !== '' && second.includes(String(expected[1]))
      assert.deepEqual([first, said ? expected[1] : second], expected, JSON.stringify(attempt))
    }
    assert.match(
      server.log(),
      /"reason":"peer did not return a certificate".*a client of libvirt did not get through TLS/,
    )
    assert.match(server.log(), /"name":"[^"]*eve[^"]*".*the common name of a client’s certificate is no user’s name/i)
  })

  test('takes the password from a file, as virsh does for scripts', async () => {
    const authFile = join(folder, 'auth.conf')
    const text = `[credentials-x]\nauthname=ada\npassword=${ADA.password}\n[auth-libvirt-localhost]\ncredentials=x\n`
    await writeFile(authFile, text, { mode: 0o600 })
    const path = await writePki(join(folder, 'pki', 'none'), authority)
    const uri = `memory+tls://localhost:${port(PASSWORD)}/lab?pkipath=${path}&authfile=${authFile}`

    assert.equal(await printed(runTool('virsh', ['-q', '-c', uri, 'hostname'], folder)), 'lab\n')
  })

  test('may only read where it opens the socket for that', async () => {
    const [name = ''] = (
      await printed(runTool('virsh', ['-q', '-c', socket('-ro'), 'list', '--all', '--name'], folder))
    ).split('\n')
    const start = await refused(runTool('virsh', ['-q', '-c', socket('-ro'), 'start', name], folder))

    assert.match(start, /operation forbidden: read only access prevents virDomainCreate/)
  })

  test('is told of a listener that lets everybody in', () => {
    assert.match(server.log(), /"url":"libvirt\+tcp:\/\/127\.0\.0\.1:0".*every user and program of this machine/)
  })

  test('waits for the byte by which a server accepts its certificate, and gets nothing before it says who it is', async context => {
    const socket = connectTls({ port: port(PASSWORD), host: '127.0.0.1', ca: authority.cert, servername: 'localhost' })
    atEnd(context, () => socket.destroy())
    const first = await new Promise<Buffer>(resolve => socket.once('data', resolve))
    const rpc = new RpcClient(socket)

    assert.deepEqual(first, Buffer.of(1))
    await assert.rejects(rpc.call('CONNECT_OPEN', { name: 'memory:///lab', flags: 0 }), {
      code: 39,
      message: 'authentication required',
    })
    await login(rpc, ADA)
    await rpc.call('CONNECT_OPEN', { name: 'memory:///lab', flags: 0 })
  })
})

describe('a user who has logged in', () => {
  test('reads and operates domains, and changes none', async context => {
    const rpc = await opened(context, ADA)
    const { domains } = await rpc.call('CONNECT_LIST_ALL_DOMAINS', { need_results: 1, flags: 0 })
    const [dom] = domains
    assert.ok(dom !== undefined)

    await rpc.call('DOMAIN_CREATE', { dom })
    await rpc.call('DOMAIN_GET_XML_DESC', { dom, flags: 0 })
    await rpc.call('DOMAIN_DESTROY', { dom })

    const denied = (name: string, right: string) => ({
      code: 88,
      domain: 55,
      message: `access denied: ${name} is for administrators (${right})`,
    })
    await assert.rejects(rpc.call('DOMAIN_DEFINE_XML', { xml: DOMAIN }), denied('virDomainDefineXML', 'domain:write'))
    await assert.rejects(
      rpc.call('DOMAIN_GET_XML_DESC', { dom, flags: 1 }),
      denied('virDomainGetXMLDesc', 'domain:read_secure'),
    )
    await assert.rejects(rpc.call('DOMAIN_SAVE', { dom, to: '/tmp/x' }), denied('virDomainSave', 'file:name'))
    const administrator = await opened(context, ADMIN)
    await administrator.call('DOMAIN_GET_XML_DESC', { dom, flags: 1 })
  })

  test('is there until the password is changed, or the user is deleted', async context => {
    const [changed, deleted] = [
      await addUser({ name: 'bob', password: 'b' }),
      await addUser({ name: 'eva', password: 'e' }),
    ]
    const ends = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const bob = await opened(context, { name: 'bob', password: 'b' }, () => ends[0]?.resolve())
    const eva = await opened(context, { name: 'eva', password: 'e' }, () => ends[1]?.resolve())
    assert.ok(bob.isOpen && eva.isOpen)

    await root.ok('user.change_password', changed, 'c')
    await root.ok('user.delete', deleted)

    await Promise.all(ends.map(end => end.promise))
    await opened(context, { name: 'bob', password: 'c' })
    await assert.rejects(opened(context, { name: 'eva', password: 'e' }), { code: 45 })
  })
})

test('a server without the authority of its clients does not start, and says the way out', async () => {
  const listening = startServer({ options: ['--listen', 'libvirt+tls://127.0.0.1:0'] })

  await assert.rejects(
    listening,
    /there is no .*client-ca\.pem .*put it there, or let passwords do with \?clients=password/,
  )
})

/** Of the Unix socket with that ending. */
const socket = (ending: string) => `memory+unix:///lab?socket=${folder}/libvirt-sock${ending}`

/** A client on plain TCP that has logged in, and opened the host. */
async function opened(
  context: TestContext,
  user: { readonly name: string; readonly password: string },
  onClose: () => void = () => undefined,
): Promise<RpcClient> {
  const to: Socket = connect(port(SASL), '127.0.0.1')
  const rpc = new RpcClient(to, { onClose })
  atEnd(context, () => rpc.close())
  await login(rpc, user)
  await rpc.call('CONNECT_OPEN', { name: 'memory:///lab', flags: 0 })
  return rpc
}

/** Logs in as libvirt's own clients do. */
async function login(rpc: RpcClient, { name, password }: { readonly name: string; readonly password: string }) {
  assert.deepEqual(await rpc.call('AUTH_LIST'), { types: [1] })
  assert.deepEqual(await rpc.call('AUTH_SASL_INIT'), { mechlist: 'SCRAM-SHA-256' })
  const scram = new ScramClient(name, password)
  const challenge = await rpc.call('AUTH_SASL_START', { mech: 'SCRAM-SHA-256', nil: 0, data: scram.first() })
  assert.equal(challenge.complete, 0)
  const last = scram.last(Buffer.from(challenge.data).toString())
  const answer = await rpc.call('AUTH_SASL_STEP', { nil: 0, data: last })
  assert.equal(answer.complete, 1)
  assert.ok(scram.trusts(Buffer.from(answer.data).toString()))
  assert.deepEqual(await rpc.call('AUTH_LIST'), { types: [0] })
}
