import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

const DAY_MS = 86_400_000

/** How a certificate is signed. */
export const ALGORITHMS = {
  ecdsa256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  ecdsa384: { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
  rsaSha1: { name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1), hash: 'SHA-1' },
  rsa512: { name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1), hash: 'SHA-512' },
  pss384: {
    name: 'RSA-PSS',
    modulusLength: 2048,
    publicExponent: Uint8Array.of(1, 0, 1),
    hash: 'SHA-384',
    saltLength: 48,
  },
  ed25519: { name: 'Ed25519' },
} as const

/** A certificate and its key, as PEM, and the certificate in DER. */
export interface Made {
  readonly cert: string
  readonly key: string
  readonly der: Uint8Array
  readonly issuer: Issuer
}

interface Issuer {
  readonly name: string
  readonly keys: webcrypto.CryptoKeyPair
}

interface Wish {
  readonly name?: string
  readonly dnsNames?: readonly string[]
  readonly algorithm?: keyof typeof ALGORITHMS
  readonly issuer?: Issuer
  readonly isAuthority?: boolean
  readonly endsInDays?: number
}

/** A certificate; signed by itself where nobody else is named. */
export async function makeCertificate(wish: Wish = {}): Promise<Made> {
  const { name = 'CN=localhost', dnsNames = ['localhost'], algorithm = 'ecdsa256', endsInDays = 1 } = wish
  const signing = ALGORITHMS[algorithm]
  const keys = await makeKeys(signing)
  const issuer = wish.issuer ?? { name, keys }
  const made = await x509.X509CertificateGenerator.create({
    serialNumber: String(Math.floor(Math.random() * 1e9) + 1),
    subject: name,
    issuer: issuer.name,
    notBefore: new Date(Date.now() - 30 * DAY_MS),
    notAfter: new Date(Date.now() + endsInDays * DAY_MS),
    signingAlgorithm: signing,
    publicKey: keys.publicKey,
    signingKey: issuer.keys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(wish.isAuthority ?? false, undefined, true),
      new x509.SubjectAlternativeNameExtension(dnsNames.map(value => ({ type: 'dns', value }))),
    ],
  })
  const key = x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')
  return { cert: made.toString('pem'), key, der: new Uint8Array(made.rawData), issuer: { name, keys } }
}

async function makeKeys(algorithm: (typeof ALGORITHMS)[keyof typeof ALGORITHMS]): Promise<webcrypto.CryptoKeyPair> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  if (!('privateKey' in keys)) throw new Error('no pair of keys was made')
  return keys
}
