import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:https'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { connect, type TLSSocket } from 'node:tls'

import { loadCredentials } from '../../src/server/certificate.ts'
import { startTls } from '../../src/server/tls.ts'
import { atEnd } from '../support/at-end.ts'
import { makeAuthority } from '../support/authority.ts'
import { client, folder, post, start, statusOf } from './world.ts'

const URLS = ['https://127.0.0.1:0?dialect=1']
const HOSTS = ['127.0.0.1']
const DAY_MS = 24 * 60 * 60 * 1000
const later = (days: number) => new Date(Date.now() + days * DAY_MS)

const readTls = (dataDir: string, name: string) => readFile(join(dataDir, 'tls', name), 'utf8')

/** The answer to `body`, from a client that trusts `ca` and nothing else. */
async function ask(port: number, ca: string, body: string, servername?: string): Promise<string> {
  const agent = new Agent({ ca, rejectUnauthorized: true })
  const identity = servername === undefined ? {} : { servername }
  const asked = request({ host: '127.0.0.1', port, method: 'POST', agent, ...identity })
  asked.end(body)
  const [answer] = await once(asked, 'response')
  let text = ''
  for await (const chunk of answer) text += String(chunk)
  agent.destroy()
  return text
}

function shake(context: TestContext, port: number, options: object = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options }, () => {
      resolve(socket)
    })
    socket.once('error', reject)
    atEnd(context, () => socket.destroy())
  })
}

test('a client that is given the certificate may insist on it, by address and by name', async context => {
  const { port, dataDir } = await start(context, { urls: URLS })
  const ca = await readTls(dataDir, 'self-signed.crt')

  assert.equal(await ask(port, ca, 'by address'), 'by address')
  assert.equal(await ask(port, ca, 'localhost', 'localhost'), 'localhost')
  assert.equal(await ask(port, ca, 'host name', hostname()), 'host name')
  await assert.rejects(ask(port, ca, 'x', 'example.org'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
})

test('the certificate is P-256, names the machine, counts for a year, and its fingerprint is logged', async context => {
  const { dataDir, lines } = await start(context, { urls: ['https://127.0.0.1:0', 'https://127.0.0.9:0'] })
  const certificate = new X509Certificate(await readTls(dataDir, 'self-signed.crt'))

  for (const address of ['127.0.0.1', '127.0.0.9', '::1']) assert.ok(certificate.checkIP(address), address)
  for (const name of ['localhost', hostname()]) assert.ok(certificate.checkHost(name), name)
  assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1')
  assert.equal(certificate.ca, false)
  assert.ok(new Date(certificate.validTo) > later(365))
  assert.deepEqual(
    lines.map(({ fields }) => fields['fingerprint']),
    [certificate.fingerprint256],
  )
})

test('the key is its owner’s alone, and no half-written file is left', async context => {
  const { dataDir } = await start(context, { urls: URLS })

  assert.deepEqual(await readdir(join(dataDir, 'tls')), ['self-signed.crt', 'self-signed.pem'])
  assert.equal((await stat(join(dataDir, 'tls'))).mode & 0o777, 0o700)
  assert.equal((await stat(join(dataDir, 'tls', 'self-signed.pem'))).mode & 0o777, 0o600)
  assert.doesNotMatch(await readTls(dataDir, 'self-signed.crt'), /PRIVATE/)
})

test('the certificate is kept while it counts and made anew when it soon will not', async context => {
  const dataDir = await folder(context)
  const first = await loadCredentials(dataDir, HOSTS, new Date())

  const kept = await loadCredentials(dataDir, HOSTS, later(300))
  const renewed = await loadCredentials(dataDir, HOSTS, later(370))
  const again = await loadCredentials(dataDir, HOSTS, later(400))

  assert.deepEqual([first.origin, kept.origin, renewed.origin, again.origin], ['made', 'kept', 'made', 'kept'])
  assert.equal(kept.fingerprint, first.fingerprint)
  assert.notEqual(renewed.fingerprint, first.fingerprint)
  assert.equal(again.fingerprint, renewed.fingerprint)
})

test('the certificate is made anew for an address that it does not name, and not for all addresses', async context => {
  const dataDir = await folder(context)
  await loadCredentials(dataDir, HOSTS, new Date())

  assert.equal((await loadCredentials(dataDir, ['0.0.0.0'], new Date())).origin, 'kept')
  assert.equal((await loadCredentials(dataDir, ['192.0.2.7'], new Date())).origin, 'made')
  assert.equal((await loadCredentials(dataDir, ['192.0.2.7'], new Date())).origin, 'kept')
})

test('a certificate of ours that cannot be read is made anew', async context => {
  const dataDir = await folder(context)
  await loadCredentials(dataDir, HOSTS, new Date())
  await writeFile(join(dataDir, 'tls', 'self-signed.pem'), 'torn')

  assert.equal((await loadCredentials(dataDir, HOSTS, new Date())).origin, 'made')
})

test('the operator’s certificate is used as it is, expired or not', async context => {
  const [made, given] = [await folder(context), await folder(context)]
  const { key, cert } = await loadCredentials(made, ['192.0.2.7'], later(-400))
  await loadCredentials(given, HOSTS, new Date())
  await writeFile(join(given, 'tls', 'key.pem'), key)
  await writeFile(join(given, 'tls', 'cert.pem'), cert)

  const { port, lines } = await start(context, { urls: URLS, dataDir: given })
  const socket = await shake(context, port)

  assert.equal(socket.getPeerCertificate().fingerprint256, new X509Certificate(cert).fingerprint256)
  assert.equal(await readTls(given, 'cert.pem'), cert)
  assert.match(lines[0]?.message ?? '', /has expired/)
})

test('half of an operator’s certificate, or one with another’s key, is refused with the files', async context => {
  const [one, other] = [await folder(context), await folder(context)]
  const first = await loadCredentials(one, HOSTS, new Date())
  const second = await loadCredentials(other, HOSTS, new Date())
  const load = () => loadCredentials(one, HOSTS, new Date())

  await writeFile(join(one, 'tls', 'cert.pem'), first.cert)
  await assert.rejects(load(), { name: 'ConfigurationError', message: /cert\.pem but no .*key\.pem/ })
  await writeFile(join(one, 'tls', 'key.pem'), second.key)
  await assert.rejects(load(), { name: 'ConfigurationError', message: /key\.pem is not the key of .*cert\.pem/ })
  await writeFile(join(one, 'tls', 'key.pem'), 'nonsense')
  await assert.rejects(load(), { name: 'ConfigurationError', message: /cannot be read/ })
})

test('a running server shows a changed certificate without a new start', async context => {
  const [dataDir, elsewhere] = [await folder(context), await folder(context)]
  const { key, cert, fingerprint } = await loadCredentials(elsewhere, HOSTS, new Date())
  const changed = Promise.withResolvers<void>()
  // Half of what is changed may be looked at before, which is said to be wrong.
  const tell = (fields: object) => void (Reflect.get(fields, 'fingerprint') === fingerprint && changed.resolve())
  const tls = await startTls(dataDir, HOSTS, { info: tell, warn: tell, error: tell }, 20)
  atEnd(context, () => tls.stop())
  const server = tls.createServer({})
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve))
  atEnd(context, () => server.close())
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)

  await writeFile(join(dataDir, 'tls', 'key.pem'), key)
  await writeFile(join(dataDir, 'tls', 'cert.pem'), cert)
  await changed.promise
  const socket = await shake(context, address.port)

  assert.equal(socket.getPeerCertificate().fingerprint256, fingerprint)
})

