import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import {
  type ConnectionOptions,
  createSecureContext,
  getCACertificates,
  type SecureContext,
  type SecureContextOptions,
  TLSSocket,
} from 'node:tls'
import { askSecret } from './secret.ts'
import type { WsmanTarget } from './target.ts'
import { channelBinding } from './tls-binding.ts'
import { TransportError } from './transport.ts'

/** What a TLS connection to a target is made with, read from its files. Rejects with TransportError or AuthError. */
export async function readTlsOptions(target: WsmanTarget): Promise<ConnectionOptions> {
  const { hostname } = new URL(target.url)
  const isAddress = isIP(hostname.replace(/^\[|\]$/g, '')) !== 0
  return {
    rejectUnauthorized: target.noVerify !== true,
    // An address is no name that could be asked for. Source: RFC 6066, section 3.
    ...(!isAddress && { servername: hostname }),
    // Made once: reading all authorities takes a while, and nothing needs to be kept of the key's passphrase.
    secureContext: makeContext(target, {
      ...(target.noVerify !== true && { ca: await readTrusted(target.cacert) }),
      ...(target.auth === 'certificate' && (await readOwn(target))),
    }),
  }
}

/** Why a connection failed, if it was for the host's certificate, and what to do about it. */
export function distrust(socket: TLSSocket, error: Error): string | undefined {
  // The types say that it is an Error; it is the code of one, or its message.
  const code: unknown = socket.authorizationError
  if (typeof code !== 'string' || code === '') return undefined
  // Only of a wrong name there is more to say: which names the certificate has.
  const why = 'reason' in error && typeof error.reason === 'string' ? error.reason : code
  return `${why}; ${WAYS_OUT[code] ?? 'name the authority that signed it by cacert=FILE'}`
}

/** By what is wrong with a certificate. Source: Node.js documentation, "X509 certificate error codes". */
const WAYS_OUT: Readonly<Record<string, string>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: 'reach the host by a name of its certificate',
  CERT_HAS_EXPIRED: 'have it renewed',
  CERT_NOT_YET_VALID: 'look at the clocks of both machines',
}

/** What binds an authentication to this connection; undefined where it is not encrypted or nothing can. */
export function bindingOf(socket: unknown): Uint8Array | undefined {
  if (!(socket instanceof TLSSocket)) return undefined
  const { raw } = socket.getPeerCertificate()
  return raw && channelBinding(raw)
}

/** OpenSSL throws for certificates and keys that are none, or do not belong together. */
function makeContext({ url }: WsmanTarget, options: SecureContextOptions): SecureContext {
  try {
    return createSecureContext(options)
  } catch (cause) {
    const text = `a certificate or key for ${new URL(url).host} cannot be used`
    throw new TransportError('untrusted', text, { wasSent: false, cause })
  }
}

/** The system's authorities where it has any, for those are what its operators keep; else those that Node brings. */
async function readTrusted(cacert: string | undefined): Promise<string[]> {
  if (cacert !== undefined) return [asPem(await readBytes('the certificates to trust', cacert), cacert)]
  const system = getCACertificates('system')
  return system.length > 0 ? system : getCACertificates('default')
}

/** Certificates in PEM, or the one in DER that Windows exports. OpenSSL itself passes over what is none. */
function asPem(bytes: Buffer, path: string): string {
  try {
    const first = new X509Certificate(bytes)
    return bytes.includes('-----BEGIN') ? bytes.toString('latin1') : first.toString()
  } catch (cause) {
    throw new TransportError('untrusted', `there is no certificate in ${path}`, { wasSent: false, cause })
  }
}

async function readOwn({ certificate }: WsmanTarget): Promise<SecureContextOptions> {
  if (certificate === undefined) return {}
  const { certFile, keyFile, passphrase } = certificate
  const cert = await readBytes('our certificate', certFile)
  const key = await readBytes('the key of our certificate', keyFile)
  // Hosts ask for it late, when they see the request: in TLS 1.3 by a way that OpenSSL does not go unless told to, and
  // Node cannot tell it. Source: RFC 8446, section 4.6.2; Ansible's documentation, "WinRM", TLS 1.3.
  const maxVersion = 'TLSv1.2'
  if (passphrase === undefined) return { cert, key, maxVersion }
  return { cert, key, maxVersion, passphrase: await askSecret(passphrase, 'the passphrase of our key') }
}

async function readBytes(what: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (cause) {
    throw new TransportError('untrusted', `cannot read ${what} from ${path}`, { wasSent: false, cause })
  }
}
