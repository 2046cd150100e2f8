import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { md4 } from '../../src/protocols/wsman/md4.ts'
import { hex } from './ntlm-peer.ts'

test('MD4 gives the digests of RFC 1320, annex A.5', () => {
  const digests = new Map([
    ['', '31d6cfe0d16ae931b73c59d7e0c089c0'],
    ['a', 'bde52cb31de33e46245e05fbdbd6fb24'],
    ['abc', 'a448017aaf21d8525fc10ae87aa6729d'],
    ['message digest', 'd9130a8164549fe818874806e1c7014b'],
    ['abcdefghijklmnopqrstuvwxyz', 'd79e1c308aa5bbcdeea8ed63df412da9'],
    ['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', '043f8582f241db351ce627e153e7f0e4'],
    ['1234567890'.repeat(8), 'e33b4ddc9c38f2199c3e7b164fcc0536'],
  ])

  for (const [message, digest] of digests) assert.equal(hex(md4(Buffer.from(message))), digest, message)
})

test('MD4 agrees with OpenSSL at every length around its blocks', () => {
  // Node leaves it to a flag of its own whether OpenSSL may still do this.
  const script = `const { createHash } = require('node:crypto')
    for (let length = 0; length < 200; length++)
      console.log(createHash('md4').update(Buffer.alloc(length, length)).digest('hex'))`
  const digests = execFileSync(process.execPath, ['--openssl-legacy-provider', '-e', script], { encoding: 'utf8' })

  const ours = Array.from({ length: 200 }, (_, length) => hex(md4(new Uint8Array(length).fill(length))))

  assert.deepEqual(ours, digests.trim().split('\n'))
})
