import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import * as fc from 'fast-check'
import { httpTransport } from '../../src/protocols/wsman/http-transport.ts'
import {
  checkTarget,
  parseTargetUri,
  splitUser,
  TargetError,
  type WsmanTarget,
} from '../../src/protocols/wsman/target.ts'

const password = () => 'a password'
const parse = (uri: string) => parseTargetUri(uri, password)

test('a host in its default configuration is reached by negotiate over http', () => {
  assert.deepEqual(parse('hyperv://Administrator@hv1.example/'), {
    url: 'http://hv1.example:5985/wsman',
    auth: 'negotiate',
    user: 'Administrator',
    password,
  })
})

test('transport, auth, port and certificates are as the URI says', () => {
  const urls: Readonly<Record<string, string>> = {
    'hyperv://a@hv?transport=https': 'https://hv:5986/wsman',
    'hyperv://a@hv:15985/?transport=http': 'http://hv:15985/wsman',
    'hyperv://a@hv/?auth=basic': 'https://hv:5986/wsman',
    'hyperv://a@hv/?no_verify=1': 'https://hv:5986/wsman',
    'hyperv://a@hv/?no_verify=0': 'http://hv:5985/wsman',
    'hyperv://a@hv/?cacert=%2Fetc%2Fca.pem': 'https://hv:5986/wsman',
    'hyperv://a@hv/?auth=kerberos': 'http://hv:5985/wsman',
    'hyperv://a@[fd00::1]:80/': 'http://[fd00::1]:80/wsman',
    'hyperv://a@192.0.2.7/': 'http://192.0.2.7:5985/wsman',
    'hyperv://a@WIN_HV-1.corp.example./': 'http://WIN_HV-1.corp.example.:5985/wsman',
  }

  for (const [uri, url] of Object.entries(urls)) assert.equal(parse(uri).url, url, uri)
  assert.equal(parse('hyperv://a@hv/?no_verify=1').noVerify, true)
  assert.equal(parse('hyperv://a@hv/?cacert=%2Fetc%2Fca.pem').cacert, '/etc/ca.pem')
  assert.equal(parse('hyperv://a@hv/?transport=https&auth=basic').auth, 'basic')
})

test('users are of all the forms that Windows has', () => {
  const users: Readonly<Record<string, readonly [string, string]>> = {
    'DOM%5Calice': ['DOM', 'alice'],
    'alice%40dom.example': ['', 'alice@dom.example'],
    '.%5CAdministrator': ['.', 'Administrator'],
    'J%C3%BCrgen': ['', 'Jürgen'],
  }

  for (const [written, [domain, user]] of Object.entries(users)) {
    assert.deepEqual(splitUser(parse(`hyperv://${written}@hv/`).user ?? ''), { user, domain }, written)
  }
})

test('Kerberos needs neither user nor password', () => {
  assert.deepEqual(parseTargetUri('hyperv://hv/?auth=kerberos'), { url: 'http://hv:5985/wsman', auth: 'kerberos' })
})

test('a password in the URI is refused and not repeated', () => {
  for (const uri of ['hyperv://alice:s3cret@hv/', 'hyperv://:s3cret@hv/', 'hyperv://alice:@hv/']) {
    assert.throws(
      () => parse(uri),
      (error: Error) => {
        assert.equal(error.name, 'TargetError')
        assert.match(error.message, /password/)
        return !inspect(error).includes('s3cret@')
      },
      uri,
    )
  }
})

test('what a URI says beyond what is known is refused', () => {
  const wrong: Readonly<Record<string, RegExp>> = {
    'http://hv/': /hyperv:/,
    'hyperv:': /host/,
    'hyperv:///': /host/,
    'hyperv://a@/': /host/,
    'hyperv://a@h v/': /host/,
    'hyperv://a@hv/path': /only have parameters/,
    'hyperv://a@hv/#part': /only have parameters/,
    'hyperv://a@hv:0/': /port/,
    'hyperv://a@hv:70000/': /hyperv:/,
    'hyperv://a@hv/?verify=1': /unknown parameter verify; there are transport, auth, no_verify, cacert/,
    'hyperv://a@hv/?auth=basic&auth=negotiate': /twice/,
    'hyperv://a@hv/?auth=': /without a value/,
    'hyperv://a@hv/?auth=ntlm': /negotiate, basic or kerberos/,
    'hyperv://a@hv/?transport=tcp': /http or https/,
    'hyperv://a@hv/?no_verify=yes': /0 or 1/,
    'hyperv://hv/': /needs a user/,
    'hyperv://a@hv/?auth=basic&transport=http': /basic over http/,
    'hyperv://a@hv/?transport=http&cacert=ca.pem': /transport is http/,
    'hyperv://%ff@hv/': /%/,
    [`hyperv://a@${'h'.repeat(5_000)}/`]: /hyperv:/,
  }

  for (const [uri, message] of Object.entries(wrong)) {
    assert.throws(() => parse(uri), { name: 'TargetError', message }, uri)
  }
  assert.throws(() => parseTargetUri('hyperv://a@hv/'), { name: 'TargetError', message: /needs a password/ })
})

test('any text is a target or a TargetError', () => {
  const near = fc.tuple(fc.string(), fc.string()).map(([host, rest]) => `hyperv://a@${host}/?${rest}`)

  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), near), uri => {
      try {
        const { url } = parse(uri)
        assert.ok(URL.canParse(url))
      } catch (error) {
        assert.ok(error instanceof TargetError)
      }
    }),
    { numRuns: 500 },
  )
})

test('a target whose parts do not go together is refused before anything is opened', () => {
  const base: WsmanTarget = { url: 'https://hv:5986/wsman', auth: 'negotiate', user: 'a', password }
  const wrong: readonly Partial<WsmanTarget>[] = [
    { url: 'ftp://hv/' },
    { url: 'no URL' },
    { url: 'https://a:b@hv/' },
    { auth: 'certificate' },
    { auth: 'basic', user: 'a:b' },
    { auth: 'certificate', url: 'http://hv/', certificate: { certFile: 'c', keyFile: 'k' } },
    { connectionsMax: 0 },
    { connectionsMax: 1.5 },
    { replyBytesMax: -1 },
  ]

  for (const parts of wrong) {
    assert.throws(() => httpTransport({ ...base, ...parts }), { name: 'TargetError' }, inspect(parts))
  }
  assert.throws(() => httpTransport({ url: base.url, auth: 'negotiate', password }), { name: 'TargetError' })
  const plain: WsmanTarget = { ...base, url: 'http://hv:5985/wsman', auth: 'basic', allowPlainBasic: true }
  assert.equal(checkTarget(plain), plain)
})
