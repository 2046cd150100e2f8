import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { bindingsHash, serverEndPoint } from '../../../sim/hyperv/http/channel-bindings.ts'
import { run } from '../../support/command.ts'
import { makeCertificate } from './certificate.ts'
import { ForeignClient } from './foreign-client.ts'
import { envelope, listenEcho, PASSWORD, SOAP_TYPE, USER } from './listener.ts'
import { headersNamed, RawClient } from './raw-client.ts'

const ASKED = envelope('<x/>')
const MUTUAL = 'http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual'
const tls = await makeCertificate('localhost')
const client = new ForeignClient()
after(() => client[Symbol.asyncDispose]())

/** Whether a client gets in that says this of the channel: nothing, or what it should, or something else. */
async function getsIn(
  hardening: 'none' | 'relaxed' | 'strict',
  by: string,
  channel?: 'right' | 'wrong',
): Promise<boolean> {
  await using host = await listenEcho({ tls, policy: { cbtHardening: hardening } })
  const logon = { by, user: USER, password: PASSWORD, ...(channel === undefined ? {} : { channel }) }
  const { statuses } = await client.logOn(host.port, logon, true)
  return Array.isArray(statuses) && statuses.at(-1) === 200
}

for (const by of ['ntlm', 'spnego-ntlm', 'ntlm-auth']) {
  test(`${by} over TLS: what is said of the channel must be right, and be said where the host is strict`, async () => {
    assert.equal(await getsIn('relaxed', by), true)
    assert.equal(await getsIn('relaxed', by, 'right'), true)
    assert.equal(await getsIn('relaxed', by, 'wrong'), false)
    assert.equal(await getsIn('strict', by), false)
    assert.equal(await getsIn('strict', by, 'right'), true)
    assert.equal(await getsIn('strict', by, 'wrong'), false)
    assert.equal(await getsIn('none', by, 'wrong'), true)
  })
}

test('over TLS clear text is taken after NTLM, and a sealed message too', async () => {
  await using host = await listenEcho({ tls })
  await client.logOn(host.port, { by: 'ntlm', user: USER, password: PASSWORD }, true)

  const { status, type } = await client.ask('clear', { body: ASKED })

  assert.deepEqual([status, type], [200, SOAP_TYPE])
  assert.equal((await client.ask('ask', { body: ASKED }))['status'], 200)
  assert.deepEqual(
    host.requests.map(({ isSealed }) => isSealed),
    [false, true],
  )
})

test('the hash of a channel goes by the signature of the certificate', async () => {
  const der = async (hash: string) => {
    const { cert } = await makeCertificate('localhost', hash)
    return Buffer.from(cert.replaceAll(/-----[A-Z ]+-----|\s/g, ''), 'base64')
  }
  const digestBytes = (certificate: Buffer) => serverEndPoint(certificate).length - 'tls-server-end-point:'.length

  assert.equal(digestBytes(await der('SHA-256')), 32)
  assert.equal(digestBytes(await der('SHA-384')), 48)
  assert.equal(digestBytes(await der('SHA-512')), 64)
  // Computed with python3-ntlm-auth: the MD5 of its GssChannelBindingsStruct.
  assert.equal(bindingsHash(Buffer.from('tls-server-end-point:x')).toString('hex'), '940f5f81c8639abc45436f7fdd8b216d')
})

test('curl logs on with Basic over TLS, with the password of the account and no other', async () => {
  await using host = await listenEcho({ tls, policy: { basic: true } })
  const folder = mkdtempSync(join(tmpdir(), 'polyvisor-tls-'))
  const authority = join(folder, 'ca.pem')
  writeFileSync(authority, tls.cert)
  const curl = async (user: string) => {
    const url = `https://localhost:${host.port}/wsman`
    const args = [
      '-s',
      '--cacert',
      authority,
      '--config',
      '-',
      '-H',
      `Content-Type: ${SOAP_TYPE}`,
      '-w',
      '\n%{http_code}',
    ]
    const { stdout } = await run(
      'curl',
      [...args, '--data-binary', ASKED, '--connect-to', `localhost::127.0.0.1:`, url],
      `user = "${user}"\n`,
    )
    return stdout.split('\n')
  }

  const [body, status] = await curl(`${USER}:${PASSWORD}`)
  const [, refused] = await curl(`${USER}:wrong`)
  const [, unknown] = await curl(`nobody:${PASSWORD}`)
  rmSync(folder, { recursive: true })

  assert.match(body ?? '', /HYPERV1\\Administrator/)
  assert.deepEqual([status, refused, unknown], ['200', '401', '401'])
})

test('Basic in clear needs both to be allowed', async () => {
  const Authorization = `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`
  const statusOf = async (policy: { basic?: boolean; allowUnencrypted?: boolean }) => {
    await using host = await listenEcho({ policy })
    using raw = await RawClient.connect(host.port)
    return (await raw.post(ASKED, { Authorization }))?.status
  }

  assert.equal(await statusOf({ basic: true, allowUnencrypted: true }), 200)
  assert.equal(await statusOf({ basic: true }), 401)
  assert.equal(await statusOf({ allowUnencrypted: true }), 401)
})

test('a certificate counts as the account that it is mapped to, while it is valid', async () => {
  const [mine, late, other] = [
    await makeCertificate('me'),
    await makeCertificate('me', 'SHA-256', -20, -10),
    await makeCertificate('x'),
  ]
  const certificates = [mine, late].map(({ cert }) => ({ certificate: cert, account: USER }))
  await using host = await listenEcho({ tls, policy: { certificate: true }, certificates })
  const show = async (shown: { readonly cert?: string; readonly key?: string }, Authorization = MUTUAL) => {
    using raw = await RawClient.connectTls(host.port, shown)
    const reply = await raw.post(ASKED, { Authorization })
    return [reply?.status, ...headersNamed(reply, 'WWW-Authenticate')]
  }

  assert.deepEqual(await show(mine), [200])
  assert.deepEqual(
    host.requests.map(({ user }) => user),
    ['HYPERV1\\Administrator'],
  )
  for (const shown of [late, other, {}]) assert.deepEqual(await show(shown), [401, 'Negotiate', 'Kerberos'])
  assert.equal((await show(mine, 'Basic bm86Ym9keQ=='))[0], 401)
})

test('certificates are nobody’s where the host does not take them, and mappings to nobody are refused', async () => {
  const mine = await makeCertificate('me')
  const certificates = [{ certificate: mine.cert, account: USER }]
  await using host = await listenEcho({ tls, certificates })
  using raw = await RawClient.connectTls(host.port, mine)

  assert.equal((await raw.post(ASKED, { Authorization: MUTUAL }))?.status, 401)
  const open = async () =>
    (await listenEcho({ tls, certificates: [{ certificate: mine.cert, account: 'nobody' }] })).close()
  await assert.rejects(open, /no such account/)
})
