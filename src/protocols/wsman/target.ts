/** Asked whenever a connection needs it, and never kept. */
export type Secret = () => string | Promise<string>

/** The ways to prove who we are. Of these, a host in its default configuration knows `negotiate` and `kerberos`. */
export type WsmanAuth = 'negotiate' | 'basic' | 'kerberos' | 'certificate'

/** Where Kerberos credentials come from where there is no password: by default the system's cache. */
export interface KerberosSource {
  /** A credentials cache, as MIT Kerberos names one (`FILE:/tmp/krb5cc_0`). */
  readonly cache?: string
  /** A file with the user's key. */
  readonly keytab?: string
  /** The first part of the host's principal where it is not `HTTP`. */
  readonly service?: string
}

/** A certificate that the host maps to a user, as PEM files. */
export interface ClientCertificate {
  readonly certFile: string
  readonly keyFile: string
  readonly passphrase?: Secret
}

/** A host to speak WS-Management with, and as whom. Holds no secret, only whom to ask for it. */
export interface WsmanTarget {
  /** `http://host:5985/wsman` or `https://host:5986/wsman`. */
  readonly url: string
  readonly auth: WsmanAuth
  /** `DOM\user`, `user@dom`, `.\user` or `user`. Kerberos needs none: then it is the owner of the cache. */
  readonly user?: string
  readonly password?: Secret
  /** A file of certificates to trust instead of the system's. */
  readonly cacert?: string
  /** Accepts any certificate: then whoever sits in between can read and change everything. */
  readonly noVerify?: boolean
  /** Connections at once; `CONNECTIONS_MAX` where it is not said. */
  readonly connectionsMax?: number
  /** The longest reply that is read; `REPLY_BYTES_MAX` where it is not said. */
  readonly replyBytesMax?: number
  /** Lets `basic` send the password over http, where everybody on the way can read it. */
  readonly allowPlainBasic?: boolean
  /** What `negotiate` says under that name: NTLM as it is (what most clients do), or wrapped in SPNEGO. */
  readonly negotiate?: 'ntlm' | 'spnego'
  readonly kerberos?: KerberosSource
  readonly certificate?: ClientCertificate
}

/** A target that is not one; its text says what to change. */
export class TargetError extends Error {
  override readonly name = 'TargetError'
}

const PORTS = { http: 5985, https: 5986 } as const
const PATH = '/wsman'
const PARAMETERS = ['transport', 'auth', 'no_verify', 'cacert'] as const
const URI_LENGTH_MAX = 4_096

/**
 * Reads `hyperv://user@host[:port]/?transport=http|https&auth=negotiate|basic|kerberos&no_verify=1&cacert=FILE`.
 * Without `auth` it is negotiate. Without `transport` it is http, which is all that a host in its default configuration
 * listens on and where messages are encrypted; but https with basic, and where the URI speaks of certificates.
 * Throws TargetError for what it does not know, and for a password, which has no place in a URI.
 */
