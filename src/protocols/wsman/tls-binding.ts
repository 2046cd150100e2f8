import { createHash } from 'node:crypto'
import { contextTag, DerTag, readDer, readOid, readOnly } from './der.ts'

/** What precedes the hash, which names the kind of the binding. Source: RFC 5929, section 4. */
const PREFIX = Buffer.from('tls-server-end-point:')
const RSA_PSS = '1.2.840.113549.1.1.10'

/**
 * The hash of a signature, by object identifier. MD5 and SHA-1 are too weak for a binding, and SHA-256 is taken
 * instead. Source: RFC 5929, section 4.1; RFC 4055, RFC 5758 for the identifiers.
 */
const HASHES: ReadonlyMap<string, string> = new Map([
  ['1.2.840.113549.1.1.4', 'sha256'],
  ['1.2.840.113549.1.1.5', 'sha256'],
  ['1.2.840.113549.1.1.11', 'sha256'],
  ['1.2.840.113549.1.1.12', 'sha384'],
  ['1.2.840.113549.1.1.13', 'sha512'],
  ['1.2.840.10045.4.1', 'sha256'],
  ['1.2.840.10045.4.3.2', 'sha256'],
  ['1.2.840.10045.4.3.3', 'sha384'],
  ['1.2.840.10045.4.3.4', 'sha512'],
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512'],
])

/**
 * What binds an authentication to a TLS channel: to the certificate that the host showed, in DER. Undefined where its
 * signature has no hash of its own, for which RFC 5929 knows no binding. Throws AuthError where it is no certificate.
 */
export function channelBinding(certificate: Uint8Array): Uint8Array | undefined {
  const [, algorithm] = readDer(readOnly(certificate, DerTag.sequence))
  const hash = algorithm && hashOf(algorithm.content)
  return hash === undefined ? undefined : Buffer.concat([PREFIX, createHash(hash).update(certificate).digest()])
}

function hashOf(algorithm: Uint8Array): string | undefined {
  const [oid, parameters] = readDer(algorithm)
  const name = oid?.tag === DerTag.oid ? readOid(oid.content) : ''
  if (name !== RSA_PSS) return HASHES.get(name)
  // It names its hash in its parameters, SHA-1 if it does not. Source: RFC 4055, section 3.1.
  const given = parameters && readDer(parameters.content).find(({ tag }) => tag === contextTag(0))
  const [pssHash] = given ? readDer(readOnly(given.content, DerTag.sequence)) : []
  return pssHash === undefined ? 'sha256' : HASHES.get(readOid(pssHash.content))
}
