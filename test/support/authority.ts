import 'reflect-metadata' // Which @peculiar/x509 needs.
import { randomBytes, type webcrypto } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as x509 from '@peculiar/x509'

/** A certificate and its key, in PEM. */
export interface Certified {
  readonly cert: string
  readonly key: string
}

/** What a certificate is for. */
export interface Purpose {
  readonly name: string
  /** For a server, the names that clients reach it by; for a client, none. */
  readonly hosts?: readonly string[]
  /** How old it is, in days; it counts for thirty. */
  readonly ageDays?: number
}

/** Signs certificates. */
export interface Authority {
  readonly cert: string
  readonly issue: (purpose: Purpose) => Promise<Certified>
}

const DAY_MS = 24 * 60 * 60 * 1000
const VALID_DAYS = 30
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

const makeKeys = () => crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
const serialNumber = () => `01${randomBytes(15).toString('hex')}`
const validFrom = (from: number) => ({ notBefore: new Date(from), notAfter: new Date(from + VALID_DAYS * DAY_MS) })

/** Makes an authority that nobody else trusts. */
export async function makeAuthority(name: string): Promise<Authority> {
  const keys = await makeKeys()
  const { KeyUsageFlags } = x509
  const own = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [name] }],
    ...validFrom(Date.now() - DAY_MS),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { cert: own.toString('pem'), issue: purpose => issue(own, keys.privateKey, purpose) }
}

async function issue(own: x509.X509Certificate, signingKey: webcrypto.CryptoKey, purpose: Purpose): Promise<Certified> {
  const { name, hosts = [], ageDays = 1 } = purpose
  const keys = await makeKeys()
  const { KeyUsageFlags } = x509
  const usage = hosts.length === 0 ? x509.ExtendedKeyUsage.clientAuth : x509.ExtendedKeyUsage.serverAuth
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: [{ O: ['Test'] }, { CN: [name] }],
    issuer: own.subjectName,
    ...validFrom(Date.now() - ageDays * DAY_MS),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      // The second is what libvirt's clients expect, whatever kind of key it is.
      new x509.KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment, true),
      new x509.ExtendedKeyUsageExtension([usage]),
      new x509.SubjectAlternativeNameExtension(hosts.map(value => ({ type: 'dns', value }))),
    ],
  })
  const pkcs8 = await crypto.subtle.exportKey('pkcs8', keys.privateKey)
  return { cert: certificate.toString('pem'), key: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY') }
}

/** Writes what clients of libvirt find by `pkipath`; without a certificate of their own, whom they trust alone. */
export async function writePki(folder: string, { cert }: Authority, own?: Certified): Promise<string> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'cacert.pem'), cert)
  if (own !== undefined) {
    await writeFile(join(folder, 'clientcert.pem'), own.cert)
    await writeFile(join(folder, 'clientkey.pem'), own.key, { mode: 0o600 })
  }
  return folder
}
