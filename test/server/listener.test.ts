import assert from 'node:assert/strict'
import { test } from 'node:test'

import { parseListener, urlOf } from '../../src/server/listener.ts'

const parse = (url: string, allowPlainHttp = false) => parseListener(url, { allowPlainHttp })

test('a listener URL says where to listen and what is spoken there', () => {
  assert.deepEqual(parse('http://127.0.0.1:4464?dialect=0.2'), {
    transport: 'http',
    host: '127.0.0.1',
    port: 4464,
    dialect: '0.2',
  })
  assert.deepEqual(parse('https://[::]:0/?dialect=1'), { transport: 'https', host: '::', port: 0, dialect: '1' })
  assert.deepEqual(parse('unix:///run/a%20b/xenapi.sock?dialect=1'), {
    transport: 'unix',
    path: '/run/a b/xenapi.sock',
    dialect: '1',
  })
})

test('without a dialect plain HTTP speaks the draft, the others the released API', () => {
  assert.deepEqual(
    ['http://localhost:1', 'https://localhost:1', 'unix:///s'].map(url => {
      const listener = parse(url)
      return 'dialect' in listener ? listener.dialect : undefined
    }),
    ['0.2', '1', '1'],
  )
})

test('where libvirt is spoken there is no dialect', () => {
  assert.deepEqual(parse('libvirt+unix:///run/libvirt-sock'), {
    transport: 'libvirt+unix',
    path: '/run/libvirt-sock',
    isReadOnly: false,
  })
})

test('a listener of libvirt’s says who may come, and has the ports that libvirt’s clients try', () => {
  assert.deepEqual(parse('libvirt+unix:///run/libvirt-sock-ro?readonly=1'), {
    transport: 'libvirt+unix',
    path: '/run/libvirt-sock-ro',
    isReadOnly: true,
  })
  assert.deepEqual(parse('libvirt+tcp://127.0.0.1'), {
    transport: 'libvirt+tcp',
    host: '127.0.0.1',
    port: 16_509,
    auth: 'sasl',
  })
  assert.deepEqual(parse('libvirt+tcp://[::1]:0?auth=none'), {
    transport: 'libvirt+tcp',
    host: '::1',
    port: 0,
    auth: 'none',
  })
  assert.deepEqual(parse('libvirt+tls://0.0.0.0'), {
    transport: 'libvirt+tls',
    host: '0.0.0.0',
    port: 16_514,
    auth: 'sasl',
    needsCertificate: true,
  })
  const { auth, needsCertificate } = {
    auth: '',
    needsCertificate: true,
    ...parse('libvirt+tls://h:1?auth=certificate'),
  }
  assert.deepEqual([auth, needsCertificate], ['certificate', true])
  assert.deepEqual(
    { ...parse('libvirt+tls://h:1?clients=password') },
    { transport: 'libvirt+tls', host: 'h', port: 1, auth: 'sasl', needsCertificate: false },
  )
})

test('libvirt in the clear stays on loopback, whatever is allowed to plain HTTP', () => {
  for (const host of ['0.0.0.0', '[::]', '10.0.0.1', 'example.org']) {
    assert.throws(() => parse(`libvirt+tcp://${host}`, true), /loopback; use libvirt\+tls/)
    assert.throws(() => parse(`libvirt+tcp://${host}?auth=none`, true), /everybody in .*loopback.*libvirt\+tls/)
  }
})

test('the URL of a listener leads back to it', () => {
  for (const url of [
    'http://127.0.0.1:80',
    'https://[::1]:4443',
    'unix:///run/a%20b/x%3F.sock',
    'libvirt+unix:///s',
    'libvirt+tls://[::1]:4',
  ]) {
    assert.equal(urlOf(parse(url)), url)
  }
})

test('plain HTTP stays on loopback unless it is allowed to leave', () => {
  for (const host of ['127.0.0.1', '127.9.9.9', 'localhost', '[::1]', '[::ffff:127.0.0.1]']) parse(`http://${host}:1`)
  for (const host of ['0.0.0.0', '[::]', '10.0.0.1', 'example.org', 'localhost.example.org']) {
    assert.throws(() => parse(`http://${host}:1`), /loopback; use https, .* --allow-plain-http/)
    assert.equal(parse(`http://${host}:1`, true).transport, 'http')
  }
})

test('what a listener URL cannot mean is refused with the URL and the way out', () => {
  const refusals: ReadonlyArray<readonly [url: string, why: RegExp]> = [
    ['4464', /the listener 4464 is not a URL; write it like http/],
    ['ftp://127.0.0.1', /http, https, unix, libvirt\+unix/],
    ['http://127.0.0.1:1?dialect=2', /one dialect of 0\.2, 1/],
    ['http://127.0.0.1:1?dialect=1&dialect=1', /one dialect/],
    ['http://127.0.0.1:1?dialekt=1', /unknown parameter dialekt/],
    ['http://127.0.0.1:1/RPC2', /has a path/],
    ['http://127.0.0.1:1#a', /fragment/],
    ['unix://run/xenapi.sock', /three slashes/],
    ['unix:xenapi.sock', /three slashes/],
    ['unix:///run/', /names no socket file/],
    ['unix:///%ff', /no file name/],
    ['libvirt+ssh://h', /libvirt\+unix, libvirt\+tcp or libvirt\+tls/],
    ['libvirt+unix://run/libvirt-sock', /three slashes: libvirt\+unix:/],
    ['libvirt+unix:///s?readonly=yes', /one readonly of 0, 1/],
    ['libvirt+unix:///s?dialect=1', /unknown parameter dialect; there is only readonly/],
    ['libvirt+tcp://', /needs an address/],
    ['libvirt+tcp://127.0.0.1/system', /has a path/],
    ['libvirt+tcp://127.0.0.1?auth=certificate', /one auth of sasl, none/],
    ['libvirt+tls://127.0.0.1?auth=none', /one auth of sasl, certificate/],
    ['libvirt+tls://127.0.0.1?auth=certificate&clients=password', /does not ask for/],
    ['libvirt+tls://127.0.0.1#a', /fragment/],
  ]
  for (const [url, why] of refusals) {
    assert.throws(() => parse(url), { name: 'ConfigurationError', message: why })
  }
})

test('a refusal does not repeat a password', () => {
  assert.throws(
    () => parse('http://root:secret@127.0.0.1:1'),
    (error: Error) => !error.message.includes('secret'),
  )
  assert.throws(
    () => parse('libvirt+tcp://root:secret@127.0.0.1:1'),
    (error: Error) => !error.message.includes('secret'),
  )
})
