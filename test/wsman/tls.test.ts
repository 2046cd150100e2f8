import assert from 'node:assert/strict'
import { createHash, createPrivateKey } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { TLSSocket } from 'node:tls'
import { inspect } from 'node:util'
import { channelBinding } from '../../src/protocols/wsman/tls-binding.ts'
import { hex } from './ntlm-peer.ts'
import { makeCertificate } from './tls-certificates.ts'
import { type HostOptions, ntlmAcceptor, PASSWORD } from './transport-host.ts'
import { failure, post, seenOf, world } from './transport-world.ts'

const folder = mkdtempSync(join(tmpdir(), 'polyvisor-tls-'))
after(() => rmSync(folder, { recursive: true }))
const authority = await makeCertificate({ name: 'CN=An authority', isAuthority: true })
const host = await makeCertificate({ issuer: authority.issuer })
const alone = await makeCertificate()

/** The path of a file with that text. */
function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const cacert = file('authority.pem', authority.cert)

describe('the certificate of a host', () => {
  test('is accepted from an authority that is named', async () => {
    await using at = await world({ tls: host }, { cacert })

    assert.equal(await post(at.transport, '<Question/>'), '<Answer><Question/></Answer>')
  })

  test('is accepted where it is its own authority and named as one', async () => {
    await using at = await world({ tls: alone }, { cacert: file('alone.pem', alone.cert) })

    assert.equal(await post(at.transport, '<Question/>'), '<Answer><Question/></Answer>')
  })

  test('is not accepted from an authority that the system does not know, and the text says the ways out', async () => {
    for (const tls of [host, alone]) {
      await using at = await world({ tls })

      await assert.rejects(post(at.transport, '<Question/>'), {
        ...failure('untrusted', false),
        message: /localhost:\d+ is not trusted.*cacert=FILE.*no_verify=1/,
      })
      assert.deepEqual([at.fake.posted, at.fake.handshakes], [[], []])
    }
  })

  test('is not accepted for another name, or when its time is over', async () => {
    const { issuer } = authority
    const strange = await makeCertificate({ issuer, name: 'CN=other', dnsNames: ['other.example'] })
    const old = await makeCertificate({ issuer, endsInDays: -1 })

    for (const [tls, message] of [
      [strange, /not trusted: .*altnames: DNS:other\.example; reach the host by a name of its certificate/],
      [old, /not trusted: CERT_HAS_EXPIRED; have it renewed/],
    ] as const) {
      await using at = await world({ tls }, { cacert })

      await assert.rejects(post(at.transport, '<Question/>'), { ...failure('untrusted', false), message })
    }
  })

  test('is accepted from an authority as Windows exports it, in DER', async () => {
    const path = join(folder, 'authority.cer')
    writeFileSync(path, authority.der)
    await using at = await world({ tls: host }, { cacert: path })

    assert.equal(await post(at.transport, '<Question/>'), '<Answer><Question/></Answer>')
  })

  test('is accepted from any of the authorities in a file', async () => {
    const path = file('several.pem', `Of the operators\n${alone.cert}\n${authority.cert}\n`)
    await using at = await world({ tls: host }, { cacert: path })

    assert.equal(await post(at.transport, '<Question/>'), '<Answer><Question/></Answer>')
  })

  test('a file without an authority is told of, for nothing could be trusted by it', async () => {
    for (const text of ['', 'none', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n']) {
      await using at = await world({ tls: host }, { cacert: file('nothing.pem', text) })

      await assert.rejects(post(at.transport, '<Question/>'), {
        ...failure('untrusted', false),
        message: /no certificate in .*nothing\.pem/,
      })
    }
  })

  test('an authority that is named is the only one', async () => {
    await using at = await world({ tls: host }, { cacert: file('other.pem', alone.cert) })

    await assert.rejects(post(at.transport, '<Question/>'), failure('untrusted', false))
  })

  test('is accepted whatever it is where the operator says so', async () => {
    await using at = await world({ tls: alone }, { noVerify: true })

    assert.equal(await post(at.transport, '<Question/>'), '<Answer><Question/></Answer>')
  })

  test('an authority that cannot be read is told by its path', async () => {
    await using at = await world({ tls: host }, { cacert: join(folder, 'none.pem') })

    await assert.rejects(post(at.transport, '<Question/>'), { ...failure('untrusted', false), message: /none\.pem/ })
    writeFileSync(join(folder, 'none.pem'), authority.cert)
    assert.equal(await post(at.transport, '<Question/>'), '<Answer><Question/></Answer>')
  })

  test('a host that speaks no TLS is unreachable', async () => {
    await using at = await world()
    await using secure = await world({}, { url: at.target.url.replace('http:', 'https:') })

    await assert.rejects(post(secure.transport, '<Question/>'), {
      ...failure('unreachable', false),
      message: /cannot reach localhost:\d+: what answers there speaks no TLS/,
    })
  })
})

describe('over TLS', () => {
  test('NTLM is bound to the certificate, and envelopes are not sealed once more', async () => {
    const acceptors: ReturnType<typeof ntlmAcceptor>[] = []
    const acceptor = () => {
      const made = ntlmAcceptor(PASSWORD)
      acceptors.push(made)
      return made
    }
    await using at = await world({ tls: host, acceptor }, { cacert })

    await post(at.transport, '<Question/>')
    await post(at.transport, '<Question/>')

    const hash = createHash('sha256').update(host.der).digest()
    const binding = Buffer.concat([Buffer.from('tls-server-end-point:'), hash])
    const struct = Buffer.concat([Buffer.alloc(16), Buffer.from([binding.length, 0, 0, 0]), binding])
    assert.deepEqual(
      acceptors.map(({ ntlm }) => ntlm.binding),
      [createHash('md5').update(struct).digest('hex')],
    )
    assert.deepEqual(
      at.fake.posted.map(({ headers }) => headers['content-type']),
      ['application/soap+xml;charset=UTF-8', 'application/soap+xml;charset=UTF-8'],
    )
  })

  test('Basic says name and password with each request', async () => {
    await using at = await world({ tls: host, acceptor: null }, { cacert, auth: 'basic', user: 'alice' })

    for (const envelope of ['1', '2']) await post(at.transport, envelope)

    const expected = `Basic ${Buffer.from(`alice:${PASSWORD}`).toString('base64')}`
    assert.deepEqual(
      at.fake.posted.map(({ headers }) => headers.authorization),
      [expected, expected],
    )
    assert.equal(at.fake.sockets.length, 1)
  })

  test('Basic that a host refuses is not tried again', async () => {
    let asked = 0
    const intercept = () => {
      asked += 1
      return false
    }
    await using at = await world({ tls: host, offers: ['Basic realm="WSMAN"'], intercept }, { cacert, auth: 'basic' })

    const seen = await seenOf(post(at.transport, '<Question/>'), failure('refused', false))

    assert.equal(asked, 1)
    assert.ok(!seen.includes(PASSWORD) && !seen.includes(Buffer.from(PASSWORD).toString('base64').slice(4, 20)))
  })

  for (const isKeyEncrypted of [false, true]) {
    test(`a certificate of ours says who we are, its key ${isKeyEncrypted ? 'encrypted' : 'in clear'}`, async () => {
      const ours = await makeCertificate({ issuer: authority.issuer, name: 'CN=alice' })
      const passphrase = 'a passphrase'
      const encrypted = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase } as const
      const key = isKeyEncrypted ? String(createPrivateKey(ours.key).export(encrypted)) : ours.key
      const certificate = {
        certFile: file('ours.pem', ours.cert),
        keyFile: file('ours.key', key),
        ...(isKeyEncrypted && { passphrase: () => passphrase }),
      }
      const tls = { ...host, requestCert: true, rejectUnauthorized: true, ca: authority.cert }
      await using at = await world({ tls, acceptor: null }, { cacert, auth: 'certificate', certificate })

      assert.equal(await post(at.transport, '<Question/>'), '<Answer><Question/></Answer>')

      assert.equal(
        at.fake.posted[0]?.headers.authorization,
        'http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual',
      )
    })
  }

  test('a certificate of ours goes by TLS 1.2, in which a host can ask for it when it has seen the request', async () => {
    const ours = await makeCertificate({ issuer: authority.issuer, name: 'CN=alice' })
    const certificate = { certFile: file('late.pem', ours.cert), keyFile: file('late.key', ours.key) }
    const protocols: string[] = []
    const answer: HostOptions['answer'] = (_, { socket, reply }) => {
      protocols.push(socket instanceof TLSSocket ? (socket.getProtocol() ?? '') : '')
      return reply('<Answer/>')
    }
    await using known = await world({ tls: host, acceptor: null, answer }, { cacert, auth: 'certificate', certificate })
    await using other = await world({ tls: host, acceptor: null, answer }, { cacert, auth: 'basic' })

    for (const { transport } of [known, other]) await post(transport, '<Question/>')

    assert.deepEqual(protocols, ['TLSv1.2', 'TLSv1.3'])
  })

  test('a certificate of ours that cannot be used is told of, and its passphrase is not', async () => {
    const certificate = {
      certFile: cacert,
      keyFile: file('no.key', 'no key'),
      passphrase: () => 'a secret passphrase',
    }
    await using at = await world({ tls: host, acceptor: null }, { cacert, auth: 'certificate', certificate })

    const seen = await seenOf(post(at.transport, '<Question/>'), failure('untrusted', false))

    assert.ok(!`${seen}${inspect(at.transport, { depth: 20, showHidden: true })}`.includes('secret passphrase'))
  })
})

