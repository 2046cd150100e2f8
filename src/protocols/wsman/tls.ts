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

/** Whether a connection ended because the host's certificate was not accepted, and why. */
export function distrust(socket: TLSSocket): string | undefined {
  // The types say that it is an Error; it is the code of one, or its message.
  const why: unknown = socket.authorizationError
  if (why instanceof Error) return why.message
  return typeof why === 'string' && why !== '' ? why : undefined
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
  if (cacert !== undefined) {
    const [trusted] = await readAll([['the certificates to trust', cacert]])
    return [trusted ?? '']
  }
  const system = getCACertificates('system')
  return system.length > 0 ? system : getCACertificates('default')
}

async function readOwn({ certificate }: WsmanTarget): Promise<SecureContextOptions> {
  if (certificate === undefined) return {}
  const [cert = '', key = ''] = await readAll([
    ['our certificate', certificate.certFile],
    ['the key of our certificate', certificate.keyFile],
  ])
  const { passphrase } = certificate
  if (passphrase === undefined) return { cert, key }
  return { cert, key, passphrase: await askSecret(passphrase, 'the passphrase of our key') }
}

function readAll(files: readonly (readonly [string, string])[]): Promise<string[]> {
  return Promise.all(
    files.map(async ([what, path]) => {
      try {
        return await readFile(path, 'utf8')
      } catch (cause) {
        throw new TransportError('untrusted', `cannot read ${what} from ${path}`, { wasSent: false, cause })
      }
    }),
  )
}
