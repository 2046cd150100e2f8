import { createHash, timingSafeEqual } from 'node:crypto'

import { readNode, readOid } from './der.ts'

/**
 * How much a handshake over TLS must say about the channel it is in. `none`: nothing counts; `relaxed`: what is said
 * must be right; `strict`: it must be said. Source: MS-WSMV, CbtHardeningLevel.
 */
export type CbtHardening = 'none' | 'relaxed' | 'strict'

/** The channel that a handshake is in. */
export interface Channel {
  /** The `application_data` of the bindings; undefined without TLS. */
  readonly bindings: Buffer | undefined
  readonly hardening: CbtHardening
}

const HASH_BYTES = 16
const NOT_BOUND = Buffer.alloc(HASH_BYTES)

/** Whether this is said rightly of the channel. `claimed` is what NTLM carries, undefined where it carries none. */
export function isBoundTo(channel: Channel, claimed: Uint8Array | undefined): boolean {
  if (channel.bindings === undefined || channel.hardening === 'none') return true
  if (claimed === undefined || NOT_BOUND.equals(claimed)) return channel.hardening === 'relaxed'
  return claimed.length === HASH_BYTES && timingSafeEqual(claimed, bindingsHash(channel.bindings))
}

/** MD5 of a gss_channel_bindings_struct without addresses. Source: MS-NLMP, §2.2.2.1; RFC 2744, §3.11. */
export function bindingsHash(applicationData: Uint8Array): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(applicationData.length)
  return createHash('md5').update(Buffer.alloc(16)).update(length).update(applicationData).digest()
}

/** `tls-server-end-point` of a certificate in DER. Source: RFC 5929, §4.1. */
export function serverEndPoint(certificate: Buffer): Buffer {
  const digest = createHash(hashOf(certificate)).update(certificate).digest()
  return Buffer.concat([Buffer.from('tls-server-end-point:', 'latin1'), digest])
}

/** The hashes of signatures that are not SHA-256; MD5 and SHA-1 give way to it. Source: RFC 5912, §6; RFC 4055. */
const HASHES: ReadonlyMap<string, string> = new Map([
  ['1.2.840.113549.1.1.12', 'sha384'],
  ['1.2.840.113549.1.1.13', 'sha512'],
  ['1.2.840.10045.4.3.3', 'sha384'],
  ['1.2.840.10045.4.3.4', 'sha512'],
])

function hashOf(certificate: Buffer): string {
  const parts = readNode(certificate).children()
  const [algorithm] = parts[1]?.children() ?? []
  return HASHES.get(algorithm === undefined ? '' : readOid(algorithm.content)) ?? 'sha256'
}