test('a server that asks clients for certificates asks on when its own has changed', async context => {
  const [dataDir, elsewhere] = [await folder(context), await folder(context)]
  const authority = await makeAuthority('clients')
  const own = await authority.issue({ name: 'ada' })
  const { key, cert, fingerprint } = await loadCredentials(elsewhere, HOSTS, new Date())
  const changed = Promise.withResolvers<void>()
  // Half of what is changed may be looked at before, which is said to be wrong.
  const tell = (fields: object) => void (Reflect.get(fields, 'fingerprint') === fingerprint && changed.resolve())
  const tls = await startTls(dataDir, HOSTS, { info: tell, warn: tell, error: tell }, 20)
  atEnd(context, () => tls.stop())
  const asking = { ca: authority.cert, requestCert: true, rejectUnauthorized: true }
  const server = tls.createTlsServer(asking, socket => socket.end('in'))
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve))
  atEnd(context, () => server.close())
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  const maxVersion = 'TLSv1.2' // In which a server says at once that it does not want a client.

  await writeFile(join(dataDir, 'tls', 'key.pem'), key)
  await writeFile(join(dataDir, 'tls', 'cert.pem'), cert)
  await changed.promise

  const socket = await shake(context, address.port, { maxVersion, ...own })
  assert.equal(socket.getPeerCertificate().fingerprint256, fingerprint)
  await assert.rejects(shake(context, address.port, { maxVersion }))
})

test('TLS below 1.2 is refused', async context => {
  const { port } = await start(context, { urls: URLS })
  const ciphers = 'DEFAULT@SECLEVEL=0'

  await assert.rejects(shake(context, port, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers }))
  assert.equal((await shake(context, port, { maxVersion: 'TLSv1.2' })).getProtocol(), 'TLSv1.2')
  assert.equal((await shake(context, port)).getProtocol(), 'TLSv1.3')
})

test('a client that does not shake hands is cut off in time, and plain HTTP is not answered', async context => {
  const { port } = await start(context, { urls: URLS, limits: { headersMs: 150 } })
  const [silent, plain] = [client(context, port), client(context, port)]

  plain.send(post('x'))

  assert.equal(await plain.closed, '')
  assert.equal(await silent.closed, '')
})

test('bodies are bounded within TLS too', async context => {
  const { port } = await start(context, { urls: URLS, limits: { requestMs: 1_200, headersMs: 1_000 } })
  const said = (socket: TLSSocket) =>
    new Promise<string>(resolve => {
      let text = ''
      socket.on('data', chunk => (text += String(chunk)))
      socket.on('close', () => resolve(text))
    })

  // One after another: whoever has shaken hands has his time running.
  for (const [bytes, status] of [
    [1_073_741_824, 413],
    [10, 408],
  ] as const) {
    const socket = await shake(context, port)
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes}\r\n\r\n`)
    assert.equal(statusOf(await said(socket)), status)
  }
})
