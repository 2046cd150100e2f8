import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto'
import { mkdir, open, rename } from 'node:fs/promises'
import { isIP } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import { join } from 'node:path'

import { ConfigurationError } from './configuration-error.ts'
import { textOf } from './text-file.ts'

/** What a TLS listener shows, both in PEM. */
export interface Credentials {
  readonly key: string
  readonly cert: string
  /** SHA-256 of the certificate, as clients show it: `AB:CD:…`. */
  readonly fingerprint: string
  /** Whether it was given by the operator, kept from an earlier start, or made now. */
  readonly origin: 'operator' | 'kept' | 'made'
  readonly expires: Date
}

const DAY_MS = 24 * 60 * 60 * 1000
/** Browsers distrust longer ones. */
const VALID_MS = 396 * DAY_MS
/** A certificate with less than this left is made anew. */
const RENEW_MS = 30 * DAY_MS
/** Clocks of clients may be behind. */
const CLOCK_SKEW_MS = DAY_MS

/**
 * The certificate that the listeners on `hosts` show, from `DATA/tls`. `cert.pem` and `key.pem` are the operator's:
 * where they are, they are used as they are and never written. Else `self-signed.pem` (certificate and key, mode
 * 0600) is ours, made when it is missing, has expired or soon will, or names not all of `hosts`; clients can be given
 * `self-signed.crt` to trust. Rejects with ConfigurationError when a file is there and of no use.
 */
export async function loadCredentials(dataDir: string, hosts: readonly string[], now: Date): Promise<Credentials> {
  const folder = join(dataDir, 'tls')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const given = await operatorCredentials(folder)
  if (given !== undefined) return given
  const pem = await textOf(join(folder, 'self-signed.pem'))
  const kept = pem === undefined ? undefined : usableCredentials(pem, hosts, now)
  return kept ?? (await makeCredentials(folder, hosts, now))
}

async function operatorCredentials(folder: string): Promise<Credentials | undefined> {
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const [cert, key] = [await textOf(certFile), await textOf(keyFile)]
  if (cert === undefined && key === undefined) return undefined
  if (cert === undefined) throw new ConfigurationError(`there is ${keyFile} but no ${certFile}; add it or remove both`)
  if (key === undefined) throw new ConfigurationError(`there is ${certFile} but no ${keyFile}; add it or remove both`)
  try {
    const credentials = credentialsOf(key, cert, 'operator')
    if (credentials !== undefined) return credentials
  } catch (error) {
    throw new ConfigurationError(`${certFile} or ${keyFile} cannot be read: ${String(error)}`, { cause: error })
  }
  throw new ConfigurationError(`${keyFile} is not the key of ${certFile}`)
}

/** Ours to throw away: what cannot be read any more, or counts no longer, is made anew. */
function usableCredentials(pem: string, hosts: readonly string[], now: Date): Credentials | undefined {
  try {
    const credentials = credentialsOf(pem, pem, 'kept')
    if (credentials === undefined || credentials.expires.getTime() - now.getTime() < RENEW_MS) return undefined
    const certificate = new X509Certificate(credentials.cert)
    return namesOf(hosts).every(name => certifies(certificate, name)) ? credentials : undefined
  } catch {
    return undefined
  }
}

function credentialsOf(key: string, cert: string, origin: Credentials['origin']): Credentials | undefined {
  const certificate = new X509Certificate(cert)
  if (!certificate.checkPrivateKey(createPrivateKey(key))) return undefined
  return { key, cert, fingerprint: certificate.fingerprint256, origin, expires: new Date(certificate.validTo) }
}

const certifies = (certificate: X509Certificate, name: string) =>
  (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined

/** The listeners' own addresses; where one listens on all of them, they come and go, and are not insisted on. */
const namesOf = (hosts: readonly string[]) => ['localhost', ...hosts.filter(host => !isWildcard(host))]

const isWildcard = (host: string) => host === '0.0.0.0' || host === '::'

/** Every name under which clients may reach this machine. */
function subjectNames(hosts: readonly string[]): readonly string[] {
  const names = ['localhost', hostname(), '127.0.0.1', '::1', ...namesOf(hosts)]
  if (hosts.some(isWildcard)) {
    for (const addresses of Object.values(networkInterfaces())) {
      for (const { address, internal, scopeid } of addresses ?? []) {
        if (!internal && (scopeid ?? 0) === 0) names.push(address)
      }
    }
  }
  return [...new Set(names)]
}

async function makeCredentials(folder: string, hosts: readonly string[], now: Date): Promise<Credentials> {
  const { key, cert } = await makeCertificate(subjectNames(hosts), now)
  await writeWhole(join(folder, 'self-signed.crt'), cert, 0o644)
  await writeWhole(join(folder, 'self-signed.pem'), `${cert}\n${key}\n`, 0o600)
  const credentials = credentialsOf(key, cert, 'made')
  if (credentials === undefined) throw new Error('the certificate that was just made does not fit its key')
  return credentials
}

/** A self-signed certificate on P-256. Source: RFC 5280 §4.2; CA/Browser Forum Baseline Requirements §7.1. */
async function makeCertificate(names: readonly string[], now: Date): Promise<{ key: string; cert: string }> {
  await import('reflect-metadata') // Which @peculiar/x509 needs, loaded only here: both cost a good part of start-up.
  const x509 = await import('@peculiar/x509')
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: `01${randomBytes(15).toString('hex')}`, // Positive, and without leading zeros.
    name: [{ O: ['Polyvisor'] }, { CN: [commonName(hostname())] }],
    notBefore: new Date(now.getTime() - CLOCK_SKEW_MS),
    notAfter: new Date(now.getTime() + VALID_MS),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      // Not critical: libvirt's clients otherwise demand the encipherment of keys, which no key of this kind is for.
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, false),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map(value => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value }) as const),
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  const pkcs8 = await crypto.subtle.exportKey('pkcs8', keys.privateKey)
  return { key: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'), cert: certificate.toString('pem') }
}

/** Source: RFC 5280 appendix A.1, `ub-common-name`. */
const commonName = (name: string) => name.slice(0, 64)

/** Writes a file so that it is there in whole or not at all, also after a crash. */
async function writeWhole(path: string, text: string, mode: number): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  const file = await open(draft, 'wx', mode)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(draft, path)
}
