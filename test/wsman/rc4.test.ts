import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { Rc4 } from '../../src/protocols/wsman/rc4.ts'
import { bytes, hex } from './ntlm-peer.ts'

test('RC4 gives the streams of RFC 6229, at their beginning and far in', () => {
  const streams = [
    { key: '0102030405', at: 0, stream: 'b2396305f03dc027ccc3524a0a1118a8' },
    { key: '0102030405', at: 4096, stream: 'ff25b58995996707e51fbdf08b34d875' },
    { key: '0102030405060708090a0b0c0d0e0f10', at: 0, stream: '9ac7cc9a609d1ef7b2932899cde41b97' },
    {
      key: '0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20',
      at: 0,
      stream: 'eaa6bd25880bf93d3f5d1e4ca2611d91',
    },
  ]

  for (const { key, at, stream } of streams) {
    const found = new Rc4(bytes(key)).apply(new Uint8Array(at + 16)).subarray(at)
    assert.equal(hex(found), stream, `${key} at ${at}`)
  }
})

test('RC4 goes on where the last piece ended, and agrees with OpenSSL', () => {
  const script = `const { createCipheriv } = require('node:crypto')
    process.stdout.write(createCipheriv('rc4', Buffer.alloc(16, 7), null).update(Buffer.alloc(1000)).toString('hex'))`
  const whole = execFileSync(process.execPath, ['--openssl-legacy-provider', '-e', script], { encoding: 'utf8' })
  const rc4 = new Rc4(new Uint8Array(16).fill(7))

  const pieces = [0, 1, 255, 256, 488].map(length => hex(rc4.apply(new Uint8Array(length))))

  assert.equal(pieces.join(''), whole)
})

test('RC4 undoes itself', () => {
  const message = Buffer.from('what is to be kept')

  const sealed = new Rc4(bytes('5eed')).apply(message)

  assert.notDeepEqual(Buffer.from(sealed), message)
  assert.deepEqual(Buffer.from(new Rc4(bytes('5eed')).apply(sealed)), message)
})

test('RC4 refuses a key that is none', () => {
  assert.throws(() => new Rc4(new Uint8Array(0)), RangeError)
  assert.throws(() => new Rc4(new Uint8Array(257)), RangeError)
})