export function parseTargetUri(uri: string, password?: Secret): WsmanTarget {
  const parsed = uri.length <= URI_LENGTH_MAX ? URL.parse(uri) : null
  if (parsed?.protocol !== 'hyperv:') throw new TargetError('the host is not written as hyperv://user@host/?…')
  if (parsed.password !== '' || /^hyperv:\/\/[^/?#]*:[^/?#]*@/i.test(uri)) {
    throw new TargetError('a password stands in the URI, where it can be seen; leave it out and give it another way')
  }
  if (!['', '/'].includes(parsed.pathname) || parsed.hash !== '') {
    throw new TargetError('after the name of the host, the URI may only have parameters')
  }
  const { auth = 'negotiate', ...parameters } = readParameters(parsed.searchParams)
  const isVerified = readNoVerify(parameters.no_verify) !== true
  const speaksOfCertificates = parameters.cacert !== undefined || !isVerified
  const transport = parameters.transport ?? (auth === 'basic' || speaksOfCertificates ? 'https' : 'http')
  if (transport !== 'http' && transport !== 'https') throw new TargetError('transport is http or https')
  if (auth !== 'negotiate' && auth !== 'basic' && auth !== 'kerberos') {
    throw new TargetError('auth is negotiate, basic or kerberos')
  }
  const user = decode(parsed.username)
  return checkTarget({
    url: `${transport}://${readHost(parsed.hostname)}:${readPort(parsed.port) ?? PORTS[transport]}${PATH}`,
    auth,
    ...(user !== '' && { user }),
    ...(password && { password }),
    ...(parameters.cacert !== undefined && { cacert: parameters.cacert }),
    ...(!isVerified && { noVerify: true }),
  })
}

/** The target, if what it says goes together; else throws TargetError. */
export function checkTarget(target: WsmanTarget): WsmanTarget {
  const url = URL.parse(target.url)
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') throw new TargetError('the URL is not of http or https')
  if (url.username !== '' || url.password !== '') throw new TargetError('the URL names a user; say it beside the URL')
  const isPlain = url.protocol === 'http:'
  if (isPlain && target.cacert !== undefined) {
    throw new TargetError('cacert says whom to trust over https, but the transport is http')
  }
  if (isPlain && target.auth === 'basic' && target.allowPlainBasic !== true) {
    throw new TargetError('basic over http shows the password to everybody on the way; use transport=https')
  }
  if (target.auth === 'certificate' && (isPlain || target.certificate === undefined)) {
    throw new TargetError('to be known by a certificate, it takes https, a certificate and its key')
  }
  const needsPassword = target.auth === 'negotiate' || target.auth === 'basic'
  if (needsPassword && target.user === undefined) throw new TargetError(`${target.auth} needs a user: hyperv://USER@…`)
  if (needsPassword && target.password === undefined) throw new TargetError(`${target.auth} needs a password`)
  if (target.auth === 'basic' && target.user?.includes(':') === true) {
    throw new TargetError('basic takes no user with a colon in its name')
  }
  for (const bound of [target.connectionsMax, target.replyBytesMax]) {
    if (bound !== undefined && !(Number.isSafeInteger(bound) && bound > 0)) {
      throw new TargetError('a bound of a target is a whole number above 0')
    }
  }
  return target
}

/** What names a user to a Windows host. */
export interface UserName {
  readonly user: string
  /** Empty where the host is to decide, or where `user` says it. */
  readonly domain: string
}

/** Takes `DOM\user` apart; `user@dom` stays as it is, which is what hosts expect. */
export function splitUser(name: string): UserName {
  const at = name.indexOf('\\')
  return at < 0 ? { user: name, domain: '' } : { user: name.slice(at + 1), domain: name.slice(0, at) }
}

function readParameters(given: URLSearchParams): Partial<Record<(typeof PARAMETERS)[number], string>> {
  const known: Partial<Record<(typeof PARAMETERS)[number], string>> = {}
  for (const [name, value] of given) {
    const parameter = PARAMETERS.find(one => one === name)
    if (parameter === undefined) {
      throw new TargetError(`the URI has an unknown parameter ${name}; there are ${PARAMETERS.join(', ')}`)
    }
    if (known[parameter] !== undefined) throw new TargetError(`the URI has ${name} twice`)
    if (value === '') throw new TargetError(`the URI has ${name} without a value`)
    known[parameter] = value
  }
  return known
}

function readNoVerify(value: string | undefined): boolean | undefined {
  if (value !== undefined && value !== '0' && value !== '1') throw new TargetError('no_verify is 0 or 1')
  return value === undefined ? undefined : value === '1'
}

/** A name, an IPv4 address, or an IPv6 address in brackets. */
function readHost(host: string): string {
  const name = host.startsWith('[') ? host : decode(host)
  const isHost = /^(\[[0-9a-f:.]+\]|[\p{L}\p{N}]([\p{L}\p{N}._-]*[\p{L}\p{N}.])?)$/iu.test(name)
  if (!isHost) throw new TargetError('the URI names no host')
  return name
}

function readPort(port: string): number | undefined {
  if (port === '') return undefined
  const number = Number(port)
  if (number < 1) throw new TargetError('the port is 1 to 65535')
  return number
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    throw new TargetError('the URI has a % that begins no character', { cause: error })
  }
}