test('a passphrase that cannot be had is told as one, without what was read in its place', async () => {
  const ours = await makeCertificate({ issuer: authority.issuer, name: 'CN=alice' })
  const certificate = {
    certFile: file('locked.pem', ours.cert),
    keyFile: file('locked.key', ours.key),
    passphrase: () => JSON.parse('hunter2'),
  }
  await using at = await world({ tls: host, acceptor: null }, { cacert, auth: 'certificate', certificate })

  const seen = await seenOf(post(at.transport, '<Question/>'), {
    ...failure('refused', false),
    message: /passphrase of our key cannot be had/,
  })

  assert.ok(!seen.includes('hunter2'))
})

test('a channel is bound by the hash that its certificate is signed with, but not by a weak one', async () => {
  for (const [algorithm, hash] of [
    ['ecdsa256', 'sha256'],
    ['ecdsa384', 'sha384'],
    ['rsa512', 'sha512'],
    ['rsaSha1', 'sha256'],
    ['pss384', 'sha384'],
  ] as const) {
    const { der } = await makeCertificate({ algorithm })
    const expected = `${hex(Buffer.from('tls-server-end-point:'))}${createHash(hash).update(der).digest('hex')}`

    assert.equal(hex(channelBinding(der) ?? Buffer.from('none')), expected, algorithm)
  }
})

test('a certificate whose signature has no hash of its own binds nothing', async () => {
  const { der } = await makeCertificate({ algorithm: 'ed25519' })

  assert.equal(channelBinding(der), undefined)
})

test('what is no certificate is an AuthError', () => {
  for (const bytes of ['', '30', '02010130', '308201ff']) {
    assert.throws(() => channelBinding(Buffer.from(bytes, 'hex')), { name: 'AuthError', failure: 'malformed' }, bytes)
  }
})
