import { hostname } from 'node:os'
import type { AuthMechanism } from './auth-mechanism.ts'
import { Kerberos } from './kerberos.ts'
import type { SealProtocol } from './multipart.ts'
import { Ntlm } from './ntlm.ts'
import { askSecret } from './secret.ts'
import { Spnego } from './spnego.ts'
import { splitUser, type WsmanTarget } from './target.ts'

/** A way to authenticate a connection, token by token. */
export interface AuthScheme {
  /** The word in `Authorization` and `WWW-Authenticate`. */
  readonly name: 'Negotiate' | 'Kerberos'
  /** The name under which the messages are sealed; hosts refuse another. */
  readonly protocol: SealProtocol
  /** A mechanism for one connection. `binding` is what binds it to its TLS channel. */
  start(binding: Uint8Array | undefined): AuthMechanism
}

/** The longest name that the old networks of Windows have for a workstation. */
const WORKSTATION_LENGTH_MAX = 15

/**
 * How a connection to the target is authenticated, the way to be tried first first; none where each request is
 * authenticated by itself, or the whole connection by TLS.
 */
export function schemesOf(target: WsmanTarget): AuthScheme[] {
  if (target.auth === 'negotiate') return [negotiated(binding => wrap(target, ntlm(target, binding)))]
  if (target.auth !== 'kerberos') return []
  // By its own name a host takes Kerberos as it is; one that has only Negotiate takes it wrapped in SPNEGO.
  return [
    {
      name: 'Kerberos',
      protocol: 'application/HTTP-Kerberos-session-encrypted',
      start: binding => kerberos(target, binding),
    },
    negotiated(binding => new Spnego(kerberos(target, binding))),
  ]
}

/** What authenticates each request by itself; empty where nothing does. Rejects with AuthError. */
export async function requestHeaders(target: WsmanTarget): Promise<Readonly<Record<string, string>>> {
  if (target.auth === 'certificate') return { Authorization: CERTIFICATE_PROFILE }
  if (target.auth !== 'basic') return {}
  const password = await askPassword(target)
  return { Authorization: `Basic ${Buffer.from(`${target.user ?? ''}:${password}`, 'utf8').toString('base64')}` }
}

/** What says that the certificate of the TLS connection is the proof. Source: DSP0226, annex C. */
const CERTIFICATE_PROFILE = 'http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual'

function negotiated(start: AuthScheme['start']): AuthScheme {
  return { name: 'Negotiate', protocol: 'application/HTTP-SPNEGO-session-encrypted', start }
}

function wrap(target: WsmanTarget, mechanism: Ntlm): AuthMechanism {
  return target.negotiate === 'spnego' ? new Spnego(mechanism) : mechanism
}

function ntlm(target: WsmanTarget, channelBinding: Uint8Array | undefined): Ntlm {
  return new Ntlm({
    ...splitUser(target.user ?? ''),
    password: () => askPassword(target),
    targetName: `HTTP/${new URL(target.url).hostname}`,
    workstation: (hostname().split('.')[0] ?? '').slice(0, WORKSTATION_LENGTH_MAX).toUpperCase(),
    channelBinding,
  })
}

function kerberos(target: WsmanTarget, channelBinding: Uint8Array | undefined): Kerberos {
  const { cache, keytab, service = 'HTTP' } = target.kerberos ?? {}
  const { user, password } = target
  return new Kerberos({
    host: new URL(target.url).hostname,
    service,
    channelBinding,
    ...(user !== undefined && { user: principalOf(user) }),
    ...(password && { password: () => askPassword(target) }),
    ...(cache !== undefined && { cache }),
    ...(keytab !== undefined && { keytab }),
  })
}

/** `DOM\user` and `user@dom` as Kerberos has them; the realms of Windows domains are in capitals. */
function principalOf(name: string): string {
  const { user, domain } = splitUser(name)
  const [first, realm = domain] = user.split('@')
  return realm === '' ? user : `${first}@${realm.toUpperCase()}`
}

function askPassword({ password, user }: WsmanTarget): Promise<string> {
  return askSecret(password, `the password of ${user ?? 'the user'}`)
}
