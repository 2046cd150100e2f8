import { createHash, createHmac, type KeyObject } from 'node:crypto'

import { FLAG, has } from './flags.ts'
import { md4 } from './md4.ts'

/** Which of the two sides makes the messages that a key is for. */
export type Sender = 'client' | 'server'

export function hmacMd5(key: Uint8Array | KeyObject, ...parts: readonly Uint8Array[]): Buffer {
  const mac = createHmac('md5', key)
  for (const part of parts) mac.update(part)
  return mac.digest()
}

/** The NT hash of a password: as good as the password, and as secret. */
export function ntHash(password: string): Buffer {
  return md4(Buffer.from(password, 'utf16le'))
}

/** NTOWFv2. The domain counts as it was spelled, the user does not. Source: MS-NLMP, §3.3.2. */
export function responseKey(hash: Uint8Array, user: string, domain: string): Buffer {
  return hmacMd5(hash, Buffer.from(upperCase(user) + domain, 'utf16le'))
}

/** Windows makes letters upper case one by one: there are no two letters from one, as from `ß`. */
function upperCase(text: string): string {
  return Array.from(text, letter => {
    const upper = letter.toUpperCase()
    return upper.length === letter.length ? upper : letter
  }).join('')
}

/** Source: MS-NLMP, §3.4.5.2. */
export function signingKey(key: Uint8Array, sender: Sender): Buffer {
  return md5(key, Buffer.from(magic(sender, 'signing'), 'latin1'))
}

/** Source: MS-NLMP, §3.4.5.3, with extended session security. */
export function sealingKey(key: Uint8Array, sender: Sender, flags: number): Buffer {
  const bytes = has(flags, FLAG.key128) ? 16 : has(flags, FLAG.key56) ? 7 : 5
  return md5(key.subarray(0, bytes), Buffer.from(magic(sender, 'sealing'), 'latin1'))
}

function magic(sender: Sender, what: 'signing' | 'sealing'): string {
  const way = sender === 'client' ? 'client-to-server' : 'server-to-client'
  return `session key to ${way} ${what} key magic constant\0`
}

function md5(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('md5')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
